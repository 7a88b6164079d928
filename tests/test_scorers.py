"""Scorers in model selection."""

import pickle

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_validate

from sklearn_tabsyn.metrics import (
    SYNTHESIS_SCORERS,
    make_synthesis_scorer,
    shape_error,
)


def test_grid_search_takes_many_scorers(mixed, fast):
    scoring = {name: SYNTHESIS_SCORERS[name] for name in ("shape", "detection")}
    grid = {"max_iter": [1, 40]}
    how = {"scoring": scoring, "refit": "shape", "cv": 2, "n_jobs": 2}
    search = GridSearchCV(fast(), grid, **how).fit(mixed)
    assert (search.cv_results_["mean_test_shape"] <= 0).all()
    detection = search.cv_results_["mean_test_detection"]
    assert ((-1 <= detection) & (detection <= -0.5)).all()


def test_one_scorer_gives_many_scores(mixed, fast):
    X, y = mixed.drop(columns="gift"), mixed["gift"]
    scoring = make_synthesis_scorer(["trend", "utility"])
    scores = cross_validate(fast(), X, y, cv=2, scoring=scoring, error_score="raise")
    assert np.isfinite(scores["test_trend"]).all()
    assert ((0 <= scores["test_utility"]) & (scores["test_utility"] <= 1)).all()


def test_score_is_the_metric_of_drawn_rows(mixed, fast):
    synthesizer = fast().fit(mixed)
    scorer = pickle.loads(pickle.dumps(SYNTHESIS_SCORERS["shape"]))
    expected = -shape_error(mixed, synthesizer.sample(200, random_state=0))
    assert scorer(synthesizer, mixed) == scorer(synthesizer, mixed) == expected


def test_scorers_refuse_what_they_cannot_do(mixed, fast):
    with pytest.raises(ValueError, match="metric must be"):
        make_synthesis_scorer("charm")
    with pytest.raises(ValueError, match="training rows"):
        make_synthesis_scorer("dcr")
    with pytest.raises(ValueError, match=r"takes the parameters \['bin'\]"):
        make_synthesis_scorer("trend", bin=3)
    with pytest.raises(TypeError, match="got LinearRegression"):
        SYNTHESIS_SCORERS["shape"](LinearRegression(), mixed)
    with pytest.raises(ValueError, match="needs a target"):
        SYNTHESIS_SCORERS["utility"](fast().fit(mixed), mixed)
