"""Tables in and out: any container becomes floats, and floats the same container."""

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import validate_data

from sklearn_tabsyn._columns import FloatColumn
from sklearn_tabsyn._frames import (
    column_names,
    from_pandas,
    is_foreign,
    narrow_enums,
    to_pandas,
)
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
        If the table is empty, not two-dimensional, holds infinite or complex numbers,
        or its columns have no names of their own.
    """
    if is_frame(X):
        names = check_frame(X)
        # Not every release of scikit-learn finds the names of every frame.
        named = X if isinstance(X, pd.DataFrame) else pd.DataFrame(columns=names)
        validate_data(estimator, named, reset=reset, skip_check_array=True)
        return X
    if hasattr(X, "to_frame"):
        raise ValueError(
            "Expected 2D array, got a single column instead. Reshape your data: use "
            ".to_frame() to make it a table."
        )
    X = validate_data(estimator, X, reset=reset, dtype=None, ensure_all_finite=False)
    if X.dtype.kind == "f":
        _check_infinity(X.T, range(X.shape[1]))
    return X


def is_frame(X):
    """Tell whether X is a frame of any library."""
    return isinstance(X, pd.DataFrame) or is_foreign(X)


def check_frame(X):
    """Return the names of a frame; refuse it if empty, doubly named or infinite."""
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
            f"Column names must be unique; found more than once: {twice}. Rename them."
        )
    if isinstance(X, pd.DataFrame):
        floats = X.select_dtypes(["float16", "float32", "float64"])
        _check_infinity((column for _, column in floats.items()), floats.columns)
    return names


def _check_infinity(columns, names):
    """Refuse infinite numbers by the name of their column."""
    for name, column in zip(names, columns, strict=True):
        FloatColumn(name, column.dtype, np.nan).read(pd.Series(column))


class TableSchema:
    """The columns of a table and its container.

    Parameters
    ----------
    columns : list of ColumnSchema
        The columns, in order.
    container : object
        What :meth:`restore` needs to make the training container again.
    """

    def __init__(self, columns, container):
        self.columns = columns
        self.container = container

    @classmethod
    def from_table(cls, X, categorical_features="from_dtype"):
        """Learn the schema of a checked table.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            The table, as :func:`check_table` returns it.
        categorical_features : "from_dtype", array-like or None
            Names, positions or a mask of numbers and dates that are categories. Text is
            one always, unless all of it is dates or numbers with a unit.
        """
        frame, container = open_frame(X)
        names = list(frame.columns)
        known = [f"x{j}" for j in names] if container[0] == "numpy" else names
        chosen = chosen_categories(categorical_features, known)
        columns = [
            learn_column(frame.iloc[:, j], name, category)
            for j, (name, category) in enumerate(zip(names, chosen, strict=True))
        ]
        return cls(columns, container)

    def read(self, X):
        """Return a float64 frame of canonical values, NaN where missing."""
        frame, _ = open_frame(X)
        if frame.shape[1] != len(self.columns):
            raise ValueError(
                f"X has {frame.shape[1]} columns, but had {len(self.columns)} in fit. "
                "Give the columns of fit, in their order."
            )
        return self._frame(c.read(frame.iloc[:, j]) for j, c in enumerate(self.columns))

    def read_known(self, X):
        """Return canonical values, NaN where missing or unknown, and what is given."""
        frame, _ = open_frame(X)
        columns = [frame.iloc[:, j] for j in range(len(self.columns))]
        pairs = zip(self.columns, columns, strict=True)
        return self._frame(c.read_known(cells) for c, cells in pairs), frame.notna()

    def restore(self, frame):
        """Return canonical values as a table like the training table."""
        columns = (column.restore(v) for column, v in self.canonical(frame))
        return close_frame(self._frame(columns), self.container)

    def natural(self, frame):
        """Return canonical values as numbers and labels, under the column names."""
        columns = (c.natural(v) for c, v in self.canonical(frame))
        # A series of its own dtype, or pandas would turn labels into text.
        named = self._frame(pd.Series(v, dtype=v.dtype) for v in columns)
        named.columns = self.names
        return named

    def from_natural(self, frame):
        """Return canonical values of what :meth:`natural` gave."""
        columns = (frame.iloc[:, j].to_numpy() for j in range(len(self.columns)))
        pairs = zip(self.columns, columns, strict=True)
        return self._frame(column.from_natural(cells) for column, cells in pairs)

    @property
    def names(self):
        """Names of the columns; those of an array are x0, x1, and so on."""
        if self.container[0] == "numpy":
            return [f"x{j}" for j in range(len(self.columns))]
        return [column.name for column in self.columns]

    def narrow_container(self):
        """List no level in the container that has left its column."""
        kind, detail = self.container
        if kind == "foreign":
            levels = [column.levels for column in self.columns]
            self.container = kind, narrow_enums(detail, levels)

    def canonical(self, frame):
        """Return pairs of a column and its canonical values."""
        values = np.asarray(frame, dtype=np.float64)
        return zip(self.columns, values.T, strict=True)

    def _frame(self, columns):
        frame = pd.DataFrame(dict(enumerate(columns)))
        return frame.set_axis(pd.RangeIndex(len(self.columns)), axis=1)


class TargetSchema(TableSchema):
    """A target: a table of one column that is restored as a column."""

    @property
    def column(self):
        """Schema of the only column."""
        return self.columns[0]

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
        number = types.is_integer_dtype(column.dtype) or schema.python is int
        if schema.is_text or (number and column.nunique() <= MAX_CLASSES):
            schema = learn_column(column, "y", category=True)
        return cls([schema], container)

    def read(self, y):
        """Return a float64 frame of one column."""
        return self._frame([self.column.read(_open_target(y)[0])])

    def read_known(self, y):
        """Return canonical values, NaN where unknown, and what is given."""
        column, _ = _open_target(y)
        known = self._frame([self.column.read_known(column)])
        return known, column.notna().to_frame()

    def restore(self, values):
        """Return canonical values as a target like the training target."""
        values = np.asarray(values, dtype=np.float64).ravel()
        column = self.column.restore(values)
        kind, detail = self.container
        if kind == "numpy":
            return column.to_numpy().astype(detail)
        if kind == "pandas":
            return column.rename(detail)
        return from_pandas(column.to_frame(0), detail)[detail[1][0][0]]


class TakesTables:
    """Mixin of estimators whose tables may hold text, categories and gaps."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def open_frame(X):
    """Return a table as a pandas frame, and its container."""
    if isinstance(X, pd.DataFrame):
        # A copy, for an index can be renamed in place.
        return X, ("pandas", X.columns.copy())
    if is_foreign(X):
        return to_pandas(X)
    X = check_array(X, dtype=None, ensure_all_finite=False)
    objects = object if X.dtype == object else None
    columns = {j: pd.Series(X[:, j], dtype=objects) for j in range(X.shape[1])}
    return pd.DataFrame(columns), ("numpy", X.dtype)


def close_frame(frame, container):
    """Return a pandas frame as the container it came from."""
    kind, detail = container
    if kind == "numpy" and detail.kind == "U":
        texts = frame.to_numpy(dtype=str)  # new ones may be longer
        return texts.astype(np.promote_types(texts.dtype, detail))
    if kind == "numpy":
        return frame.to_numpy(dtype=detail)
    if kind == "pandas":
        return frame.set_axis(detail.copy(), axis=1)
    return from_pandas(frame, detail)


def _open_target(y):
    """Return a target as a pandas column, and its container."""
    if isinstance(y, pd.Series):
        return y.reset_index(drop=True), ("pandas", y.name)
    if hasattr(y, "to_frame"):
        frame, container = to_pandas(y.to_frame())
        return frame.iloc[:, 0], container
    try:
        y = column_or_1d(y, warn=True)
    except ValueError as error:
        text = "Multi-output targets are not supported: make all but one columns of X."
        raise ValueError(f"{error} {text}") from error
    objects = object if y.dtype == object else None
    return pd.Series(y, dtype=objects), ("numpy", y.dtype)


def chosen_categories(categorical_features, names):
    """Return for each column whether the user calls it a category."""
    n_columns = len(names)
    chosen = np.zeros(n_columns, dtype=bool)
    if isinstance(categorical_features, str | None):
        if categorical_features in (None, "from_dtype"):
            return chosen
        raise ValueError(
            "categorical_features must be 'from_dtype', None or a list of columns; got "
            f"{categorical_features!r}. Put a single name in a list."
        )
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
        elif isinstance(item, int | np.integer) and -n_columns <= item < n_columns:
            chosen[item] = True
        else:
            raise ValueError(
                f"categorical_features names the column {item!r}, which is not in the "
                f"table. Its {n_columns} columns are {names[:20]}"
                f"{' and more' if n_columns > 20 else ''}."
            )
    return chosen
