"""Distances between rows of mixed tables."""

import numpy as np

# Distances are computed in blocks of about this many, which stay in the cache.
BLOCK = 2**18


class GowerSpace:
    """Rows of tables that were read alike, at Gower's distance (Gower 1971).

    The distance of two rows is the mean over the columns of the difference in units of
    the range of the first table, or, of categories, of whether they differ. A missing
    number lies one range below the lowest number.

    Parameters
    ----------
    columns : list of AlikeColumn
        The columns, as :func:`read_alike` returns them.
    """

    def __init__(self, columns):
        self.is_category = [column.is_category for column in columns]
        scaled = [_scaled(column) for column in columns]
        tables = zip(*scaled, strict=True)
        self.tables = [np.array(cells, dtype=np.float32) for cells in tables]

    def nearest(self, rows, others):
        """Return for each row the index of the nearest other one, and its distance."""
        blocks = [(d.argmin(1), d.min(1)) for d in self._distances(rows, others)]
        return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]

    def radii(self, rows, k):
        """Return for each row the distance of the k-th nearest other row."""
        # The nearest of all is the row itself.
        blocks = (np.partition(d, k, axis=1)[:, k] for d in self._distances(rows, rows))
        return np.concatenate(list(blocks))

    def from_center(self, rows, others):
        """Return the distance of rows, and of others, from the center of rows.

        The center has the medians of numbers and the shares of levels. Half the sum of
        differences to these shares is 1 minus the share of a row's level.
        """
        distances = np.zeros(rows.shape[1]), np.zeros(others.shape[1])
        for *cells, is_category in zip(rows, others, self.is_category, strict=True):
            if is_category:
                shares = _shares(*(codes.astype(np.intp) for codes in cells))
                parts = [1 - shares[codes.astype(np.intp)] for codes in cells]
            else:
                parts = [np.abs(numbers - np.median(cells[0])) for numbers in cells]
            for distance, part in zip(distances, parts, strict=True):
                distance += part / len(rows)
        return distances

    def _distances(self, rows, others):
        """Yield blocks of the matrix of distances."""
        size = max(1, BLOCK // others.shape[1])
        for start in range(0, rows.shape[1], size):
            block = rows[:, start : start + size, None]
            total = np.zeros((block.shape[1], others.shape[1]), np.float32)
            for a, b, is_category in zip(block, others, self.is_category, strict=True):
                if is_category:
                    total += a != b
                else:
                    difference = a - b
                    total += np.abs(difference, out=difference)
            yield total / len(rows)


def thin(cells, n_rows, random):
    """Return at most so many rows of a table, chosen at random."""
    if cells.shape[1] <= n_rows:
        return cells
    return cells[:, random.choice(cells.shape[1], n_rows, replace=False)]


def _scaled(column):
    """Return the cells of all tables in units of the range of the first."""
    if column.is_category:
        return column.values
    first = column.values[0]
    present = first[~np.isnan(first)]
    low, high = (present.min(), present.max()) if len(present) else (0.0, 0.0)
    span = high - low or 1.0
    return [np.where(np.isnan(v), -1, (v - low) / span) for v in column.values]


def _shares(codes, others):
    """Return the share of each code that occurs in either among the codes."""
    n_codes = max(codes.max(), others.max()) + 1
    return np.bincount(codes, minlength=n_codes) / len(codes)
