"""A column of text or other names in and out: places in the list of its levels."""

import difflib
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.api import types

from sklearn_tabsyn._columns import ColumnSchema, FloatColumn, as_objects


@dataclass
class CategoryColumn(ColumnSchema):
    """Text and other names: the place in the list of levels.

    Parameters
    ----------
    levels : list
        The distinct training values, sorted where they can be.
    mixed : bool
        Whether the levels are of several types, so that 1 and True stay apart.
    """

    levels: list = field(default_factory=list)
    mixed: bool = False

    kind = "category"

    @classmethod
    def learn(cls, column, name, dtype, missing):
        """Return the schema of a column of categories."""
        schema = cls(name, dtype, missing)
        if isinstance(dtype, pd.CategoricalDtype):
            used = np.unique(column.cat.codes)
            schema.levels = dtype.categories[used[used >= 0]].tolist()
            schema.mixed = len(set(map(type, schema.levels))) > 1
            return schema
        if dtype == object:
            schema.mixed = len(set(map(type, column.dropna()))) > 1
        elif types.is_float_dtype(dtype):
            FloatColumn(name, dtype, missing).read(column)  # refuses infinity
        _, schema.levels = schema._factorize(column)
        try:
            schema.levels.sort()
        except TypeError:  # types without a common order stay as they came
            _, schema.levels = schema._factorize(column)
        return schema

    def read(self, column):
        """Return the place of each value in the levels, NaN where missing."""
        codes, distinct, found = self._find(column)
        if -1 in found:
            unknown = [c for c, place in zip(distinct, found, strict=True) if place < 0]
            raise ValueError(self._unknown(unknown))
        # The code of a missing value, -1, means the last place.
        return np.array([*found, np.nan], dtype=np.float64)[codes]

    def read_known(self, column):
        """Return the place of each value, NaN where missing or not among the levels."""
        codes, _, found = self._find(column)
        places = np.array([*found, -1], dtype=np.float64)[codes]
        return np.where(places < 0, np.nan, places)

    def narrow(self, places):
        """Keep the levels at some places only, and no others in a category dtype."""
        self.levels = [self.levels[place] for place in places]
        if isinstance(self.dtype, pd.CategoricalDtype):
            kept = self.dtype.categories.isin(self.levels)
            self.dtype = pd.CategoricalDtype(
                self.dtype.categories[kept], self.dtype.ordered
            )

    def natural(self, values):
        """Return the levels as objects, NaN where missing."""
        return as_objects([*self.levels, np.nan])[self._places(values)]

    def from_natural(self, cells):
        """Return canonical values of natural ones."""
        return self.read(pd.Series(as_objects(cells), dtype=object))

    def restore(self, values):
        """Return a column of the training dtype."""
        places = self._places(values)
        self._check_gaps(places < 0)
        if self.dtype == object:
            cells = as_objects([*self.levels, self.missing])[places]
            return pd.Series(cells, dtype=object)
        levels = pd.Series(self.levels, dtype=self.dtype).array
        return pd.Series(levels.take(places, allow_fill=True), dtype=self.dtype)

    def _find(self, column):
        """Return code of each cell, distinct cells, and their places in the levels."""
        codes, distinct = self._factorize(column)
        places = {self._key(level): i for i, level in enumerate(self.levels)}
        return codes, distinct, [places.get(self._key(c), -1) for c in distinct]

    def _places(self, values):
        """Return the place of each canonical value, -1 where missing."""
        absent = np.isnan(values) | (not self.levels)
        places = np.rint(np.where(absent, 0, values)).clip(0, len(self.levels) - 1)
        return np.where(absent, -1, places).astype(np.intp)

    def _factorize(self, column):
        """Return the code of each cell, -1 where missing, and the distinct cells."""
        try:
            if self.mixed:
                cells = zip(column, column.isna(), strict=True)
                keys = [None if gone else self._key(cell) for cell, gone in cells]
                codes, distinct = pd.factorize(as_objects(keys))
                return codes, [cell for _, cell in distinct]
            plain = isinstance(column.dtype, np.dtype) and column.dtype.kind not in "mM"
            codes, distinct = pd.factorize(column.to_numpy() if plain else column.array)
            return codes, distinct.tolist()
        except TypeError as error:
            kinds = (type(v).__name__ for v in column if not isinstance(v, Hashable))
            text = (
                f"holds a {next(kinds, 'tuple of lists')}; the argument must be a "
                "string or a number. Put one value in each cell, or drop the column."
            )
            raise TypeError(self.error(text)) from error

    def _key(self, level):
        if not self.mixed:
            return level
        level = level.item() if isinstance(level, np.generic) else level
        return type(level), level

    def _unknown(self, cells):
        shown = [*map(repr, cells[:3])]
        near = difflib.get_close_matches(shown[0], map(repr, self.levels), 3, 0)
        return self.error(
            f"holds values that were not seen in fit: {', '.join(shown)}. The nearest "
            f"known ones are {', '.join(near or ['none'])}."
        )
