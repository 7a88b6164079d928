"""Learn a table and sample new rows, as a scikit-learn estimator."""

from sklearn_tabsyn._imputation import DiffusionImputer
from sklearn_tabsyn._normal_score import NormalScoreTransformer
from sklearn_tabsyn._synthesizer import DiffusionSynthesizer

__all__ = ["DiffusionImputer", "DiffusionSynthesizer", "NormalScoreTransformer"]

__version__ = "0.1.0"
