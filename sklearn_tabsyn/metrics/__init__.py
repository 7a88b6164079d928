"""How good synthetic tables are: fidelity, utility and privacy.

All functions take a real and a synthetic table in any container, learn from the real
one which columns are numbers, dates and categories, and return fractions. None of them
changes its arguments. What a value is worth depends on the table; :func:`anchors` tells
what independent columns and what real rows get.
"""

from sklearn_tabsyn.metrics._anchors import Anchors, anchors
from sklearn_tabsyn.metrics._detection import detection_auc
from sklearn_tabsyn.metrics._fidelity import FidelityErrors, fidelity_errors
from sklearn_tabsyn.metrics._privacy import dcr_share, membership_inference_auc
from sklearn_tabsyn.metrics._scorers import SYNTHESIS_SCORERS, make_synthesis_scorer
from sklearn_tabsyn.metrics._shape import (
    missingness_error,
    shape_error,
    shape_errors,
)
from sklearn_tabsyn.metrics._support import alpha_precision, beta_recall
from sklearn_tabsyn.metrics._trend import trend_error, trend_errors
from sklearn_tabsyn.metrics._utility import utility

__all__ = [
    "SYNTHESIS_SCORERS",
    "Anchors",
    "FidelityErrors",
    "alpha_precision",
    "anchors",
    "beta_recall",
    "dcr_share",
    "detection_auc",
    "fidelity_errors",
    "make_synthesis_scorer",
    "membership_inference_auc",
    "missingness_error",
    "shape_error",
    "shape_errors",
    "trend_error",
    "trend_errors",
    "utility",
]
