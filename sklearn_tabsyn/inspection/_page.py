"""The page of a report."""

from importlib import resources

from jinja2 import Environment

from sklearn_tabsyn.inspection._figures import has_matplotlib, short
from sklearn_tabsyn.inspection._marginals import MarginalsDisplay
from sklearn_tabsyn.inspection._measures import MEASURES, PRIVACY, worth
from sklearn_tabsyn.inspection._pictures import to_data_uri
from sklearn_tabsyn.inspection._trends import heat_map_side
from sklearn_tabsyn.inspection._verdict import PRIVACY_RULE, RULE, rate

N_LISTED = 10
EDGE = 5  # percent of a gauge that stay free at both ends


def render(report):
    """Return the page of a report."""
    text = resources.files(__package__).joinpath("page.html.jinja").read_text("utf-8")
    template = Environment(autoescape=True, trim_blocks=True).from_string(text)
    differences = report.differences
    cards = [_card(name, row) for name, row in report.figures.iterrows()]
    return template.render(
        report=report,
        verdict=report.verdict,
        n_columns=len(differences.shape_errors),
        cards=[card for card in cards if card["name"] not in PRIVACY],
        privacy=[card for card in cards if card["name"] in PRIVACY],
        columns=list(differences.shape_errors.items()),
        pairs=list(differences.trend_errors.items())[:N_LISTED],
        n_listed=N_LISTED,
        rule=RULE,
        privacy_rule=PRIVACY_RULE,
        has_pictures=has_matplotlib(),
        **_pictures(report),
    )


def _card(name, row):
    """Return what the page shows of a figure."""
    measure = MEASURES[name]
    values = {key: float(row[key]) for key in ("value", "independent", "real")}
    rating = None if name in PRIVACY else rate(row["closeness"])
    places = _places(name, values)
    texts = {key: f"{value:.3f}" for key, value in values.items()}
    return {
        "name": name,
        "title": measure.title,
        "meaning": measure.meaning,
        "better": "nearer to 0.5" if measure.better == "0.5" else measure.better,
        "rating": rating,
        "places": places,
        "texts": texts,
    }


def _places(name, values):
    """Return where on a gauge, in percent from its bad end, each value lies."""
    worths = {key: worth(name, value) for key, value in values.items()}
    high = max(worths.values())
    low = min(*worths.values(), high - MEASURES[name].reach)
    room = 100 - 2 * EDGE
    return {k: EDGE + room * (w - low) / (high - low) for k, w in worths.items()}


def _pictures(report):
    """Return the pictures of the page, each as its description and its URI."""
    pictures = {"marginals": [], "joints": [], "trends": None, "distances": None}
    if not has_matplotlib():
        return pictures
    differences = report.differences
    for marginal in differences.marginals.marginals:
        display = MarginalsDisplay([marginal], 1)
        alt = f"{short(marginal.name, 60)}, real and synthetic."
        pictures["marginals"].append((alt, to_data_uri(display, (3.4, 2.3))))
    for joint in differences.joints:
        names = f"{short(joint.x.name, 60)} and {short(joint.y.name, 60)}"
        uri = to_data_uri(joint, (3.6, 5.4), n_panels=2)
        pictures["joints"].append((f"{names} together, real and synthetic.", uri))
    if differences.trends is not None:
        side = heat_map_side(len(differences.shape_errors))
        uri = to_data_uri(differences.trends, (side + 0.9, side - 0.4))
        pictures["trends"] = ("Trend error of all pairs of columns.", uri, side)
    if report.distances is not None:
        uri = to_data_uri(report.distances, (5.4, 3.2))
        text = "Distance to the closest training row, of synthetic and held-out rows."
        pictures["distances"] = (text, uri)
    return pictures
