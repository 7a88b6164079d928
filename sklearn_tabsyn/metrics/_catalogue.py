"""The metrics by name, and what each of them is worth."""

import inspect
from collections.abc import Callable
from typing import NamedTuple

from sklearn_tabsyn.metrics._detection import detection_auc
from sklearn_tabsyn.metrics._privacy import dcr_share, membership_inference_auc
from sklearn_tabsyn.metrics._shape import missingness_error, shape_error
from sklearn_tabsyn.metrics._support import alpha_precision, beta_recall
from sklearn_tabsyn.metrics._trend import trend_error
from sklearn_tabsyn.metrics._utility import utility


def as_is(value):
    """Return a value of which more is better."""
    return value


def negated(value):
    """Return minus a value of which less is better."""
    return -value


def nearness_to_half(value):
    """Return -0.5 at best, for a value of 0.5, and -1 at worst, for 0 and 1."""
    return -max(value, 1 - value)


class Metric(NamedTuple):
    """A metric, what its values are worth, and how real rows stand for synthetic."""

    function: Callable
    worth: Callable = as_is
    resampled: bool = False
    n_tables: int = 2

    @property
    def parameters(self):
        """The names of the parameters of the function."""
        return inspect.signature(self.function).parameters.keys()


METRICS = {
    "shape": Metric(shape_error, negated, resampled=True),
    "trend": Metric(trend_error, negated, resampled=True),
    "missingness": Metric(missingness_error, negated, resampled=True),
    "detection": Metric(detection_auc, nearness_to_half),
    "utility": Metric(utility),
    "alpha_precision": Metric(alpha_precision),
    "beta_recall": Metric(beta_recall),
    "dcr": Metric(dcr_share, nearness_to_half, n_tables=3),
    "membership": Metric(membership_inference_auc, nearness_to_half, n_tables=3),
}


def find_metric(metric):
    """Return a metric given by its name, its function or a function of your own."""
    if callable(metric):
        known = (m for m in METRICS.values() if m.function is metric)
        return next(known, Metric(metric))
    if metric in METRICS:
        return METRICS[metric]
    raise ValueError(
        f"metric must be a function or one of {list(METRICS)}; got {metric!r}."
    )
