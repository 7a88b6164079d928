"""What the displays of real and synthetic rows share."""

from sklearn_tabsyn.metrics._drawn import draw_table


class SamplesDisplay:
    """A picture of real rows beside synthetic ones."""

    @classmethod
    def from_estimator(
        cls, estimator, X, *, y=None, n_samples=None, random_state=0, **params
    ):
        """Draw rows of a fitted synthesizer, and compare them with real ones.

        Parameters
        ----------
        estimator : estimator
            A fitted synthesizer.
        X : array-like or DataFrame of shape (n_samples, n_features)
            The real table.
        y : array-like of shape (n_samples,), default=None
            The target, of an estimator that was fitted with one. It is a further
            column.
        n_samples : int, default=None
            Number of rows to draw; as many as `X` has if None.
        random_state : int, default=0
            Seed of the rows.
        **params : dict
            Parameters of :meth:`from_samples`.

        Returns
        -------
        display : object
            The display, whose `plot` draws it.

        Raises
        ------
        TypeError
            If the estimator has no `sample`.
        """
        how = {"n_samples": n_samples, "random_state": random_state}
        real, synthetic, known = draw_table(estimator, X, y, **how)
        params.setdefault("categorical_features", known["categorical_features"])
        return cls.from_samples(real, synthetic, **params)
