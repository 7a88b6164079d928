"""Exact relations between the columns of a table, as they are found."""

from dataclasses import dataclass, field

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._axes import find_axes, find_names
from sklearn_tabsyn._relations._calendar import find_parts
from sklearn_tabsyn._relations._chains import sources_of
from sklearn_tabsyn._relations._combinations import Combinations, find_combinations
from sklearn_tabsyn._relations._curves import find_curves
from sklearn_tabsyn._relations._date_codes import find_date_codes
from sklearn_tabsyn._relations._functions import (
    Function,
    find_functions,
    is_repeated,
)
from sklearn_tabsyn._relations._links import find_constant_links
from sklearn_tabsyn._relations._listing import list_relations
from sklearn_tabsyn._relations._offsets import find_offsets
from sklearn_tabsyn._relations._one_of import find_one_of
from sklearn_tabsyn._relations._orders import find_orders
from sklearn_tabsyn._relations._partial_links import find_links
from sklearn_tabsyn._relations._products import find_products
from sklearn_tabsyn._relations._repair import Repair
from sklearn_tabsyn._relations._spans import find_spans
from sklearn_tabsyn._relations._totals import find_totals

# Rows on which relations are searched.
N_SEARCHED = 20_000


@dataclass
class Relations(Repair):
    """All exact relations of a table.

    Parameters
    ----------
    axes : dict of int to Axis or NameAxis
        Positions and axes of the columns that are compared.
    links : list of Link
        Numbers and names that are made of others, sources before their targets.
    spans : list of Span
        Numbers that tell the time between two dates.
    offsets : list of Offset
        Numbers that are sums of others, and dates that come a little after others.
    functions : list of Function
        Columns that are determined by others, sources before their targets.
    parts : list of Part
        Columns that tell parts of dates of many values.
    curves : list of Curve
        Columns that follow numbers of many values.
    one_of : list of OneOf
        Columns of which at most one is on. Each group has a code, which is told as if
        it stood in a further column of the table: it determines the members.
    date_codes : list of DateCode
        Parts of dates that are told as if they stood in further columns.
    products : list of Product
        Numbers that are products or quotients of two others.
    totals : list of Total
        Numbers that add up to the same in every row.
    orders : list of Order
        Numbers that are never greater than others.
    combinations : Combinations
        Values of columns of few values that are found together.
    listed : list of Relation
        All of them as users see them.
    """

    axes: dict = field(default_factory=dict)
    links: list = field(default_factory=list)
    spans: list = field(default_factory=list)
    offsets: list = field(default_factory=list)
    functions: list = field(default_factory=list)
    parts: list = field(default_factory=list)
    curves: list = field(default_factory=list)
    one_of: list = field(default_factory=list)
    date_codes: list = field(default_factory=list)
    products: list = field(default_factory=list)
    totals: list = field(default_factory=list)
    orders: list = field(default_factory=list)
    combinations: Combinations = field(default_factory=Combinations)
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
        found.spans = find_spans(families, column, made, len(frame))
        made |= {span.target for span in found.spans}
        many = {j for j, kind in enumerate(kinds) if kind == "continuous"}
        codes = {j for j in many if is_repeated(frame[j].to_numpy(), min_count)}
        levels = [j for j in range(len(kinds)) if j not in made | (many - codes)]
        found._find_functions(columns, frame, some, levels, codes, min_count)
        made |= {function.target for function in found.functions}
        dates = sorted(many - made - codes), sorted(many - made)
        others = [j for j in levels if j not in made]
        found._find_dates(columns, frame, some, *dates, others, min_count)
        made |= {part.target for part in found.parts}
        if min_count == 1:  # the ends of a curve are values of single rows
            numbers = [j for j in many if j not in made | codes]
            followers = [j for j in range(len(kinds)) if j not in made]
            smooth = many - codes
            found.curves = find_curves(frame, some, numbers, followers, smooth)
        made |= {curve.target for curve in found.curves}
        targets, known = set(families[0]) - made, found._sources(constant)
        found.products = find_products(values[0], families[0], column, targets, known)
        made |= {product.target for product in found.products}
        numbers = _not_made(values[0], families[0], made)
        found.totals = find_totals(*numbers, column, min_count)
        made |= {j for total in found.totals for j in total.members}
        for part, family, links in zip(values, families, constant, strict=True):
            free = [j in many and j not in made for j in family]
            links = find_links(part, family, free, links, made, min_count)
            offsets, links = find_offsets(part, family, free, links, column, min_count)
            found.links, found.offsets = found.links + links, found.offsets + offsets
            found.orders += find_orders(*_not_made(part, family, made), column)
        part = found._values(frame.iloc[some], names)
        found.links += find_links(part, names, [False] * len(names), [], made)
        made |= {maker.target for maker in [*found.links, *found.offsets]}
        found._find_combinations(columns, frame, some, set(levels) - made, min_count)
        found.listed = list_relations(found, columns, frame)
        found._drop_unused_axes()
        return found

    def _drop_unused_axes(self):
        """Keep the axes that new rows are repaired on."""
        makers = [*self.links, *self.offsets, *self.products, *self.spans]
        used = {j for maker in makers for j in (maker.target, *maker.sources)}
        used |= {j for order in self.orders for j in (order.low, order.high)}
        used |= {curve.source for curve in self.curves}
        used |= {j for total in self.totals for j in total.members}
        self.axes = {j: axis for j, axis in self.axes.items() if j in used}

    def _find_functions(self, columns, frame, some, candidates, continuous, min_count):
        """Find which columns others determine, and codes of groups of columns."""
        self.one_of = find_one_of(columns, frame, some, candidates, min_count)
        frame = self.coded(frame)
        members = {j: group.unit for group in self.one_of for j in group.members}
        candidates = [j for j in candidates if j not in members]
        candidates += [group.unit for group in self.one_of]
        found = find_functions(frame, some, candidates, continuous)
        own = [Function.of(j, code, frame) for j, code in members.items()]
        self.functions = found + own

    def _find_combinations(self, columns, frame, some, candidates, min_count):
        """Find the combinations of columns that nothing else makes."""
        ordered = {j for j in candidates if columns[j].kind != "category"}
        held = {unit for unit in candidates if self._heeded(unit)}
        held |= {maker.source for maker in [*self.dated, *self.curves]}
        candidates = [*sorted(candidates), *(group.unit for group in self.one_of)]
        frame = self.coded(frame) if self.one_of else frame
        self.combinations = find_combinations(
            frame, some, candidates, ordered, held, min_count
        )

    def _sources(self, links):
        """Return the sources of columns that are made of others so far."""
        made = sources_of([*(link for part in links for link in part), *self.spans])
        for maker in [*self.functions, *self.parts, *self.curves]:
            made.setdefault(maker.target, set()).add(maker.source)
        return made

    def _find_dates(self, columns, frame, some, single, dates, targets, min_count):
        """Find parts of dates that columns tell, and those that are drawn too.

        `single` are numbers of many values that few rows share, and `dates` all, of
        which those that tell other columns are left as they are.
        """
        self.parts = find_parts(columns, frame, some, single, targets, min_count)
        sources = {function.source for function in self.functions}
        free = [j for j in dates if j not in sources]
        taken = {(part.source, part.name) for part in self.parts}
        start = len(columns) + len(self.one_of)
        self.date_codes = find_date_codes(
            columns, frame, some, free, taken, start, min_count
        )

    @property
    def codings(self):
        """What is told as if it stood in further columns, in their order."""
        return [*self.one_of, *self.date_codes]

    @property
    def dated(self):
        """What tells, in a column of the table or a further one, parts of dates."""
        return [*self.parts, *self.date_codes]

    @property
    def marked(self):
        """Links that hold in a part of the rows only."""
        return [link for link in self.links if not link.always]

    def coded(self, frame, codes=None):
        """Return a frame with the further columns behind it.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Canonical values. Never changed.
        codes : ndarray of shape (n_rows, n_codings), default=None
            The codes; those of the frame if None.
        """
        coded = frame.copy(deep=False)
        codes = self.codes(frame) if codes is None else codes
        for coding, code in zip(self.codings, codes.T, strict=True):
            coded[coding.unit] = code
        return coded

    def codes(self, frame):
        """Return the codes of further columns, (n_rows, n_codings)."""
        codes = [coding.codes(frame) for coding in self.codings]
        return np.stack(codes, 1) if codes else np.empty((len(frame), 0))

    def marks(self, link, frame):
        """Return the mark of a link in each row, 0 without, -1 without target."""
        target, source = (self.read(j, frame) for j in (link.target, link.source))
        marks = link.marks(target, source, self.axes)
        return np.where(np.isnan(target), -1, marks)

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

    def read(self, unit, frame):
        """Return a column as its axis reads it."""
        return self.axes[unit].read(frame[unit].to_numpy())

    def _values(self, frame, units):
        """Return columns as their axes read them, (n_rows, n_units)."""
        columns = [self.read(j, frame) for j in units]
        return np.stack(columns, 1) if columns else np.empty((len(frame), 0))


def _not_made(values, axes, made):
    """Return the values and axes of columns that are not made of others."""
    kept = [j not in made for j in axes]
    return values[:, kept], {j: axis for j, axis in axes.items() if j not in made}
