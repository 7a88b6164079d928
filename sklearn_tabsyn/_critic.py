"""A critic of drawn rows: a few more are drawn than are asked for, and it chooses.

A network is smooth, and wrong where a table has edges. Trees are not, and need no more
than to tell real rows from drawn ones: their odds say how many times as often a row is
found among real ones as among drawn ones, so that rows kept with chances in proportion
are spread like real ones (discriminator rejection sampling, Azadi et al. 2019).
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._sizes import default_candidates

# More trees, or trees that look at all columns at each split, know real rows by heart.
N_TREES, MAX_SHARE, MIN_COLUMNS = 150, 0.3, 4
# Leaves of few rows say little: what they err counts for more in tails than elsewhere.
SHRINKAGE = 10.0
# Fewer real rows are known by heart rather than learned from.
MIN_ROWS = 5_000
# Real rows that it sees at most, and as many drawn ones.
MAX_ROWS = 30_000
# Trees split categories with more levels than this as numbers.
MAX_LEVELS = 255
# Bounds of the log-odds: one row of many must not stand for a whole region.
LOWEST, HIGHEST = -5.0, 2.5


def wants_critic(synthesizer, n_rows):
    """Return whether a fit to so many rows trains a critic.

    Raises
    ------
    ValueError
        If it is asked for and would know values that are protected.
    """
    if synthesizer.candidates == "auto":
        return n_rows >= MIN_ROWS and not synthesizer.protect_values
    if synthesizer.candidates > 1 and synthesizer.protect_values:
        raise ValueError(
            f"candidates={synthesizer.candidates} needs protect_values=False, for the "
            "critic that chooses among them learns where real values lie. Set "
            'candidates to 1 or "auto".'
        )
    return synthesizer.candidates > 1


def unless_interrupted(learn, *args):
    """Return what a function that learns from drawn rows returns, None if interrupted.

    Whatever drew them stays usable without it.
    """
    try:
        return learn(*args)
    except KeyboardInterrupt:
        warnings.warn(
            "Training was interrupted before it had learned from drawn rows. The "
            "synthesizer can be used, and takes all rows that it draws.",
            ConvergenceWarning,
            stacklevel=4,
        )


def check_candidates(candidates, critic):
    """Return how many rows are drawn for each that is kept.

    Raises
    ------
    ValueError
        If there is no critic that could choose.
    """
    if candidates == "auto":
        return 1 if critic is None else critic.n_candidates
    if candidates > 1 and critic is None:
        raise ValueError(
            f"candidates={candidates} needs a critic that chooses among them, but "
            'none was trained. Fit anew, or set candidates to 1 or "auto".'
        )
    return candidates


class Critic:
    """Trees that tell real rows from drawn ones.

    Parameters
    ----------
    model : TableModel
        Restores the rows.
    """

    def __init__(self, model):
        self.model = model

    def fit(self, real, weights, drawn, seed):
        """Learn what drawn rows have too many and too few of.

        Parameters
        ----------
        real : ndarray of shape (n_rows, n_columns)
            Canonical values of rows that count as real.
        weights : ndarray of shape (n_rows,)
            Their weights.
        drawn : tuple of ndarray
            Encoded values and levels of drawn rows. As many real ones are looked at, if
            there are more.
        seed : int
            Seed of the trees.

        Returns
        -------
        self : Critic
            The fitted critic.
        """
        # Here, for it takes long to import.
        from sklearn.ensemble import HistGradientBoostingClassifier

        some = even_rows(len(real), len(drawn[0]))
        real, weights = real[some], weights[some]
        self.n_rows, n_columns = real.shape
        rows = np.vstack([real, self.model.settle(*drawn)])
        # Trees refuse columns without any value, and learn nothing of such of one.
        self.blind = np.isnan(rows).all(0)
        is_real = np.repeat([True, False], self.n_rows)
        self.trees = HistGradientBoostingClassifier(
            categorical_features=self._categories(),
            max_iter=N_TREES,
            max_features=min(1.0, max(MAX_SHARE, MIN_COLUMNS / n_columns)),
            l2_regularization=SHRINKAGE,
            early_stopping=False,
            random_state=seed,
        ).fit(
            self._seen(rows),
            is_real,
            sample_weight=np.r_[weights / weights.mean(), np.ones(self.n_rows)],
        )
        self.n_candidates = default_candidates(n_columns)
        return self

    def choose(self, n_kept, seed, place, values, levels):
        """Return sorted positions of the rows of a block that are kept.

        Parameters
        ----------
        n_kept : int
            Their number.
        seed : sequence of int
            Together with the block and its place all that the choice depends on.
        place : int
            Place of the block.
        values, levels : ndarray of shape (BLOCK_ROWS, n)
            Encoded rows.
        """
        # Other than that of the noise of the block.
        key = np.random.SeedSequence(seed, spawn_key=(place, 1))
        ratios = self.ratios(values, levels)
        return choose(ratios, n_kept, np.random.default_rng(key))

    def ratios(self, values, levels):
        """Return how many times as often encoded rows are real, (n_rows,)."""
        seen = self._seen(self.model.settle(values, levels))
        log_odds = self.trees.decision_function(seen)
        return np.exp(log_odds.clip(LOWEST, HIGHEST))

    def _seen(self, rows):
        return np.where(self.blind, 0.0, rows)

    def _categories(self):
        """Return which columns trees split as categories."""
        columns = [c for schema in self.model.schemas for c in schema.columns]
        return [c.kind == "category" and len(c.levels) <= MAX_LEVELS for c in columns]


def choose(weights, n_chosen, random):
    """Return sorted positions of rows, chosen with chances in proportion to weights.

    Systematic sampling without replacement (Madow 1949): rows in random order lie side
    by side, each as long as its chance, and every step of length 1 hits one. Rows with
    a chance above 1 are taken, and the others share what is left.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,), dtype float64
        Positive.
    n_chosen : int
        Number of positions, at most `n_rows`.
    random : numpy.random.Generator
        Source of the choice.

    Returns
    -------
    chosen : ndarray of shape (n_chosen,), dtype int64
        Distinct positions.
    """
    sure = np.zeros(len(weights), dtype=bool)
    while left := n_chosen - sure.sum():
        chances = np.where(sure, 0.0, weights * left / weights[~sure].sum())
        if not (chances >= 1).any():
            break
        sure |= chances >= 1
    if not left:
        return np.flatnonzero(sure)
    order = random.permutation(np.flatnonzero(~sure))
    edges = np.cumsum(chances[order])
    hits = (random.random() + np.arange(left)) * edges[-1] / left
    # Rounding could lead beyond the last one.
    places = np.searchsorted(edges, hits, side="right").clip(max=len(order) - 1)
    return np.sort(np.r_[np.flatnonzero(sure), order[places]])
