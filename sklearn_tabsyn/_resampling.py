"""What all that adds synthetic rows to real ones shares."""

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import _safe_indexing, check_array, column_or_1d

from sklearn_tabsyn._seeds import int_seed
from sklearn_tabsyn._synthesizer import DiffusionSynthesizer
from sklearn_tabsyn._table import check_frame, is_frame


def make_synthesizer(synthesizer, random_state, *, conditional, name):
    """Return an unfitted synthesizer, by default one with its own defaults.

    Parameters
    ----------
    synthesizer : estimator or None
        One to copy, or none.
    random_state : int, RandomState instance or None
        Its seed, if not None.
    conditional : bool
        Whether it must be able to draw rows of given classes.
    name : str
        Who needs it, for the message of the error.

    Raises
    ------
    ValueError
        If it must, but cannot, draw rows of given classes.
    """
    if synthesizer is None:
        synthesizer = DiffusionSynthesizer(conditional=conditional)
    synthesizer = clone(synthesizer)
    if conditional and not getattr(synthesizer, "conditional", True):
        raise ValueError(
            f"{name} draws rows of given classes, so its synthesizer must have "
            "conditional=True; got conditional=False."
        )
    if random_state is not None and "random_state" in synthesizer.get_params():
        synthesizer.set_params(random_state=int_seed(random_state))
    return synthesizer


def check_target_given(estimator, y):
    """Refuse a target that is None, as scikit-learn does."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is "
            "None."
        )


def as_categories(codes):
    """Return class codes as what a synthesizer takes for classes, however many."""
    return pd.Series(pd.Categorical(codes))


def as_table(X):
    """Return a frame, checked, as it is, and anything else as an array."""
    if is_frame(X):
        check_frame(X)
        return X
    return check_array(X, dtype=None, ensure_all_finite=False)


def as_target(y):
    """Return a series of any library as it is, and anything else as a 1D array."""
    return y if hasattr(y, "to_frame") else column_or_1d(y, warn=True)


def append_rows(real, new):
    """Return new rows, or targets, below real ones, with the dtypes of both."""
    if isinstance(real, pd.DataFrame | pd.Series):
        return pd.concat([real, new], ignore_index=True)
    if is_frame(real):
        import narwhals as nw

        return nw.concat([nw.from_native(real), nw.from_native(new)]).to_native()
    return np.concatenate([real, new])


def append_classes(y, codes):
    """Return the classes with these codes behind all others, in the container of `y`.

    The n-th class in sorted order has the code n.
    """
    _, first = np.unique(np.asarray(y), return_index=True)
    places = np.concatenate([np.arange(len(y)), first[codes]])
    both = _safe_indexing(y, places)
    return both.reset_index(drop=True) if isinstance(both, pd.Series) else both


def balanced_counts(counts, n_new):
    """Return how many of `n_new` rows each class gets, so that all come out alike.

    The rarest are filled up first, as water fills the lowest places; a class of which
    there is nothing gets nothing.

    Parameters
    ----------
    counts : ndarray of shape (n_classes,)
        Rows, or their weights, that each class has.
    n_new : int
        Number of new rows.
    """
    order = np.sort(counts[counts > 0])
    # The level to which the k rarest classes can be filled.
    levels = (n_new + order.cumsum()) / np.arange(1, len(order) + 1)
    level = levels[np.flatnonzero(levels > order).max(initial=0)]
    wanted = np.where(counts > 0, np.clip(level - counts, 0, None), 0)
    new = np.floor(wanted).astype(int)
    rest = np.argsort(new - wanted, kind="stable")[: n_new - new.sum()]
    new[rest] += 1
    return new
