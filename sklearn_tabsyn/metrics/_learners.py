"""What learns from tables that were read alike."""

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# Trees split categories with more levels than this by their frequency.
MAX_LEVELS = 200
# With fewer values than this, all of a fold may be missing, which trees refuse.
FEW_VALUES = 20


def code_matrices(columns):
    """Return each table as a matrix of numbers, and of categories their ranks.

    The most frequent category of all tables has rank 0.
    """
    cells = [_ranks(c) if c.is_category else _numbers(c) for c in columns]
    return [np.column_stack(table) for table in zip(*cells, strict=True)]


def tree_categories(columns, matrices):
    """Return which columns trees take as categories."""
    n_ranks = np.max([matrix.max(0) for matrix in matrices], axis=0) + 1
    is_category = np.array([column.is_category for column in columns])
    return is_category & (n_ranks <= MAX_LEVELS)


def on_flat_features(estimator, columns):
    """Return an estimator of the code matrix that sees flat, scaled features.

    Gaps in numbers are filled by the mean and marked; categories are one-hot.
    """
    fill = SimpleImputer(add_indicator=True, keep_empty_features=True)
    numbers = [j for j, column in enumerate(columns) if not column.is_category]
    categories = [j for j, column in enumerate(columns) if column.is_category]
    flat = make_column_transformer(
        (make_pipeline(fill, StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
    )
    return make_pipeline(flat, estimator)


def _numbers(column):
    """Return numbers; if there are few, gaps lie below them."""
    n_values = [np.count_nonzero(~gaps) for gaps in column.absent()]
    n_rows = [len(cells) for cells in column.values]
    if n_values == n_rows or min(n_values) >= FEW_VALUES:
        return column.values
    present = np.concatenate(column.values)
    present = present[~np.isnan(present)]
    fill = present.min() - (np.ptp(present) or 1.0) if len(present) else 0.0
    return [np.nan_to_num(cells, nan=fill) for cells in column.values]


def _ranks(column):
    counts = sum(np.bincount(v, minlength=column.n_codes) for v in column.values)
    ranks = np.empty(column.n_codes)
    ranks[np.argsort(-counts, kind="stable")] = np.arange(column.n_codes)
    return [ranks[codes] for codes in column.values]
