"""Fit one generator of tables, draw rows, and say what it took.

    python examples/benchmarks/peer.py NAME SEEN ROWS N SEED TARGET

Reads the Parquet file SEEN, fits the generator NAME to it, and writes N rows to the
Parquet file ROWS. Prints one line of JSON: seconds of the fit, drawn rows per second,
the peak memory of the process in MB, and the version. All have their defaults; NAME is

ours             DiffusionSynthesizer
TabularARGN      of mostlyai-engine
GaussianCopula   of SDV, as are CTGAN and TVAE
ARF              of arfpy
ForestDiffusion  of the package of that name
SMOTENC          of imbalanced-learn: between neighbours of a class of the target, or of
                 a quarter of its range; SMOTE if there are no names

Needs pandas, pyarrow and the library of the generator only, so each can be run by the
Python of an environment of its own: `peers.py` and `small_tables.py` do.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype, is_numeric_dtype

MISSING = "missing"


def peak_memory():
    """Return the peak memory of this process so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # where `resource` counts the parent's memory as well
        text = status.read_text(encoding="utf-8")
        return int(text.partition("VmHWM:")[2].split()[0]) / 2**10
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def n_threads():
    """Return the number of threads to use, for libraries that start their own."""
    return int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))


def without_gaps(table):
    """Return a table in which a missing name is a name, as the simpler ways need."""
    names = table.select_dtypes(exclude="number").columns
    filled = table.copy()
    filled[names] = table[names].astype(object).fillna(MISSING).astype(str)
    return filled, list(names)


def as_learned(rows, table):
    """Return rows with the gaps and whole numbers of the table."""
    rows = rows[table.columns].copy()
    for column in rows:
        if is_integer_dtype(table[column]):
            rows[column] = rows[column].astype(float).round().astype(int)
        elif not is_numeric_dtype(table[column]):
            rows[column] = rows[column].astype(object).replace(MISSING, None)
    return rows


def fit_ours(table, target, seed):
    """Fit this package's synthesizer."""
    from sklearn_tabsyn import DiffusionSynthesizer

    return DiffusionSynthesizer(random_state=seed).fit(table).sample


def fit_tabular_argn(table, target, seed):
    """Fit the autoregressive network of mostlyai-engine."""
    from mostlyai.engine import TabularARGN

    folder = tempfile.mkdtemp()
    network = TabularARGN(random_state=seed, workspace_dir=folder, verbose=0)
    network.fit(table)
    return network.sample


def fit_sdv(name, table, target, seed):
    """Fit a synthesizer of SDV, which is told what is a number."""
    from sdv import single_table
    from sdv.metadata import Metadata

    numbers = table.select_dtypes("number").columns
    kinds = {c: "numerical" if c in numbers else "categorical" for c in table}
    columns = {c: {"sdtype": kind} for c, kind in kinds.items()}
    metadata = Metadata.load_from_dict({"tables": {"table": {"columns": columns}}})
    synthesizer = getattr(single_table, f"{name}Synthesizer")(metadata)
    synthesizer.fit({"table": table})
    synthesizer._set_random_state(seed)
    return lambda n: synthesizer.sample(n)["table"]


def fit_arf(table, target, seed):
    """Fit adversarial random forests, and densities of their leaves."""
    from arfpy import arf

    table, names = without_gaps(table)
    forest = arf.arf(x=table.astype(dict.fromkeys(names, "category")))
    forest.forde()
    return lambda n: forest.forge(n=n)


def fit_forest_diffusion(table, target, seed):
    """Fit a flow of boosted trees, of names by their codes."""
    from ForestDiffusion import ForestDiffusionModel

    table, names = without_gaps(table)
    levels = {c: np.sort(table[c].unique()) for c in names}
    coded = table.assign(
        **{c: np.searchsorted(levels[c], table[c].to_numpy()) for c in names}
    )
    places = {c: i for i, c in enumerate(table)}
    whole = [c for c in table if is_integer_dtype(table[c])]
    model = ForestDiffusionModel(
        coded.to_numpy(float),
        cat_indexes=[places[c] for c in names],
        int_indexes=[places[c] for c in whole],
        n_jobs=n_threads(),
        seed=seed,
    )

    def draw(n):
        rows = pd.DataFrame(model.generate(batch_size=n), columns=list(table))
        return rows.assign(**{c: levels[c][rows[c].astype(int)] for c in names})

    return draw


def fit_smotenc(table, target, seed):
    """Return a way to draw rows between neighbours, without those that were learned."""
    from imblearn.over_sampling import SMOTE, SMOTENC

    table, names = without_gaps(table)
    classes = table[target]
    X = table
    if target in names:
        X, names = table.drop(columns=target), names.copy()
        names.remove(target)
    else:
        classes = pd.qcut(classes, 4, labels=False)
    X = X.astype({c: float for c in X if c not in names})
    counts = classes.value_counts()

    def draw(n):
        random = np.random.default_rng(seed)
        drawn = pd.Series(random.choice(classes, n)).value_counts()
        how = {
            "sampling_strategy": counts.add(drawn, fill_value=0).astype(int).to_dict(),
            "k_neighbors": int(min(5, counts.min() - 1)),
            "random_state": seed,
        }
        smote = SMOTENC(names, **how) if names else SMOTE(**how)
        rows, labels = smote.fit_resample(X, classes)
        if target not in X:
            rows[target] = labels
        return rows.iloc[len(X) :].reset_index(drop=True)

    return draw


# How to fit each generator, the module to import, and the distribution it is in.
PEERS = {
    "ours": (fit_ours, "sklearn_tabsyn", "sklearn-tabsyn"),
    "TabularARGN": (fit_tabular_argn, "mostlyai.engine", "mostlyai-engine"),
    "GaussianCopula": (partial(fit_sdv, "GaussianCopula"), "sdv.single_table", "sdv"),
    "CTGAN": (partial(fit_sdv, "CTGAN"), "sdv.single_table", "sdv"),
    "TVAE": (partial(fit_sdv, "TVAE"), "sdv.single_table", "sdv"),
    "ARF": (fit_arf, "arfpy.arf", "arfpy"),
    "ForestDiffusion": (fit_forest_diffusion, "ForestDiffusion", "ForestDiffusion"),
    "SMOTENC": (fit_smotenc, "imblearn.over_sampling", "imbalanced-learn"),
}


def seed_all(seed):
    """Seed the global generators, which some libraries draw from."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def measure(name, table, n_drawn, seed, target):
    """Fit and draw; return the rows and the figures."""
    fit, module, library = PEERS[name]
    import_module(module)  # not counted as a part of the fit
    seed_all(seed)
    start = time.perf_counter()
    draw = fit(table, target, seed)
    fitted = time.perf_counter()
    rows = draw(n_drawn)
    sampled = time.perf_counter()
    return as_learned(rows, table), {
        "fit_seconds": round(fitted - start, 2),
        "sample_seconds": round(sampled - fitted, 2),
        "memory_mb": round(peak_memory()),
        "version": f"{library} {version(library)}",
    }


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=PEERS)
    parser.add_argument("seen", type=Path)
    parser.add_argument("rows", type=Path)
    parser.add_argument("n", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("target")
    args = parser.parse_args()
    table = pd.read_parquet(args.seen)
    rows, figures = measure(args.name, table, args.n, args.seed, args.target)
    rows.to_parquet(args.rows)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
