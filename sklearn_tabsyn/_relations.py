"""Exact relations between the columns of a table: found, listed and kept."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sklearn_tabsyn._axes import find_axes
from sklearn_tabsyn._chains import sources_first
from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._functions import find_functions, fitting_sources
from sklearn_tabsyn._links import find_links
from sklearn_tabsyn._offsets import find_offsets
from sklearn_tabsyn._orders import find_orders, put_in_order, reduced

# Rows on which relations are searched.
N_SEARCHED = 20_000
# Cells of a table of rows and sources that is held in memory at a time.
MAX_CELLS = 2_000_000


@dataclass(frozen=True)
class Relation:
    """An exact relation between columns of a table.

    Parameters
    ----------
    kind : {"equal", "difference", "ratio", "sum", "function", "order"}
        The target is the source, or the source plus a constant, or a constant times
        the source, or the signed sum of several sources, or it is determined by the
        source, or it is at least the source.
    target, source : object
        Names of the columns; a tuple of names if there are several sources.
    share : float, default=1.0
        Share of the rows where it holds, of those where all columns have a value.
    constant : float or Timedelta, default=None
        That of a difference or a ratio.
    strict : bool, default=False
        Whether in order and never equal.
    signs : tuple of float, default=()
        1 or -1 for each of several sources.
    """

    kind: str
    target: Any
    source: Any
    share: float = 1.0
    constant: Any = None
    strict: bool = False
    signs: tuple = ()

    def __str__(self):
        if self.kind == "function":
            return f"{self.target} is a function of {self.source}"
        if self.kind == "order":
            return f"{self.source} {'<' if self.strict else '<='} {self.target}"
        text = f"{self.target} = {self.source}"
        if self.kind == "sum":
            text = f"{self.target} = {self._sum()}"
        elif self.kind == "ratio":
            text = f"{self.target} = {self.constant:.12g} * {self.source}"
        elif self.kind == "difference":
            minus = self.constant < type(self.constant)(0)
            size = -self.constant if minus else self.constant
            size = f"{size:.12g}" if isinstance(size, float) else size
            text = f"{text} {'-' if minus else '+'} {size}"
        return text if self.share == 1 else f"{text} in {self.share:.1%} of the rows"

    def _sum(self):
        """Return the signed sum of the sources as text."""
        pairs = sorted(zip(self.signs, self.source, strict=True), key=lambda p: -p[0])
        parts = [f"{'-' if sign < 0 else '+'} {name}" for sign, name in pairs]
        return " ".join(parts).removeprefix("+ ")


class Drawn:
    """The columns of a frame that relations read and change.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Drawn canonical values. Never changed.
    known : ndarray of shape (n_rows, n_columns), dtype bool
        Cells that are given. Copied.
    """

    def __init__(self, frame, known):
        self._frame, self._columns = frame, {}
        self.known = known.T.copy()

    def __getitem__(self, unit):
        if unit not in self._columns:
            self._columns[unit] = self._frame[unit].to_numpy(np.float64, copy=True)
        return self._columns[unit]

    def put(self, unit, rows, values):
        """Set a column where `rows` says so."""
        self[unit][rows] = values[rows]

    def frame(self):
        """Return the frame with all changes."""
        frame = self._frame.copy()
        for unit, column in self._columns.items():
            frame[unit] = column
        return frame


@dataclass
class Relations:
    """All exact relations of a table.

    Parameters
    ----------
    axes : dict of int to Axis
        Positions and axes of numbers and dates.
    links : list of Link
        Numbers that are made of others, sources before their targets.
    offsets : list of Offset
        Numbers that are sums of others, and dates that come a little after others.
    functions : list of Function
        Columns that are determined by others, sources before their targets.
    orders : list of Order
        Numbers that are never greater than others.
    listed : list of Relation
        All of them as users see them.
    """

    axes: dict = field(default_factory=dict)
    links: list = field(default_factory=list)
    offsets: list = field(default_factory=list)
    functions: list = field(default_factory=list)
    orders: list = field(default_factory=list)
    listed: list = field(default_factory=list)

    @classmethod
    def find(cls, columns, kinds, frame, min_count=1):
        """Return the relations of a frame of canonical values.

        Parameters
        ----------
        columns : list of ColumnSchema
            Schemas of the columns.
        kinds : list of {"continuous", "discrete", "nominal"}
            How they are encoded.
        frame : DataFrame of shape (n_rows, n_columns)
            Canonical values.
        min_count : int, default=1
            Rows in which a value must be found to be kept.
        """
        some = even_rows(len(frame), N_SEARCHED)
        families = find_axes(columns, kinds, frame)
        found = cls({j: axis for family in families for j, axis in family.items()})

        def column(unit):
            return found._read(unit, frame)

        for family in families:
            many = [kinds[j] == "continuous" for j in family]
            values = found._values(frame.iloc[some], family)
            links = find_links(values, family, many, column, min_count)
            offsets, links = find_offsets(
                values, family, many, links, column, min_count
            )
            found.offsets, found.links = found.offsets + offsets, found.links + links
        made = {link.target for link in found.links if link.always}
        levels = [j for j, k in enumerate(kinds) if k != "continuous" and j not in made]
        found.functions = find_functions(frame, some, levels)
        # What is made of other columns follows them, and has no order of its own.
        made |= {function.target for function in found.functions}
        for family in families:
            family = {j: axis for j, axis in family.items() if j not in made}
            values = found._values(frame.iloc[some], family)
            found.orders += find_orders(values, family, column)
        found.listed = found._list(columns, frame)
        makers = [*found.links, *found.offsets]
        used = {j for maker in makers for j in (maker.target, *maker.sources)}
        used |= {j for order in found.orders for j in (order.low, order.high)}
        found.axes = {j: axis for j, axis in found.axes.items() if j in used}
        return found

    @property
    def marked(self):
        """Links that hold in a part of the rows only."""
        return [link for link in self.links if not link.always]

    def marks(self, link, frame):
        """Return 1 where a link is to be marked, 0 elsewhere, -1 without target."""
        target, source = (self._read(j, frame) for j in (link.target, link.source))
        holds = link.holds(target, source, self.axes)
        return np.where(np.isnan(target), -1, holds)

    def rests(self, frame):
        """Return the rests of all offsets, (n_rows, n_offsets).

        NaN in rows that are not encoded by them.
        """
        rests = [
            offset.marked(
                self._read(offset.target, frame),
                [self._read(source, frame) for source in offset.sources],
            )
            for offset in self.offsets
        ]
        return np.stack(rests, 1) if rests else np.empty((len(frame), 0))

    def suited(self, unit, values):
        """Return values, or those next to them that some source makes in all rows."""
        for link in self.links:
            if link.always and link.target == unit:
                axis, made_of = self.axes[unit], self.axes[link.source]
                source = made_of.nearest(link.invert(axis.read(values), made_of))
                source = self.suited(link.source, made_of.write(source))
                source = made_of.read(source)
                return axis.write(axis.nearest(link.predict(source, axis)))
        return values

    def repair(self, frame, known, marks=None, rests=None, gaps=True):
        """Return a frame of canonical values in which all relations hold.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Drawn values.
        known : ndarray of shape (n_rows, n_columns), dtype bool
            Cells that are given, and stay. What they are made of follows them.
        marks : dict of int to ndarray of shape (n_rows,), dtype bool, default=None
            Where links hold that do not always hold, by their target.
        rests : dict of int to ndarray of shape (n_rows,), default=None
            Rests of offsets, by their target; NaN where one does not count.
        gaps : bool, default=True
            Whether a drawn value may become a missing one.
        """
        makers = sources_first([*self.offsets, *self.links])
        if not makers and not self.functions and not self.orders:
            return frame
        marks, rests = marks or {}, rests or {}
        cells = Drawn(frame, known)
        links = [
            maker
            for maker in makers
            if maker.always or maker.target in (rests if maker.is_soft else marks)
        ]
        always = [link for link in links if link.always]
        for link in always[::-1] + links[::-1]:  # what always holds comes first
            if not link.is_soft:
                self._follow_target(link, cells, marks)
        for function in reversed(self.functions):
            self._find_source(function.source, cells, gaps)
        for link in links:
            if link.is_soft:
                self._follow_offset(link, cells, rests[link.target])
            else:
                self._follow_source(link, cells, marks)
        if self.orders:
            self._put_in_order(cells, marks, rests)
        for link in always * 2:  # where a source had to give way, others follow it
            self._follow_source(link, cells, marks)
        for function in self.functions:
            new = function.predict(cells[function.source], cells[function.target])
            free = ~cells.known[function.target]
            free &= gaps | ~np.isnan(new)
            cells.put(function.target, free, new)
        return cells.frame()

    def _read(self, unit, frame):
        return self.axes[unit].read(frame[unit].to_numpy())

    def _values(self, frame, units):
        """Return columns as their axes read them, (n_rows, n_units)."""
        columns = [self._read(j, frame) for j in units]
        return np.stack(columns, 1) if columns else np.empty((len(frame), 0))

    def _pair(self, link, cells, marks):
        """Return the target, the source, and the rows where a link has to hold."""
        target, source = (
            self.axes[unit].nearest(self.axes[unit].read(cells[unit]))
            for unit in (link.target, link.source)
        )
        rows = ~np.isnan(target) & ~np.isnan(source)
        return target, source, rows & (link.always | marks.get(link.target, False))

    def _follow_target(self, link, cells, marks):
        """Make sources suit the targets that are given."""
        target, source, rows = self._pair(link, cells, marks)
        rows &= cells.known[link.target] & ~cells.known[link.source]
        axis = self.axes[link.source]
        made = axis.nearest(link.invert(target, axis))
        rows &= link.always | link.agrees(target, made, self.axes)
        agrees = link.agrees(target, source, self.axes)
        cells.put(link.source, rows & ~agrees, axis.write(made))
        cells.known[link.source] |= rows

    def _follow_source(self, link, cells, marks):
        """Make targets of their sources, where they can be what these make them."""
        target, source, rows = self._pair(link, cells, marks)
        rows &= ~cells.known[link.target]
        rows &= ~link.agrees(target, source, self.axes)
        axis = self.axes[link.target]
        made = axis.nearest(link.predict(source, axis))
        fits = link.agrees(made, source, self.axes)
        cells.put(link.target, rows & (link.always | fits), axis.write(made))
        if link.always:
            axis = self.axes[link.source]
            back = axis.nearest(link.invert(made, axis))
            rows &= ~fits & ~cells.known[link.source]
            cells.put(link.source, rows, axis.write(back))

    def _follow_offset(self, offset, cells, rest):
        """Make the target of an offset of its sources where it counts."""
        target, *sources = (
            self.axes[unit].nearest(self.axes[unit].read(cells[unit]))
            for unit in (offset.target, *offset.sources)
        )
        axis = self.axes[offset.target]
        made = axis.nearest(offset.base(sources) + rest)
        rows = ~np.isnan(target) & ~np.isnan(made) & ~cells.known[offset.target]
        cells.put(offset.target, rows, axis.write(made))

    def _find_source(self, unit, cells, gaps):
        """Make sources of functions suit the targets that are given."""
        functions = [f for f in self.functions if f.source == unit]
        given = np.any([cells.known[f.target] for f in functions], axis=0)
        rows = np.flatnonzero(given & ~cells.known[unit])
        size = max(1, MAX_CELLS // len(functions[0].keys))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            targets = [(cells[f.target], cells.known[f.target]) for f in functions]
            targets = [(target[part], given[part]) for target, given in targets]
            drawn = cells[unit][part]
            cells[unit][part] = fitting_sources(functions, drawn, targets, gaps)
        cells.known[unit][rows] = True

    def _put_in_order(self, cells, marks, rests):
        """Exchange or move numbers that are greater than they may be.

        First those that are not made of others.
        """
        held = {}
        for offset in self.offsets:
            if offset.target in rests:
                for unit in (offset.target, *offset.sources):
                    rows = ~np.isnan(rests[offset.target])
                    held[unit] = held.get(unit, False) | rows
        for link in self.marked:
            if link.target in marks:
                target, source, rows = self._pair(link, cells, marks)
                rows &= link.agrees(target, source, self.axes)
                for unit in (link.target, link.source):
                    held[unit] = held.get(unit, False) | rows
        put_in_order(self.orders, self.axes, cells, held)
        if held:
            put_in_order(self.orders, self.axes, cells, {})

    def _list(self, columns, frame):
        """Return the relations as users see them."""
        listed = []
        for link in self.links:
            target, source = (self._read(j, frame) for j in (link.target, link.source))
            both = ~np.isnan(target) & ~np.isnan(source)
            share = float(link.agrees(target, source, self.axes)[both].mean())
            axis, constant = self.axes[link.target], None
            if link.kind != "equal":
                constant = axis.amount(link.constant)
            names = columns[link.target].name, columns[link.source].name
            listed.append(Relation(link.kind, *names, share, constant))
        listed += self._list_sums(columns, frame)
        for function in self.functions:
            names = columns[function.target].name, columns[function.source].name
            listed.append(Relation("function", *names))
        for order in reduced(self.orders):
            names = columns[order.high].name, columns[order.low].name
            listed.append(Relation("order", *names, strict=order.strict))
        return listed

    def _list_sums(self, columns, frame):
        """Yield the sums of several columns."""
        for offset, rest in zip(self.offsets, self.rests(frame).T, strict=True):
            units = offset.target, *offset.sources
            there = ~np.any([np.isnan(self._read(j, frame)) for j in units], axis=0)
            if len(units) > 2:
                target, *names = (columns[j].name for j in units)
                share = float((rest == 0)[there].mean())
                yield Relation("sum", target, tuple(names), share, signs=offset.signs)
