"""Small tables that many tests share."""

import os
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._encoding import TableEncoder
from sklearn_tabsyn._table import TableSchema

# Two threads on small matrices wait for each other longer than they compute.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"  # of the scripts that tests run
with warnings.catch_warnings():
    # The first tensor that meets numpy may warn about the build, not about us.
    warnings.simplefilter("ignore")
    torch.zeros(1).numpy()


def find_relations(table):
    """Return the exact relations of a table."""
    schema = TableSchema.from_table(table)
    encoder = TableEncoder(schema)
    encoder.fit(schema.read(table))
    return encoder.relations_.listed


def find_texts(table):
    """Return the exact relations of a table as text."""
    return [str(relation) for relation in find_relations(table)]


def make_mixed(n_rows=200, seed=0):
    """Return a table with every kind of column, gaps, and known dependence."""
    rng = np.random.default_rng(seed)
    size = rng.choice(["S", "M", "L"], n_rows, p=[0.5, 0.3, 0.2])
    weight = {"S": 1.0, "M": 3.0, "L": 9.0}
    price = np.array([weight[s] for s in size]) * rng.lognormal(0, 0.2, n_rows)
    table = pd.DataFrame(
        {
            "price": price.round(2),
            "discount": np.where(rng.random(n_rows) < 0.6, 0.0, rng.random(n_rows)),
            "pieces": rng.poisson(2, n_rows),
            "size": size,
            "gift": rng.random(n_rows) < 0.2,
            "day": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 365, n_rows), unit="D"),
        }
    )
    table.loc[rng.random(n_rows) < 0.15, "price"] = np.nan
    table.loc[rng.random(n_rows) < 0.1, "size"] = None
    return table


@pytest.fixture
def mixed():
    """Return a fresh mixed table of 200 rows."""
    return make_mixed()


@pytest.fixture
def fast():
    """Return a maker of synthesizers that fit in a fraction of a second."""

    def make(**params):
        defaults = {
            "hidden_dim": 32,
            "n_blocks": 1,
            "max_iter": 30,
            "num_steps": 8,
            "random_state": 0,
        }
        return DiffusionSynthesizer(**{**defaults, **params})

    return make
