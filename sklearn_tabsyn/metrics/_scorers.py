"""Scorers of synthesizers, for `scoring=` in model selection."""

from sklearn_tabsyn.metrics._catalogue import METRICS, find_metric
from sklearn_tabsyn.metrics._drawn import draw_table


class SynthesisScorer:
    """Scores a fitted synthesizer by the rows it draws.

    Parameters
    ----------
    metrics : dict
        The metrics by name.
    single : bool
        Whether to return the only score by itself.
    random_state : int
        Seed of the rows and of the metrics.
    params : dict
        Further parameters, each for the metrics that take it.
    """

    def __init__(self, metrics, single, random_state, params):
        self.metrics = metrics
        self.single = single
        self.random_state = random_state
        self.params = params

    def __call__(self, estimator, X, y=None):
        """Return the score, or the scores by name, of a synthesizer for real rows."""
        drawn = draw_table(estimator, X, y, random_state=self.random_state)
        real, synthetic, known = drawn
        known = {**known, "random_state": self.random_state, **self.params}
        scores = {}
        for name, metric in self.metrics.items():
            taken = metric.parameters
            if "target" in taken and "target" not in known:
                raise ValueError(
                    f"{name!r} needs a target. Fit with y, or name a column of X as "
                    "make_synthesis_scorer(..., target=name)."
                )
            params = {key: value for key, value in known.items() if key in taken}
            scores[name] = metric.worth(metric.function(real, synthetic, **params))
        return scores.popitem()[1] if self.single else scores


def make_synthesis_scorer(metric, *, random_state=0, **params):
    """Return a scorer of synthesizers for `scoring=` in model selection.

    The scorer draws as many rows as it is given real ones, by
    `estimator.sample(n_samples, random_state=random_state)`, and compares the two.
    More is always better: errors are negated, and of the AUC of "detection"
    -max(auc, 1 - auc) is returned, which is -0.5 if the rows cannot be told apart and
    -1 if all can. A target that the estimator was fitted with is a further column, and
    what "utility" predicts. Which numbers are categories is the estimator's
    `categorical_features`. Metrics of privacy need the training rows, which a scorer
    does not get.

    Parameters
    ----------
    metric : str, callable or list of these
        One of "shape", "trend", "missingness", "detection", "utility",
        "alpha_precision" and "beta_recall", or a function of a real and a synthetic
        table that returns more for a better one. Of a list the scorer draws rows once
        and returns all scores by name.
    random_state : int, default=0
        Seed of the rows, and of the metrics that take one.
    **params : dict
        Further parameters, each for the metrics that take it.

    Returns
    -------
    scorer : callable
        Called as `scorer(estimator, X, y=None)`. It can be pickled.

    Raises
    ------
    ValueError
        If a metric is unknown or needs held-out rows, or none takes a parameter.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_validate
    >>> from sklearn_tabsyn import DiffusionSynthesizer
    >>> from sklearn_tabsyn.metrics import make_synthesis_scorer
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> synthesizer = DiffusionSynthesizer(max_iter=10, num_steps=5, random_state=0)
    >>> scoring = make_synthesis_scorer(["shape", "trend"])
    >>> scores = cross_validate(synthesizer, X, cv=2, scoring=scoring)
    >>> sorted(scores)
    ['fit_time', 'score_time', 'test_shape', 'test_trend']
    """
    asked = metric if isinstance(metric, list | tuple) else [metric]
    metrics = {_name(m): find_metric(m) for m in asked}
    taken = set()
    for name, found in metrics.items():
        if found.n_tables > 2:
            raise ValueError(
                f"{name!r} compares with the training rows, which a scorer does not "
                "get. Call the function with the training and the held-out rows."
            )
        taken |= found.parameters
    if unknown := sorted(set(params) - taken):
        raise ValueError(f"None of {list(metrics)} takes the parameters {unknown}.")
    return SynthesisScorer(metrics, metric is not asked, random_state, params)


def _name(metric):
    if not callable(metric):
        return metric
    names = {m.function: name for name, m in METRICS.items()}
    return names.get(metric, getattr(metric, "__name__", type(metric).__name__))


# One of each; "utility" is for synthesizers that are fitted with a target.
SYNTHESIS_SCORERS = {
    name: make_synthesis_scorer(name)
    for name, metric in METRICS.items()
    if metric.n_tables == 2
}
