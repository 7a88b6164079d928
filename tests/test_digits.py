"""Numbers are drawn as they were written."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._digits import (
    are_single,
    digits_beside,
    round_digits,
    significant_digits,
)

numbers = st.floats(1e-8, 1e8) | st.floats(-1e8, -1e-8)


@given(st.lists(numbers, min_size=1, max_size=30), st.integers(6, 14))
def test_written_digits_are_read_as_they_are(values, digits):
    written = np.array([float(f"{value:.{digits}g}") for value in values])
    np.testing.assert_array_equal(round_digits(written, digits), written)
    assert significant_digits(written) <= digits
    np.testing.assert_allclose(
        round_digits(np.array(values), digits), values, rtol=0.51 * 10 ** (1 - digits)
    )


@given(numbers, st.integers(6, 14), st.booleans(), st.sampled_from([-1, 1]))
def test_numbers_beside_are_rounded_and_on_the_right_side(value, digits, strict, sign):
    [beside] = digits_beside(np.array([value]), digits, strict, sign)
    assert round_digits(np.array([beside]), digits) == beside
    assert sign * beside > sign * value or (beside == value and not strict)
    assert beside == pytest.approx(value, rel=2 * 10 ** (1 - digits))


def test_what_has_no_digits_stays():
    rough = np.random.default_rng(0).random(1000)
    assert significant_digits(rough) is None
    assert not are_single(rough)
    assert are_single(rough.astype(np.float32).astype(float))
    odd = np.array([0.0, -0.0, np.nan, 1e300, 1e-300, 5e-324])
    np.testing.assert_array_equal(round_digits(odd, 9), odd)


@pytest.mark.parametrize("written", ["9 digits", "float32"])
def test_new_rows_are_written_as_old_ones(written):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"share": rng.beta(2, 5, 500) / 1000, "size": rng.random(500)})
    if written == "float32":
        table = table.astype(np.float32).astype(float)
    else:
        table = table.map(lambda value: float(f"{value:.9g}"))
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=50, random_state=0)
    rows = synthesizer.fit(table).sample(500)
    if written == "float32":
        again = rows.astype(np.float32).astype(float)
    else:
        again = rows.map(lambda value: float(f"{value:.9g}"))
    pd.testing.assert_frame_equal(rows, again, check_exact=True)
    assert rows["share"].nunique() > 400
