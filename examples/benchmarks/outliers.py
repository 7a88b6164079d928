"""Find planted outliers by the log-density of a synthesizer, and by isolation forests.

    python examples/benchmarks/outliers.py FOLDER NAME... [--seed 0]

Reads FOLDER/NAME.parquet to fit and FOLDER/NAME_test.parquet to plant outliers in: one
row in twenty of at most 2,000 gets a third of its cells from other rows, so that every
cell is ordinary by itself. Prints one line of JSON for each table with the area under
the ROC curve of both. Needs pyarrow.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_tabsyn import DiffusionSynthesizer


def plant(table, rng, share=0.05, cells=1 / 3):
    """Return a table with cells of some rows exchanged, and which rows these are."""
    strange = rng.random(len(table)) < share
    planted = table.copy()
    for name in table:
        moved = np.flatnonzero(strange & (rng.random(len(table)) < cells))
        others = rng.integers(0, len(table), len(moved))
        column = planted[name].copy()
        column.iloc[moved] = table[name].iloc[others].to_numpy()
        planted[name] = column
    return planted, strange


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-iter", default="auto", help="steps of our fit")
    args = parser.parse_args()
    max_iter = args.max_iter if args.max_iter == "auto" else int(args.max_iter)
    for name in args.names:
        train, test = (
            pd.read_parquet(args.folder / f"{name}{part}.parquet")
            for part in ("", "_test")
        )
        rng = np.random.default_rng(args.seed)
        planted, strange = plant(test[:2_000].reset_index(drop=True), rng)
        synthesizer = DiffusionSynthesizer(max_iter=max_iter, random_state=args.seed)
        names = make_column_selector(dtype_exclude="number")
        encode = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), names), remainder="passthrough"
        )
        forest = make_pipeline(encode, IsolationForest(random_state=args.seed))
        line = {"table": name, "outliers": int(strange.sum())}
        for label, model in {"ours": synthesizer, "IsolationForest": forest}.items():
            scores = model.fit(train).score_samples(planted)
            line[label] = round(roc_auc_score(~strange, scores), 4)
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
