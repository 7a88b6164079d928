"""Tables in and out: any container becomes floats, and floats the same container."""

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_array, validate_data

from sklearn_tabsyn._columns import StepColumn
from sklearn_tabsyn._frames import column_names, from_pandas, is_foreign, to_pandas
from sklearn_tabsyn._inference import learn_column

# Integers with up to this many distinct values are classes when they are a target.
MAX_CLASSES = 32


def check_table(estimator, X, *, reset):
    """Return a table, checked as scikit-learn does, with the estimator's names set.

    Parameters
    ----------
    estimator : estimator
        Gets or has `n_features_in_` and `feature_names_in_`.
    X : array-like or DataFrame of shape (n_samples, n_features)
        The table.
    reset : bool
        Whether to set the attributes or to compare with them.

    Returns
    -------
    X : ndarray or DataFrame of shape (n_samples, n_features)
        A frame as it came, anything else as an array.

    Raises
    ------
    ValueError
        If the table is empty, not two-dimensional, or its columns have no names of
        their own.
    """
    if not (isinstance(X, pd.DataFrame) or is_foreign(X)):
        if hasattr(X, "to_frame"):
            raise ValueError(
                "Expected 2D array, got a single column instead. Reshape your data: "
                "use .to_frame() to make it a table."
            )
        # Objects are read column by column; anything else is refused here.
        return validate_data(
            estimator, X, reset=reset, dtype=None, ensure_all_finite=False
        )
    _check_frame(X)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return X


def _check_frame(X):
    """Refuse frames without rows, columns, or distinct names."""
    for size, what in zip(X.shape, ("sample", "feature"), strict=True):
        if not size:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum of "
                "1 is required. Give a table with rows and columns."
            )
    names = column_names(X)
    if isinstance(names, pd.MultiIndex):
        raise ValueError(
            "Columns must have one name each, but this frame has "
            f"{names.nlevels} levels of names. Join them first, for example "
            "X.columns = X.columns.map('_'.join)."
        )
    if not names.is_unique:
        twice = list(names[names.duplicated()].unique())
        raise ValueError(
            f"Column names must be unique; found more than once: {twice}. Rename or "
            "drop the copies."
        )


class TableSchema:
    """The columns of a table and its container.

    Parameters
    ----------
    columns : list of ColumnSchema
        The columns, in order.
    container : object
        What :func:`restore` needs to make the training container again.
    """

    def __init__(self, columns, container):
        self.columns = columns
        self.container = container

    @classmethod
    def from_table(cls, X, categorical_features="from_dtype"):
        """Learn the schema of a checked table."""
        frame, container = _open(X)
        chosen = _chosen(categorical_features, list(frame.columns), frame.shape[1])
        columns = [
            learn_column(frame.iloc[:, j], name, category)
            for j, (name, category) in enumerate(
                zip(frame.columns, chosen, strict=True)
            )
        ]
        return cls(columns, container)

    def read(self, X):
        """Return a float64 frame of canonical values, NaN where missing."""
        frame, _ = _open(X)
        return pd.DataFrame(
            {j: c.read(frame.iloc[:, j]) for j, c in enumerate(self.columns)}
        )

    def restore(self, frame):
        """Return canonical values as a table like the training table."""
        columns = {
            j: column.restore(frame[j].to_numpy(dtype=np.float64))
            for j, column in enumerate(self.columns)
        }
        return _close(pd.DataFrame(columns), self.container)

    def natural(self, frame):
        """Return canonical values as numbers and labels, under the column names."""
        columns = {
            j: column.natural(frame[j].to_numpy(dtype=np.float64))
            for j, column in enumerate(self.columns)
        }
        named = pd.DataFrame(columns)
        named.columns = self.names
        return named

    def from_natural(self, frame):
        """Return canonical values of what :meth:`natural` gave."""
        return pd.DataFrame(
            {
                j: column.from_natural(frame.iloc[:, j].to_numpy())
                for j, column in enumerate(self.columns)
            }
        )

    @property
    def names(self):
        """Names of the columns; those of an array are x0, x1, and so on."""
        if self.container[0] == "numpy":
            return [f"x{j}" for j in range(len(self.columns))]
        return [column.name for column in self.columns]


class TargetSchema(TableSchema):
    """A target: a table of one column that is restored as a column."""

    @classmethod
    def from_target(cls, y):
        """Learn the schema of a target.

        Raises
        ------
        ValueError
            If the target has missing or infinite values, or more than one column.
        """
        column, container = _open_target(y)
        if column.isna().any():
            raise ValueError("Input y contains NaN. Drop the rows without a target.")
        if types.is_float_dtype(column.dtype) and np.isinf(column).any():
            raise ValueError("Input y contains infinity. Drop these rows.")
        schema = learn_column(column, "y")
        whole = isinstance(schema, StepColumn) and types.is_integer_dtype(column.dtype)
        if whole and column.nunique() <= MAX_CLASSES:
            schema = learn_column(column, "y", category=True)
        return cls([schema], container)

    def read(self, y):
        """Return a float64 frame of one column."""
        return pd.DataFrame({0: self.columns[0].read(_open_target(y)[0])})

    def restore(self, frame):
        """Return canonical values as a target like the training target."""
        column = self.columns[0].restore(frame[0].to_numpy(dtype=np.float64))
        kind, detail = self.container
        if kind == "numpy":
            return column.to_numpy().astype(detail)
        if kind == "pandas":
            return column.rename(detail)
        return from_pandas(column.to_frame(0), detail)[detail[1][0][0]]


def _open(X):
    """Return a table as a pandas frame, and its container."""
    if isinstance(X, pd.DataFrame):
        return X, ("pandas", X.columns)
    if is_foreign(X):
        return to_pandas(X)
    X = check_array(X, dtype=None, ensure_all_finite=False)
    objects = object if X.dtype == object else None
    columns = {j: pd.Series(X[:, j], dtype=objects) for j in range(X.shape[1])}
    return pd.DataFrame(columns), ("numpy", X.dtype)


def _close(frame, container):
    """Return a pandas frame as the container it came from."""
    kind, detail = container
    if kind == "numpy":
        return frame.to_numpy(dtype=detail)
    if kind == "pandas":
        frame.columns = detail
        return frame
    return from_pandas(frame, detail)


def _open_target(y):
    """Return a target as a pandas column, and its container."""
    if isinstance(y, pd.Series):
        return y.reset_index(drop=True), ("pandas", y.name)
    if hasattr(y, "to_frame"):
        frame, container = to_pandas(y.to_frame())
        return frame.iloc[:, 0], container
    y = column_or_1d(y, warn=True)
    return pd.Series(y), ("numpy", y.dtype)


def _chosen(categorical_features, names, n_columns):
    """Return for each column whether the user calls it a category."""
    chosen = np.zeros(n_columns, dtype=bool)
    if categorical_features is None or isinstance(categorical_features, str):
        return chosen
    asked = np.asarray(categorical_features)
    if asked.dtype == bool:
        if asked.shape != (n_columns,):
            raise ValueError(
                "categorical_features as a mask must have one entry for each of the "
                f"{n_columns} columns; got shape {asked.shape}."
            )
        return asked
    for item in list(categorical_features):
        if item in names:
            chosen[names.index(item)] = True
        elif isinstance(item, (int, np.integer)) and -n_columns <= item < n_columns:
            chosen[item] = True
        else:
            raise ValueError(
                f"categorical_features names the column {item!r}, which is not in the "
                f"table. Its {n_columns} columns are {names[:20]}"
                f"{' and more' if n_columns > 20 else ''}."
            )
    return chosen
