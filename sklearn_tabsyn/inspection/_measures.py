"""The figures of a report: each metric beside what bad and good tables get."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from sklearn_tabsyn.inspection._distances import DistanceDisplay
from sklearn_tabsyn.metrics._anchors import anchors
from sklearn_tabsyn.metrics._catalogue import METRICS, nearness_to_half

# Rows that are looked at for privacy, in units of max_rows.
PRIVACY_ROWS = 10
# Differences of an AUC of less than so many standard errors are chance.
CHANCE_ERRORS = 2
# The same of errors of columns and pairs, in units of the error that real rows have.
SLACK = 0.25


class Measure(NamedTuple):
    """What a report says of a metric.

    Parameters
    ----------
    title : str
        What it is called.
    better : {"less", "more", "0.5"}
        Which values are better.
    reach : float
        The way from independent columns to real rows is taken to be at least this
        long, so that chance decides nothing where both are alike.
    meaning : str
        What it measures, in plain words.
    """

    title: str
    better: str
    reach: float
    meaning: str


MEASURES = {
    "detection": Measure(
        "Detection",
        "0.5",
        0.25,
        "How well boosted trees tell synthetic rows from real ones (AUC): 0.5 is a "
        "guess, 1 is certainty. They see single columns, dependence of any kind and "
        "gaps, and find what other figures miss.",
    ),
    "shape": Measure(
        "Shape of columns",
        "less",
        0.25,
        "How far the distribution of a column is from the real one, averaged over the "
        "columns. Independent columns have a perfect shape, so both anchors agree.",
    ),
    "trend": Measure(
        "Trend of pairs",
        "less",
        0.05,
        "How far the dependence of two columns is from the real one, averaged over all "
        "pairs: correlations of numbers, tables of shares of all others.",
    ),
    "missingness": Measure(
        "Missing cells",
        "less",
        0.25,
        "How far the share of missing cells is from the real one, averaged over the "
        "columns.",
    ),
    "utility": Measure(
        "Utility",
        "more",
        0.1,
        "How well boosted trees trained on synthetic rows predict the target of real "
        "ones: the AUC of classes, 0.5 by chance, or the R² of numbers.",
    ),
    "alpha_precision": Measure(
        "Precision",
        "more",
        0.25,
        "Whether synthetic rows are as typical as real ones, neither far out nor all "
        "in the middle (alpha-precision).",
    ),
    "beta_recall": Measure(
        "Recall",
        "more",
        0.25,
        "Whether all kinds of real rows are drawn, the rare ones too (beta-recall).",
    ),
    "dcr": Measure(
        "Nearer to training rows",
        "0.5",
        0.25,
        "The share of synthetic rows that are nearer to a training row than to any of "
        "as many held-out rows. About 0.5 if nothing is copied, near 1 if all is.",
    ),
    "membership": Measure(
        "Membership inference",
        "0.5",
        0.25,
        "How well an attacker who has the synthetic rows tells training rows from "
        "held-out ones, by the distance to the closest synthetic row (AUC).",
    ),
}
PRIVACY = ("dcr", "membership")


def worth(name, value):
    """Return what a value is worth; of privacy less than a half is no harm."""
    if name in PRIVACY:
        return nearness_to_half(max(value, 0.5))
    return METRICS[name].worth(value)


class Measurer:
    """Measures tables that have the same columns, each time with the same seed.

    Parameters
    ----------
    frames : dict of DataFrame
        The tables "real", "synthetic" and, if there is one, "holdout".
    target : object
        Name of the column to predict, or None.
    is_category : ndarray of shape (n_features,)
        Which columns are categories.
    max_rows : int
        Rows of each table that expensive figures take.
    seed : int
        Seed of the choice of rows and of the metrics.
    """

    def __init__(self, frames, target, is_category, max_rows, seed):
        self.real = frames["real"]
        self.synthetic = frames["synthetic"]
        self.holdout = frames.get("holdout")
        self.target = target
        self.is_category = is_category
        self.max_rows = max_rows
        self.seed = seed

    @property
    def names(self):
        """The figures that can be measured."""
        lacking = set()
        if self.holdout is None:
            lacking.update(PRIVACY)
        if len(self.is_category) < 2:
            lacking.add("trend")
        if self.target is None:
            lacking.add("utility")
        return [name for name in MEASURES if name not in lacking]

    def measure(self, name):
        """Return one row of the figures."""
        metric, measure = METRICS[name], MEASURES[name]
        tables, pool = self._tables(name, metric.resampled)
        params = {"categorical_features": self.is_category}
        if name == "utility":
            params["target"] = self.target
        bad, good = anchors(name, pool, random_state=self.seed, **params)
        if "random_state" in metric.parameters:
            params["random_state"] = self.seed
        if name in PRIVACY:
            # The tables are bounded already, those of the display of distances alike.
            params["max_references"] = PRIVACY_ROWS * self.max_rows
        value = metric.function(*tables, **params)
        row = {"value": value, "independent": bad, "real": good}
        chance = SLACK * good if metric.resampled else 0.0
        if name == "detection":
            chance = CHANCE_ERRORS * auc_error(len(tables[1]))
        close = closeness(name, **row, chance=chance)
        return {**row, "better": measure.better, "closeness": close}

    def _tables(self, name, resampled):
        """Return what a metric compares, and the real rows that its anchors divide.

        Both have as many rows, for with more rows smaller differences show.
        """
        real, synthetic = self.real, self.synthetic
        if name in PRIVACY:
            most = PRIVACY_ROWS * self.max_rows
            tables = [self.thin(t, most) for t in (real, synthetic, self.holdout)]
            return tables, self.thin(real, 3 * self.max_rows)
        if resampled:
            return (real, synthetic), self.thin(real, len(synthetic))
        n_rows = min(self.max_rows, len(real) // 2, len(synthetic))
        judge = real
        if name == "utility" and self.holdout is not None:
            judge = self.holdout
        tables = [self.thin(table, n_rows) for table in (judge, synthetic)]
        return tables, self.thin(real, 2 * n_rows)

    def distances(self):
        """Return the display of distances to training rows, if rows were held out."""
        if self.holdout is None:
            return None
        tables, _ = self._tables("dcr", resampled=False)
        how = {"categorical_features": self.is_category, "random_state": self.seed}
        return DistanceDisplay.from_samples(*tables, **how)

    def thin(self, table, n_rows):
        """Return at most so many rows of a table, chosen at random."""
        if len(table) <= n_rows:
            return table
        random = np.random.default_rng(self.seed)
        return table.iloc[random.permutation(len(table))[:n_rows]]


def auc_error(n_rows):
    """Return the standard error of the AUC of a guess, of so many rows of each kind."""
    return ((2 * n_rows + 1) / (12 * n_rows**2)) ** 0.5


def closeness(name, value, independent, real, chance=0.0):
    """Return how far on the way from independent columns to real rows a value is.

    A value that falls short of the real rows' by less than `chance` is theirs. Of
    privacy it is NaN, for independent columns copy nothing either.
    """
    if name in PRIVACY:
        return np.nan
    bad, good, own = (worth(name, v) for v in (independent, real, value))
    way = max(good - bad, MEASURES[name].reach)
    return float(np.clip(1 - max(0, good - own - chance) / way, 0, 1))


def tabulate(rows):
    """Return the figures as a frame."""
    figures = pd.DataFrame.from_dict(rows, orient="index")
    return figures.rename_axis("figure")
