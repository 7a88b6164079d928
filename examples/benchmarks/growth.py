"""Measure how time and memory grow with rows, columns and levels.

    python examples/benchmarks/growth.py --output OUTPUT [--steps 20]
        [--drawn 1000 10000 ...] [--student ...] [--rows ...] [--columns ...]
        [--levels ...]

Made-up tables, half numbers and half names that depend on one hidden number, are
learned with the defaults, but for few steps. Measured are

drawn    seconds to draw rows into a Parquet file, a batch at a time, and the peak
         memory of the process, from the smallest number of rows to the largest
student  the same by what `distill` makes of the synthesizer
rows     seconds of a step of training, of all of the fit that is not steps, and to draw
         1,000 rows, against rows that are learned
columns  the same against columns, of 2,000 rows
levels   the same against levels of one column of names

A step is the difference of two fits, of N and of 3 N steps, by 2 N. Prints a Markdown
table and the exponents, which are slopes of straight lines through the logarithms: 0 is
no growth, 1 is proportional. Draws OUTPUT/growth.png. Needs pyarrow and matplotlib.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from peer import peak_memory

from sklearn_tabsyn import DiffusionSynthesizer

TITLES = {
    "seconds": "drawing, s",
    "memory": "peak memory, MB",
    "step": "a step, s",
    "rest": "fit without steps, s",
    "draw": "drawing 1,000 rows, s",
}
LABELS = {
    "drawn": "rows drawn by all noise levels",
    "student": "rows drawn by a student",
    "rows": "rows learned",
    "columns": "columns",
    "levels": "levels of one column",
}


def make_table(n_rows, n_columns, n_levels=10):
    """Return numbers and names by turns, the first names with many levels."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=n_rows)
    table = {}
    for i in range(n_columns):
        column = hidden + random.normal(size=n_rows)
        if i % 2:
            count = n_levels if i == 1 else 10
            ranks = column.argsort().argsort() * count // n_rows
            column = np.char.add("level ", ranks.astype(str))
        table[f"column {i}"] = column
    return pd.DataFrame(table)


def fit(table, steps):
    """Return a synthesizer after some steps, and the seconds of the fit."""
    start = time.perf_counter()
    synthesizer = DiffusionSynthesizer(max_iter=steps, random_state=0).fit(table)
    return synthesizer, time.perf_counter() - start


def time_fit(table, steps):
    """Return seconds of a step, of the rest of the fit, and to draw 1,000 rows."""
    _, few = fit(table, steps)
    synthesizer, many = fit(table, 3 * steps)
    step = (many - few) / (2 * steps)
    start = time.perf_counter()
    synthesizer.sample(1_000)
    draw = time.perf_counter() - start
    return {"step": step, "rest": max(few - steps * step, 0), "draw": draw}


def stream(synthesizer, n_rows, path):
    """Draw rows into a file, of which only a batch is held in memory."""
    writer = None
    for batch in synthesizer.sample_batches(n_rows, random_state=0):
        part = pa.Table.from_pandas(batch, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    writer.close()


def time_drawing(synthesizer, n_rows, path):
    """Return seconds to draw rows into a file, and the peak memory so far."""
    start = time.perf_counter()
    stream(synthesizer, n_rows, path)
    return {"seconds": time.perf_counter() - start, "memory": peak_memory()}


def measure(args):
    """Yield the name of each axis, its sizes and a list of figures of each."""
    # First, before training tables of many rows raises the peak of the memory.
    synthesizer, _ = fit(make_table(10_000, 10), args.steps)
    path = args.output / "drawn.parquet"
    synthesizer.sample(1_000)
    sizes = sorted(args.drawn)
    yield "drawn", sizes, [time_drawing(synthesizer, n, path) for n in sizes]
    student = synthesizer.distill(max_iter=args.steps)
    sizes = sorted(args.student)
    yield "student", sizes, [time_drawing(student, n, path) for n in sizes]
    path.unlink()
    tables = {
        "rows": lambda n: make_table(n, 10),
        "columns": lambda n: make_table(2_000, n),
        "levels": lambda n: make_table(2 * max(args.levels), 10, n),
    }
    for axis, make in tables.items():
        sizes = getattr(args, axis)
        yield axis, sizes, [time_fit(make(n), args.steps) for n in sizes]


def exponent(sizes, values):
    """Return the slope of a straight line through the logarithms."""
    if len(sizes) < 2:
        return np.nan
    return np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-4)), 1)[0]


def write_table(found):
    """Print a Markdown table of one line for each axis and figure."""
    print("| against | figure | sizes | values | exponent |")
    print("|---|---|---|---|---|")
    for axis, (sizes, figures) in found.items():
        for key in figures[0]:
            values = [figure[key] for figure in figures]
            cells = [
                axis,
                TITLES[key],
                " / ".join(f"{size:,}" for size in sizes),
                " / ".join(f"{value:,.3g}" for value in values),
                f"{exponent(sizes, values):.2f}",
            ]
            print(f"| {' | '.join(cells)} |")


def draw(found, path):
    """Draw all figures over the sizes, both as logarithms, with their exponents."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 7), layout="constrained")
    *axes, spare = figure.subplots(2, 3).flat
    spare.set_axis_off()
    for ax, (axis, (sizes, figures)) in zip(axes, found.items(), strict=True):
        for key in figures[0]:
            values = [figure[key] for figure in figures]
            label = f"{TITLES[key]} (exponent {exponent(sizes, values):.2f})"
            ax.plot(sizes, values, "o-", label=label)
        ax.set(xscale="log", yscale="log", xlabel=LABELS[axis])
        ax.grid(alpha=0.3)
        ax.legend(fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1))
    figure.savefig(path, dpi=130)


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sizes = {
        "rows": [1_000, 10_000, 100_000, 1_000_000],
        "drawn": [1_000, 10_000, 100_000, 1_000_000],
        "student": [1_000, 100_000, 10_000_000],
        "columns": [10, 30, 100, 300],
        "levels": [10, 100, 1_000, 20_000],
    }
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=20)
    for axis, default in sizes.items():
        parser.add_argument(f"--{axis}", type=int, nargs="+", default=default)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    found = {axis: (sizes, figures) for axis, sizes, figures in measure(args)}
    write_table(found)
    draw(found, args.output / "growth.png")


if __name__ == "__main__":
    main()
