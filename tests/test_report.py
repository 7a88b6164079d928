"""The report of quality, and its page in a browser."""

import html.parser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_mixed
from test_displays import make_wide

from sklearn_tabsyn.inspection import quality_report
from sklearn_tabsyn.metrics import anchors, shape_error

ATTACK = "<script>alert('x')</script>"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="module")
def report():
    """Return a report of alike tables."""
    real, synthetic, holdout = (make_mixed(600, seed) for seed in range(3))
    return quality_report(real, synthetic, holdout, target="gift")


@pytest.fixture(scope="module")
def wide_report():
    """Return a report of 60 columns, some of which have awkward names and levels."""
    real, synthetic = (
        make_wide(120, seed).rename(columns={"$name_0$": ATTACK}) for seed in (0, 1)
    )
    synthetic["number_0"] += 3
    for table in (real, synthetic):
        table["W" * 200] = [ATTACK, "'\"&amp;", None] * 40
    return quality_report(real, synthetic)


def shuffled(table):
    """Return the table with independent columns."""
    rng = np.random.default_rng(0)
    columns = {name: rng.permutation(cells.to_numpy()) for name, cells in table.items()}
    return pd.DataFrame(columns)


def test_figures_are_those_of_the_metrics(report):
    assert list(report.figures.index) == [
        "detection",
        "shape",
        "trend",
        "missingness",
        "utility",
        "alpha_precision",
        "beta_recall",
        "dcr",
        "membership",
    ]
    real, synthetic = make_mixed(600, 0), make_mixed(600, 1)
    row = report.figures.loc["shape"]
    assert row["value"] == shape_error(real, synthetic)
    assert row["independent"] == row["real"]
    assert row["better"] == "less"
    # the same parts as the public function takes with the seed of the report
    good = anchors("shape", real, random_state=0).real
    assert row["real"] == pytest.approx(good, abs=0.02)
    closeness = report.figures["closeness"]
    assert closeness.isna().to_dict() == {
        name: name in ("dcr", "membership") for name in closeness.index
    }


def test_verdicts_of_real_shuffled_and_copied_rows(report):
    assert str(report.verdict) == "Hard to tell from real rows; no sign of copying."
    real, holdout = make_mixed(600), make_mixed(600, 2)
    copied = quality_report(real, real, holdout)
    assert copied.verdict.copying == "bad"
    assert "training rows are copied" in repr(copied)
    bare = quality_report(real, shuffled(real))
    assert bare.verdict.fidelity in ("far", "halfway")
    assert bare.verdict.ratings["shape"] == "as real rows"
    assert bare.verdict.copying == "unknown"
    assert bare.distances is None


def test_few_rows_do_not_hide_what_columns_show():
    # too few for trees
    report = quality_report(np.ones((20, 2)), np.zeros((10, 2)))
    assert report.verdict.ratings["detection"] == "as real rows"
    assert str(report.verdict).startswith("Far from real rows")
    assert "With 10 rows" in report.verdict.cautions[0]


def test_a_few_copied_rows_are_found():
    real, synthetic, holdout = np.random.default_rng(0).normal(size=(3, 900, 4))
    synthetic[:40] = real[:40]
    report = quality_report(real, synthetic, holdout)
    assert report.figures["value"]["dcr"] < 0.55
    assert report.verdict.copying == "bad"


def test_the_worst_come_first(wide_report):
    differences = wide_report.differences
    assert differences.shape_errors.index[0] == "number_0"
    assert differences.marginals.marginals[0].name == "number_0"
    assert differences.shape_errors.is_monotonic_decreasing
    assert differences.trend_errors.is_monotonic_decreasing
    assert len(differences.trend_errors) == 61 * 60 / 2
    # one bad column does not fill all pictures
    shown = [{joint.x.name, joint.y.name} for joint in differences.joints]
    assert len(set.union(*shown)) == 6


def test_reports_repeat_and_change_nothing(mixed, capsys):
    tables = mixed, make_mixed(150, 1), make_mixed(150, 2)
    before = [table.copy() for table in tables]
    one, two = (quality_report(*tables, random_state=3) for _ in range(2))
    for table, old in zip(tables, before, strict=True):
        pd.testing.assert_frame_equal(table, old)
    pd.testing.assert_frame_equal(one.figures, two.figures)
    assert one._page == two._page
    assert capsys.readouterr().err == ""
    assert not plt.get_fignums()


def test_containers_give_the_same_figures(mixed):
    tables = [t[["price", "pieces", "size"]] for t in (mixed, make_mixed(150, 1))]
    figures = quality_report(*tables, target="size").figures
    frames = [pl.from_pandas(table) for table in tables]
    polars = quality_report(*frames, target="size").figures
    pd.testing.assert_frame_equal(figures, polars)
    arrays = [table.to_numpy(object) for table in tables]
    pd.testing.assert_frame_equal(figures, quality_report(*arrays, target=2).figures)


def test_names_of_all_scripts():
    rng = np.random.default_rng(0)
    names = rng.choice(["日本", "😀", "a\nb"], (3, 60))
    tables = [pd.DataFrame({"名前 $_{": name, 0: 1}, dtype=object) for name in names]
    tables = [table.rename(columns=str) for table in tables]
    assert "名前 $_{" in quality_report(*tables)._page


def test_awkward_tables():
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"constant": 1.0, "gaps": [np.nan] * 60, "id": range(60)})
    synthetic = real.assign(constant=2.0, gaps=rng.random(60))
    report = quality_report(real, synthetic, real, target="id")
    assert report.differences.shape_errors["constant"] == 1
    assert len(report._page) > 10_000
    single = quality_report(real[["id"]], synthetic[["id"]])
    assert "trend" not in single.figures.index
    assert single.differences.trends is None
    assert "Worst pairs" not in single._page


def test_large_tables_are_thinned():
    real, synthetic, holdout = np.random.default_rng(0).normal(size=(3, 2000, 2))
    report = quality_report(real, synthetic, holdout, max_rows=100)
    assert abs(report.figures["value"]["detection"] - 0.5) < 0.2
    assert len(report.distances.synthetic) == 1000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"real": make_mixed(19)}, "at least 20 rows of real; found 19"),
        ({"synthetic": make_mixed(1)}, "at least 10 rows of synthetic; found 1"),
        ({"holdout": make_mixed(9)}, "at least 10 rows of holdout; found 9"),
        ({"synthetic": make_mixed(50)[["price"]]}, "it lacks"),
        ({"holdout": make_mixed(50)[["price"]]}, "holdout must have the columns"),
        ({"target": "nix"}, "target must name a column"),
        ({"max_rows": 3}, "max_rows"),
    ],
)
def test_bad_input(change, message):
    how = {"real": make_mixed(50), "synthetic": make_mixed(50, 1), **change}
    with pytest.raises(ValueError, match=message):
        quality_report(**how)


class Page(html.parser.HTMLParser):
    """Collects the tags of a page and all that it loads."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.loads, self.alts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.loads += [attrs[key] for key in ("src", "href", "srcset") if key in attrs]
        if tag == "img":
            self.alts.append(attrs["alt"])


def test_page_holds_all_it_needs(report, tmp_path):
    report.to_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not re.search(r"https?://|url\(|@import", text)
    assert page.loads
    assert all(uri.startswith("data:image/png;base64,") for uri in page.loads)
    assert "script" not in page.tags
    assert page.tags.count("h1") == 1
    assert page.tags.count("h2") == 5
    assert all(page.alts)
    assert text.index(str(report.verdict)) < text.index("<h2>")
    assert "Nearer to training rows" in text


def test_names_and_levels_are_escaped(wide_report):
    page = wide_report._page
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page
    shown = wide_report._repr_html_()
    assert Page(shown).tags == ["iframe"]
    assert "give them as <code>holdout</code>" in page


def test_files_are_whole_or_untouched(report, tmp_path, monkeypatch):
    with pytest.raises(IsADirectoryError, match=r"Name a file in it"):
        report.to_html(tmp_path)
    with pytest.raises(FileNotFoundError, match="Make it first"):
        report.to_html(tmp_path / "none" / "report.html")
    path = tmp_path / "report.html"
    path.write_text("old")

    def fail(*args):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="disk full"):
            report.to_html(path)
    assert path.read_text() == "old"
    report.to_html(str(path))
    assert path.read_text(encoding="utf-8") == report._page
    assert list(tmp_path.iterdir()) == [path]


def test_report_without_matplotlib(mixed, monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.setitem(sys.modules, name, None)
    report = quality_report(mixed, make_mixed(150, 1), make_mixed(150, 2))
    page = Page(report._page)
    assert "img" not in page.tags
    assert "they need matplotlib" in report._page


def test_progress_is_shown_if_asked_for(mixed, capsys):
    quality_report(mixed[:40], mixed[40:80], verbose=True)
    assert "Measuring" in capsys.readouterr().err


def browse(folder, *options):
    """Run the browser without a screen, and return what it prints."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
    command += ["--no-first-run", "--disable-background-networking", "--disable-sync"]
    command += ["--disable-component-update", f"--user-data-dir={folder / 'profile'}"]
    command += ["--allow-file-access-from-files", "--virtual-time-budget=2000"]
    how = {"capture_output": True, "text": True, "check": True, "timeout": 60}
    return subprocess.run([*command, *options], **how).stdout


PROBE = """<script>addEventListener("load", () => {
  const root = document.documentElement;
  const images = [...document.images];
  parent.document.title = [
    root.scrollWidth, innerWidth, root.scrollHeight,
    images.length, images.filter((i) => i.complete && i.naturalWidth > 99).length,
  ].join(" ");
});</script>"""


@pytest.mark.skipif(BROWSER is None, reason=f"none of {BROWSERS} is installed")
@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("name", ["report", "wide_report"])
def test_page_fits_the_window(name, width, request, tmp_path):
    page = request.getfixturevalue(name)._page
    # Pictures further down load when they are scrolled to.
    page = page.replace(' loading="lazy"', "").replace("<details", "<details open")
    probed = page.replace("</body>", f"{PROBE}</body>")
    (tmp_path / "page.html").write_text(probed, encoding="utf-8")
    # A frame, for the window of a browser may not become as narrow as a phone.
    style = f"width:{width}px;height:900px;border:0"
    frame = f'<body style="margin:0"><iframe src="page.html" style="{style}"></iframe>'
    (tmp_path / "frame.html").write_text(f"<title></title>{frame}")
    address = (tmp_path / "frame.html").as_uri()
    size = f"--window-size={max(500, width)},900"
    dump = browse(tmp_path, size, "--dump-dom", address)
    measured = re.search(r"<title>(.+)</title>", dump)[1]
    content, window, height, n_images, n_loaded = map(int, measured.split())
    assert content <= window == width
    assert height > 2000
    assert n_loaded == n_images > 6
    picture = tmp_path / "page.png"
    browse(tmp_path, size, f"--screenshot={picture}", address)
    pixels = plt.imread(picture)[:, :width, :3]
    # text and gauges rather than an empty page
    assert len(np.unique(pixels.reshape(-1, 3).round(2), axis=0)) > 100
    assert pixels.std() > 0.04
