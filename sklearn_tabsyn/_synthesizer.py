"""DiffusionSynthesizer: learn a table, sample new rows."""

from copy import deepcopy
from functools import cache, partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.compose import ColumnTransformer
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_tabsyn._batches import RowDataset, weighted_rows
from sklearn_tabsyn._critic import MAX_ROWS, Critic, unless_interrupted, wants_critic
from sklearn_tabsyn._focusing._learning import bring_into_focus
from sklearn_tabsyn._generation import draw_whole, noise_profile
from sklearn_tabsyn._likelihood import suited_points
from sklearn_tabsyn._model import TableModel
from sklearn_tabsyn._networks import NETWORKS
from sklearn_tabsyn._new_rows import NewRows
from sklearn_tabsyn._persistence import WeightsAsArrays
from sklearn_tabsyn._recipe import conditional_share, network_of, train
from sklearn_tabsyn._sampling import SAMPLERS, check_sampling
from sklearn_tabsyn._scoring import LogDensityScore
from sklearn_tabsyn._seeds import find_device, int_seed, seeded_torch
from sklearn_tabsyn._student import STUDENT, Distillation
from sklearn_tabsyn._table import TakesTables, check_table
from sklearn_tabsyn._training import losses_of, warn_interrupted


class DiffusionSynthesizer(
    NewRows,
    Distillation,
    LogDensityScore,
    WeightsAsArrays,
    TakesTables,
    BaseEstimator,
):
    """Learn the joint distribution of a table and sample new rows.

    A diffusion model: Gaussian noise is added to encoded rows, a network learns what
    row is behind the noise [1]_, and sampling walks from pure noise to a row. The
    denoiser is exact Bayes for each column by itself times what the network knows from
    the other columns, so it starts as "the columns are independent" and spends all its
    training on how they depend on each other. Up to 1,000 rows, or 64 for each column
    and 2,000 in all, it starts as "the rows are some clusters of Gaussian ones", as
    many as make rows likeliest that were left out. If `conditional` is 1, so it does up
    to 2,000 rows, as one cluster; not if columns may be given of more than 128
    coordinates. Of 1,000 to 16,384 rows, columns that depend on no other stay
    independent, for of these a network would only learn by heart what it has seen.

    Parameters
    ----------
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Columns to take as categories: their names, their indices, or a boolean mask.
        By default, and in any case, category and boolean columns and text; of a numeric
        array, none. Text of ten values or more that is all dates, times of day or
        numbers with a currency or a unit, written alike, is learned as what it says,
        unless it is named here.
    encoder : ColumnTransformer, default=None
        Invertible steps that encode all columns of `X`. Outputs of `OrdinalEncoder`
        and `OneHotEncoder` become codebook columns, all others are continuous. By
        default numbers of more than 128 values, or of fewer that are spread as evenly
        as more than 16 equal ones, are encoded by :class:`NormalScoreTransformer`,
        everything else by `OrdinalEncoder`.
    protect_values : bool or int, default=False
        Rows in which a value must be found to be given out, 5 if True. Rarer numbers
        are interpolated, rarer names left out, ends of ranges averaged. `encoder` must
        be None. Off, for most want exact values, and the tails lose by it.
    find_relations : bool, default=True
        Whether new rows keep what holds between columns exactly, see `relations_`, the
        days between dates that follow each other, weekdays and hours that matter, and
        which of hundreds of pairs of values are found together. It costs little, and
        no smooth model learns it. None are found with an `encoder`.
    denoiser : {"residual_mlp", "mlp"} or type, default="residual_mlp"
        The network: pre-norm residual blocks, the plain network of TabSyn [2]_, or a
        `torch.nn.Module` class made as
        `denoiser(n_inputs, n_outputs, hidden_dim=, n_blocks=, dropout=, n_classes=)`
        whose `forward(x, noise_labels, class_labels=None)` maps (n, n_inputs) to
        (n, n_outputs); `class_labels`, (n, n_classes), say which columns are given.
    hidden_dim : int or "auto", default="auto"
        Width of the network. "auto" takes 16 up to 100 rows, 32 up to 500, 64 up to
        2,000, 128 up to 12,000, 192 up to 24,000, and 256 beyond: a narrow one copies
        small tables less.
    n_blocks : int, default=3
        Number of residual blocks, or of wide layers of the plain network.
    dropout : float, default=0.0
        Share of inner activations, in [0, 1), dropped in training.
    conditional : bool or float, default=False
        Whether training teaches the network to draw some columns given others, as
        `conditions`, `class_labels` and :class:`DiffusionImputer` need. A float in
        [0, 1] is the share of training rows of which some columns are given, 0.3 if
        True. The more, the better the answers to such questions, and the worse whole
        rows; with 1, numbers of few rows are also told apart less finely.
    P_mean, P_std : float, default=-1.0, 1.4
        Mean and standard deviation of ln(sigma) in training [1]_.
    sigma_data : float, default=0.5
        Standard deviation that numbers are scaled to [1]_.
    max_iter : int or "auto", default="auto"
        Steps of the optimiser. "auto" takes 3,000 for 32,000 rows. With n rows, it
        takes 32 n^(1/2) up to 1,440, which does up to 8,192 rows, then 0.18 n, then
        225 n^(1/4) from 14,000 and 1.05 n^(3/4) from 46,000 on, up to 20,000 steps.
        Beyond 16 columns they grow with their number, by half at most, but no rows are
        passed over more than 180 times by the default batches. Where rows start from
        clusters, half as many as rows, 24 n^(1/2) at most; if `conditional` is 1 half
        of these, 300 at least. Many more would copy training rows.
    max_time : float, default=None
        Seconds of training, after which it ends as if `max_iter` were reached. The
        learning rate falls in time.
    batch_size : int or "auto", default="auto"
        Rows of a step. "auto" takes a sixteenth of the rows, an eighth if `conditional`
        is 1, from 64 to 1,024. Smaller batches copy less.
    learning_rate : float, default=2e-3
        Largest learning rate of AdamW; it rises over 100 steps and falls to zero over
        the last half of the training.
    weight_decay : float or "auto", default="auto"
        Weight decay of AdamW. "auto" takes 0.3, with which long trainings copy no more
        than short ones, and 0 if `conditional`, for it blurs what given columns tell. 1
        copies nothing even of 8,000 rows, and blurs a little.
    ema_decay : float, default=0.999
        Decay, in [0, 1), of the moving average of the weights that sampling uses.
    early_stopping : bool, default=False
        Whether to hold rows out and to stop, with the best weights so far, when the
        bound on their log-density, see :meth:`score`, no longer rises.
    validation_fraction : float, default=0.1
        Share of the rows, in (0, 1), that `early_stopping` holds out.
    n_iter_no_change : int, default=10
        Looks at the held-out rows, one each 50 steps, without a better bound before
        `early_stopping` stops.
    callbacks : list of skorch.callbacks.Callback, default=None
        Further callbacks of the training.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights, columns and encoding of the last one.
    sampler : {"fitted", "unipc", "dpmpp_2m", "heun", "euler"}, default="fitted"
        How sampling walks down the noise levels: UniPC [3]_, DPM-Solver++ (2M) [4]_, or
        algorithm 2 of [1]_ with or without its correction; Heun evaluates the network
        twice a step. "fitted" is UniPC, each step of it corrected by what it lacked of
        512 rows that also walked down three times as many levels, when rows were first
        drawn. So it comes nearest with few levels; at the first, where rows are all but
        Gaussian, and below 0.03, where all is decided, it spares the network, and wide
        layers of it are replaced by narrow ones [5]_ if rows end as near by them. This
        and all parameters up to `S_noise` can be changed after `fit`.
    num_steps : int or "auto", default="auto"
        Number of noise levels. "auto" takes 8, and one more for each column beyond 16,
        up to 16. Rows of which columns are given take a quarter more with "fitted", and
        no corrections.
    schedule : {"fitted", "karras"}, default="fitted"
        Where they lie: more densely where the rows of this table are decided, as
        measured at the end of `fit`, or evenly in the `rho`-th root of sigma [1]_.
    sigma_min, sigma_max : float, default=0.02, 8.0
        Last and first noise level. Data of standard deviation 0.5 has nothing to find
        above; below, the network would add more noise than it removes.
    rho : float, default=7.0
        Spacing of "karras"; the larger, the more levels near `sigma_min`.
    S_churn, S_tmin, S_tmax, S_noise : float, default=0.0, 0.0, inf, 1.0
        Fresh noise in the steps of "heun" and "euler": its amount, the noise levels
        between which it is added, and its scale [1]_.
    candidates : float or "auto", default="auto"
        Rows drawn for each new row, from 1 to 64. A critic, which learned in `fit` what
        tells drawn rows from real ones, chooses among them [6]_, and so mends what is
        too smooth. 1 takes all. "auto" takes 1.25, and up to 2 beyond 16 columns, but 1
        below 5,000 rows, which would be known by heart, and with `protect_values`, as
        trees split at real values. Can be changed after `fit` unless it was 1 there.
    device : str, default="auto"
        Where to compute: "auto" (a GPU if there is one), "cpu", "cuda" or "mps". A
        processor with AVX512-BF16 or AMX multiplies matrices in bfloat16.
    random_state : int, RandomState instance or None, default=None
        Seed of `fit` and, if an int, of the series of calls of `sample`. Global random
        state is neither read nor changed.
    verbose : int, default=0
        Shows progress bars of `fit`, with rows per second and loss, and of scores.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of `X`, if all are text.
    column_kinds_ : dict
        Name of each column to "continuous", "discrete" or "nominal". The columns of
        an array are named by their indices.
    relations_ : list of Relation
        What holds exactly between columns of `X`, with `kind`, `target`, `source`,
        `share`, `constant`, `strict` and `weights`: a column equals another, is a
        constant apart or a multiple of it, or a sum, product or quotient of several,
        in all or many rows; is a function of another, such as its name or its
        logarithm; counts the time between two dates; or is never less. Two or more add
        up to a constant, or have at most one, or exactly one, 1.
    denoiser_ : torch.nn.Module
        The trained denoiser, D(x; sigma).
    student_ : torch.nn.Module
        What draws whole rows in one step; only of what :meth:`distill` returns.
    loss_curve_ : list of float
        Mean training loss of every 50 steps.
    validation_loss_curve_ : list of float
        Minus what the bound of the first 2,048 held-out rows has beyond that of
        independent columns, after every 50 steps; empty without `early_stopping`.
    n_iter_ : int
        Number of steps taken.

    See Also
    --------
    NormalScoreTransformer : The encoding of continuous columns.
    sklearn.neighbors.KernelDensity : Samples numbers near the training rows.
    sklearn.mixture.GaussianMixture : Samples numbers from a few Gaussians.

    Notes
    -----
    A fitted synthesizer, and its pickle, keeps the weights of the network, the distinct
    values of each column with their ranks and shares, the clusters of few rows, the
    splits of the critic's trees, and no rows. So it does hold single values, as the
    highest salary or a unique name, and of a column that is a function of another each
    pair once, such as code and name; with `protect_values` none of few rows. Rare
    names, and gaps, then teach nothing; numbers of few values become the nearest
    frequent one; all others lie between means of groups, and may be real by chance
    where they are rounded. This is no differential privacy: rows can be close to real
    ones.

    Missing values are learned jointly with everything else, and come back.

    A category of more than 1,024 levels is cut in two codes: its 512 most frequent
    levels have one each; all others, sorted by frequency, form blocks of about the
    root of their number. The share of each level is kept; what other columns have to
    say about two rare levels of one block is shared by the block.

    References
    ----------
    .. [1] Karras, T., Aittala, M., Aila, T., and Laine, S. (2022). Elucidating the
       design space of diffusion-based generative models. NeurIPS.
    .. [2] Zhang, H., et al. (2024). Mixed-type tabular data synthesis with score-based
       diffusion in latent space. ICLR.
    .. [3] Zhao, W., et al. (2023). UniPC: a unified predictor-corrector framework for
       fast sampling of diffusion models. NeurIPS.
    .. [4] Lu, C., et al. (2022). DPM-Solver++: fast solver for guided sampling of
       diffusion probabilistic models. arXiv:2211.01095.
    .. [5] Chen, P., Yu, H.-F., Dhillon, I., and Hsieh, C.-J. (2021). DRONE: data-aware
       low-rank compression for large NLP models. NeurIPS.
    .. [6] Azadi, S., et al. (2019). Discriminator rejection sampling. ICLR.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_tabsyn import DiffusionSynthesizer
    >>> table = pd.DataFrame(
    ...     {
    ...         "price": [9.5, 12.25, 9.75, None, 30.0, 28.5] * 20,
    ...         "size": ["S", "M", "S", "M", "L", "L"] * 20,
    ...         "sold": pd.date_range("2026-01-01", periods=120),
    ...     }
    ... )
    >>> synthesizer = DiffusionSynthesizer(max_iter=200, random_state=0).fit(table)
    >>> rows = synthesizer.sample(1_000)
    >>> rows.shape
    (1000, 3)
    >>> bool((rows.dtypes == table.dtypes).all())
    True
    >>> prices = rows.groupby("size")["price"].median()
    >>> bool(prices["S"] < prices["L"])
    True
    """

    _parameter_constraints = {
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "encoder": [ColumnTransformer, None],
        "protect_values": ["boolean", Interval(Integral, 2, None, closed="left")],
        "find_relations": ["boolean"],
        "denoiser": [StrOptions(set(NETWORKS)), type],
        "hidden_dim": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "n_blocks": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "conditional": ["boolean", Interval(Real, 0, 1, closed="both")],
        "P_mean": [Interval(Real, None, None, closed="neither")],
        "P_std": [Interval(Real, 0, None, closed="neither")],
        "sigma_data": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "ema_decay": [Interval(Real, 0, 1, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "callbacks": [list, tuple, None],
        "warm_start": ["boolean"],
        "sampler": [StrOptions(set(SAMPLERS))],
        "num_steps": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "schedule": [StrOptions({"karras", "fitted"})],
        "sigma_min": [Interval(Real, 0, None, closed="neither")],
        "sigma_max": [Interval(Real, 0, None, closed="neither")],
        "rho": [Interval(Real, 0, None, closed="neither")],
        "S_churn": [Interval(Real, 0, None, closed="left")],
        "S_tmin": [Interval(Real, 0, None, closed="left")],
        "S_tmax": [Interval(Real, 0, np.inf, closed="both")],
        "S_noise": [Interval(Real, 0, None, closed="left")],
        "candidates": [Interval(Real, 1, 64, closed="both"), StrOptions({"auto"})],
        "device": [str],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        categorical_features="from_dtype",
        encoder=None,
        protect_values=False,
        find_relations=True,
        denoiser="residual_mlp",
        hidden_dim="auto",
        n_blocks=3,
        dropout=0.0,
        conditional=False,
        P_mean=-1.0,
        P_std=1.4,
        sigma_data=0.5,
        max_iter="auto",
        max_time=None,
        batch_size="auto",
        learning_rate=2e-3,
        weight_decay="auto",
        ema_decay=0.999,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        callbacks=None,
        warm_start=False,
        sampler="fitted",
        num_steps="auto",
        schedule="fitted",
        sigma_min=0.02,
        sigma_max=8.0,
        rho=7.0,
        S_churn=0.0,
        S_tmin=0.0,
        S_tmax=float("inf"),
        S_noise=1.0,
        candidates="auto",
        device="auto",
        random_state=None,
        verbose=0,
    ):
        self.categorical_features = categorical_features
        self.encoder = encoder
        self.protect_values = protect_values
        self.find_relations = find_relations
        self.denoiser = denoiser
        self.hidden_dim = hidden_dim
        self.n_blocks = n_blocks
        self.dropout = dropout
        self.conditional = conditional
        self.P_mean = P_mean
        self.P_std = P_std
        self.sigma_data = sigma_data
        self.max_iter = max_iter
        self.max_time = max_time
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.ema_decay = ema_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.sampler = sampler
        self.num_steps = num_steps
        self.schedule = schedule
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.rho = rho
        self.S_churn = S_churn
        self.S_tmin = S_tmin
        self.S_tmax = S_tmax
        self.S_noise = S_noise
        self.candidates = candidates
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn the joint distribution of the columns of `X`, and of `y` if given.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            The table, with numbers, text, dates and missing values. Never changed.
        y : array-like of shape (n_samples,), default=None
            A further column. With it :meth:`sample` returns `(X, y)`. Text, booleans
            and integers of up to 32 distinct values are taken as classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows; a row of weight 2 counts as two rows.

        Returns
        -------
        self : DiffusionSynthesizer
            The fitted synthesizer.

        Raises
        ------
        ValueError
            If the table, the encoder or a parameter cannot be used, or if the training
            diverges; the message names it and the remedy.
        """
        check_sampling(self)
        warm = self.warm_start and hasattr(self, "denoiser_")
        X = check_table(self, X, reset=not warm)
        X, y, weights = weighted_rows(X, y, sample_weight)
        wants = wants_critic(self, len(weights))
        seed = int_seed(self.random_state)
        device = find_device(self.device)
        with seeded_torch(seed, device):
            if warm:
                # Copies, so that a training that fails takes nothing away, and none
                # of what `distill` returned.
                model, denoiser = deepcopy((self._model, self.denoiser_))
                rows = model.encode(X, y)
            else:
                model, rows = TableModel.learn(
                    X,
                    y,
                    weights,
                    self.categorical_features,
                    self.encoder,
                    self.protect_values,
                    self.find_relations,
                    self.sigma_data,
                    conditional_share(self),
                )
                denoiser = model.build_denoiser(network_of(self, len(weights)))
            dataset = RowDataset(rows, weights)
            model.fill_few(denoiser, dataset)
            if not warm:
                model.learn_start(denoiser, dataset)
            net = train(self, denoiser, model, dataset, device)
            profile = noise_profile(denoiser.eval(), dataset)
        if net.interrupted_:
            remedy = "; with warm_start=True, fit trains it further"
            warn_interrupted("fit", net.budget, remedy)
        n_points = suited_points(denoiser, RowDataset(rows, fixed=True))
        self._model, self.denoiser_ = model, denoiser
        self._profile, self._n_points, self._n_calls = profile, n_points, 0
        self._corrections = None  # those of the last denoiser, if any
        self.column_kinds_, self.relations_ = model.column_kinds, model.relations
        self.n_iter_ = net.budget.step
        self.loss_curve_ = losses_of(net, "train_loss")
        self.validation_loss_curve_ = losses_of(net, "valid_loss")
        self._critic = None
        # A student of the last fit knows nothing of this one, and its critic holds
        # values of the last table.
        for name in STUDENT:
            self.__dict__.pop(name, None)
        if not self.protect_values:  # what is learned shows where real values lie
            how = X, y, weights, seed, wants
            self._critic = unless_interrupted(self._learn_from_draws, *how)
        return self

    def _learn_from_draws(self, X, y, weights, seed, wants):
        """Bring numbers into focus, and return a critic if one is wanted."""
        real = self._model.read(X, y)
        blocks = partial(self._by_denoiser, seed=[seed, 0])
        n_drawn, title = min(len(real), MAX_ROWS), "critic" if wants else "focus"
        # Once for both, if any.
        draw = cache(lambda: draw_whole(blocks, n_drawn, title, self.verbose))
        if self.encoder is None:
            bring_into_focus(self._model.encoders[0], real, weights, draw)
        if not wants:
            return None
        return Critic(self._model).fit(real, weights, draw(), seed)
