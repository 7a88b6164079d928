"""See whether synthetic rows help a classifier that has few rows of a rare class.

    python examples/augmentation.py

Trains the same classifier on 100 rows of tumours, 10 of them malignant, with nothing
added, with rare rows repeated, with SMOTE, and with synthetic rows, few and many, and
scores it on all other rows. Needs imbalanced-learn.
"""

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_validate

from sklearn_tabsyn import AugmentedClassifier, DiffusionOverSampler

METRICS = ["balanced_accuracy", "roc_auc", "average_precision"]


def make_splits(y, n_common=90, n_rare=10, n_splits=5):
    """Return splits into few rows to train on and all others to test on."""
    splits = []
    for seed in range(n_splits):
        order = np.random.default_rng(seed).permutation(len(y))
        common, rare = (order[y[order] == label] for label in (0, 1))
        train = np.r_[common[:n_common], rare[:n_rare]]
        splits.append((train, np.setdiff1d(order, train)))
    return splits


def main():
    """Print the mean and the standard deviation of each metric."""
    X, y = load_breast_cancer(return_X_y=True)
    y = 1 - y  # 1 is malignant
    forest = RandomForestClassifier(random_state=0)
    models = {
        "nothing added": forest,
        "rare rows repeated": make_pipeline(RandomOverSampler(random_state=0), forest),
        "SMOTE": make_pipeline(SMOTE(random_state=0), forest),
        "synthetic rare rows": make_pipeline(
            DiffusionOverSampler(random_state=0), forest
        ),
        "100 synthetic rows": AugmentedClassifier(forest, random_state=0),
        "3,000 synthetic rows": AugmentedClassifier(forest, ratio=30, random_state=0),
    }
    figures = {}
    for name, model in models.items():
        found = cross_validate(model, X, y, cv=make_splits(y), scoring=METRICS)
        scores = [found[f"test_{metric}"] for metric in METRICS]
        figures[name] = [f"{s.mean():.3f} ± {s.std(ddof=1):.3f}" for s in scores]
    print(pd.DataFrame(figures, index=METRICS).T.to_string())


if __name__ == "__main__":
    main()
