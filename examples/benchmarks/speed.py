"""Time a step of the training, its matrix products alone, and the sampling.

    python examples/benchmarks/speed.py FOLDER NAME... [--threads 1 2] [--rows 16384]

Reads FOLDER/NAME.parquet. Prints rows of a Markdown table: threads, milliseconds of a
step, of its matrix products alone in single precision and in bfloat16, and new rows a
second, the median of five calls. A step is what 100 more steps take in `fit`, divided
by 100; it holds the loading of rows, the loss, the optimiser and the moving average.
Needs pyarrow.
"""

import argparse
import statistics
import time
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from sklearn_tabsyn import DiffusionSynthesizer

BATCH = 1_024
# The first fit warms up.
STEPS = 2, 20, 120


def seconds(call):
    """Return the seconds of a call, and what it returned."""
    start = time.perf_counter()
    returned = call()
    return time.perf_counter() - start, returned


def step_time(table):
    """Return the seconds of a step, and a synthesizer that is good for timing only."""
    synthesizer = DiffusionSynthesizer(batch_size=BATCH, random_state=0)
    fit = {n: lambda n=n: synthesizer.set_params(max_iter=n).fit(table) for n in STEPS}
    _, few, many = (seconds(fit[n])[0] for n in STEPS)
    return (many - few) / 100, synthesizer


def product_time(network, dtype, n_repeats=50):
    """Return the seconds of the products of a step: forward, and backward twice."""
    layers = [m for m in network.modules() if isinstance(m, nn.Linear)]
    weights = [layer.weight.detach().to(dtype) for layer in layers]
    before = [torch.randn(BATCH, w.shape[1], dtype=dtype) for w in weights]
    after = [torch.randn(BATCH, w.shape[0], dtype=dtype) for w in weights]

    def products():
        for weight, x, gradient in zip(weights, before, after, strict=True):
            x @ weight.T
            gradient @ weight
            gradient.T @ x

    products()
    return seconds(lambda: [products() for _ in range(n_repeats)])[0] / n_repeats


def sampling_rate(synthesizer, n_rows):
    """Return the rows that are drawn in a second, the median of five calls."""
    calls = [seconds(lambda: synthesizer.sample(n_rows))[0] for _ in range(5)]
    return n_rows / statistics.median(calls)


def main():
    """Print the figures of each table and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rows", type=int, default=16_384)
    options = parser.parse_args()
    print("| table | threads | step | products | in bfloat16 | rows/s |")
    print("|---|---|---|---|---|---|")
    for name in options.names:
        table = pd.read_parquet(options.folder / f"{name}.parquet")
        for n_threads in options.threads:
            torch.set_num_threads(n_threads)
            step, synthesizer = step_time(table)
            network = synthesizer.denoiser_.network
            times = [step] + [
                product_time(network, dtype) for dtype in (torch.float, torch.bfloat16)
            ]
            shown = " | ".join(f"{1000 * t:.1f}" for t in times)
            rate = sampling_rate(synthesizer, options.rows)
            print(f"| {name} | {n_threads} | {shown} | {rate:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
