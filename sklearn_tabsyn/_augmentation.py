"""The base of estimators that are fitted to synthetic rows beside the real ones."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import check_consistent_length, get_tags
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted, check_memory

from sklearn_tabsyn._resampling import (
    append_rows,
    as_table,
    as_target,
    check_target_given,
    make_synthesizer,
)
from sklearn_tabsyn._seeds import int_seed

PREDICTIONS = ("predict", "predict_proba", "predict_log_proba", "decision_function")


def _estimator_has(name):
    """Return a check that the estimator, fitted if there is one, has a method."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), name)
        return True

    return check


class Augmented(MetaEstimatorMixin, BaseEstimator):
    """An estimator that is fitted to real and synthetic rows."""

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"])],
        "synthesizer": [HasMethods(["fit", "sample"]), None],
        "ratio": [Interval(Real, 0, None, closed="left")],
        "memory": [str, HasMethods(["cache"]), None],
        "random_state": ["random_state"],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, **params):
        """Fit the synthesizer, draw rows, and fit the estimator to all of them.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            The table. Never changed.
        y : array-like of shape (n_samples,)
            The target.
        **params : dict
            What else the estimator's `fit` takes. `sample_weight` goes to the
            synthesizer too, and synthetic rows get its mean. With metadata routing it
            goes to those that request it.

        Returns
        -------
        self : estimator
            The fitted estimator.

        Raises
        ------
        ValueError
            If the table or the target cannot be learned, or if a parameter has a value
            for each row that synthetic rows cannot have.
        """
        check_target_given(self, y)
        params, own_params = self._route("fit", params)
        self.synthesizer_ = None
        if self.ratio > 0:
            X, y = as_table(X), as_target(y)
            check_consistent_length(X, y)
            X, y, params = self._augment(X, y, params, own_params)
        self.estimator_ = clone(self.estimator).fit(X, y, **params)
        return self

    @available_if(_estimator_has("predict"))
    def predict(self, X, **params):
        """Return what the estimator predicts for rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows.
        **params : dict
            What else the method of the estimator takes.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predictions.
        """
        return self._delegate("predict", X, params)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows.
        **params : dict
            What else the method of the estimator takes.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return self._delegate("predict_proba", X, params)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X, **params):
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows.
        **params : dict
            What else the method of the estimator takes.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return self._delegate("predict_log_proba", X, params)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X, **params):
        """Return the decision function of the estimator.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows.
        **params : dict
            What else the method of the estimator takes.

        Returns
        -------
        decisions : ndarray of shape (n_samples,) or (n_samples, n_classes)
            As the estimator returns them.
        """
        return self._delegate("decision_function", X, params)

    @available_if(_estimator_has("score"))
    def score(self, X, y, **params):
        """Return the score of the estimator, by its own measure.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Their true targets.
        **params : dict
            What else the method of the estimator takes, such as `sample_weight`.

        Returns
        -------
        score : float
            The higher the better.
        """
        return self._delegate("score", X, params, y)

    @property
    def n_features_in_(self):
        """Number of columns of the table."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the columns of the table, if all are text."""
        return self.estimator_.feature_names_in_

    def get_metadata_routing(self):
        """Return what metadata goes where.

        Returns
        -------
        routing : MetadataRouter
            To the estimator in all methods, to the synthesizer in `fit`.
        """
        methods = MethodMapping()
        for name in ("fit", "score", *PREDICTIONS):
            methods.add(caller=name, callee=name)
        router = MetadataRouter(owner=type(self).__name__)
        router.add(estimator=self.estimator, method_mapping=methods)
        if self.synthesizer is not None:
            only_fit = MethodMapping().add(caller="fit", callee="fit")
            router.add(synthesizer=self.synthesizer, method_mapping=only_fit)
        return router

    def _route(self, method, params):
        """Return the parameters that the estimator and the synthesizer get."""
        if _routing_enabled():
            routed = process_routing(self, method, **params)
            own = routed.get("synthesizer", {}).get("fit", {})
            return dict(routed.estimator[method]), own
        return params, {k: v for k, v in params.items() if k == "sample_weight"}

    def _delegate(self, method, X, params, *targets):
        """Return what a method of the fitted estimator returns."""
        check_is_fitted(self)
        params, _ = self._route(method, params)
        return getattr(self.estimator_, method)(X, *targets, **params)

    def _augment(self, X, y, params, own_params):
        """Return table, target and parameters with synthetic rows behind them."""
        n_rows, n_new = len(y), round(self.ratio * len(y))
        if not n_new:
            return X, y, params
        params = {k: _extended(k, v, n_rows, n_new) for k, v in params.items()}
        target = self._encode_target(y)
        synthesizer = make_synthesizer(
            self.synthesizer,
            self.random_state,
            conditional=bool(getattr(self, "balance", False)),
            name=f"{type(self).__name__} with balance=True",
        )
        fit = check_memory(self.memory).cache(_fit_synthesizer)
        self.synthesizer_ = fit(synthesizer, X, target, own_params)
        how = self._conditions(n_new, target, own_params.get("sample_weight"))
        seed = int_seed(self.random_state)
        X_new, new_target = self.synthesizer_.sample(n_new, seed, **how)
        return append_rows(X, X_new), self._append_target(y, new_target), params

    def _conditions(self, n_new, target, weights):
        """Return what is given of the new rows."""
        return {}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.input_tags.sparse = False
        return tags


def _fit_synthesizer(synthesizer, X, y, params):
    """Return the fitted synthesizer; a function, so that its result can be cached."""
    return synthesizer.fit(X, y, **params)


def _extended(name, value, n_rows, n_new):
    """Return a parameter of `fit` for more rows."""
    if not hasattr(value, "__len__") or _num_samples(value) != n_rows:
        return value
    if name == "sample_weight":
        weights = np.asarray(value, dtype=np.float64)
        return np.append(weights, np.full(n_new, weights.mean()))
    raise ValueError(
        f"{name} has one value for each of the {n_rows} rows, which synthetic rows "
        "cannot have. Leave it out, or set ratio=0."
    )
