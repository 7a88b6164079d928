"""Pick the width and the training of a synthesizer by two measures at once.

    python examples/grid_search.py [PICTURE.png]

Searches a grid by the bound on the log-density of held-out rows and by how well boosted
trees tell synthetic rows from them, and draws both over the seconds of a fit. Then
successive halving finds a good point sooner, with the steps of the training as its
resource. Needs matplotlib.
"""

import sys

import matplotlib as mpl
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn.metrics import SYNTHESIS_SCORERS

mpl.use("agg")
import matplotlib.pyplot as plt

GRID = {"hidden_dim": [16, 48, 128], "max_iter": [50, 150, 450]}


def bound(estimator, X, y=None):
    """Return what `GridSearchCV` asks for without `scoring`: the estimator's score."""
    return estimator.score(X)


def search_grid(table, grid=GRID):
    """Return the results of a search by two measures, as a frame."""
    scoring = {"bound": bound, "detection": SYNTHESIS_SCORERS["detection"]}
    search = GridSearchCV(
        DiffusionSynthesizer(random_state=0), grid, scoring=scoring, refit=False, cv=3
    )
    found = pd.DataFrame(search.fit(table).cv_results_)
    # The scorer is greater for better: -0.5 where nothing tells the rows apart.
    found["detection_auc"] = -found["mean_test_detection"]
    return found.rename(columns={"mean_test_bound": "bound"})


def draw_trade_off(found, path):
    """Write a picture of both measures over the seconds of a fit."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    labels = {"bound": "bound, nats per row", "detection_auc": "detection AUC"}
    for (name, label), ax in zip(labels.items(), axes, strict=True):
        for width, rows in found.groupby("param_hidden_dim"):
            rows = rows.sort_values("param_max_iter")
            ax.plot(rows["mean_fit_time"], rows[name], marker="o", label=width)
        ax.set(xlabel="seconds of a fit", ylabel=label)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_title("higher is better", fontsize=10)
    axes[1].set_title("0.5 is ideal", fontsize=10)
    axes[1].legend(title="hidden_dim", frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def halve(table, max_resources=400):
    """Return what successive halving finds best, with steps as its resource."""
    search = HalvingGridSearchCV(
        DiffusionSynthesizer(random_state=0),
        {"hidden_dim": [16, 48, 128], "learning_rate": [1e-3, 4e-3]},
        resource="max_iter",
        min_resources=max_resources // 8,
        max_resources=max_resources,
        cv=3,
        return_train_score=False,
        random_state=0,
    )
    return search.fit(table).best_params_


def main(path="grid_search.png"):
    """Search, draw and print."""
    table = load_diabetes(as_frame=True, scaled=False).frame
    found = search_grid(table)
    columns = ["param_hidden_dim", "param_max_iter", "bound", "detection_auc"]
    print(found[columns].round(3).to_string(index=False))
    draw_trade_off(found, path)
    print(f"Picture written to {path}")
    print(f"Successive halving: {halve(table)}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
