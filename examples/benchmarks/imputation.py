"""Fill removed cells of tables, and compare with scikit-learn's imputers.

    python examples/benchmarks/imputation.py FOLDER NAME... [--share 0.3] [--seeds 0]

Reads FOLDER/NAME.parquet, or NAME-500 for 500 of its rows, or a small table of
scikit-learn, such as wine; removes a share of all cells at random, lets each imputer
fit and fill the table, and prints one line of JSON for each:

accuracy   share of removed categories that come back
rmse       root mean square error of removed numbers, in standard deviations of their
           column, mean over columns
c2st       area under the ROC curve of boosted trees that tell the filled table from the
           whole one, cross-fitted with both versions of a row in one fold; 0.5 is ideal
seconds    of fit and fill

scikit-learn's imputers take numbers only. They get standardised numbers and a column of
zeros and ones for each category but the most frequent, and the category with the
largest filled number counts. Needs pyarrow.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from small_tables import LOADERS, load_of_sklearn

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer


def load(folder, name, n_rows, seed):
    """Return the rows of a table that have no gaps, at most so many."""
    if name in LOADERS:
        table = load_of_sklearn(name)
    else:
        name, _, n_named = name.partition("-")
        n_rows = int(n_named or n_rows)
        table = pd.read_parquet(folder / f"{name}.parquet").dropna()
    n_rows = min(n_rows, len(table))
    return table.sample(n_rows, random_state=seed).reset_index(drop=True)


def remove_cells(table, share, seed):
    """Return the table with a share of its cells removed at random."""
    gone = np.random.default_rng(seed).random(table.shape) < share
    numbers = {c: "float64" for c in table if pd.api.types.is_integer_dtype(table[c])}
    return table.astype(numbers).mask(gone)


def fill_numbers(imputer, gappy):
    """Return the table, filled by an imputer that takes only numbers."""
    numbers, names = split(gappy)
    mean, sd = gappy[numbers].mean(), gappy[numbers].std()
    parts = [(gappy[numbers] - mean) / sd]
    for name in names:
        # With all categories, each column would follow exactly from the others.
        levels = gappy[name].value_counts().index[1:]
        hot = pd.DataFrame({f"{name}={v}": gappy[name] == v for v in levels})
        parts.append(hot.astype(float).where(gappy[name].notna()))
    matrix = pd.concat(parts, axis=1)
    filled = pd.DataFrame(imputer.fit_transform(matrix), columns=matrix.columns)
    table = gappy.copy()
    table[numbers] = (filled[numbers] * sd + mean).where(
        gappy[numbers].isna(), gappy[numbers]
    )
    for name, part in zip(names, parts[1:], strict=True):
        rest = filled[part.columns].to_numpy()
        levels = gappy[name].value_counts().index.to_numpy()
        best = levels[np.c_[1 - rest.sum(1), rest].argmax(1)]
        table[name] = table[name].where(gappy[name].notna(), best)
    return table


def split(table):
    """Return the names of the columns of numbers and of the others."""
    numbers = [c for c in table if pd.api.types.is_numeric_dtype(table[c])]
    return numbers, [c for c in table if c not in numbers]


def accuracy_and_rmse(whole, gappy, filled):
    """Return how well removed cells came back."""
    numbers, names = split(gappy)
    removed = gappy.isna() & whole.notna()
    right = [(filled[c] == whole[c])[removed[c]] for c in names]
    errors = [
        np.sqrt((((filled[c] - whole[c]) / whole[c].std())[removed[c]] ** 2).mean())
        for c in numbers
    ]
    accuracy = np.concatenate(right).mean() if names else np.nan
    return float(accuracy), float(np.mean(errors))


def c2st(whole, filled):
    """Return how well boosted trees tell the filled table from the whole one."""
    numbers, names = split(whole)
    both = pd.concat([whole, filled], ignore_index=True)
    codes = pd.DataFrame({name: pd.factorize(both[name])[0] for name in names})
    X = pd.concat([both[numbers].astype(float), codes], axis=1).to_numpy(float)
    y = np.repeat([0, 1], len(whole))
    few = [*[False] * len(numbers), *(both[names].nunique() <= 200)]
    model = HistGradientBoostingClassifier(categorical_features=few, random_state=0)
    # Rows that differ in few cells only must not be on both sides.
    groups = np.tile(np.random.default_rng(0).permutation(len(whole)), 2)
    found = cross_val_predict(
        model, X, y, groups=groups, cv=GroupKFold(3), method="predict_proba"
    )[:, 1]
    return float(roc_auc_score(y, found))


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", type=int, default=5_000, help="at most so many rows")
    parser.add_argument("--max-iter", type=int, default=None, help="steps of our fit")
    args = parser.parse_args()
    for name, seed in itertools.product(args.names, args.seeds):
        whole = load(args.folder, name, args.rows, seed)
        gappy = remove_cells(whole, args.share, seed)
        steps = {} if args.max_iter is None else {"max_iter": args.max_iter}
        synthesizer = DiffusionSynthesizer(conditional=1.0, **steps)
        ours = DiffusionImputer(synthesizer, random_state=seed)
        start = time.perf_counter()
        ours.fit(gappy)
        fit_seconds = time.perf_counter() - start
        others = {
            "SimpleImputer": SimpleImputer(),
            "KNNImputer": KNNImputer(),
            "IterativeImputer": IterativeImputer(random_state=seed),
            "IterativeImputer, trees": IterativeImputer(
                ExtraTreesRegressor(random_state=seed), random_state=seed
            ),
            "IterativeImputer, draw": IterativeImputer(
                random_state=seed, sample_posterior=True
            ),
        }
        imputers = {"ours, mean": "mean", "ours, draw": "draw", **others}
        for label, imputer in imputers.items():
            start = time.perf_counter()
            if isinstance(imputer, str):
                filled = ours.set_params(strategy=imputer).transform(gappy)
            else:
                filled = fill_numbers(imputer, gappy)
            seconds = time.perf_counter() - start
            seconds += fit_seconds if isinstance(imputer, str) else 0
            accuracy, rmse = accuracy_and_rmse(whole, gappy, filled)
            figures = {
                "accuracy": round(accuracy, 4),
                "rmse": round(rmse, 4),
                "c2st": round(c2st(whole, filled), 4),
                "seconds": round(seconds, 1),
            }
            line = {"table": name, "rows": len(whole), "seed": seed}
            line |= {"imputer": label, **figures}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
