"""Augment training sets by synthetic rows, and see where that helps a classifier.

    python examples/benchmarks/augmentation.py FOLDER NAME TARGET [--rows 500]

Reads FOLDER/NAME.parquet to train on and FOLDER/NAME_test.parquet to score, and asks
for the rarest class of TARGET against all others. For each of some seeds it takes ROWS
training rows, adds rows in each way below, and trains the same boosted trees on them:

none                nothing is added
random              rare rows are repeated until both classes are equally large
SMOTENC             as many rows between neighbours of the rare class, by SMOTE if there
                    are no names
ours, balanced      as many synthetic rows given the rare class
ours                as many synthetic rows as there are real ones, of both classes
ours, 30,000        30,000 synthetic rows, of both classes

Prints one line of JSON for each: mean and standard deviation over the seeds of the
balanced accuracy, of the areas under the ROC curve (auc) and under the precision-recall
curve (ap), and in how many seeds auc and ap were better than with nothing added. Needs
pyarrow and imbalanced-learn.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, SMOTENC, RandomOverSampler
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    roc_auc_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from sklearn_tabsyn import DiffusionOverSampler, DiffusionSynthesizer

METRICS = ["balanced_accuracy", "auc", "ap"]
N_MANY = 30_000


def read(path, target, rare=None):
    """Return a table, whether its rows are of the rare class, and this class."""
    table = pd.read_parquet(path)
    table = table[table[target].notna()].reset_index(drop=True)
    y = table.pop(target)
    rare = y.value_counts().index[-1] if rare is None else rare
    names = table.select_dtypes(exclude="number").columns
    # SMOTENC takes no gaps: missing is a name like others.
    table[names] = table[names].astype(object).fillna("missing").astype(str)
    return table, (y == rare).to_numpy(), rare


def make_classifier(seed):
    """Return boosted trees that take names as categories."""
    names = make_column_selector(dtype_exclude="number")
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        max_categories=200,
    )
    encode = make_column_transformer(
        (codes, names), remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    trees = HistGradientBoostingClassifier(random_state=seed)
    return make_pipeline(encode, trees)


def resampled(X, y, seed, max_iter):
    """Yield each way's name and training set."""
    yield "none", X, y
    yield "random", *RandomOverSampler(random_state=seed).fit_resample(X, y)
    names = [c for c in X if not pd.api.types.is_numeric_dtype(X[c])]
    how = {"k_neighbors": int(min(5, y.sum() - 1)), "random_state": seed}
    smote = SMOTENC(names, **how) if names else SMOTE(**how)
    yield "SMOTENC", *smote.fit_resample(X, y)
    ours = DiffusionSynthesizer(max_iter=max_iter, random_state=seed)
    sampler = DiffusionOverSampler(
        synthesizer=clone(ours).set_params(conditional=True), random_state=seed
    )
    yield "ours, balanced", *sampler.fit_resample(X, y)
    # As AugmentedClassifier, which would fit once for each number of rows.
    ours.fit(X, pd.Series(y).astype("category"))
    X_new, y_new = ours.sample(N_MANY)
    for name, n in {"ours": len(X), f"ours, {N_MANY:,}": N_MANY}.items():
        both = pd.concat([X, X_new.iloc[:n]], ignore_index=True)
        yield name, both, np.concatenate([y, y_new.iloc[:n].to_numpy().astype(bool)])


def score(X, y, X_test, y_test, seed):
    """Return the figures of a classifier that is trained on X and y."""
    classifier = make_classifier(seed).fit(X, y)
    chance = classifier.predict_proba(X_test)[:, 1]
    return [
        balanced_accuracy_score(y_test, chance > 0.5),
        roc_auc_score(y_test, chance),
        average_precision_score(y_test, chance),
    ]


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("target")
    parser.add_argument("--rows", type=int, default=None, help="at most so many rows")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--max-iter", default="auto", help="steps of our fit")
    args = parser.parse_args()
    max_iter = args.max_iter if args.max_iter == "auto" else int(args.max_iter)
    X_all, y_all, rare = read(args.folder / f"{args.name}.parquet", args.target)
    test = args.folder / f"{args.name}_test.parquet"
    X_test, y_test, _ = read(test, args.target, rare)
    figures = {}
    for seed in range(args.seeds):
        rows = np.random.default_rng(seed).permutation(len(X_all))[: args.rows]
        X, y = X_all.iloc[rows].reset_index(drop=True), y_all[rows]
        for way, X_way, y_way in resampled(X, y, seed, max_iter):
            found = score(X_way, y_way, X_test, y_test, seed)
            figures.setdefault(way, []).append(found)
    for way, found in figures.items():
        found, plain = np.array(found), np.array(figures["none"])
        line = {"table": args.name, "rare": str(rare), "rows": len(X), "way": way}
        for j, metric in enumerate(METRICS):
            mean, sd = found[:, j].mean(), found[:, j].std(ddof=1)
            line[metric] = f"{mean:.3f} +- {sd:.3f}"
        wins = (found > plain).sum(0)
        line["better"] = f"auc {wins[1]}, ap {wins[2]} of {len(found)}"
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
