"""Rows as they are drawn, made to keep the exact relations of their table."""

import numpy as np

from sklearn_tabsyn._relations._alike import likest_keys
from sklearn_tabsyn._relations._calendar import dates_with_parts
from sklearn_tabsyn._relations._chains import sources_first
from sklearn_tabsyn._relations._computing import Computing
from sklearn_tabsyn._relations._drawn import Drawn
from sklearn_tabsyn._relations._functions import fitting_sources
from sklearn_tabsyn._relations._orders import put_in_order
from sklearn_tabsyn._relations._partial_products import PartialProduct
from sklearn_tabsyn._relations._wishes import MAX_CELLS, nearest_agreeing


class Repair(Computing):
    """Gives the relations of a table the method `repair`."""

    def repair(self, frame, known, marks=None, rests=None, codes=None, gaps=True):
        """Return a frame of canonical values in which all relations hold.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Drawn values.
        known : ndarray of shape (n_rows, n_columns), dtype bool
            Cells that are given, and stay. What they are made of follows them.
        marks : dict of int to ndarray of shape (n_rows,), dtype int, default=None
            Marks of links and products that do not always hold, by their target; 0 for
            none.
        rests : dict of int to ndarray of shape (n_rows,), default=None
            Rests of offsets, by their target; NaN where one does not count.
        codes : ndarray of shape (n_rows, n_codings), default=None
            Codes of further columns; those of the frame if None.
        gaps : bool, default=True
            Whether a drawn value may become a missing one.
        """
        makers = sources_first([*self.offsets, *self.links, *self.partial])
        computed = self.formulas, self.spans, self.totals
        others = self.functions, self.dated, self.curves, self.combinations.pairs
        if not any([makers, *computed, *others, self.orders]):
            return frame
        marks, rests = marks or {}, rests or {}
        coded = self.coded(frame, codes)
        known = np.pad(known, [(0, 0), (0, len(self.codings))])
        cells = Drawn(coded, known, gaps)
        counting = [
            maker
            for maker in makers
            if maker.always or maker.target in (rests if maker.is_soft else marks)
        ]
        always = [maker for maker in counting if maker.always]
        for maker in always[::-1] + counting[::-1]:  # what always holds comes first
            self._suit_maker(maker, cells, marks)
        self._suit_sources(cells)
        self._reconcile(cells)
        self._follow(counting, cells, marks, rests)
        return cells.frame()[frame.columns]

    def holds(self, frame):
        """Tell in which rows of canonical values all that always holds does.

        Returns in which it does exactly, and in which nearly: as far as sources are not
        too coarse for their targets. What is not there contradicts nothing. Curves are
        left out: they only tell about where numbers lie.
        """
        nothing = np.zeros((len(frame), frame.shape[1] + len(self.codings)), dtype=bool)
        cells = Drawn(self.coded(frame), nothing)
        for link in self.links:
            if link.always:
                self._follow_source(link, cells, {})
        for span in self.spans:
            self._make(span, cells)
        self._fill_determined(cells)
        again = cells.frame()[frame.columns]
        right = np.isclose(again, frame, rtol=1e-9, atol=0, equal_nan=True).all(1)
        for offset in self.offsets:
            if offset.exact:
                target, *sources = self._rounded(
                    (offset.target, *offset.sources), cells
                )
                right &= ~(np.abs(offset.difference(target, sources)) > 0)
        for order in self.orders:
            low, high = self._rounded((order.low, order.high), cells)
            right &= ~order.violated({order.low: low, order.high: high})
        exactly = nearly = right
        for formula in self.formulas:
            agrees = self._agrees(formula, cells)
            exactly, nearly = exactly & agrees[0], nearly & agrees[1]
        return exactly, nearly

    def _agrees(self, formula, cells):
        """Tell in which rows a formula holds exactly, and in which nearly."""
        units = formula.target, *formula.sources
        axis, (target, *sources) = self.axes[units[0]], self._rounded(units, cells)
        made = formula.made(*sources)
        agrees = np.isnan(target) | np.isnan(made)
        agrees |= formula.holds(target, *sources, axis=axis)
        slack = axis.rounding
        for place, unit in enumerate(formula.sources):
            beside = list(sources)
            beside[place] = sources[place] + self.axes[unit].rounding
            slack = slack + np.abs(formula.made(*beside) - made)
        return agrees, agrees | (np.abs(made - target) <= slack)

    def _follow(self, makers, cells, marks, rests):
        """Make all targets of their sources."""
        for curve in self.curves:
            self._follow_curve_back(curve, cells)
            self._follow_curve(curve, cells)
        self.combinations.suit(cells)
        self._follow_functions(cells)
        for total in self.totals:
            self._split(total, cells)
        self._compute(self.formulas, cells)
        for maker in makers:
            self._follow_maker(maker, cells, marks, rests)
        self._compute(self.spans, cells)
        self._follow_functions(cells)
        if self.orders:
            self._put_in_order(cells, marks, rests)
        for _ in range(2):  # where a source had to give way, others follow it
            self._compute(self.spans, cells)
            for maker in makers:
                if maker.always:
                    self._follow_source(maker, cells, marks)
        for curve in self.curves:
            self._follow_curve(curve, cells)
        self._fill_determined(cells)
        self._compute(self.formulas, cells)

    def _fill_determined(self, cells):
        """Make the targets of parts of dates and of functions of their sources."""
        for part in self.parts:
            codes = part.codes(cells[part.source])
            self._fill(part.function, cells, codes)
        for function in self.functions:
            self._fill(function, cells, cells[function.source])

    def _suit_maker(self, maker, cells, marks):
        """Make sources of a link or product suit targets that are given."""
        if isinstance(maker, PartialProduct):
            self._follow_given(maker, cells, marks)
        elif not maker.is_soft:
            self._follow_target(maker, cells, marks)

    def _follow_maker(self, maker, cells, marks, rests):
        """Make targets of their sources where a link, product or offset counts."""
        if isinstance(maker, PartialProduct):
            self._follow_product(maker, cells, marks)
        elif maker.is_soft:
            self._follow_offset(maker, cells, rests[maker.target])
        else:
            self._part(maker, cells, marks)
            self._follow_source(maker, cells, marks)

    def _suit_sources(self, cells):
        """Make sources suit the targets that are given, and some those drawn."""
        self._determine(cells)
        self._compute_back(self.formulas[::-1], cells)
        self._compute_back(self.spans, cells)
        groups = {group.unit for group in self.one_of}
        for source in dict.fromkeys(f.source for f in reversed(self.functions)):
            self._find_source(source, cells)
            if source not in groups:
                self._heed_wishes(source, cells)
        for source in dict.fromkeys(part.source for part in self.dated):
            self._move_dates(source, cells)

    def _pair(self, link, cells, marks):
        """Return the target, the source, and the rows where a link has to hold."""
        target, source = self._rounded((link.target, link.source), cells)
        rows = ~np.isnan(target) & ~np.isnan(source)
        marked = np.asarray(marks.get(link.target, 0)) > 0
        return target, source, rows & (link.always | marked)

    def _mark(self, link, marks):
        """Return which constant of a link holds in each row, where one has to."""
        return 1 if link.always else np.maximum(marks.get(link.target, 1), 1)

    def _follow_target(self, link, cells, marks):
        """Make sources suit the targets that are given."""
        target, source, rows = self._pair(link, cells, marks)
        rows &= cells.known[link.target] & ~cells.known[link.source]
        axis = self.axes[link.source]
        made = axis.nearest(link.invert(target, axis, self._mark(link, marks)))
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
        made = axis.nearest(link.predict(source, axis, self._mark(link, marks)))
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

    def _follow_given(self, product, cells, marks):
        """Make sources of a product suit targets that are given, where it holds."""
        [target] = self._rounded([product.target], cells)
        rows = cells.known[product.target] & (marks[product.target] > 0)
        if rows.any():
            self._fit_sources(product, target, rows, cells)

    def _follow_product(self, product, cells, marks):
        """Make targets of their sources where a product has to hold and can."""
        target, *sources = self._rounded((product.target, *product.sources), cells)
        axis = self.axes[product.target]
        made = axis.nearest(product.made(*sources))
        rows = (marks[product.target] > 0) & ~np.isnan(target)
        rows &= product.holds(made, *sources, axis=axis) & ~cells.known[product.target]
        cells.put(product.target, rows, axis.write(made))

    def _follow_offset(self, offset, cells, rest):
        """Make the target of an offset of its sources where it counts."""
        target, *sources = self._rounded((offset.target, *offset.sources), cells)
        axis = self.axes[offset.target]
        # Of an exact sum no rest counts, also where a gap of it was drawn beside none.
        exactly = offset.made(sources, 0.0 if offset.exact else rest)
        made = axis.nearest(exactly)
        rows = ~np.isnan(target) & ~np.isnan(made) & ~cells.known[offset.target]
        cells.put(offset.target, rows, axis.write(made))
        if offset.exact:  # a source gives way where the sum is beyond its range
            unit, rows = offset.sources[0], rows & (np.abs(made - exactly) > axis.unit)
            moved = sources[0] + offset.signs[0] * (made - exactly)
            moved = self.axes[unit].nearest(moved)
            rows &= ~cells.known[unit]
            cells.put(unit, rows, self.axes[unit].write(moved))

    def _split(self, total, cells):
        """Make numbers add up to a total; what rounding leaves goes to one."""
        axes = [self.axes[j] for j in total.members]
        read = [
            axis.read(cells[j]) for axis, j in zip(axes, total.members, strict=True)
        ]
        fixed = np.stack([cells.known[j] for j in total.members])
        ends = np.array([[axis.low, axis.high] for axis in axes]).T[:, :, None]
        parts = total.split(np.stack(read), *ends, fixed)
        near = [axis.nearest(part) for axis, part in zip(axes, parts, strict=True)]
        parts = np.stack(near)
        room = np.where(fixed, -np.inf, np.minimum(parts - ends[0], ends[1] - parts))
        roomiest = room.argmax(0)
        rows = np.arange(parts.shape[1])
        parts[roomiest, rows] += total.amount - parts.sum(0)
        for axis, unit, part, free in zip(
            axes, total.members, parts, ~fixed, strict=True
        ):
            cells.put(unit, free, axis.write(axis.nearest(part)))

    def _follow_functions(self, cells):
        """Make the targets of functions of their sources, and these known ones."""
        for function in self.functions:
            source = function.known(cells[function.source])
            cells.put(function.source, ~cells.known[function.source], source)
            self._fill(function, cells, source)

    def _follow_curve(self, curve, cells):
        """Make the target of a curve of its source, as this will be rounded."""
        [source] = self._rounded([curve.source], cells)
        self._fill(curve, cells, self.axes[curve.source].write(source))

    def _follow_curve_back(self, curve, cells):
        """Make the source of a curve suit targets that are given or moved."""
        rows = cells.known[curve.target] & ~cells.known[curve.source]
        heeds = bool(self.heeded(curve.target))
        heeds |= any(part.source == curve.target for part in self.dated)
        heeds = heeds & ~cells.known[curve.source] & ~np.isnan(cells[curve.source])
        made = curve.invert(cells[curve.target], cells[curve.source])
        cells.put(curve.source, rows | heeds, made)
        cells.known[curve.source] |= rows & ~np.isnan(cells[curve.target])

    def _fill(self, function, cells, source):
        """Put what a function or a curve makes of sources where nothing is given."""
        new = function.predict(source, cells[function.target])
        free = ~cells.known[function.target]
        free &= cells.gaps | ~np.isnan(new)
        cells.put(function.target, free, new)

    def _find_source(self, unit, cells):
        """Make sources of functions suit the targets that are given."""
        functions = self._told_by(unit)
        given = np.any([cells.known[f.target] for f in functions], axis=0)
        rows = np.flatnonzero(given & ~cells.known[unit])
        targets = [(cells[f.target], cells.known[f.target]) for f in functions]
        self._fit_source(unit, functions, cells, rows, targets)
        cells.known[unit][rows] = True

    def _fit_source(self, unit, functions, cells, rows, targets):
        """Make the source of functions suit targets, some of which count, in rows."""
        size = max(1, MAX_CELLS // len(functions[0].keys))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            some = [(target[part], counts[part]) for target, counts in targets]
            drawn = cells[unit][part]
            cells[unit][part] = fitting_sources(functions, drawn, some, cells.gaps)

    def _told_by(self, unit):
        """Return the functions of a source."""
        return [f for f in self.functions if f.source == unit]

    def heeded(self, unit):
        """Return the functions of a source whose drawn targets it has to suit."""
        functions = [f for f in self._told_by(unit) if f.heeded]
        crossed = any(not f.nearest or f.crossed for f in functions)
        return functions if crossed else []

    def _heed_wishes(self, unit, cells):
        """Make a source of many values suit the targets drawn beside it.

        About how large a number is is learned well, but not which of many numbers near
        to each other it is, nor all that each of a thousand names has to do with other
        columns. The targets, which are drawn too, know more.
        """
        functions = self._told_by(unit)
        rows = np.flatnonzero(~cells.known[unit] & ~np.isnan(cells[unit]))
        if len(rows) and any(function.scattered for function in functions):
            wished = [cells[f.target][rows] for f in functions]
            cells[unit][rows] = likest_keys(functions, cells[unit][rows], wished)
            return
        functions = self.heeded(unit)
        if not functions or not len(rows):
            return
        source, wished = cells[unit][rows], [cells[f.target][rows] for f in functions]
        if functions[0].nearest:
            there = ~np.isnan(functions[0].keys)
            made = [f.values[there] for f in functions]
            places = functions[0].places(functions[0].known(source))
            places = nearest_agreeing(made, wished, places)
            cells[unit][rows] = functions[0].keys[places]
            return
        pairs = zip(functions, wished, strict=True)
        other = np.any([f.predict(source, wish) != wish for f, wish in pairs], axis=0)
        counts = np.ones(len(cells[unit]), dtype=bool)
        targets = [(cells[f.target], counts) for f in functions]
        self._fit_source(unit, functions, cells, rows[other], targets)

    def _move_dates(self, unit, cells):
        """Move dates to the nearest that have the parts given or drawn beside them."""
        parts = [part for part in self.dated if part.source == unit]
        rows = ~cells.known[unit] & ~np.isnan(cells[unit])
        given = np.any([cells.known[part.target] for part in parts], axis=0)
        if not any(part.crossed for part in parts):
            rows &= given
        if rows.any():
            wished = [cells[part.target][rows] for part in parts]
            cells[unit][rows] = dates_with_parts(cells[unit][rows], parts, wished)
        cells.known[unit] |= rows & given

    def _put_in_order(self, cells, marks, rests):
        """Exchange or move numbers that are greater than they may be.

        First those that are not made of others, and never those that are computed.
        """
        ends = {unit for order in self.orders for unit in (order.low, order.high)}
        formulas = [formula for formula in self.formulas if formula.target in ends]
        computed = {formula.target for formula in formulas}
        self._compute(formulas, cells)
        held = {}
        for offset in self.offsets:
            if offset.target in rests:
                for unit in (offset.target, *offset.sources):
                    rows = ~np.isnan(rests[offset.target])
                    held[unit] = held.get(unit, False) | rows
        for maker in self.marked:
            if maker.target in marks:
                units = maker.target, *maker.sources
                parts = self._rounded(units, cells)
                rows = maker.agrees(*parts, axes=self.axes)
                rows &= marks[maker.target] > 0
                for unit in units:
                    held[unit] = held.get(unit, False) | rows
        put_in_order(self.orders, self.axes, cells, held, computed)
        if held:
            put_in_order(self.orders, self.axes, cells, {}, computed)
        if computed:  # once more, for their sources may have been moved
            self._compute(formulas, cells)
            sources = {unit: True for formula in formulas for unit in formula.sources}
            put_in_order(self.orders, self.axes, cells, sources, computed)
