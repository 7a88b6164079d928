"""The search for exact relations between the columns of a table."""

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._all import Relations
from sklearn_tabsyn._relations._axes import find_axes, find_names
from sklearn_tabsyn._relations._calendar import find_parts
from sklearn_tabsyn._relations._chains import (
    comes_from,
    sources_first,
    sources_of,
    units_of,
)
from sklearn_tabsyn._relations._combinations import find_combinations
from sklearn_tabsyn._relations._curves import find_curves
from sklearn_tabsyn._relations._date_codes import find_date_codes
from sklearn_tabsyn._relations._formulas import MIN_SHARE
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
from sklearn_tabsyn._relations._partial_products import find_partial_products
from sklearn_tabsyn._relations._products import find_products
from sklearn_tabsyn._relations._reconciling import find_ties
from sklearn_tabsyn._relations._remainders import Remainder
from sklearn_tabsyn._relations._spans import find_spans
from sklearn_tabsyn._relations._sums import find_sums
from sklearn_tabsyn._relations._surfaces import find_surfaces
from sklearn_tabsyn._relations._totals import find_totals

# Rows on which relations are searched.
N_SEARCHED = 20_000


def find_relations(columns, kinds, frame, min_count=1):
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

    Returns
    -------
    relations : Relations
    """
    search = _Search(columns, kinds, frame, min_count)
    search.find_constant_links()
    search.find_spans()
    search.find_functions()
    search.find_dates()
    search.find_sums()
    search.find_curves()
    search.find_products()
    search.find_totals()
    search.find_surfaces()
    search.find_partial_products()
    search.find_links()
    search.find_ties()
    search.find_combinations()
    return search.relations()


class _Search:
    """One search after another, each among columns that those before have left.

    Parameters
    ----------
    columns, kinds, frame, min_count
        As of `find_relations`.

    Attributes
    ----------
    found : Relations
        What was found so far.
    constant : list of list of Link
        Links of numbers that always hold, by the families of axes.
    made : set of int
        Columns that are made of others. They follow these, and are not told by others
        too.
    """

    def __init__(self, columns, kinds, frame, min_count):
        self.columns, self.kinds, self.frame = columns, kinds, frame
        self.min_count = min_count
        self.some = even_rows(len(frame), N_SEARCHED)
        self.families = find_axes(columns, kinds, frame)
        self.names = find_names(columns, frame)
        axes = [self.names, *self.families]
        self.found = Relations({j: axis for part in axes for j, axis in part.items()})
        self.values = [self._values(family) for family in self.families]
        self.made = set()
        self.numbers = {j for j, c in enumerate(columns) if c.kind != "category"}
        self.many = {j for j, kind in enumerate(kinds) if kind == "continuous"}
        self.codes = {
            j for j in self.many if is_repeated(frame[j].to_numpy(), min_count)
        }

    def find_constant_links(self):
        """Find numbers that others are in all rows, but for a constant."""
        self.constant = [
            find_constant_links(part, family, self._column)
            for part, family in zip(self.values, self.families, strict=True)
        ]
        self._keep(link for links in self.constant for link in links)

    def find_spans(self):
        """Find numbers that count the time between two dates."""
        n_rows = len(self.frame)
        self.found.spans = find_spans(self.families, self._column, self.made, n_rows)
        self._keep(self.found.spans)

    def find_functions(self):
        """Find which columns others determine, and codes of groups of columns."""
        self.levels = self._left(set(range(len(self.kinds))) - self.many | self.codes)
        found, frame, some = self.found, self.frame, self.some
        found.one_of = find_one_of(
            self.columns, frame, some, self.levels, self.min_count
        )
        frame = found.coded(frame)
        members = {j: group.unit for group in found.one_of for j in group.members}
        candidates = [j for j in self.levels if j not in members]
        candidates += [group.unit for group in found.one_of]
        functions = find_functions(frame, some, candidates, self.codes, self.numbers)
        own = self._functions_of_codes(members, frame)
        found.functions = functions + own
        for function in functions:
            axis = found.axes.get(function.source)
            if function.nearest and axis:  # of other values nothing is known
                axis.allow(function.keys)
        self._keep(found.functions)

    def _functions_of_codes(self, members, frame):
        """Return the functions of columns of codes, and learn what these tell of gaps.

        Dummies of which a few rows lack just one are rather missing together.
        """
        few = 1 - MIN_SHARE
        own = [Function.of(j, code, frame, few=few) for j, code in members.items()]
        for group in self.found.one_of:
            functions = [f for f in own if f.source == group.unit]
            group.tells_gaps = all(function.whole for function in functions)
            for function in functions:
                function.whole = group.tells_gaps
        return own

    def find_dates(self):
        """Find parts of dates that columns tell, and those that are drawn too.

        Of dates that few rows share others may tell parts. Those that tell other
        columns are left as they are.
        """
        found, how = self.found, (self.columns, self.frame, self.some)
        single, free = self._left(self.many - self.codes), self._left(self.many)
        targets = self._left(self.levels)
        found.parts = find_parts(*how, single, targets, self.min_count)
        sources = {function.source for function in found.functions}
        free = [j for j in free if j not in sources]
        taken = {(part.source, part.name) for part in found.parts}
        start = len(self.columns) + len(found.one_of)
        found.date_codes = find_date_codes(*how, free, taken, start, self.min_count)
        self._keep(found.parts)

    def find_sums(self):
        """Find numbers that are weighted sums of others."""
        sums = find_sums(*self._numbers(), self._column, self._sources())
        self.found.formulas = sums
        self._keep(sums)

    def find_curves(self):
        """Find columns that follow numbers of many values."""
        if self.min_count > 1:  # the ends of a curve are values of single rows
            return
        numbers = self._left(self.many - self.codes)
        followers = self._left(range(len(self.kinds)))
        smooth = self.many - self.codes
        self.found.curves = find_curves(
            self.frame, self.some, numbers, followers, smooth
        )
        self._keep(self.found.curves)

    def find_products(self):
        """Find numbers that are products or quotients of others."""
        targets, axes = set(self._left(self.families[0])), self.families[0]
        products = find_products(
            self.values[0], axes, self._column, targets, self._sources()
        )
        self.found.formulas = sources_first([*self.found.formulas, *products])
        self._keep(products)

    def find_totals(self):
        """Find numbers that add up to the same."""
        self.found.totals = find_totals(*self._numbers(), self._column, self.min_count)
        self.made |= {j for total in self.found.totals for j in total.members}

    def find_surfaces(self):
        """Find numbers that are smooth functions of two others."""
        if self.min_count > 1:  # the ends of the sources are values of single rows
            return
        axes, targets = self.families[0], set(self._left(self.many))
        surfaces = find_surfaces(
            self.values[0], axes, self._column, targets, self._sources()
        )
        self.found.formulas = sources_first([*self.found.formulas, *surfaces])
        self._keep(surfaces)

    def find_partial_products(self):
        """Find numbers that are products or quotients in some rows."""
        axes = self.families[0]
        how = self._column, set(self._left(axes)), self._sources()
        self.found.partial = find_partial_products(self.values[0], axes, *how)

    def find_links(self):
        """Find what holds in some rows, what comes soon after, and what is in order."""
        found = self.found
        taken = self.made | {product.target for product in found.partial}
        families = zip(self.values, self.families, self.constant, strict=True)
        for place, (part, family, links) in enumerate(families):
            column = self._column
            free = [j in self.many and j not in taken for j in family]
            others = [*found.formulas, *found.partial], self.min_count
            links = find_links(part, family, free, links, taken, *others)
            offsets, links = find_offsets(part, family, free, links, column, *others)
            found.links = found.links + links
            self._keep_offsets(offsets)
            found.orders += self._find_orders(place)
        names = self._values(self.names)
        free = [False] * len(self.names)
        found.links += find_links(names, self.names, free, [], self.made)
        makers = [*found.links, *found.offsets, *found.formulas, *found.partial]
        self._keep(makers)

    def _find_orders(self, place):
        """Return the orders of a family that nothing computed makes, or breaks."""
        computed = {formula.target for formula in self.found.formulas}
        orders = find_orders(*self._numbers(place, computed), self._column)
        made = self._sources()
        return [
            order
            for order in orders
            if not computed.issuperset((order.low, order.high))
            and not comes_from(made, order.low, order.high)
            and not comes_from(made, order.high, order.low)
        ]

    def find_ties(self):
        """Find the numbers that are moved to suit formulas."""
        found = self.found
        held = units_of([*found.links, *found.offsets, *found.spans])
        followers = [*found.functions, *found.dated]
        held |= {j for maker in followers for j in (maker.target, maker.source)}
        held |= {curve.target for curve in found.curves}
        held |= {j for total in found.totals for j in total.members}
        n_columns = len(self.columns)  # codes of further ones are in no frame
        formulas = [f for f in found.formulas if max(f.sources) < n_columns]
        how = found.axes, self._column, held, self.min_count
        found.ties = find_ties(formulas, *how)

    def find_combinations(self):
        """Find the combinations of columns that nothing else makes."""
        found, left = self.found, set(self._left(self.levels))
        ordered = left & self.numbers
        held = {unit for unit in left if found.heeded(unit)}
        held |= {maker.source for maker in [*found.dated, *found.curves]}
        candidates = [*sorted(left), *(group.unit for group in found.one_of)]
        frame = found.coded(self.frame) if found.one_of else self.frame
        found.combinations = find_combinations(
            frame, self.some, candidates, ordered, held, self.min_count
        )

    def relations(self):
        """Return all relations, with what new rows are repaired by."""
        found = self.found
        for formula in found.formulas:
            self._learn_gaps(formula)
        found.listed = list_relations(found, self.columns, self.frame)
        makers = [*found.links, *found.offsets, *found.formulas, *found.partial]
        used = units_of([*makers, *found.spans])
        used |= {j for order in found.orders for j in (order.low, order.high)}
        used |= {curve.source for curve in found.curves}
        used |= {j for total in found.totals for j in total.members}
        found.axes = {j: axis for j, axis in found.axes.items() if j in used}
        return found

    def _learn_gaps(self, formula):
        """Learn whether a target is missing where it cannot be made, and only there."""
        units = formula.target, *formula.sources
        if max(units) < len(self.columns):  # others are codes, which are never missing
            target, *sources = map(self._column, units)
            missing, unmade = np.isnan(target), np.isnan(formula.made(*sources))
            formula.fills = not (missing & ~unmade).any()
            formula.empties = bool(missing[unmade].all())

    def _keep_offsets(self, offsets):
        """Keep offsets, and those that leave few amounts as formulas with a code."""
        found = self.found
        for offset in offsets:
            if not len(offset.amounts):
                found.offsets.append(offset)
                continue
            unit = len(self.columns) + len(found.codings)
            axes = [found.axes[j] for j in (offset.target, *offset.sources)]
            remainder = Remainder(unit, offset, axes)
            found.remainders.append(remainder)
            found.axes[unit] = remainder.axis
            found.formulas = sources_first([*found.formulas, remainder.formula])

    def _keep(self, makers):
        """Remember that columns are made of others."""
        self.made |= {maker.target for maker in makers}

    def _left(self, units):
        """Return sorted columns of some that are not made of others."""
        return sorted(set(units) - self.made)

    def _sources(self):
        """Return the sources of columns that are made of others so far."""
        found = self.found
        constant = [link for links in self.constant for link in links]
        followers = [*found.functions, *found.parts, *found.curves]
        return sources_of([*constant, *found.spans, *found.formulas, *followers])

    def _numbers(self, place=0, computed=()):
        """Return the values and axes of a family, but of those made of others."""
        axes, made = self.families[place], self.made - set(computed)
        kept = [j not in made for j in axes]
        left = {j: axis for j, axis in axes.items() if j not in made}
        return self.values[place][:, kept], left

    def _column(self, unit):
        """Return all rows of a column as its axis reads it."""
        return self.found.read(unit, self.frame)

    def _values(self, units):
        """Return some rows of columns as their axes read them, (n_rows, n_units)."""
        frame = self.frame.iloc[self.some]
        columns = [self.found.read(j, frame) for j in units]
        return np.stack(columns, 1) if columns else np.empty((len(frame), 0))
