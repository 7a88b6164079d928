"""Pictures of synthetic tables beside real ones, and a report of their quality."""

from sklearn_tabsyn.inspection._distances import DistanceDisplay
from sklearn_tabsyn.inspection._joint import JointDisplay
from sklearn_tabsyn.inspection._marginals import Marginal, MarginalsDisplay
from sklearn_tabsyn.inspection._report import QualityReport, quality_report
from sklearn_tabsyn.inspection._training import TrainingDisplay
from sklearn_tabsyn.inspection._trends import TrendDisplay

__all__ = [
    "DistanceDisplay",
    "JointDisplay",
    "Marginal",
    "MarginalsDisplay",
    "QualityReport",
    "TrainingDisplay",
    "TrendDisplay",
    "quality_report",
]
