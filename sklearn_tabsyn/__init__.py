"""Learn a table and sample new rows, as a scikit-learn estimator."""

from sklearn_tabsyn._augmented import AugmentedClassifier, AugmentedRegressor
from sklearn_tabsyn._imputation import DiffusionImputer
from sklearn_tabsyn._normal_score import NormalScoreTransformer
from sklearn_tabsyn._synthesizer import DiffusionSynthesizer

__all__ = [
    "AugmentedClassifier",
    "AugmentedRegressor",
    "DiffusionImputer",
    "DiffusionOverSampler",
    "DiffusionSynthesizer",
    "NormalScoreTransformer",
]

__version__ = "0.1.0"


def __getattr__(name):
    # It imports another library, which those who do not need it need not wait for.
    if name == "DiffusionOverSampler":
        from sklearn_tabsyn._oversampling import DiffusionOverSampler

        return DiffusionOverSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
