"""Learn a mixed table, sample new rows, and draw both side by side.

    python examples/quickstart.py [PICTURE.png]

The table is made of data that scikit-learn ships: 442 patients with their sex, age,
blood pressure and disease progression, to which a category, a date and missing values
are added. Needs matplotlib.
"""

import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes

from sklearn_tabsyn import DiffusionSynthesizer

mpl.use("agg")
import matplotlib.pyplot as plt

REAL, SYNTHETIC = "#8a8f98", "#d1495b"


def make_table():
    """Return a table of 442 patients with numbers, text, dates and gaps."""
    data = load_diabetes(as_frame=True, scaled=False).frame
    rng = np.random.default_rng(0)
    risk = pd.cut(data["bmi"], [0, 23, 28, 100], labels=["low", "medium", "high"])
    # Patients whose disease goes on fast are seen again sooner.
    days = rng.poisson(400 - data["target"].to_numpy())
    table = pd.DataFrame(
        {
            "age": data["age"].astype("int64"),
            "sex": data["sex"].map({1.0: "female", 2.0: "male"}),
            "bmi": data["bmi"],
            "pressure": data["bp"],
            "glucose": data["s6"],
            "risk": risk,
            "next_visit": pd.Timestamp("2026-01-01") + pd.to_timedelta(days, unit="D"),
            "progression": data["target"],
        }
    )
    # Blood sugar is measured less often where the risk is low.
    skipped = rng.random(len(table)) < np.where(table["risk"] == "low", 0.4, 0.05)
    table.loc[skipped, "glucose"] = np.nan
    return table


def draw_marginals(real, synthetic, path):
    """Write a picture of all columns of two tables, and of one pair of columns."""
    names = [*real, None]
    figure, axes = plt.subplots(3, 3, figsize=(10, 7.5), layout="constrained")
    for name, ax in zip(names, axes.flat, strict=True):
        if name is None:
            draw_pair(ax, real, synthetic)
        elif pd.api.types.is_numeric_dtype(real[name]) or name == "next_visit":
            draw_number(ax, real[name], synthetic[name])
        else:
            draw_category(ax, real[name], synthetic[name])
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=2, frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_number(ax, real, synthetic):
    """Draw two histograms over the same bins."""
    title = real.name
    if real.isna().any():
        shares = (f"{t.isna().mean():.0%}" for t in (real, synthetic))
        title += " (missing: {} and {})".format(*shares)
    if not pd.api.types.is_numeric_dtype(real):
        real, synthetic = (pd.Series(t.to_numpy()) for t in (real, synthetic))
    bins = 24
    if pd.api.types.is_numeric_dtype(real):
        bins = np.histogram_bin_edges(real.dropna(), 24)
    style = {"bins": bins, "density": True}
    ax.hist(real.dropna(), color=REAL, alpha=0.55, label="real", **style)
    ax.hist(
        synthetic.dropna(),
        histtype="step",
        color=SYNTHETIC,
        lw=1.8,
        label="synthetic",
        **style,
    )
    ax.set(title=title, yticks=[])
    ax.tick_params(axis="x", rotation=20 if isinstance(bins, int) else 0)


def draw_category(ax, real, synthetic):
    """Draw the shares of each category."""
    shares = [t.value_counts(normalize=True, sort=False) for t in (real, synthetic)]
    levels = list(real.value_counts(sort=False).index)
    places = np.arange(len(levels))
    for shift, share, color in zip((-0.2, 0.2), shares, (REAL, SYNTHETIC), strict=True):
        ax.bar(places + shift, share.reindex(levels).fillna(0), 0.38, color=color)
    ax.set(title=real.name, xticks=places, xticklabels=levels, yticks=[])


def draw_pair(ax, real, synthetic):
    """Draw how two columns depend on each other."""
    for table, color, size in ((real, REAL, 14), (synthetic, SYNTHETIC, 5)):
        ax.scatter(table["bmi"], table["progression"], s=size, color=color, alpha=0.7)
    ax.set(title="progression by bmi", yticks=[])


def main(path="marginals.png"):
    """Run the example."""
    table = make_table()
    synthesizer = DiffusionSynthesizer(random_state=0).fit(table)
    rows = synthesizer.sample(len(table))
    print(rows.head(), end="\n\n")
    print(f"Columns: {synthesizer.column_kinds_}", end="\n\n")
    for name, frame in (("real", table), ("synthetic", rows)):
        means = frame.groupby("risk", observed=True)["progression"].mean().round(1)
        print(f"Mean progression by risk, {name}: {means.to_dict()}")
    draw_marginals(table, rows, path)
    print(f"\nPicture written to {path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
