"""The README's Python runs from top to bottom, and so do the examples."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from sklearn_tabsyn import DiffusionSynthesizer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def load(path):
    """Import a script."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_readme_runs():
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) >= 4
    names = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert len(names["rows"]) == 100


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
    mixed.to_parquet(tmp_path / "mixed.parquet")
    script = ROOT / "examples" / "benchmarks" / "fidelity.py"
    command = [sys.executable, script, tmp_path, "mixed", "--output", tmp_path / "new"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert '"table": "mixed"' in done.stdout
    for figure in ("fit_seconds", "rows_per_second", "peak_memory_mb"):
        assert f'"{figure}": ' in done.stdout
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
    for way in ("none", "random", "SMOTENC", "ours, balanced", "ours"):
        assert f'"way": "{way}"' in done.stdout
    assert done.stdout.count('"rare": "True", "rows": 100') == 5


def test_example_of_augmentation(capsys, monkeypatch):
    example = load(ROOT / "examples" / "augmentation.py")
    splits = example.make_splits
    monkeypatch.setattr(example, "make_splits", lambda y: splits(y, n_splits=2))
    example.main()
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 6
    assert rows[-1].startswith("synthetic rows ")


@pytest.mark.parametrize("name", ["fit", "sample", "sample_batches"])
def test_public_methods_are_documented(name):
    doc = getattr(DiffusionSynthesizer, name).__doc__
    for section in ("Parameters", "Returns", "Raises"):
        assert f"{section}\n        {'-' * len(section)}" in doc
