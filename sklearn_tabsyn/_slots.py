"""What one encoded column becomes: a value, the level of a codebook, or both."""

from dataclasses import dataclass

import numpy as np

# Level of a gate that says: as in the linked column.
LINKED = 2
# Levels of a nominal column up to which each has a code of its own.
MAX_ONE_HOT = 1_024
# Most frequent levels that keep a code of their own in a longer column.
N_FREQUENT = 512


@dataclass
class _Gated:
    """A number, with a gate beside it if there is more to say than its value.

    The gate is a codebook: 0 where there is a value of its own, 1 where it is missing,
    2 where the value is that of another column.
    """

    column: int
    gated: bool
    linked: bool = False
    value: int = 0
    level: int = 0

    @property
    def gates(self):
        """Number of levels of each gate and whether they are ordered."""
        return [(3 if self.linked else 2, False)] * (self.gated or self.linked)

    def _encode_gate(self, missing, rows, place):
        if self.gates:
            rows.levels[:, place] = missing

    def _decode_gate(self, levels, place, encoded):
        if self.gates:
            encoded[levels[:, place] == 1, self.column] = np.nan


@dataclass
class Continuous(_Gated):
    """A number of many values: one value, kept within the training range."""

    lowest: float = 0.0
    highest: float = 0.0

    n_values = 1

    @property
    def n_codebooks(self):
        """Number of codebook columns of this slot."""
        return len(self.gates)

    @classmethod
    def of(cls, low, high, column):
        """Return the slot of a column of the encoded training matrix."""
        low, high = low[:, column], high[:, column]
        missing = np.isnan(low)
        if missing.all():
            return cls(column, True)
        return cls(
            column,
            bool(missing.any()),
            lowest=float(np.nanmin(low)),
            highest=float(np.nanmax(high)),
        )

    def encode(self, low, high, rows):
        """Write the values, and whether they are missing, into `rows`."""
        rows.low[:, self.value] = low[:, self.column]
        rows.high[:, self.value] = high[:, self.column]
        self._encode_gate(np.isnan(low[:, self.column]), rows, self.level)

    def decode(self, values, levels, encoded):
        """Write the encoded column of generated values into `encoded`."""
        column = values[:, self.value].astype(np.float64)
        encoded[:, self.column] = column.clip(self.lowest, self.highest)
        self._decode_gate(levels, self.level, encoded)

    def codebooks(self):
        """Return the number of levels and whether they are ordered, per codebook."""
        return self.gates


@dataclass
class Discrete(_Gated):
    """A number of few values: the level of an ordered codebook."""

    keys: np.ndarray = None

    n_values = 0

    @property
    def n_codebooks(self):
        """Number of codebook columns of this slot."""
        return 1 + len(self.gates)

    @classmethod
    def of(cls, encoded, place):
        """Return the slot of a column of the encoded training matrix."""
        column = encoded[:, place.start]
        missing = np.isnan(column)
        if missing.all():
            return Nominal.of(encoded, place)
        return cls(place.start, bool(missing.any()), keys=np.unique(column[~missing]))

    def encode(self, low, high, rows):
        """Write the levels, and whether they are missing, into `rows`."""
        column = low[:, self.column]
        missing = np.isnan(column)
        levels = np.searchsorted(self.keys, column)
        rows.levels[:, self.level] = np.where(missing, -1, levels)
        self._encode_gate(missing, rows, self.level + 1)

    def decode(self, values, levels, encoded):
        """Write the encoded column of generated levels into `encoded`."""
        encoded[:, self.column] = self.keys[levels[:, self.level]]
        self._decode_gate(levels, self.level + 1, encoded)

    def codebooks(self):
        """Return the number of levels and whether they are ordered, per codebook."""
        return [(len(self.keys), True), *self.gates]


@dataclass
class Nominal:
    """Names: the level of one codebook, or of two if there are very many.

    With very many levels the most frequent ones keep a code of their own; all
    others, sorted by frequency, are cut into blocks of `size`. The first codebook
    names the level or its block, the second the member of the block, so that
    neither is much longer than the root of the number of levels. Members of a
    block are about equally frequent, which is why a column by itself loses nothing.
    """

    place: slice
    keys: np.ndarray
    order: np.ndarray
    size: int = 0
    value: int = 0
    level: int = 0

    n_values = 0

    @property
    def n_codebooks(self):
        """Number of codebook columns of this slot."""
        return 1 + (self.size > 0)

    @classmethod
    def of(cls, encoded, place):
        """Return the slot of one or more columns of the encoded training matrix."""
        keys, counts = np.unique(_keys(encoded, place), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        n_rare = len(keys) - N_FREQUENT
        size = int(np.ceil(np.sqrt(n_rare))) if len(keys) > MAX_ONE_HOT else 0
        return cls(place, keys, order, size)

    def encode(self, low, high, rows):
        """Write the levels into `rows`."""
        ranks = np.argsort(self.order)
        keys = np.searchsorted(self.keys, _keys(low, self.place))
        rank = ranks[keys]
        if not self.size:
            rows.levels[:, self.level] = rank
            return
        block, member = np.divmod(rank - N_FREQUENT, self.size)
        frequent = rank < N_FREQUENT
        rows.levels[:, self.level] = np.where(frequent, rank, N_FREQUENT + block)
        rows.levels[:, self.level + 1] = np.where(frequent, -1, member)

    def decode(self, values, levels, encoded):
        """Write the encoded columns of generated levels into `encoded`."""
        rank = levels[:, self.level].astype(np.int64)
        if self.size:
            block, member = rank - N_FREQUENT, levels[:, self.level + 1]
            rank = np.where(block < 0, rank, N_FREQUENT + block * self.size + member)
            # The last block may be short.
            rank = np.minimum(rank, len(self.keys) - 1)
        keys = self.keys[self.order[rank]]
        if self.place.stop - self.place.start == 1:
            encoded[:, self.place.start] = keys
            return
        encoded[:, self.place] = 0
        hot = np.flatnonzero(keys > 0)
        encoded[hot, self.place.start + keys[hot].astype(int) - 1] = 1

    def codebooks(self):
        """Return the number of levels and whether they are ordered, per codebook."""
        if not self.size:
            return [(len(self.keys), False)]
        n_blocks = int(np.ceil((len(self.keys) - N_FREQUENT) / self.size))
        return [(N_FREQUENT + n_blocks, False), (self.size, False)]


def _keys(encoded, place):
    """Return one number for each row: its code, or 1 + the place of its one-hot 1."""
    columns = encoded[:, place]
    if columns.shape[1] == 1:
        return columns[:, 0]
    return columns @ np.arange(1.0, columns.shape[1] + 1)
