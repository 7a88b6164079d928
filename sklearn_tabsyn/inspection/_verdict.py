"""What figures say, in plain words, and the rule behind the words."""

from typing import NamedTuple

import numpy as np

from sklearn_tabsyn.inspection._measures import (
    CHANCE_ERRORS,
    MEASURES,
    PRIVACY,
    SLACK,
    auc_error,
)

# The least closeness of each rating.
RATINGS = {"as real rows": 0.9, "close": 0.7, "halfway": 0.4, "far": 0.0}
HEADLINES = {
    "as real rows": "Hard to tell from real rows",
    "close": "Close to real rows, with differences that can be found",
    "halfway": "Halfway between independent columns and real rows",
    "far": "Far from real rows",
}
COPYING = {
    "good": "no sign of copying",
    "unsure": "some sign of copying",
    "bad": "training rows are copied",
    "unknown": "copying was not looked at",
}
# Above a half, and in standard errors, from where privacy figures count as a sign.
MARGIN, COPY_ERRORS = 0.03, 3
# More identical rows than this share, beyond those of held-out rows, are a sign.
IDENTICAL = 0.005
FEW_ROWS = 500

# Whole rows, single columns and pairs of columns: the worst of these is the headline.
DECISIVE = ("detection", "shape", "trend")

RULE = (
    "Each figure is rated by how far it got on the way from independent columns to "
    f"real rows: {RATINGS['as real rows']:.0%} of the way is rated as real rows, "
    f"{RATINGS['close']:.0%} close, {RATINGS['halfway']:.0%} halfway, and less far. "
    "Where both ends are nearly the same, the way is taken to be at least "
    f"{MEASURES['detection'].reach} long ({MEASURES['utility'].reach} for utility, "
    f"{MEASURES['trend'].reach} for trend). What may be chance is not counted: "
    f"{CHANCE_ERRORS} standard errors of detection, and {SLACK:.0%} of the error that "
    "real rows have in shape, trend and missing cells. The headline is the worst of "
    "the ratings of detection, shape and trend."
)
PRIVACY_RULE = (
    f"A privacy figure above 0.5 by more than {MARGIN}, and by more than {COPY_ERRORS} "
    "standard errors, is a sign of copying; by three times as much, training rows are "
    f"copied. So are they if over {IDENTICAL:.1%} more synthetic than held-out rows "
    "equal a training row, beyond chance. No sign is no proof: it rules out neither "
    "single copied rows nor attacks that know more, and is no differential privacy."
)


class Verdict(NamedTuple):
    """What a report concludes.

    Parameters
    ----------
    fidelity : {"as real rows", "close", "halfway", "far"}
        The worst rating of detection, shape and trend.
    copying : {"good", "unsure", "bad", "unknown"}
        Whether training rows are copied.
    ratings : dict
        The rating of each figure but those of privacy.
    cautions : list of str
        What weakens the verdict.
    """

    fidelity: str
    copying: str
    ratings: dict
    cautions: list

    def __str__(self):
        return f"{HEADLINES[self.fidelity]}; {COPYING[self.copying]}."

    def grouped(self):
        """Return the titles of figures by rating, the best first."""
        groups = {rating: [] for rating in RATINGS}
        for name, rating in self.ratings.items():
            groups[rating].append(MEASURES[name].title)
        return {rating: titles for rating, titles in groups.items() if titles}


def rate(closeness):
    """Return the rating of a closeness."""
    return next(rating for rating, least in RATINGS.items() if closeness >= least)


def judge(figures, n_rows, distances):
    """Return the verdict.

    Parameters
    ----------
    figures : DataFrame
        As :func:`tabulate` returns them.
    n_rows : dict
        Number of rows of each table by name.
    distances : DistanceDisplay or None
        Distances to training rows, if rows were held out.
    """
    rated = figures["closeness"].dropna()
    ratings = {name: rate(closeness) for name, closeness in rated.items()}
    copying = (
        "unknown" if distances is None else _copying(figures, distances, n_rows["real"])
    )
    fidelity = rate(rated[rated.index.isin(DECISIVE)].min())
    return Verdict(fidelity, copying, ratings, _cautions(n_rows, figures))


def _copying(figures, distances, n_real):
    """Return whether training rows are copied."""
    n_synthetic, n_holdout = len(distances.synthetic), len(distances.holdout)
    excess = figures["value"][list(PRIVACY)].to_numpy() - 0.5
    # Many rows beside few others are no more certain than the few.
    n_fewest = min(n_real, n_synthetic, n_holdout)
    errors = np.array([0.5 / n_fewest**0.5, auc_error(n_fewest)])
    margins = np.maximum(MARGIN, COPY_ERRORS * errors)
    identical = distances.identical_shares()
    share = np.mean(identical)
    error = (share * (1 - share) * (1 / n_synthetic + 1 / n_holdout)) ** 0.5
    repeats = identical[0] - identical[1] > max(IDENTICAL, COPY_ERRORS * error)
    if repeats or (excess > 3 * margins).any():
        return "bad"
    return "unsure" if (excess > margins).any() else "good"


def _cautions(n_rows, figures):
    """Return what weakens the verdict."""
    cautions = []
    n_fewest = min(n_rows["real"], n_rows["synthetic"])
    if n_fewest < FEW_ROWS:
        cautions.append(
            f"With {n_fewest} rows the figures vary by chance; so may the ratings."
        )
    n_held = n_rows.get("holdout")
    if n_held is not None and n_held < FEW_ROWS:
        cautions.append(f"With {n_held} held-out rows most copies go unseen.")
    if "utility" in figures.index and n_held is None:
        cautions.append(
            "Utility is judged by rows that the synthesizer may have seen, for no "
            "held-out rows were given."
        )
    return cautions
