"""Imports follow the flow of the data, and files stay small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_tabsyn

PACKAGE = Path(sklearn_tabsyn.__file__).parent

# Each module may import only from modules before it.
ORDER = [
    "_evenly",
    "_nearest",
    "_groups",
    "_normal_score",
    "_digits",
    "_text",
    "_columns",
    "_categories",
    "_inference",
    "_frames",
    "_table",
    "_slots",
    "_relations._axes",
    "_relations._chains",
    "_relations._formulas",
    "_relations._links",
    "_relations._partial_links",
    "_relations._density",
    "_relations._dependent",
    "_relations._sums",
    "_relations._remainders",
    "_relations._offset",
    "_relations._offsets",
    "_relations._alike",
    "_relations._wishes",
    "_relations._functions",
    "_relations._calendar",
    "_relations._date_codes",
    "_relations._curves",
    "_relations._orders",
    "_relations._one_of",
    "_relations._products",
    "_relations._surfaces",
    "_relations._partial_products",
    "_relations._reconciling",
    "_relations._spans",
    "_relations._totals",
    "_relations._combinations",
    "_relations._listing",
    "_relations._computing",
    "_relations._drawn",
    "_relations._repair",
    "_relations._all",
    "_relations._search",
    "_relations.__init__",
    "_steps",
    "_round_trip",
    "_protection",
    "_focusing._beside",
    "_focusing._focus",
    "_focusing._near",
    "_focusing._within",
    "_encoding",
    "_scored",
    "_blocks",
    "_codebook",
    "_mixture",
    "_observation",
    "_shrinkage",
    "_clusters",
    "_noisy_gaussian",
    "_evidence",
    "_start",
    "_fast",
    "_networks",
    "_denoiser",
    "_sizes",
    "_batches",
    "_gaps",
    "_callbacks",
    "_likelihood",
    "_independence",
    "_training",
    "_recipe",
    "_sampling",
    "_spared",
    "_generation",
    "_lean",
    "_corrections",
    "_distillation",
    "_seeds",
    "_conditions",
    "_given",
    "_asked",
    "_model",
    "_focusing._learning",
    "_focusing.__init__",
    "_critic",
    "_redrawing",
    "_new_rows",
    "_student",
    "_scoring",
    "_persistence",
    "_synthesizer",
    "_imputation",
    "_resampling",
    "_augmentation",
    "_augmented",
    "_oversampling",
    "metrics._alike",
    "metrics._shape",
    "metrics._trend",
    "metrics._fidelity",
    "metrics._gower",
    "metrics._support",
    "metrics._privacy",
    "metrics._learners",
    "metrics._detection",
    "metrics._utility",
    "metrics._catalogue",
    "metrics._anchors",
    "metrics._drawn",
    "metrics._scorers",
    "metrics.__init__",
    "inspection._scales",
    "inspection._figures",
    "inspection._display",
    "inspection._marginals",
    "inspection._trends",
    "inspection._joint",
    "inspection._training",
    "inspection._distances",
    "inspection._measures",
    "inspection._verdict",
    "inspection._worst",
    "inspection._pictures",
    "inspection._page",
    "inspection._report",
    "inspection.__init__",
    "__init__",
]


def find(name):
    """Return the path of a module."""
    return PACKAGE / f"{name.replace('.', '/')}.py"


def own_imports(path):
    """Return the modules of this package that a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith(PACKAGE.name):
            yield node.module.partition(".")[2]


def test_every_module_has_its_place():
    assert set(PACKAGE.rglob("*.py")) == set(map(find, ORDER))


@pytest.mark.parametrize("name", ORDER)
def test_imports_follow_the_flow(name):
    path = find(name)
    before = ORDER[: ORDER.index(name)]
    assert set(own_imports(path)) <= set(before)
    # the encoding knows nothing of torch, the torch modules nothing of tables
    text = path.read_text(encoding="utf-8")
    if name in ORDER[: ORDER.index("_codebook")]:
        assert "import torch" not in text
    elif name in ORDER[: ORDER.index("_seeds")]:
        assert "import pandas" not in text


@pytest.mark.parametrize("name", ORDER)
def test_modules_stay_small(name):
    lines = find(name).read_text(encoding="utf-8").splitlines()
    limit = 600 if name == "_synthesizer" else 400  # parameters and their description
    assert len(lines) <= limit


def test_public_names_can_be_imported():
    for name in sklearn_tabsyn.__all__:
        assert getattr(sklearn_tabsyn, name).__doc__


def test_import_waits_for_nothing_that_only_some_need():
    code = (
        "import sys, sklearn_tabsyn; "
        "optional = 'imblearn', 'matplotlib', 'polars', 'pyarrow', 'sklearn.ensemble',"
        " 'torch._inductor', 'sklearn_tabsyn.metrics', 'sklearn_tabsyn.inspection'; "
        "print([name for name in optional if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    loaded = set(ast.literal_eval(found))
    # pandas itself may load pyarrow
    assert loaded <= {"pyarrow"}
