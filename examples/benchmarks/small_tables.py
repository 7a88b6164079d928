"""Learn tables of 75 to 1,000 rows, beside simpler ways to make rows.

    python examples/benchmarks/small_tables.py FOLDER [--tables iris adult-200 ...]

Half the rows of four tables of scikit-learn are learned and the other half is held out.
Of FOLDER/NAME.parquet, NAME being adult and magic, samples of 200, 500 and 1,000 rows
are learned and as many held out, and FOLDER/NAME_test.parquet is held out as well;
FOLDER/meta.json tells the target of NAME. With `--gaps` a share of each number but the
target is missing, everywhere; SMOTENC and KernelDensity cannot learn that. All ways
draw 30,000 rows:

ours            DiffusionSynthesizer with its defaults
SMOTENC         between neighbours of a class of the target, or of a quarter of its
                range; SMOTE if there are no names
GaussianCopula  of SDV, run by the Python of `--sdv`; left out if none is given
KernelDensity   of standardised numbers and one-hot names, bandwidth cross-validated
independent     each column by itself, shuffled
learned         no new rows, but those that were learned, to compare with

Prints a Markdown table, mean and standard deviation over seeds. Of 3,000 of the rows:
errors of shape and trend against held-out rows in %, the area under the ROC curve of
trees that tell them from held-out ones (c2st), utility for predicting the target of
held-out rows, and the share that is nearer to learned than to held-out ones (dcr). Of
all rows: utility (many), and seconds to fit and to draw. Needs pyarrow and
imbalanced-learn.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from peer import as_learned, fit_smotenc, without_gaps
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn.metrics import (
    dcr_share,
    detection_auc,
    shape_error,
    trend_error,
    utility,
)

# Trees that are taught by more rows learn more; the other measures need few.
N_DRAWN, N_JUDGED = 30_000, 3_000
LOADERS = {
    "iris": load_iris,
    "wine": load_wine,
    "diabetes": lambda **how: load_diabetes(scaled=False, **how),
    "breast_cancer": load_breast_cancer,
}
SAMPLES = [f"{name}-{n}" for name in ("adult", "magic") for n in (200, 500, 1_000)]
METRICS = ["shape", "trend", "c2st", "utility", "dcr", "many", "seconds"]


class Split(NamedTuple):
    """A small table: what is learned, and what is held out to judge by."""

    seen: pd.DataFrame
    # As many rows as are learned, for distances.
    unseen: pd.DataFrame
    # All rows that were not learned, for everything else.
    test: pd.DataFrame
    target: str


def load(folder, name, seed):
    """Return the split of a table by a seed."""
    random = np.random.default_rng(seed)
    if name in LOADERS:
        table = load_of_sklearn(name)
        rows = random.permutation(len(table))
        seen, unseen = (
            table.iloc[part].reset_index(drop=True) for part in np.array_split(rows, 2)
        )
        return Split(seen, unseen, unseen, "target")
    name, n = name.rsplit("-", 1)
    return sample(folder, name, int(n), seed)


def load_of_sklearn(name):
    """Return a table of scikit-learn, with the names of classes."""
    data = LOADERS[name](as_frame=True)
    table = data.frame.copy()
    if "target_names" in data:
        table["target"] = data.target_names.astype(object)[table["target"]]
    return table


def sample(folder, name, n, seed):
    """Return the split of n rows of a file, or of all if n is None."""
    table, test = (
        pd.read_parquet(folder / f"{name}{end}.parquet") for end in ("", "_test")
    )
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    target = meta[name]["target"]
    if n is None:
        return Split(table, test, test, target)
    rows = np.random.default_rng(seed).permutation(len(table))
    seen, unseen = (
        table.iloc[part].reset_index(drop=True) for part in np.split(rows[: 2 * n], 2)
    )
    return Split(seen, unseen, test, target)


def with_gaps(split, share, seed):
    """Return a split in which a share of each number but the target is missing."""
    random = np.random.default_rng(seed)
    numbers = split.seen.select_dtypes("number").columns.drop(
        split.target, errors="ignore"
    )

    def mask(table):
        gone = random.random((len(table), len(numbers))) < share
        table = table.copy()
        table[numbers] = table[numbers].astype(float).mask(gone)
        return table

    return Split(*map(mask, split[:3]), split.target)


def ours(split, seed):
    """Return rows of a synthesizer with its defaults."""
    return DiffusionSynthesizer(random_state=seed).fit(split.seen).sample(N_DRAWN)


def smotenc(split, seed):
    """Return rows between neighbours, without those that were learned."""
    rows = fit_smotenc(split.seen, split.target, seed)(N_DRAWN)
    return as_learned(rows, split.seen)


def kernel_density(split, seed):
    """Return rows of a kernel density, names by the largest of their coordinates."""
    table, names = without_gaps(split.seen)
    numbers = [c for c in table if c not in names]
    flat = pd.concat(
        [table[numbers].astype(float)]
        + [pd.get_dummies(table[c], dtype=float) for c in names],
        axis=1,
    )
    mean, sd = flat.mean(), flat.std().replace(0, 1)
    grid = {"bandwidth": np.geomspace(0.05, 1, 12)}
    search = GridSearchCV(KernelDensity(), grid, cv=5)
    search.fit(((flat - mean) / sd).to_numpy())
    drawn = search.best_estimator_.sample(N_DRAWN, random_state=seed)
    drawn = drawn * sd.to_numpy() + mean.to_numpy()
    rows = pd.DataFrame(drawn[:, : len(numbers)], columns=numbers)
    start = len(numbers)
    for column in names:
        levels = np.sort(table[column].unique())
        stop = start + len(levels)
        rows[column] = levels[drawn[:, start:stop].argmax(1)]
        start = stop
    return as_learned(rows, split.seen)


def independent(split, seed):
    """Return rows of which each column is drawn by itself."""
    random = np.random.default_rng(seed)
    drawn = {
        c: split.seen[c].sample(N_DRAWN, replace=True, random_state=random).to_numpy()
        for c in split.seen
    }
    return pd.DataFrame(drawn)


def learned(split, seed):
    """Return the rows that were learned."""
    return split.seen


def gaussian_copula(python, split, seed):
    """Return rows of SDV's Gaussian copula, and seconds without its imports."""
    rows, figures = run_peer(python, "GaussianCopula", split, seed, N_DRAWN)
    return rows, figures["fit_seconds"] + figures["sample_seconds"]


def run_peer(python, name, split, seed, n_drawn, **how):
    """Return the rows that `peer.py` draws in a process of its own, and its figures."""
    with tempfile.TemporaryDirectory() as folder:
        seen, new = (Path(folder) / f"{part}.parquet" for part in ("seen", "new"))
        split.seen.to_parquet(seen)
        script = Path(__file__).parent / "peer.py"
        command = [python, script, name, seen, new, str(n_drawn), str(seed)]
        command.append(split.target)
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, **how
        )
        # Again, as a file may bring numbers back in another type.
        rows = as_learned(pd.read_parquet(new), split.seen)
    return rows, json.loads(done.stdout.splitlines()[-1])


def timed(make, *args):
    """Return rows, and the seconds to make them."""
    start = time.perf_counter()
    rows = make(*args)
    return rows, time.perf_counter() - start


def make_all(ways, sdv, split, seed):
    """Yield the name of each way, its rows and its seconds."""
    for name in ways:
        if name != "GaussianCopula":
            yield name, *timed(WAYS[name], split, seed)
        elif sdv:
            yield name, *gaussian_copula(sdv, split, seed)


def judge(split, rows, seed):
    """Return the figures of rows, but those of many."""
    # Few held-out rows are compared with several samples of as many new ones.
    seeds = [100 * seed + i for i in range(5 if len(split.test) < 1_000 else 1)]
    return [
        100 * shape_error(split.test, rows),
        100 * trend_error(split.test, rows),
        np.mean([detection_auc(split.test, rows, random_state=s) for s in seeds]),
        utility(split.test, rows, split.target, random_state=seed),
        dcr_share(split.seen, rows, split.unseen, random_state=seed),
    ]


def judge_many(split, rows, seed):
    """Return the figures of few of the rows, and the utility of all."""
    few = rows.sample(min(N_JUDGED, len(rows)), random_state=seed, ignore_index=True)
    taught = utility(split.test, rows, split.target, random_state=seed)
    return [*judge(split, few, seed), taught]


WAYS = {
    "ours": ours,
    "SMOTENC": smotenc,
    "GaussianCopula": gaussian_copula,
    "KernelDensity": kernel_density,
    "independent": independent,
    "learned": learned,
}


def line(name, way, figures):
    """Return a line of the table: means and standard deviations."""
    means, sds = np.mean(figures, 0), np.std(figures, 0, ddof=len(figures) > 1)
    digits = [2, 2, 3, 3, 3, 3, 1]
    parts = [
        f"{mean:.{d}f} ± {sd:.{d}f}"
        for mean, sd, d in zip(means, sds, digits, strict=True)
    ]
    return f"| {' | '.join([name, way, *parts])} |"


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", nargs="+", default=[*LOADERS, *SAMPLES])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--gaps", type=float, default=0.0, help="share of numbers")
    parser.add_argument("--sdv", help="a Python that has SDV")
    args = parser.parse_args()
    print(f"| {' | '.join(['table, rows', 'way', *METRICS])} |")
    print("|---" * (2 + len(METRICS)) + "|")
    for name in args.tables:
        figures = {}
        for seed in range(args.seeds):
            split = load(args.folder, name, seed)
            if args.gaps:
                split = with_gaps(split, args.gaps, seed)
            for way, rows, seconds in make_all(args.ways, args.sdv, split, seed):
                found = [*judge_many(split, rows, seed), seconds]
                figures.setdefault(way, []).append(found)
        title = f"{name.partition('-')[0]}, {len(split.seen):,}"
        for way, found in figures.items():
            print(line(title, way, found), flush=True)
            title = ""


if __name__ == "__main__":
    main()
