"""Distil a fitted synthesizer into students of few steps, and compare their rows.

    python examples/benchmarks/distillation.py FOLDER NAME...

Reads FOLDER/NAME.parquet and FOLDER/NAME_test.parquet, fits a synthesizer with its
defaults, or loads one from FITTED/NAME.pkl, draws as many rows as there are with few
and with its own number of noise levels, then distils it and draws as many again. Prints
rows of a Markdown table: noise levels, or steps of the student, seconds of the fit or
the distillation, rows per second, errors of shape and trend in %, the area under the
ROC curve of trees that tell new from training rows (c2st), and the share of new rows
nearer to training than to held-out rows (dcr). Needs pyarrow.
"""

import argparse
import copy
import itertools
import pickle
import time
from pathlib import Path

import pandas as pd

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn.metrics import (
    dcr_share,
    detection_auc,
    shape_error,
    trend_error,
)


def fit(train, path, seed):
    """Return a fitted synthesizer, and the seconds it took unless it was loaded."""
    if path is not None:
        return pickle.loads(path.read_bytes()), "-"
    start = time.perf_counter()
    synthesizer = DiffusionSynthesizer(random_state=seed).fit(train)
    return synthesizer, f"{time.perf_counter() - start:.0f}"


def measure(synthesizer, train, test):
    """Draw rows and return rows per second and the other figures."""
    synthesizer.sample(1)
    start = time.perf_counter()
    rows = synthesizer.sample(len(train))
    speed = len(train) / (time.perf_counter() - start)
    shape, trend = shape_error(train, rows), trend_error(train, rows)
    c2st = detection_auc(train, rows, random_state=0)
    dcr = dcr_share(train, rows, test, random_state=0)
    figures = f"{100 * shape:.2f} | {100 * trend:.2f} | {c2st:.3f} | {dcr:.3f}"
    return f"{speed:,.0f} | {figures}"


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--few", type=int, nargs="*", default=[2, 4, 6])
    parser.add_argument("--max-iter", type=int, nargs="+", default=[2_000])
    parser.add_argument("--num-steps", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--fitted", type=Path, help="folder of pickled synthesizers")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print("| table | draws | levels | s | rows/s | Shape | Trend | C2ST | DCR |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in args.names:
        train, test = (
            pd.read_parquet(args.folder / f"{name}{part}.parquet")
            for part in ("", "_test")
        )
        path = args.fitted and args.fitted / f"{name}.pkl"
        teacher, seconds = fit(train, path, args.seed)
        for num_steps in (*args.few, teacher.num_steps):
            fewer = copy.copy(teacher).set_params(num_steps=num_steps)
            found = measure(fewer, train, test)
            print(
                f"| {name} | fitted | {num_steps} | {seconds} | {found} |", flush=True
            )
        for max_iter, num_steps in itertools.product(args.max_iter, args.num_steps):
            start = time.perf_counter()
            student = teacher.distill(max_iter, num_steps=num_steps)
            seconds = f"{time.perf_counter() - start:.0f}"
            found = measure(student, train, test)
            who = f"distilled in {max_iter:,} steps"
            print(f"| {name} | {who} | {num_steps} | {seconds} | {found} |", flush=True)


if __name__ == "__main__":
    main()
