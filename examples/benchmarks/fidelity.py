"""Fit and sample tables, and print what it took.

    python examples/benchmarks/fidelity.py FOLDER NAME... [--output FOLDER]

Reads FOLDER/NAME.parquet, fits a synthesizer with its defaults, samples as many rows
as there are, and writes them to OUTPUT/NAME.parquet. Prints one line of JSON for each
table: seconds of the fit, sampled rows per second, and the peak memory in MB.
Needs pyarrow.
"""

import argparse
import json
import time
from pathlib import Path

import pandas as pd
from peer import peak_memory

from sklearn_tabsyn import DiffusionSynthesizer


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
        print(json.dumps({"table": name, **figures}), flush=True)


if __name__ == "__main__":
    main()
