"""Exact relations between the columns of a table: found, listed and kept."""

from dataclasses import dataclass, field

import numpy as np

from sklearn_tabsyn._axes import find_axes, find_names
from sklearn_tabsyn._chains import sources_first
from sklearn_tabsyn._curves import find_curves
from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._functions import find_functions, fitting_sources, is_repeated
from sklearn_tabsyn._links import find_constant_links
from sklearn_tabsyn._listing import list_relations
from sklearn_tabsyn._offsets import find_offsets
from sklearn_tabsyn._orders import find_orders, put_in_order
from sklearn_tabsyn._partial_links import find_links

# Rows on which relations are searched.
N_SEARCHED = 20_000
# Cells of a table of rows and sources that is held in memory at a time.
MAX_CELLS = 2_000_000


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
    axes : dict of int to Axis or NameAxis
        Positions and axes of the columns that are compared.
    links : list of Link
        Numbers and names that are made of others, sources before their targets.
    offsets : list of Offset
        Numbers that are sums of others, and dates that come a little after others.
    functions : list of Function
        Columns that are determined by others, sources before their targets.
    curves : list of Curve
        Columns that follow numbers of many values.
    orders : list of Order
        Numbers that are never greater than others.
    listed : list of Relation
        All of them as users see them.
    """

    axes: dict = field(default_factory=dict)
    links: list = field(default_factory=list)
    offsets: list = field(default_factory=list)
    functions: list = field(default_factory=list)
    curves: list = field(default_factory=list)
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
        families, names = find_axes(columns, kinds, frame), find_names(columns, frame)
        found = cls(names | {j: axis for axes in families for j, axis in axes.items()})
        values = [found._values(frame.iloc[some], family) for family in families]

        def column(unit):
            return found.read(unit, frame)

        constant = [
            find_constant_links(part, family, column)
            for part, family in zip(values, families, strict=True)
        ]
        # What is made of other columns follows them, and is not told by others too.
        made = {link.target for links in constant for link in links}
        many = {j for j, kind in enumerate(kinds) if kind == "continuous"}
        codes = {j for j in many if is_repeated(frame[j].to_numpy(), min_count)}
        levels = [j for j in range(len(kinds)) if j not in made | (many - codes)]
        found.functions = find_functions(frame, some, levels, codes)
        made |= {function.target for function in found.functions}
        if min_count == 1:  # the ends of a curve are values of single rows
            numbers = [j for j in many if j not in made | codes]
            moved = made | {f.source for f in found.functions if f.nearest}
            followers = [j for j in range(len(kinds)) if j not in moved]
            found.curves = find_curves(frame, some, numbers, followers, many)
        made |= {curve.target for curve in found.curves}
        for part, family, links in zip(values, families, constant, strict=True):
            free = [j in many and j not in made for j in family]
            links = find_links(part, family, free, links, made, min_count)
            offsets, links = find_offsets(part, family, free, links, column, min_count)
            found.links, found.offsets = found.links + links, found.offsets + offsets
            kept = [j not in made for j in family]
            family = {j: axis for j, axis in family.items() if j not in made}
            found.orders += find_orders(part[:, kept], family, column)
        part = found._values(frame.iloc[some], names)
        found.links += find_links(part, names, [False] * len(names), [], made)
        found.listed = list_relations(found, columns, frame)
        makers = [*found.links, *found.offsets]
        used = {j for maker in makers for j in (maker.target, *maker.sources)}
        used |= {j for order in found.orders for j in (order.low, order.high)}
        used |= {curve.source for curve in found.curves}
        found.axes = {j: axis for j, axis in found.axes.items() if j in used}
        return found

    @property
    def marked(self):
        """Links that hold in a part of the rows only."""
        return [link for link in self.links if not link.always]

    def marks(self, link, frame):
        """Return 1 where a link is to be marked, 0 elsewhere, -1 without target."""
        target, source = (self.read(j, frame) for j in (link.target, link.source))
        holds = link.holds(target, source, self.axes)
        return np.where(np.isnan(target), -1, holds)

    def rests(self, frame):
        """Return the rests of all offsets, (n_rows, n_offsets).

        NaN in rows that are not encoded by them.
        """
        rests = [
            offset.marked(
                self.read(offset.target, frame),
                [self.read(source, frame) for source in offset.sources],
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
        if not any([makers, self.functions, self.curves, self.orders]):
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
        for curve in self.curves:
            self._follow_curve_back(curve, cells)
            self._follow_curve(curve, cells, gaps)
        self._follow_functions(cells, gaps)
        for link in links:
            if link.is_soft:
                self._follow_offset(link, cells, rests[link.target])
            else:
                self._part(link, cells, marks)
                self._follow_source(link, cells, marks)
        self._follow_functions(cells, gaps)
        if self.orders:
            self._put_in_order(cells, marks, rests)
        for link in always * 2:  # where a source had to give way, others follow it
            self._follow_source(link, cells, marks)
        for curve in self.curves:
            self._follow_curve(curve, cells, gaps)
        for function in self.functions:
            self._fill(function, cells, cells[function.source], gaps)
        return cells.frame()

    def read(self, unit, frame):
        """Return a column as its axis reads it."""
        return self.axes[unit].read(frame[unit].to_numpy())

    def _values(self, frame, units):
        """Return columns as their axes read them, (n_rows, n_units)."""
        columns = [self.read(j, frame) for j in units]
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

    def _part(self, link, cells, marks):
        """Change targets that only happen to be what a link would make them.

        In the rows that were learned all such were marked.
        """
        if link.always:
            return
        target, source, rows = self._pair(link, cells, marks)
        rows = link.holds(target, source, self.axes) & ~rows
        rows = np.flatnonzero(rows & ~cells.known[link.target])
        axis = self.axes[link.target]
        cells[link.target][rows] = axis.write(axis.others(target[rows]))

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

    def _follow_functions(self, cells, gaps):
        """Make the targets of functions of their sources, and these known ones."""
        for function in self.functions:
            source = function.known(cells[function.source])
            cells.put(function.source, ~cells.known[function.source], source)
            self._fill(function, cells, source, gaps)

    def _follow_curve(self, curve, cells, gaps):
        """Make the target of a curve of its source, as this will be rounded."""
        axis = self.axes[curve.source]
        source = axis.write(axis.nearest(axis.read(cells[curve.source])))
        self._fill(curve, cells, source, gaps)

    def _follow_curve_back(self, curve, cells):
        """Make the source of a curve suit the targets that are given."""
        rows = cells.known[curve.target] & ~cells.known[curve.source]
        made = curve.invert(cells[curve.target], cells[curve.source])
        cells.put(curve.source, rows, made)
        cells.known[curve.source] |= rows & ~np.isnan(cells[curve.target])

    def _fill(self, function, cells, source, gaps):
        """Put what a function or a curve makes of sources where nothing is given."""
        new = function.predict(source, cells[function.target])
        free = ~cells.known[function.target]
        free &= gaps | ~np.isnan(new)
        cells.put(function.target, free, new)

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
