"""A student of a fitted synthesizer."""

from copy import copy
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, Options, validate_params
from sklearn.utils.validation import check_is_fitted

from sklearn_tabsyn._corrections import learn_corrections
from sklearn_tabsyn._critic import Critic, unless_interrupted
from sklearn_tabsyn._distillation import N_LEVELS, STUDENT_SIGMAS, train_student
from sklearn_tabsyn._generation import draw_whole
from sklearn_tabsyn._sampling import check_sampling
from sklearn_tabsyn._seeds import find_device, int_seed, seeded_torch
from sklearn_tabsyn._training import warn_interrupted

# What a synthesizer has of its student.
STUDENT = ("student_", "_student_sigmas", "_student_critic")


class Distillation:
    """Gives a synthesizer the method `distill`."""

    @validate_params(
        {
            "max_iter": [Interval(Integral, 1, None, closed="left")],
            "num_steps": [Options(Integral, set(STUDENT_SIGMAS))],
        },
        prefer_skip_nested_validation=True,
    )
    def distill(self, max_iter=2_000, *, num_steps=1):
        """Return a synthesizer that draws rows in a few steps, much faster.

        The probability flow of the denoiser leads noise to a row without any chance. A
        student learns where [1]_, and then asks its network once or a few times for
        each row.

        Parameters
        ----------
        max_iter : int, default=2_000
            Steps of the optimiser.
        num_steps : {1, 2, 4}, default=1
            How often the student asks its network for each row. One step is the
            fastest. More are nearer to the rows of the denoiser, also because a critic
            of its own chooses among the student's `candidates`, if `fit` trained one:
            after one step, that would take as long as drawing.

        Returns
        -------
        distilled : DiffusionSynthesizer
            A fitted synthesizer with the same parameters; this one stays as it is.
            `student_` draws its whole rows, for which the sampling parameters do not
            count. Rows with `conditions` or `class_labels`, imputations and scores
            come from `denoiser_`, as they do here. A new `fit` forgets the student.

        Raises
        ------
        NotFittedError
            If called before `fit`.
        ValueError
            If a parameter is out of its range.

        References
        ----------
        .. [1] Luhman, E., and Luhman, T. (2021). Knowledge distillation in iterative
           generative models for improved sampling speed. arXiv:2101.02388.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_tabsyn import DiffusionSynthesizer
        >>> covariance = [[1.0, 0.8], [0.8, 1.0]]
        >>> X = np.random.default_rng(0).multivariate_normal([0, 5], covariance, 600)
        >>> synthesizer = DiffusionSynthesizer(max_iter=100, random_state=0).fit(X)
        >>> rows = synthesizer.distill(max_iter=50).sample(10_000)
        >>> bool(np.corrcoef(rows.T)[0, 1] > 0.6)
        True
        """
        check_is_fitted(self)
        self._validate_params()
        check_sampling(self)
        device = find_device(self.device)
        levels = self._sigmas(N_LEVELS).tolist()
        teacher = learn_corrections(self.denoiser_, levels)
        with seeded_torch(int_seed(self.random_state), device):
            net = train_student(
                teacher,
                STUDENT_SIGMAS[num_steps],
                max_iter,
                device=device,
                verbose=self.verbose,
            )
        distilled = copy(self)
        if net.interrupted_:
            warn_interrupted("distillation", net.budget)
        distilled.student_, distilled._n_calls = net.module_.eval(), 0
        distilled._student_sigmas = STUDENT_SIGMAS[num_steps]
        distilled._student_critic = None
        if self._critic is not None and num_steps > 1:
            distilled._student_critic = unless_interrupted(self._critic_of, distilled)
        return distilled

    def _critic_of(self, distilled):
        """Return a critic of a student's rows, for which ours count as real."""
        seed, n_rows = int_seed(self.random_state), self._critic.n_rows
        ours = partial(self._chosen, self._by_denoiser, self._critic, seed=[seed, 1])
        theirs = partial(distilled._by_student, seed=[seed, 0])
        real = self._model.settle(*draw_whole(ours, n_rows, "critic", self.verbose))
        drawn = draw_whole(theirs, n_rows, "critic", self.verbose)
        return Critic(self._model).fit(real, np.ones(n_rows), drawn, seed)
