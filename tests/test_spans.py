"""Numbers that tell the time between two dates."""

import numpy as np
import pandas as pd
import pytest
from conftest import find_texts

from sklearn_tabsyn import DiffusionSynthesizer

DAY, HOUR = pd.Timedelta("1D"), pd.Timedelta("1h")


def make_stays(n_rows=3000, seed=0):
    """Stays in a hotel, with what each costs, and calls before them."""
    rng = np.random.default_rng(seed)
    booked = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        rng.integers(0, 700 * 24 * 60, n_rows), "min"
    )
    arrival = booked.normalize() + pd.to_timedelta(rng.geometric(0.03, n_rows), "D")
    nights = rng.geometric(0.3, n_rows)
    departure = arrival + pd.to_timedelta(nights, "D")
    price = rng.lognormal(4, 0.4, n_rows).round(2)
    return pd.DataFrame(
        {
            "booked": booked,
            "arrival": arrival,
            "departure": departure,
            "nights": nights,
            "days": nights + 1,
            "before": ((arrival - booked) / HOUR).round(1),
            "price": price,
            "total": (price * nights).round(2),
        }
    )


def check(rows):
    """Assert that all numbers tell the time between the dates."""
    nights = (rows["departure"] - rows["arrival"]) / DAY
    np.testing.assert_array_equal(rows["nights"], nights)
    np.testing.assert_array_equal(rows["days"], nights + 1)
    before = ((rows["arrival"] - rows["booked"]) / HOUR).round(1)
    np.testing.assert_allclose(rows["before"], before, atol=0.051)
    np.testing.assert_allclose(rows["total"], rows["price"] * rows["nights"], atol=0.01)


@pytest.fixture(scope="module")
def hotel():
    return DiffusionSynthesizer(
        hidden_dim=32, max_iter=150, conditional=True, random_state=0
    ).fit(make_stays())


def test_spans_are_found_and_hold_in_new_rows(hotel):
    texts = [str(relation) for relation in hotel.relations_]
    assert "nights = days from arrival to departure" in texts
    assert "days = nights + 1" in texts
    assert "before = hours from booked to arrival" in texts
    assert "total = nights * price" in texts
    rows, stays = hotel.sample(3000), make_stays()
    check(rows)
    for name in ("nights", "before"):
        assert rows[name].median() == pytest.approx(stays[name].median(), rel=0.15)


@pytest.mark.parametrize(
    "conditions",
    [{"nights": 3}, {"days": [2, 5]}, {"nights": 2, "departure": "2025-03-04"}],
    ids=str,
)
def test_dates_suit_given_spans(hotel, conditions):
    conditions = {
        name: pd.Timestamp(asked) if isinstance(asked, str) else asked
        for name, asked in conditions.items()
    }
    rows = hotel.sample(300, conditions=conditions)
    for name, asked in conditions.items():
        assert rows[name].isin(asked if isinstance(asked, list) else [asked]).all()
    check(rows)


@pytest.mark.parametrize("unit", ["days", "hours", "minutes", "seconds"])
@pytest.mark.parametrize("whole", [False, True])
def test_units_and_what_is_counted_beside(unit, whole):
    stays = make_stays()[["booked", "arrival", "price"]]
    length = (stays["arrival"] - stays["booked"]) / pd.Timedelta(**{unit: 1})
    counted = np.floor(length) + 1 if whole else length
    stays["counted"] = counted.astype(int) if whole else counted
    more = " + 1" if whole else ""
    assert f"counted = {unit} from booked to arrival{more}" in find_texts(stays)


def make_patients(n_rows=2000, seed=0):
    """Patients, with their age at admission and months since their last visit."""
    rng = np.random.default_rng(seed)
    admitted = pd.Timestamp("2015-01-01") + pd.to_timedelta(
        rng.integers(0, 3650 * 24, n_rows), "h"
    )
    born = admitted.normalize() - pd.to_timedelta(rng.integers(0, 33000, n_rows), "D")
    visit = admitted - pd.to_timedelta(rng.integers(0, 900 * 24, n_rows), "h")
    table = pd.DataFrame({"born": born, "visit": visit, "admitted": admitted})
    return table.assign(age=full(12, admitted, born), months=full(1, admitted, visit))


def full(size, later, earlier):
    """Return how often so many months have passed between dates."""
    months, rests = [], []
    for dates in (pd.DatetimeIndex(later), pd.DatetimeIndex(earlier)):
        months.append(12 * dates.year + dates.month)
        rests.append(dates - dates.to_period("M").to_timestamp())
    return (months[0] - months[1] - (rests[0] < rests[1])) // size


def test_ages_and_months_are_found_and_hold_in_new_rows():
    patients = make_patients()
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=150, conditional=True, random_state=0
    ).fit(patients)
    texts = [str(relation) for relation in synthesizer.relations_]
    assert "age = years from born to admitted" in texts
    assert "months = months from visit to admitted" in texts
    asked = {"age": 30, "months": [2, 13]}
    leap = {"age": 0, "admitted": pd.Timestamp("2020-02-29 11:00")}
    for conditions in (None, asked, leap):
        rows = synthesizer.sample(1000, conditions=conditions)
        np.testing.assert_array_equal(
            rows["age"], full(12, rows["admitted"], rows["born"])
        )
        np.testing.assert_array_equal(
            rows["months"], full(1, rows["admitted"], rows["visit"])
        )
    rows = synthesizer.sample(300, conditions=asked)
    assert (rows["age"] == 30).all()
    assert rows["months"].isin([2, 13]).all()


def test_gaps_and_what_is_not_always_so():
    stays = make_stays()[["booked", "arrival", "departure", "nights"]]
    text = "nights = days from arrival to departure"
    gappy = stays.astype({"nights": float})
    gappy.loc[::7, "nights"] = np.nan
    gappy.loc[::5, "arrival"] = pd.NaT
    assert text in find_texts(gappy)
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=60, random_state=0)
    rows = synthesizer.fit(gappy).sample(1000).dropna()
    nights = (rows["departure"] - rows["arrival"]) / DAY
    np.testing.assert_array_equal(rows["nights"], nights)
    off = stays.copy()
    off.loc[[3, 9], "nights"] += 1
    assert f"{text} in 99.9% of the rows" in find_texts(off)
    off.loc[:50, "nights"] += 1
    assert not [t for t in find_texts(off) if t.startswith("nights =")]
    mixed = stays.assign(nights=stays["nights"].sample(frac=1).to_numpy())
    assert not [t for t in find_texts(mixed) if " from " in t]
