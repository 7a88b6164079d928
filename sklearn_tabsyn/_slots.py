"""What an encoded column becomes: a value, levels of codebooks, or both."""

from dataclasses import dataclass

import numpy as np

# Levels of a nominal column up to which each has a code of its own.
MAX_ONE_HOT = 1_024
# Most frequent levels that keep a code of their own in a longer column.
N_FREQUENT = 512


@dataclass
class _Slot:
    """One or more encoded columns of a table column.

    A number that can be missing has a gate beside it: a codebook of two levels,
    1 where it is missing. Of names, missing is one more level. A number that is often
    made of another column has a link: a codebook of the ways in which it is, and of a
    level 0 where it is not. Both come after the column's own codebooks.
    """

    place: slice
    gated: bool = False
    n_marks: int = 0
    missing_key: float = np.nan
    unit: int = 0
    others: tuple = ()
    value: int = 0
    level: int = 0

    n_values = 0

    @property
    def n_codebooks(self):
        """Number of codebook columns of this slot."""
        return len(self.codebooks())

    @property
    def n_own(self):
        """Number of codebook columns of the value itself."""
        return len(self._own_codebooks())

    @property
    def gate(self):
        """Place of the gate among the levels, if there is one."""
        return self.level + self.n_own

    @property
    def link(self):
        """Place of the link among the levels, if there is one."""
        return self.gate + self.gated

    @property
    def missing_levels(self):
        """Level of each codebook that means missing, -1 if none does."""
        # Without the rest of an offset the number itself is still there.
        gates = [-1 if self.others else 1] * self.gated + [-1] * (self.n_marks > 0)
        return self._own_missing_levels() + gates

    @property
    def units(self):
        """Columns of the table that its value is made of."""
        return (self.unit, *self.others)

    def codebooks(self):
        """Return the number of levels and whether they are ordered, per codebook."""
        link = [(1 + self.n_marks, False)] if self.n_marks else []
        return self._own_codebooks() + [(2, False)] * self.gated + link

    def _own_missing_levels(self):
        return [-1] * self.n_own

    def encode(self, low, high, rows):
        """Write values and levels, and whether they are missing, into `rows`."""
        missing = _is(_keys(low, self.place), self.missing_key)
        self._encode_own(low, high, missing, rows)
        if self.gated:
            rows.levels[:, self.gate] = missing

    def decode(self, values, levels, encoded):
        """Write the encoded columns of generated values and levels into `encoded`."""
        keys = self._decode_own(values, levels)
        if self.gated:
            keys = np.where(levels[:, self.gate] == 1, self.missing_key, keys)
        if self.place.stop - self.place.start == 1:
            encoded[:, self.place.start] = keys
            return
        encoded[:, self.place] = 0
        hot = np.flatnonzero(keys > 0)
        encoded[hot, self.place.start + keys[hot].astype(int) - 1] = 1


@dataclass
class Continuous(_Slot):
    """A number of many values: one value, kept within the training range."""

    lowest: float = 0.0
    highest: float = 0.0

    n_values = 1

    @classmethod
    def of(cls, low, high, place):
        """Return the slot of a column of the encoded training matrix."""
        low, high = low[:, place.start], high[:, place.start]
        missing = np.isnan(low)
        if missing.all():
            return cls(place, gated=True)
        ends = {"lowest": float(np.nanmin(low)), "highest": float(np.nanmax(high))}
        return cls(place, gated=bool(missing.any()), **ends)

    def _own_codebooks(self):
        return []

    def _encode_own(self, low, high, missing, rows):
        rows.low[:, self.value] = low[:, self.place.start]
        rows.high[:, self.value] = high[:, self.place.start]

    def _decode_own(self, values, levels):
        return values[:, self.value].astype(np.float64).clip(self.lowest, self.highest)


@dataclass
class Discrete(_Slot):
    """A number of few values: the level of an ordered codebook."""

    keys: np.ndarray = None

    @classmethod
    def of(cls, encoded, place, missing_key=np.nan):
        """Return the slot of a column of the encoded training matrix."""
        column = _keys(encoded, place)
        missing = _is(column, missing_key)
        if missing.all():
            return Nominal.of(encoded, place, missing_key)
        keys, gated = np.unique(column[~missing]), bool(missing.any())
        return cls(place, gated, missing_key=missing_key, keys=keys)

    def _own_codebooks(self):
        return [(len(self.keys), True)]

    def _encode_own(self, low, high, missing, rows):
        levels = np.searchsorted(self.keys, _keys(low, self.place))
        rows.levels[:, self.level] = np.where(missing, -1, levels)

    def _decode_own(self, values, levels):
        return self.keys[levels[:, self.level]]


@dataclass
class Nominal(_Slot):
    """Names: the level of one codebook, or of two if there are very many.

    With very many levels the most frequent ones keep a code of their own; all
    others, sorted by frequency, are cut into blocks of `size`. The first codebook
    names the level or its block, the second the member of the block, so that
    neither is much longer than the root of the number of levels. Members of a
    block are about equally frequent, which is why a column by itself loses nothing.
    """

    keys: np.ndarray = None
    order: np.ndarray = None
    size: int = 0

    @classmethod
    def of(cls, encoded, place, missing_key=np.nan):
        """Return the slot of one or more columns of the encoded training matrix."""
        keys, counts = np.unique(_keys(encoded, place), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        n_rare = len(keys) - N_FREQUENT
        size = int(np.ceil(np.sqrt(n_rare))) if len(keys) > MAX_ONE_HOT else 0
        how = {"keys": keys, "order": order, "size": size}
        return cls(place, missing_key=missing_key, **how)

    def _own_missing_levels(self):
        ranks = np.flatnonzero(_is(self.keys[self.order], self.missing_key))
        level = int(ranks[0]) if len(ranks) else -1
        if not self.size:
            return [level]
        # Among rare levels it cannot be told from its block.
        return [level if level < N_FREQUENT else -1, -1]

    def _own_codebooks(self):
        if not self.size:
            return [(len(self.keys), False)]
        n_blocks = int(np.ceil((len(self.keys) - N_FREQUENT) / self.size))
        return [(N_FREQUENT + n_blocks, False), (self.size, False)]

    def _encode_own(self, low, high, missing, rows):
        ranks = np.argsort(self.order)
        places = np.searchsorted(self.keys, _keys(low, self.place))
        rank = ranks[places.clip(max=len(self.keys) - 1)]
        if not _is(self.keys, self.missing_key).any():
            rank[missing] = -1  # not known, and no name
        if not self.size:
            rows.levels[:, self.level] = rank
            return
        block, member = np.divmod(rank - N_FREQUENT, self.size)
        frequent = rank < N_FREQUENT
        rows.levels[:, self.level] = np.where(frequent, rank, N_FREQUENT + block)
        rows.levels[:, self.level + 1] = np.where(frequent, -1, member)

    def _decode_own(self, values, levels):
        rank = levels[:, self.level].astype(np.int64)
        if self.size:
            block, member = rank - N_FREQUENT, levels[:, self.level + 1]
            rank = np.where(block < 0, rank, N_FREQUENT + block * self.size + member)
            # The last block may be short.
            rank = np.minimum(rank, len(self.keys) - 1)
        return self.keys[self.order[rank]]


def blank(slots, rows, gone):
    """Return encoded rows without some cells, (n, n_columns), of the table, if any."""
    if gone is None:
        return rows
    low, high, levels = (part.copy() for part in rows)
    for slot in slots:
        own = gone[:, slot.units].any(axis=1)
        values = slice(slot.value, slot.value + slot.n_values)
        low[own, values] = high[own, values] = np.nan
        levels[own, slot.level : slot.level + slot.n_codebooks] = -1
    return type(rows)(low, high, levels)


def _keys(encoded, place):
    """Return one number for each row: its code, or 1 + the place of its one-hot 1."""
    columns = encoded[:, place]
    if columns.shape[1] == 1:
        return columns[:, 0]
    return columns @ np.arange(1.0, columns.shape[1] + 1)


def missing_key(encoded, place, missing):
    """Return the key that stands for missing in encoded columns."""
    gone = np.flatnonzero(missing)
    return _keys(encoded[gone[:1]], place)[0] if len(gone) else np.nan


def _is(keys, key):
    """Tell which keys are a key that may be NaN."""
    return np.isnan(keys) if np.isnan(key) else keys == key
