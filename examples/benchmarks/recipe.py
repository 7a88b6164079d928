"""Change one choice of the training at a time, and see what it does.

    python examples/benchmarks/recipe.py FOLDER NAME... [--share 0.5] [--only TEXT]

Reads FOLDER/NAME.parquet and FOLDER/NAME_test.parquet. Every variant is fitted to the
training rows, with a share of the default steps unless the variant says otherwise, and
draws as many rows. Prints rows of a Markdown table: errors of shape and trend in %,
the area under the ROC curve of trees that tell new from training rows (c2st), the share
of new rows nearer to training than to held-out rows (dcr), and seconds of the fit.
Needs pyarrow.
"""

import argparse
import time
from pathlib import Path

import pandas as pd

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._sizes import default_steps
from sklearn_tabsyn.metrics import (
    dcr_share,
    detection_auc,
    shape_error,
    trend_error,
)

# `steps` multiplies the steps; everything else is a parameter of the synthesizer.
VARIANTS = {
    "defaults": {},
    "noise lower: P_mean=-1.2, P_std=1.2": {"P_mean": -1.2, "P_std": 1.2},
    "noise higher: P_mean=-0.6": {"P_mean": -0.6},
    "noise wider: P_std=1.8": {"P_std": 1.8},
    "narrow: hidden_dim=128": {"hidden_dim": 128},
    "wide: hidden_dim=384": {"hidden_dim": 384},
    "shallow: n_blocks=2": {"n_blocks": 2},
    "deep: n_blocks=5": {"n_blocks": 5},
    "batch 512, twice the steps": {"batch_size": 512, "steps": 2},
    "batch 2,048, half the steps": {"batch_size": 2_048, "steps": 0.5},
    "learning_rate=1e-3": {"learning_rate": 1e-3},
    "learning_rate=4e-3": {"learning_rate": 4e-3},
    "weight_decay=0": {"weight_decay": 0.0},
    "dropout=0.1": {"dropout": 0.1},
    "ema_decay=0.99": {"ema_decay": 0.99},
    "ema_decay=0.9995": {"ema_decay": 0.9995},
    "plain network: denoiser='mlp'": {"denoiser": "mlp"},
    "sampler='dpmpp_2m'": {"sampler": "dpmpp_2m"},
    "sigma_min=0.01": {"sigma_min": 0.01},
    "schedule='karras'": {"schedule": "karras"},
}


def measure(train, test, params, share, seed):
    """Fit and sample one variant and return its figures."""
    params = dict(params)
    steps = int(share * params.pop("steps", 1) * default_steps(*train.shape))
    start = time.perf_counter()
    synthesizer = DiffusionSynthesizer(max_iter=steps, random_state=seed, **params)
    synthesizer.fit(train)
    seconds = time.perf_counter() - start
    rows = synthesizer.sample(len(train))
    shape, trend = shape_error(train, rows), trend_error(train, rows)
    c2st = detection_auc(train, rows, random_state=0)
    dcr = dcr_share(train, rows, test, random_state=0)
    return f"{100 * shape:.2f} | {100 * trend:.2f} | {c2st:.3f} | {dcr:.3f}", seconds


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--only", default="", help="variants whose name has this text")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print("| table | variant | Shape % | Trend % | C2ST | DCR | fit s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in args.names:
        train, test = (
            pd.read_parquet(args.folder / f"{name}{part}.parquet")
            for part in ("", "_test")
        )
        for variant, params in VARIANTS.items():
            if args.only in variant:
                found, seconds = measure(train, test, params, args.share, args.seed)
                print(f"| {name} | {variant} | {found} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
