"""Numbers that formulas make, and sources that are made to suit them."""

import numpy as np

from sklearn_tabsyn._relations._chains import units_of
from sklearn_tabsyn._relations._reconciling import reconciled

# Times that sources are made to suit formulas that share them.
N_ROUNDS = 3
# Share of a range by which numbers beyond it are led further in each time.
INWARD = 1e-3


class Computing:
    """Gives the relations of a table methods that follow formulas, forth and back.

    `cells` are the columns of drawn rows, see `Drawn`.
    """

    def _compute(self, formulas, cells):
        """Make numbers of their sources, as these will be rounded.

        Where one cannot be this number, the sources are made to suit what it can be,
        and their own sources to suit them.
        """
        for n_before in range(N_ROUNDS):
            asked = {}
            for formula in formulas:
                axis, made = self.axes[formula.target], self._make(formula, cells)
                limit = self._possible(axis, made, n_before)
                impossible = ~cells.known[formula.target] & (limit != made)
                impossible &= ~np.isnan(made) & self._counts(formula, cells)
                if impossible.any():
                    cells.put(formula.target, impossible, axis.write(limit))
                    asked[formula.target] = impossible
            if not asked:
                return
            for formula in formulas[::-1]:
                if formula.target in asked:
                    [target] = self._rounded([formula.target], cells)
                    rows = asked[formula.target]
                    self._fit_sources(formula, target, rows, cells)
                    for unit in formula.sources:
                        asked[unit] = asked.get(unit, False) | rows
        for formula in formulas:
            self._make(formula, cells)

    def _possible(self, axis, made, n_before):
        """Return the nearest numbers that a column can have.

        Sources that are rounded may not lead to the very end of its range, so the next
        times it is a little further in.
        """
        if axis.known is not None:
            return axis.nearest(made)
        inward = n_before * INWARD * (axis.high - axis.low)
        inside = (made >= axis.low) & (made <= axis.high)
        return np.where(inside, made, made.clip(axis.low + inward, axis.high - inward))

    def _reconcile(self, cells):
        """Move numbers to where formulas nearly hold, before these are computed."""
        formulas, numbers = self.ties
        if not formulas:
            return
        units = sorted(units_of(formulas))
        drawn = dict(zip(units, self._rounded(units, cells), strict=True))
        scales = {}
        for unit, number in numbers.items():
            scale = np.exp(-number.density.log(drawn[unit]))
            scales[unit] = np.where(cells.known[unit] | np.isnan(scale), 0.0, scale)
        for unit, moved in reconciled(formulas, drawn, scales).items():
            axis = self.axes[unit]
            moved = moved.clip(axis.low, axis.high)
            rows = ~cells.known[unit] & np.isfinite(moved) & (moved != drawn[unit])
            if numbers[unit].moves:
                cells.put(unit, rows, axis.write(axis.nearest(moved)))

    def _make(self, formula, cells):
        """Put what a formula makes where nothing is given; return it.

        A missing target stays so, unless it never was where it could be made. It gets
        so where it cannot be, if it always was there.
        """
        axis = self.axes[formula.target]
        made = axis.round(formula.made(*self._rounded(formula.sources, cells)))
        there = ~np.isnan(made)
        rows = there & self._counts(formula, cells)
        rows |= ~there & (formula.empties and cells.gaps)
        rows &= ~cells.known[formula.target]
        cells.put(formula.target, rows, axis.write(made))
        return made

    def _counts(self, formula, cells):
        """Tell in which rows a target must not stay missing."""
        return formula.fills | ~np.isnan(cells[formula.target])

    def _determine(self, cells):
        """Compute numbers of which those that are given leave no choice.

        All others of some formula are given, or were computed so before.
        """
        if not cells.known.any():
            return
        for _ in self.formulas:
            n_before = cells.known.sum()
            for curve in self.curves:
                self._follow_curve_back(curve, cells)
            for formula in self.formulas:
                self._determine_last(formula, cells)
            if cells.known.sum() == n_before:
                return

    def _determine_last(self, formula, cells):
        """Compute the only number of a formula that is not given."""
        units = formula.target, *formula.sources
        known = np.stack([cells.known[j] & ~np.isnan(cells[j]) for j in units])
        alone = known.sum(0) == len(units) - 1
        for place, unit in enumerate(units):
            rows = alone & ~known[place] & ~np.isnan(cells[unit])
            if not rows.any():
                continue
            target, *sources = self._rounded(units, cells)
            if place:
                made = formula.invert(place - 1, target, sources)
            else:
                made = formula.made(*sources)
            axis = self.axes[unit]
            made = axis.nearest(made)
            rows &= ~np.isnan(made)
            cells.put(unit, rows, axis.write(made))
            cells.known[unit] |= rows

    def _compute_back(self, formulas, cells):
        """Make sources suit numbers that are given, and stay so."""
        for formula in formulas:
            rows = cells.known[formula.target]
            if not rows.any():
                continue
            [target] = self._rounded([formula.target], cells)
            self._fit_sources(formula, target, rows, cells)
            for unit in formula.sources:
                cells.known[unit] |= rows & ~np.isnan(cells[unit])

    def _fit_sources(self, formula, target, rows, cells):
        """Make sources of a formula suit a target in rows, one after the other.

        Rather those of many values, which can be nearer to what they should be, and
        those that least else is computed from. Where these cannot be so large or small,
        those of few values are moved to their neighbours, if nothing else holds them.
        """
        others = [j for maker in [*self.formulas, *self.spans] for j in maker.sources]
        few = [self.axes[j].few for j in formula.sources]
        cost = [(few[i], others.count(j)) for i, j in enumerate(formula.sources)]
        places = sorted(formula.movable, key=lambda place: cost[place])
        rows = self._fit_each(formula, places, target, rows, cells)
        many = [place for place in places if not few[place]]
        followers = *self.functions, *self.dated, *self.curves
        held = {j for maker in followers for j in (maker.target, maker.source)}
        held |= units_of([*self.links, *self.spans])
        steps = [j for j in formula.sources if self.axes[j].few and j not in held]
        for side in ("above", "below") if many and steps else ():
            if not rows.any():
                return
            for unit in steps:
                [source], axis = self._rounded([unit], cells), self.axes[unit]
                free = rows & ~cells.known[unit] & ~np.isnan(source)
                source[free] = getattr(axis, side)(source[free], strict=True)
                cells.put(unit, free, axis.write(source))
            rows = self._fit_each(formula, many, target, rows, cells)

    def _fit_each(self, formula, places, target, rows, cells):
        """Make some sources suit a target; return the rows where they could not."""
        for place in places:
            sources = self._rounded(formula.sources, cells)
            axis = self.axes[formula.target]
            rows = rows & ~formula.holds(target, *sources, axis=axis)
            unit = formula.sources[place]
            axis = self.axes[unit]
            made = axis.nearest(formula.invert(place, target, sources))
            free = rows & ~cells.known[unit] & ~np.isnan(made) & ~np.isnan(cells[unit])
            cells.put(unit, free, axis.write(made))
        sources = self._rounded(formula.sources, cells)
        return rows & ~formula.holds(target, *sources, axis=self.axes[formula.target])

    def _rounded(self, units, cells):
        """Return columns on their axes as they will be rounded."""
        return [self.axes[j].nearest(self.axes[j].read(cells[j])) for j in units]
