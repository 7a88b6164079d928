"""New rows from a fitted synthesizer."""

import itertools
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from sklearn_tabsyn._asked import read_asked
from sklearn_tabsyn._corrections import Corrections, learn_corrections
from sklearn_tabsyn._critic import check_candidates
from sklearn_tabsyn._generation import BLOCK_ROWS, cut_batches, generate_blocks
from sklearn_tabsyn._given import Cells, Given
from sklearn_tabsyn._redrawing import draw_right
from sklearn_tabsyn._sampling import check_sampling, fitted_sigmas, karras_sigmas
from sklearn_tabsyn._seeds import seed_sequence
from sklearn_tabsyn._sizes import default_num_steps

CHURN = ("S_churn", "S_tmin", "S_tmax", "S_noise")
# How many times as many a walk without corrections takes.
WITHOUT = 1.25


class NewRows:
    """Gives a synthesizer the methods `sample` and `sample_batches`."""

    def sample(
        self, n_samples=1, random_state=None, *, conditions=None, class_labels=None
    ):
        """Draw new rows.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of this call: the same one gives the same rows, and the first rows of
            a longer call are those of a shorter one. With None every call gives new
            rows; they repeat in the same order after a new `fit` if the estimator's
            own `random_state` is an int.
        conditions : dict or DataFrame, default=None
            What all new rows have exactly: a dict of column to value, to a list of
            values, or to a range `(low, high)` with None for an open end; the value
            None means missing. Or a frame of partly filled rows, of which missing
            cells are drawn, one new row for each; `n_samples` need not be given then.
            Columns of an array are named by their indices. Rows are drawn until what
            `relations_` lists holds as well. If a value that is given contradicts
            another, both are kept.
        class_labels : scalar or array-like of shape (n_samples,), default=None
            The target that all, or each, of the rows have; for a fit with `y`.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            New rows in the container, column order and dtypes of the training table.
        y : ndarray or Series of shape (n_samples,)
            Only if `fit` was given `y`.

        Raises
        ------
        NotFittedError
            If called before `fit`.
        ValueError
            If a parameter of the sampling is out of its range, if a condition names an
            unknown column or a value that the column cannot have, or if no row, or too
            few, were found that meet all of them.
        """
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        given = None
        if conditions is not None or class_labels is not None:
            check_is_fitted(self)
            asked = conditions, class_labels
            given, n_samples = read_asked(self._model, *asked, n_samples=n_samples)
        return next(self._batches(n_samples, n_samples, random_state, given))

    def sample_batches(self, n_samples, batch_size=10_000, random_state=None):
        """Draw new rows, a few at a time, for more rows than memory holds.

        Parameters
        ----------
        n_samples : int
            Number of rows in all.
        batch_size : int, default=10_000
            Rows of each batch; the last may be shorter. It has no influence on the
            rows.
        random_state : int, RandomState instance or None, default=None
            As in :meth:`sample`.

        Returns
        -------
        batches : iterator
            Yields what :meth:`sample` returns.

        Raises
        ------
        NotFittedError
            If called before `fit`.
        ValueError
            If a parameter of the sampling is out of its range.
        """
        for name, value in {"n_samples": n_samples, "batch_size": batch_size}.items():
            check_scalar(value, name, Integral, min_val=1)
        return self._batches(n_samples, batch_size, random_state)

    def _draw_cells(self, cells, n_draws, seed):
        """Yield canonical values of rows, all drawn that are not known."""
        model = self._model
        given = Given(model, Cells(*(np.tile(part, (n_draws, 1)) for part in cells)))
        n_rows, size = len(cells[0]), n_draws * len(cells[0])
        blocks = self._blocks(size, seed, given, self.denoiser_.without_gaps())
        for batch in cut_batches(blocks, size, n_rows):
            yield model.decode_cells(*batch)

    def _mean_cells(self, cells, gaps, n_draws, seed):
        """Return canonical values of rows, all gaps filled by means or modes."""
        if self._model.has_joint_steps:
            draws = np.stack(list(self._draw_cells(cells, n_draws, seed)), 1)
            return self._model.centers(draws)
        random = np.random.default_rng(seed)
        return self._model.expect(self.denoiser_, Cells(*cells), gaps, random, n_draws)

    def _batches(self, n_samples, batch_size, random_state, given=None):
        """Return an iterator over frames of new rows."""
        check_is_fitted(self)
        self._validate_params()
        check_sampling(self)
        blocks = self._blocks(n_samples, self._call_seed(random_state), given)
        batches = cut_batches(blocks, n_samples, batch_size)
        return itertools.starmap(self._model.decode, batches)

    def _blocks(self, size, seed, given=None, denoiser=None):
        """Return blocks of encoded rows that hold so many rows."""
        if given is not None:
            return self._by_denoiser(size, seed, given=given, denoiser=denoiser)
        if hasattr(self, "student_"):
            if self._student_critic is None:
                return self._by_student(size, seed)
            return self._chosen(self._by_student, self._student_critic, size, seed)
        return self._chosen(self._by_denoiser, self._critic, size, seed)

    def _chosen(self, draw, critic, size, seed):
        """Return blocks of the rows that a critic chooses, if there is one."""
        n_candidates = check_candidates(self.candidates, critic)
        if n_candidates == 1:
            return draw(size, seed)
        n_kept = max(1, int(BLOCK_ROWS / n_candidates))
        choose = partial(critic.choose, n_kept, seed)
        return draw(-(-size // n_kept) * BLOCK_ROWS, seed, choose=choose)

    def _by_denoiser(self, size, seed, *, choose=None, given=None, denoiser=None):
        """Return blocks of encoded rows as the denoiser draws them."""
        num_steps, corrects = self.num_steps, self.sampler == "fitted"
        if num_steps == "auto":
            num_steps = default_num_steps(self._model.n_units)
        if corrects and given is not None:
            # They would mislead rows that are held in part.
            num_steps, corrects = round(num_steps * WITHOUT), False
        sigmas, redraw = self._sigmas(num_steps), None
        if given is not None and given.can_be_wrong:
            redraw = partial(draw_right, given, size)
        return generate_blocks(
            denoiser or self.denoiser_,
            sigmas,
            seed,
            n_rows=size,
            sampler=self.sampler,
            churn={name: getattr(self, name) for name in CHURN},
            corrections=self._corrections_of(sigmas) if corrects else None,
            given=given,
            redraw=redraw,
            choose=choose,
        )

    def _corrections_of(self, sigmas):
        """Return what corrects the steps of the walk, learned when first asked for."""
        levels = sigmas.tolist()
        if self._corrections is None or self._corrections[0] != levels:
            learned = learn_corrections(self.denoiser_, levels)
            self._corrections = levels, learned.weights, learned.layers
        return Corrections(self.denoiser_, *self._corrections)

    def _by_student(self, size, seed, *, choose=None):
        """Return blocks of encoded rows as the student draws them."""
        how = {"n_rows": size, "sampler": "euler", "choose": choose}
        return generate_blocks(self.student_, self._student_sigmas, seed, **how)

    def _sigmas(self, num_steps):
        """Return falling noise levels."""
        sigmas = karras_sigmas(num_steps, self.sigma_min, self.sigma_max, self.rho)
        if self.schedule == "fitted":
            sigmas = fitted_sigmas(sigmas, *self._profile)
        return sigmas

    def _call_seed(self, random_state):
        """Return the seed of one call of `sample`."""
        if random_state is None and isinstance(self.random_state, Integral):
            self._n_calls += 1
            return [int(self.random_state), self._n_calls]
        if random_state is None:
            random_state = self.random_state
        return seed_sequence(random_state).entropy
