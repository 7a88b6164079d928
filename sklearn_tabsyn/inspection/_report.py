"""A report of the quality of a synthetic table."""

import html
import os
from functools import cached_property
from pathlib import Path

import numpy as np
from pandas.api import types
from sklearn.utils import check_scalar
from tqdm.auto import tqdm

from sklearn_tabsyn._seeds import int_seed
from sklearn_tabsyn.inspection._measures import Measurer, tabulate
from sklearn_tabsyn.inspection._page import render
from sklearn_tabsyn.inspection._verdict import judge
from sklearn_tabsyn.inspection._worst import find_differences
from sklearn_tabsyn.metrics._alike import match_frames, place_of, read_alike

# Fewer rows cannot be divided into parts that are real and synthetic by turns.
LEAST_REAL, LEAST_OTHER = 20, 10


class QualityReport:
    """The quality of a synthetic table; made by :func:`quality_report`.

    A notebook shows it as a page, and :meth:`to_html` writes that page.

    Parameters
    ----------
    figures : DataFrame of shape (n_figures, 5)
        For each metric its `value`, what `independent` columns and `real` rows get,
        which values are `better`, and the `closeness`: how much of the way from
        independent columns to real rows it got, NaN of figures of privacy.
    verdict : Verdict
        What the figures say. `str(verdict)` is a sentence.
    n_rows : dict
        Number of rows of each table by name.
    differences : Differences
        Where the tables differ, the worst first: `shape_errors` of all columns and
        `trend_errors` of all pairs as Series, and the displays `marginals`, `trends`
        and `joints`.
    distances : DistanceDisplay or None
        Distances to training rows; None without held-out rows.
    target : object, default=None
        Name of the target.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.inspection import quality_report
    >>> real, synthetic = np.random.default_rng(0).normal(size=(2, 100, 2))
    >>> report = quality_report(real, synthetic)
    >>> list(report.figures.columns)
    ['value', 'independent', 'real', 'better', 'closeness']
    """

    def __init__(self, figures, verdict, n_rows, differences, distances, target=None):
        self.figures = figures
        self.verdict = verdict
        self.n_rows = n_rows
        self.differences = differences
        self.distances = distances
        self.target = target

    def to_html(self, path):
        """Write the report as one page that needs no network.

        Pictures need matplotlib; without it the page holds all but these.

        Parameters
        ----------
        path : str or path
            Where to write. A file that is there is replaced once the new one is whole.

        Raises
        ------
        IsADirectoryError
            If the path is a directory.
        FileNotFoundError
            If the directory of the path does not exist.
        """
        path = Path(path)
        if path.is_dir():
            raise IsADirectoryError(
                f"{path} is a directory. Name a file in it, such as "
                f"{path / 'report.html'}."
            )
        if not path.parent.is_dir():
            raise FileNotFoundError(
                f"The directory {path.parent} does not exist. Make it first."
            )
        _write(path, self._page)

    def _repr_html_(self):
        """Return the page in a frame, where its styles stay."""
        style = "width: 100%; height: 48rem; border: 1px solid #8884"
        page = html.escape(self._page)
        return (
            f'<iframe title="Quality report" style="{style}" srcdoc="{page}"></iframe>'
        )

    def __repr__(self):
        return f"{self.verdict}\n{self.figures.round(3)}"

    @cached_property
    def _page(self):
        return render(self)


def quality_report(
    real,
    synthetic,
    holdout=None,
    *,
    target=None,
    max_rows=5000,
    categorical_features="from_dtype",
    random_state=0,
    verbose=False,
):
    """Compare a synthetic table with the real one in every respect.

    Measures fidelity, utility and privacy beside what independent columns and real rows
    get (see :func:`~sklearn_tabsyn.metrics.anchors`), finds the worst columns and
    pairs, and says in words what that means.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        The rows that the synthesizer was trained on, at least 20. They decide what is
        a number, a date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table, at least 10 rows. Frames are matched by column names,
        arrays by position.
    holdout : array-like or DataFrame of shape (n_holdout, n_features), default=None
        Real rows that the synthesizer has not seen, at least 10. Without them nothing
        can be said of privacy.
    target : str or int, default=None
        The column that models will predict, by name or position. Without it utility is
        left out.
    max_rows : int, default=5000
        No more rows of each table than this are taken to measure detection, utility,
        precision and recall, and no more than ten times as many to measure privacy,
        chosen at random. Shape, trend and missingness take all rows.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.
    random_state : int, RandomState instance or None, default=0
        Seed of the choice of rows and of the metrics.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    report : QualityReport
        The report, with `figures`, `verdict` and displays, and `to_html(path)`.

    Raises
    ------
    ValueError
        If a table has too few rows or holds infinite numbers, the columns are not the
        same, the target is unknown or cannot be learned, or a parameter is out of its
        range.

    See Also
    --------
    sklearn_tabsyn.metrics.make_synthesis_scorer : Figures for model selection.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.inspection import quality_report
    >>> random = np.random.default_rng(0)
    >>> real = random.normal(size=(300, 1)) * [1, 1] + random.normal(size=(300, 2)) / 9
    >>> synthetic = random.permuted(real, axis=0)
    >>> report = quality_report(real, synthetic)
    >>> print(report.verdict)
    Far from real rows; copying was not looked at.
    >>> report.differences.trend_errors.round(1)
    x0  x1    0.5
    Name: trend_error, dtype: float64
    """
    check_scalar(max_rows, "max_rows", int, min_val=LEAST_REAL)
    tables = {"real": real, "synthetic": synthetic}
    if holdout is not None:
        tables["holdout"] = holdout
    frames = match_frames(**tables)
    _check_sizes(frames)
    if target is not None:
        names = frames["real"].columns
        target = names[place_of(names, target, "target")]
    how = {"categorical_features": categorical_features, "target": target}
    columns = read_alike(real=frames["real"], synthetic=frames["synthetic"], **how)
    is_category = np.array([column.is_category for column in columns])
    if target is not None:
        _fix_target(frames, columns)
    seed = int_seed(random_state)
    measurer = Measurer(frames, target, is_category, max_rows, seed)
    names = tqdm(measurer.names, "Measuring", disable=not verbose)
    figures = tabulate({name: measurer.measure(name) for name in names})
    distances = measurer.distances()
    n_rows = {name: len(frame) for name, frame in frames.items()}
    verdict = judge(figures, n_rows, distances)
    differences = find_differences(columns)
    return QualityReport(figures, verdict, n_rows, differences, distances, target)


def _check_sizes(frames):
    """Refuse tables too small to be divided."""
    for name, frame in frames.items():
        least = LEAST_REAL if name == "real" else LEAST_OTHER
        if len(frame) < least:
            raise ValueError(
                f"quality_report needs at least {least} rows of {name}; found "
                f"{len(frame)}. Give more rows."
            )


def _fix_target(frames, columns):
    """Keep a target of many integers a number where parts of it have few."""
    target = next(column for column in columns if column.is_target)
    if target.is_category:
        return
    for name, frame in frames.items():
        if types.is_integer_dtype(frame[target.name].dtype):
            frames[name] = frame.astype({target.name: "float64"})


def _write(path, text):
    """Write a file as a whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
