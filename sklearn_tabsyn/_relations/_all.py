"""All exact relations between the columns of a table, and its further columns."""

from dataclasses import dataclass, field

import numpy as np

from sklearn_tabsyn._relations._chains import origins_of, sources_of
from sklearn_tabsyn._relations._combinations import Combinations
from sklearn_tabsyn._relations._reconciling import Ties
from sklearn_tabsyn._relations._repair import Repair


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
    remainders : list of Remainder
        What sums lack, that is one of few amounts, and is told as if it stood in a
        further column.
    formulas : list of WeightedSum, Product and Surface
        Numbers that are weighted sums of others, products of their powers, or smooth
        functions of two, sources before their targets.
    partial : list of PartialProduct
        Numbers that are so in some of the rows.
    ties : Ties
        Numbers that are moved to suit formulas.
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
    remainders: list = field(default_factory=list)
    formulas: list = field(default_factory=list)
    partial: list = field(default_factory=list)
    ties: Ties = field(default_factory=lambda: Ties([], {}))
    totals: list = field(default_factory=list)
    orders: list = field(default_factory=list)
    combinations: Combinations = field(default_factory=Combinations)
    listed: list = field(default_factory=list)

    @property
    def codings(self):
        """What is told as if it stood in further columns, in their order."""
        return [*self.one_of, *self.date_codes, *self.remainders]

    @property
    def dated(self):
        """What tells, in a column of the table or a further one, parts of dates."""
        return [*self.parts, *self.date_codes]

    @property
    def marked(self):
        """Links and products that hold in a part of the rows only."""
        return [*(link for link in self.links if not link.always), *self.partial]

    def origins(self, unit):
        """Return all columns that a column is, in some steps, made of, and itself."""
        return origins_of(sources_of(self._makers), unit)

    @property
    def held(self):
        """Columns that are made of others in all rows, or moved to suit these."""
        members = {j for total in self.totals for j in total.members}
        made = {maker.target for maker in self._makers}
        return made | members | set(self.ties.numbers)

    @property
    def _makers(self):
        """What makes columns of others in all rows."""
        makers = [*self.functions, *self.parts, *self.curves, *self.formulas]
        makers += [*self.spans, *self.offsets]
        return makers + [link for link in self.links if link.always]

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

    def marks(self, maker, frame):
        """Return the mark of a row where a link or product holds; 0, or -1 in gaps."""
        target, *sources = (self.read(j, frame) for j in (maker.target, *maker.sources))
        marks = maker.marks(target, *sources, axes=self.axes)
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
