"""Fit and sample tables, and print what it took and how near the new rows are.

    python examples/benchmarks/fidelity.py FOLDER NAME... [--output FOLDER]

Reads FOLDER/NAME.parquet, fits a synthesizer with its defaults, samples as many rows
as there are, and writes them to OUTPUT/NAME.parquet. Prints one line of JSON for each
table: seconds of the fit, sampled rows per second, the peak memory in MB, errors of
shape and trend in %, and the area under the ROC curve of trees that tell new from
learned rows (c2st). If there is FOLDER/NAME_test.parquet, with rows that were held out,
also the same of new from these and of learned from these (c2st_others, c2st_real), and
the share of new rows nearer to learned than to held-out ones (dcr). Needs pyarrow.
"""

import argparse
import json
import time
from pathlib import Path

import pandas as pd
from peer import peak_memory

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn.metrics import (
    dcr_share,
    detection_auc,
    shape_error,
    trend_error,
)


def measure(table, seed, verbose):
    """Fit and sample a table; return the new rows and the figures."""
    start = time.perf_counter()
    synthesizer = DiffusionSynthesizer(random_state=seed, verbose=verbose).fit(table)
    fitted = time.perf_counter()
    rows = synthesizer.sample(len(table))
    sampled = time.perf_counter()
    return rows, {
        "rows": len(table),
        "steps": synthesizer.n_iter_,
        "fit_seconds": round(fitted - start, 1),
        "rows_per_second": round(len(table) / (sampled - fitted)),
        "peak_memory_mb": round(peak_memory()),
    }


def compare(table, rows, others, seed):
    """Return the figures of new rows beside learned ones and, if any, others."""
    found = {
        "shape": 100 * shape_error(table, rows),
        "trend": 100 * trend_error(table, rows),
        "c2st": detection_auc(table, rows, random_state=seed),
    }
    if others is not None:
        found["c2st_others"] = detection_auc(others, rows, random_state=seed)
        found["c2st_real"] = detection_auc(others, table, random_state=seed)
        found["dcr"] = dcr_share(table, rows, others, random_state=seed)
    return {name: round(value, 3) for name, value in found.items()}


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--output", type=Path, default=Path("synthetic"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        table = pd.read_parquet(args.folder / f"{name}.parquet")
        rows, figures = measure(table, args.seed, args.verbose)
        rows.to_parquet(args.output / f"{name}.parquet")
        path = args.folder / f"{name}_test.parquet"
        others = pd.read_parquet(path) if path.exists() else None
        figures |= compare(table, rows, others, args.seed)
        print(json.dumps({"table": name, **figures}), flush=True)


if __name__ == "__main__":
    main()
