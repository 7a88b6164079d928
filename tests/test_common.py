"""scikit-learn's own checks."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from sklearn_tabsyn import (
    AugmentedClassifier,
    AugmentedRegressor,
    DiffusionImputer,
    DiffusionOverSampler,
    DiffusionSynthesizer,
    NormalScoreTransformer,
)

SMALL = DiffusionSynthesizer(hidden_dim=8, n_blocks=1, max_iter=3, denoiser="mlp")
STOPPING = DiffusionSynthesizer(
    hidden_dim=8,
    n_blocks=1,
    max_iter=3,
    early_stopping=True,
    sampler="heun",
    schedule="karras",
    conditional=True,
)
CONDITIONAL = clone(SMALL).set_params(conditional=True)
IMPUTER = DiffusionImputer(CONDITIONAL)
AUGMENTED = AugmentedRegressor(Ridge(), SMALL)


@parametrize_with_checks(
    [
        DiffusionSynthesizer(),
        SMALL,
        STOPPING,
        NormalScoreTransformer(),
        DiffusionImputer(),
        IMPUTER,
        AugmentedClassifier(LogisticRegression()),
        AugmentedClassifier(LogisticRegression(), CONDITIONAL, balance=True),
        AUGMENTED,
        DiffusionOverSampler(synthesizer=CONDITIONAL),
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator", [SMALL, NormalScoreTransformer(), IMPUTER, AUGMENTED]
)
def test_checks_outside_the_suite(estimator):
    name = type(estimator).__name__
    check_dataframe_column_names_consistency(name, clone(estimator))
    check_param_validation(name, clone(estimator))


def test_every_parameter_is_documented_checked_and_stored_untouched():
    synthesizer = DiffusionSynthesizer()
    names = set(synthesizer.get_params())
    assert names == set(DiffusionSynthesizer._parameter_constraints)
    parameters = DiffusionSynthesizer.__doc__.split("Attributes\n")[0]
    lines = [line.split(" : ")[0] for line in parameters.splitlines() if " : " in line]
    documented = {name.strip() for line in lines for name in line.split(",")}
    assert names <= documented
    values = {name: np.array([1]) for name in names}
    stored = DiffusionSynthesizer(**values).get_params()
    assert all(stored[name] is values[name] for name in names)
