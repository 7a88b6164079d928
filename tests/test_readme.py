"""The README's Python runs from top to bottom, and so do the examples."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import optuna
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes

from sklearn_tabsyn import DiffusionSynthesizer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def load(path):
    """Import a script."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) >= 4
    names = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert len(names["rows"]) == 100
    assert (tmp_path / "report.html").stat().st_size > 100_000


def test_commands_of_the_readme_install_what_they_need():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    commands = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    assert len(commands) == 2
    for command in commands:
        extra = re.search(r"pip install \"\.\[(\w+)\]\" && python (\S+)", command)
        assert f"\n{extra[1]} = [" in project
        assert extra[2] == "-m" or (ROOT / extra[2]).is_file()


def test_quickstart_draws_a_picture(tmp_path, capsys):
    example = load(ROOT / "examples" / "quickstart.py")
    example.main(tmp_path / "marginals.png")
    assert (tmp_path / "marginals.png").stat().st_size > 20_000
    assert "Picture written to" in capsys.readouterr().out
    assert (ROOT / "examples" / "quickstart.png").is_file()


def test_benchmark_of_fidelity(tmp_path, mixed):
    for name in ("mixed", "mixed_test", "alone"):
        mixed.to_parquet(tmp_path / f"{name}.parquet")
    script = ROOT / "examples" / "benchmarks" / "fidelity.py"
    command = [sys.executable, script, tmp_path, "mixed", "alone"]
    command += ["--output", tmp_path / "new"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    both, alone = map(json.loads, done.stdout.splitlines())
    assert (both["table"], alone["table"]) == ("mixed", "alone")
    assert both["fit_seconds"] > 0 < both["rows_per_second"]
    assert both["peak_memory_mb"] > 100
    assert 0 < both["shape"] < 30 and 0 < both["c2st"] < 1
    assert both.keys() - alone.keys() == {"c2st_others", "c2st_real", "dcr"}
    rows = pd.read_parquet(tmp_path / "new" / "mixed.parquet")
    assert list(rows) == list(mixed)
    assert len(rows) == len(mixed)


def test_benchmark_of_imputation(tmp_path, mixed):
    mixed.drop(columns=["gift", "day"]).to_parquet(tmp_path / "mixed.parquet")
    script = ROOT / "examples" / "benchmarks" / "imputation.py"
    command = [sys.executable, script, tmp_path, "mixed", "--max-iter", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for imputer in ("ours, mean", "ours, draw", "KNNImputer", "IterativeImputer"):
        assert f'"imputer": "{imputer}"' in done.stdout


def test_benchmark_of_augmentation(tmp_path, mixed):
    table = mixed.drop(columns=["day"]).fillna({"price": 0.0})
    for name in ("mixed", "mixed_test"):
        table.to_parquet(tmp_path / f"{name}.parquet")
    script = ROOT / "examples" / "benchmarks" / "augmentation.py"
    command = [sys.executable, script, tmp_path, "mixed", "gift"]
    command += ["--rows", "100", "--seeds", "2", "--max-iter", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ways = ["none", "random", "SMOTENC", "ours, balanced", "ours", "ours, 30,000"]
    for way in ways:
        assert f'"way": "{way}"' in done.stdout
    assert done.stdout.count('"rare": "True", "rows": 100') == len(ways)


def test_benchmark_of_distillation(tmp_path, mixed):
    for name in ("mixed", "mixed_test"):
        mixed.to_parquet(tmp_path / f"{name}.parquet")
    script = ROOT / "examples" / "benchmarks" / "distillation.py"
    command = [sys.executable, script, tmp_path, "mixed", "--few", "2"]
    command += ["--max-iter", "2", "3", "--num-steps", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [row.split(" | ")[1:3] for row in done.stdout.splitlines()[2:]]
    assert rows == [
        ["fitted", "2"],
        ["fitted", "auto"],
        ["distilled in 2 steps", "2"],
        ["distilled in 3 steps", "2"],
    ]


def test_benchmark_of_small_tables(tmp_path):
    script = ROOT / "examples" / "benchmarks" / "small_tables.py"
    command = [sys.executable, script, tmp_path, "--tables", "iris", "--seeds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = done.stdout.splitlines()
    assert rows[0].startswith("| table, rows | way | shape |")
    ways = [row.split(" | ")[1] for row in rows[2:]]
    assert ways == ["ours", "SMOTENC", "KernelDensity", "independent", "learned"]


def test_benchmark_of_peers(tmp_path, mixed):
    table = mixed.drop(columns=["day"])
    for name in ("mixed", "mixed_test"):
        table.to_parquet(tmp_path / f"{name}.parquet")
    meta = json.dumps({"mixed": {"target": "gift"}})
    (tmp_path / "meta.json").write_text(meta, encoding="utf-8")
    script = ROOT / "examples" / "benchmarks" / "peers.py"
    command = [sys.executable, script, tmp_path, "mixed", "--output", tmp_path / "new"]
    command += ["--rows", "60", "--peers", "ours", "SMOTENC", "ARF"]
    command += ["--python", f"ARF={tmp_path / 'none'}"]

    def run(*more):
        subprocess.run([*command, *more], capture_output=True, check=True)
        return (tmp_path / "new" / "results.jsonl").read_text().splitlines()

    lines = run()
    assert run() == lines
    assert len(run("--again", "SMOTENC")) == len(lines) + 1
    rows = (tmp_path / "new" / "peers.md").read_text().splitlines()
    assert rows[0].startswith("| generator | seeds | fit s | rows/s | MB | Shape % |")
    names = [row.split(" | ")[0] for row in rows[2:5]]
    assert names == ["| ours", "| ARF", "| SMOTENC"]
    assert "No such file" in rows[3]
    assert (tmp_path / "new" / "peers.png").stat().st_size > 10_000


def test_benchmark_of_growth(tmp_path, monkeypatch):
    script = ROOT / "examples" / "benchmarks" / "growth.py"
    command = [sys.executable, script, "--output", tmp_path, "--steps", "2"]
    for axis, sizes in {"rows": "20 40", "columns": "2 3", "levels": "3 9"}.items():
        command += [f"--{axis}", *sizes.split()]
    command += ["--drawn", "20", "40", "--student", "20", "40"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = done.stdout.splitlines()
    assert rows[0] == "| against | figure | sizes | values | exponent |"
    assert len(rows) == 2 + 2 * 2 + 3 * 3
    assert (tmp_path / "growth.png").stat().st_size > 20_000
    # values that grow with the square of the size
    monkeypatch.syspath_prepend(script.parent)
    growth = load(script)
    assert growth.exponent([1, 10, 100], [3, 300, 30_000]) == pytest.approx(2)
    # no row is lost between batches
    synthesizer, _ = growth.fit(growth.make_table(40, 2), 2)
    growth.stream(synthesizer, 10_001, tmp_path / "drawn.parquet")
    assert len(pd.read_parquet(tmp_path / "drawn.parquet")) == 10_001


def test_example_of_augmentation(capsys, monkeypatch):
    example = load(ROOT / "examples" / "augmentation.py")
    splits = example.make_splits
    monkeypatch.setattr(example, "make_splits", lambda y: splits(y, n_splits=2))
    example.main()
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 7
    assert rows[-1].startswith("3,000 synthetic rows ")


def test_benchmark_of_outliers(tmp_path, mixed):
    for name in ("mixed", "mixed_test"):
        mixed.drop(columns=["day", "price"]).to_parquet(tmp_path / f"{name}.parquet")
    script = ROOT / "examples" / "benchmarks" / "outliers.py"
    command = [sys.executable, script, tmp_path, "mixed", "--max-iter", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert '"IsolationForest": 0.' in done.stdout


def test_example_of_a_grid_search(tmp_path):
    example = load(ROOT / "examples" / "grid_search.py")
    table = load_diabetes(as_frame=True, scaled=False).frame
    grid = {"hidden_dim": [8, 16], "max_iter": [5, 40]}
    found = example.search_grid(table, grid)
    assert 0.5 <= found["detection_auc"].min() <= 1
    assert found["bound"].notna().all()
    example.draw_trade_off(found, tmp_path / "grid_search.png")
    assert (tmp_path / "grid_search.png").stat().st_size > 20_000
    assert set(example.halve(table, 40)) == {"hidden_dim", "learning_rate", "max_iter"}


def test_example_of_optuna():
    example = load(ROOT / "examples" / "optuna_search.py")
    study = example.search(load_diabetes(as_frame=True, scaled=False).frame, 4)
    assert len(study.trials) == 4
    assert study.best_value < 0
    # a trial that is always behind ends during its fit
    trial = optuna.trial.FixedTrial({})
    trial.should_prune = lambda: True
    fit = DiffusionSynthesizer(
        early_stopping=True, callbacks=[example.Pruning(trial)], max_iter=100
    ).fit
    with pytest.raises(optuna.TrialPruned):
        fit(load_diabetes().data)


@pytest.mark.parametrize("name", ["fit", "distill", "sample", "sample_batches"])
def test_public_methods_are_documented(name):
    doc = getattr(DiffusionSynthesizer, name).__doc__
    for section in ("Parameters", "Returns", "Raises"):
        assert f"{section}\n        {'-' * len(section)}" in doc
