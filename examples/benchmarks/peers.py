"""Learn a table beside other generators: the same rows, threads and judge.

    python examples/benchmarks/peers.py FOLDER NAME --output OUTPUT [--rows 8000]
        [--seeds 0 1 2] [--limit 600] [--threads 1]
        [--python PATH] [--python ARF=PATH] [--peers ours CTGAN ...] [--again ours]

N rows of FOLDER/NAME.parquet are learned, or all if `--rows` is not given. As many
others and FOLDER/NAME_test.parquet are held out; FOLDER/meta.json tells the target.
`peer.py` says what the generators are. All have their defaults, run in a process of
their own, and draw as many rows as they learned; imports, fit and drawing may take
`--limit` seconds. `pip install ".[benchmarks]"` installs the peers here. They need
other versions of libraries than each other: `--python` names the Python of another
environment, for all but ours or for one of them.

OUTPUT/results.jsonl gets a line for each table, number of rows and of threads,
generator and seed. What is there is not measured anew, except that of `--again`. From
all its lines about this table, OUTPUT/peers.md becomes a Markdown table: mean and
standard deviation over seeds of seconds of the fit, drawn rows per second, peak memory,
and the figures of `small_tables.py` against held-out rows; who failed is listed with
why. OUTPUT/peers.png shows how well trees tell the rows from real ones (C2ST) over the
seconds to learn and draw. Needs pyarrow, imbalanced-learn and matplotlib.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from peer import PEERS
from small_tables import judge, run_peer, sample

# The names of the figures, their titles, and how they are written.
FIGURES = {
    "fit_seconds": ("fit s", ".1f"),
    "rows_per_second": ("rows/s", ",.0f"),
    "memory_mb": ("MB", ",.0f"),
    "shape": ("Shape %", ".2f"),
    "trend": ("Trend %", ".2f"),
    "c2st": ("C2ST", ".3f"),
    "utility": ("utility", ".3f"),
    "dcr": ("DCR", ".3f"),
}
JUDGED = ["shape", "trend", "c2st", "utility", "dcr"]
KEY = ["table", "rows", "threads", "peer", "seed"]


def measure(name, split, seed, python, limit, threads):
    """Return the figures of a generator, or why it has none."""
    count = {f"{part}_NUM_THREADS": str(threads) for part in ("OMP", "MKL", "OPENBLAS")}
    how = {"timeout": limit, "env": {**os.environ, **count}}
    try:
        rows, figures = run_peer(python, name, split, seed, len(split.seen), **how)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done in {limit:.0f} s"}
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit {error.returncode}"]
        return {"failed": lines[-1]}
    except OSError as error:
        return {"failed": str(error)}
    speed = len(rows) / max(figures["sample_seconds"], 1e-2)
    found = np.round(judge(split, rows, seed), 5).tolist()
    return {
        **figures,
        "rows_per_second": round(speed),
        **dict(zip(JUDGED, found, strict=True)),
    }


def read(path):
    """Return the newest line of each table, peer and seed."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    records = [json.loads(line) for line in lines]
    return {tuple(record[part] for part in KEY): record for record in records}


def pythons(choices):
    """Return the Python of each generator, from texts such as PATH and NAME=PATH."""
    chosen = dict.fromkeys(PEERS, sys.executable)
    for text in choices:
        name, _, path = text.rpartition("=")
        others = [peer for peer in PEERS if peer != "ours"]
        chosen.update(dict.fromkeys([name] if name else others, path))
    return chosen


def by_peer(records):
    """Return the records of each generator, in the order of `peer.py`."""
    found = {name: [r for r in records if r["peer"] == name] for name in PEERS}
    return {name: those for name, those in found.items() if those}


def line(name, records):
    """Return a line of the Markdown table."""
    done = [record for record in records if "failed" not in record]
    if not done:
        gaps = [""] * (len(FIGURES) - 1)
        why = [str(len(records)), records[0]["failed"]]
        return f"| {' | '.join([name, *why, *gaps])} |"
    cells = []
    for key, (_, form) in FIGURES.items():
        values = [record[key] for record in done]
        spread = f" ± {np.std(values, ddof=1):{form}}" if len(values) > 1 else ""
        cells.append(f"{np.mean(values):{form}}{spread}")
    return f"| {' | '.join([name, str(len(done)), *cells])} |"


def write_table(records, path):
    """Write the Markdown table, and the versions below it."""
    titles = ["generator", "seeds", *(title for title, _ in FIGURES.values())]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    lines += [line(name, those) for name, those in by_peer(records).items()]
    versions = {r["version"]: None for r in records if "version" in r}
    text = "\n".join([*lines, "", f"Versions: {', '.join(versions)}."])
    path.write_text(text + "\n", encoding="utf-8")
    print(text)


def place(records):
    """Return mean seconds, mean C2ST and its standard deviation over seeds."""
    seconds = [r["fit_seconds"] + r["sample_seconds"] for r in records]
    values = [record["c2st"] for record in records]
    return np.mean(seconds), np.mean(values), np.std(values)


def label_shift(x, y, points):
    """Return how many points a label is moved away from the next point's label."""
    near = [dy for a, b, _ in points if 0 < abs(dy := y - b) < 0.04 and 0.5 < x / a < 2]
    return 5 * np.sign(sum(near))


def draw(records, path):
    """Draw C2ST over the seconds to learn and draw; both are better if low."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    ax = figure.subplots()
    done = {
        name: [record for record in those if "failed" not in record]
        for name, those in by_peer(records).items()
    }
    points = {name: place(those) for name, those in done.items() if those}
    for name, (x, y, spread) in points.items():
        color = "C3" if name == "ours" else "C0"
        ax.errorbar(x, y, spread, fmt="o", color=color)
        ax.annotate(
            name,
            (x, y),
            (9, label_shift(x, y, points.values())),
            textcoords="offset points",
            va="center",
            color=color,
            weight="bold" if name == "ours" else "normal",
        )
    ax.axhline(0.5, color="grey", linestyle="--", linewidth=1)
    ax.annotate(
        "cannot be told from real rows",
        (0.99, 0.5),
        (0, 4),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        color="grey",
    )
    first = records[0]
    ax.set(
        xscale="log",
        xlabel=f"seconds to learn and to draw {first['rows']:,} rows",
        ylabel="C2ST (0.5 is ideal, 1 is worst)",
        title=f"{first['table']}, {first['rows']:,} rows, {first['threads']} thread(s)",
    )
    ax.margins(x=0.15, y=0.1)
    ax.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


def parse():
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--limit", type=float, default=600)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--python", nargs="+", action="extend", default=[])
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--again", nargs="+", default=[], choices=PEERS)
    return parser.parse_args()


def main():
    """Run the command line."""
    args = parse()
    args.output.mkdir(parents=True, exist_ok=True)
    results = args.output / "results.jsonl"
    python = pythons(args.python)
    for seed in args.seeds:
        split = sample(args.folder, args.name, args.rows, seed)
        about = [args.name, len(split.seen), args.threads]
        for name in args.peers:
            key = (*about, name, seed)
            if key in read(results) and name not in args.again:
                continue
            how = [python[name], args.limit, args.threads]
            record = dict(zip(KEY, key, strict=True))
            record |= measure(name, split, seed, *how)
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            print(json.dumps(record), file=sys.stderr, flush=True)
    records = [r for key, r in read(results).items() if list(key[:3]) == about]
    write_table(records, args.output / "peers.md")
    draw(records, args.output / "peers.png")


if __name__ == "__main__":
    main()
