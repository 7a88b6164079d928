"""Between a table of numbers and the values and levels that the denoiser sees."""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from sklearn_tabsyn._links import find_links
from sklearn_tabsyn._normal_score import NormalScoreTransformer
from sklearn_tabsyn._slots import LINKED, Continuous, Discrete, Nominal

# Numbers with up to this many distinct values have a codebook.
MAX_DISCRETE = 128
# Rows on which the inverse of a user's own encoder is tried before training.
N_CHECKED = 2_000


class Rows(NamedTuple):
    """Encoded rows: continuous values and the levels of codebook columns.

    Parameters
    ----------
    low, high : ndarray of shape (n_rows, n_values), dtype float32
        Range over which a value may be spread, mostly a point; NaN where the
        row has no value.
    levels : ndarray of shape (n_rows, n_codebooks), dtype int32
        Level of each codebook column; -1 where the row has none.
    """

    low: np.ndarray
    high: np.ndarray
    levels: np.ndarray


class TableEncoder:
    """Encode the numbers of a table into values and levels, and back.

    Parameters
    ----------
    schema : TableSchema
        The columns of the table.
    encoder : ColumnTransformer, default=None
        Invertible steps for all columns; by default normal scores for numbers
        of many values and ordinal codes for all others.

    Attributes
    ----------
    transformer_ : ColumnTransformer
        The fitted encoder.
    slots_ : list of Continuous, Discrete and Nominal
        What each encoded column becomes, and how it is read back.
    """

    def __init__(self, schema, encoder=None):
        self.schema = schema
        self.encoder = encoder

    def fit(self, frame):
        """Learn the encoding of a float frame and return its encoded rows.

        Raises
        ------
        ValueError
            If a step of the user's encoder cannot be inverted.
        """
        self._fit_transformer(frame)
        low, high = self._transform(frame)
        self.kinds_ = self._kinds()
        gaps = frame.isna().any()
        self.gaps_ = {self.schema.columns[j].name for j in np.flatnonzero(gaps)}
        self.links_ = self._find_links(frame)
        self._place_slots(low, high)
        if self.encoder is not None:
            self._check_round_trip(frame.iloc[:N_CHECKED])
        return self._rows(low, high, frame)

    def encode(self, frame):
        """Return the encoded rows of a float frame."""
        self._check_missing(frame)
        if self.encoder is None:
            frame = self._nearest(frame)
        return self._rows(*self._transform(frame), frame)

    def decode(self, values, levels):
        """Return the float frame of encoded values and levels."""
        n_encoded = max(s.stop or 0 for s in self.transformer_.output_indices_.values())
        encoded = np.full((len(values), n_encoded), np.nan)
        for slot in self.slots_:
            slot.decode(values, levels, encoded)
        inverted = self._invert(encoded)
        if self.encoder is not None:
            return self.schema.from_natural(inverted)
        for link, place in self._gates():
            self._copy(link, levels[:, place] == LINKED, inverted)
        return inverted

    def _fit_transformer(self, frame):
        """Fit the user's transformer if it can be inverted, or the default one."""
        transformer = self.encoder
        if transformer is None:
            transformer = default_transformer(frame, self.schema)
        else:
            _check_steps(transformer)
        self.transformer_ = clone(transformer).set_params(sparse_threshold=0)
        self.transformer_.fit(self._view(frame))
        if self.encoder is not None:
            self._check_coverage()

    def _place_slots(self, low, high):
        """Give every encoded column its place among the values and levels."""
        self.slots_ = list(self._make_slots(low, high))
        self.n_values_ = self.n_codebooks_ = 0
        for slot in self.slots_:
            slot.value, slot.level = self.n_values_, self.n_codebooks_
            self.n_values_ += slot.n_values
            self.n_codebooks_ += slot.n_codebooks
        self.codebooks_ = [book for slot in self.slots_ for book in slot.codebooks()]

    def _check_missing(self, frame):
        """Refuse gaps in columns that had none."""
        for column, new in zip(self.schema.columns, frame.isna().any(), strict=True):
            if new and column.name not in self.gaps_:
                raise ValueError(
                    f"Column {column.name!r} has missing values, but had none in fit. "
                    "Fill them, or fit anew."
                )

    def _nearest(self, frame):
        """Return a frame whose discrete numbers are all known ones."""
        frame = frame.copy()
        for name, step, columns, _ in self._blocks():
            if name != "discrete":
                continue
            for j, known in zip(columns, step.categories_, strict=True):
                known = known[~np.isnan(known)]
                middles = (known[1:] + known[:-1]) / 2
                nearest = known[np.searchsorted(middles, frame[j])]
                frame[j] = np.where(frame[j].isna(), np.nan, nearest)
        return frame

    def _view(self, frame):
        """Return the frame as the transformer wants it."""
        return frame if self.encoder is None else self.schema.natural(frame)

    def _transform(self, frame):
        """Return the encoded matrix, twice: lower and upper end of each value."""
        view = self._view(frame)
        low = np.asarray(self.transformer_.transform(view), dtype=np.float64)
        high = low.copy()
        for _, step, columns, outputs in self._blocks():
            if isinstance(step, NormalScoreTransformer):
                block = view.iloc[:, columns]
                low[:, outputs], high[:, outputs] = step.intervals(block)
        return low, high

    def _find_links(self, frame):
        """Return the links between continuous numbers; none with a user's encoder."""
        if self.encoder is not None:
            return []
        columns = zip(self.schema.columns, self.kinds_, strict=True)
        candidates = [
            j
            for j, (column, kind) in enumerate(columns)
            if kind == "continuous" and column.is_natural
        ]
        return find_links(self.schema.natural(frame), candidates)

    def _copy(self, link, linked, frame):
        """Copy the source of a link to its target, where it has a value."""
        source, target = (self.schema.columns[j] for j in (link.source, link.target))
        values = source.natural(frame[link.source].to_numpy())
        linked = linked & ~np.isnan(values)
        frame.loc[linked, link.target] = target.from_natural(values[linked])

    def _rows(self, low, high, frame):
        n_rows = len(low)
        rows = Rows(
            np.full((n_rows, self.n_values_), np.nan, dtype=np.float32),
            np.full((n_rows, self.n_values_), np.nan, dtype=np.float32),
            np.full((n_rows, self.n_codebooks_), -1, dtype=np.int32),
        )
        for slot in self.slots_:
            slot.encode(low, high, rows)
        if self.links_:
            natural = self.schema.natural(frame)
            for link, place in self._gates():
                rows.levels[link.holds(natural), place] = LINKED
        return rows

    def _gates(self):
        """Yield each link and the place of the gate of its target."""
        continuous = [slot for slot in self.slots_ if isinstance(slot, Continuous)]
        places = {slot.column: slot.level for slot in continuous}
        encoded = {
            column: outputs.start + place
            for _, _, columns, outputs in self._blocks()
            for place, column in enumerate(columns)
        }
        for link in self.links_:
            yield link, places[encoded[link.target]]

    def _blocks(self):
        """Yield (name, fitted step, input columns, outputs) of the transformer."""
        inputs = self.transformer_._transformer_to_input_indices
        outputs = self.transformer_.output_indices_
        for name, step, _ in self.transformer_.transformers_:
            if len(inputs[name]):
                yield name, step, list(inputs[name]), outputs[name]

    def _make_slots(self, low, high):
        """Yield the slots of all encoded columns."""
        for _, step, columns, outputs in self._blocks():
            last = step.steps[-1][1] if isinstance(step, Pipeline) else step
            if isinstance(last, OneHotEncoder):
                start = outputs.start
                for levels in last._n_features_outs:
                    place = slice(start, start + levels)
                    yield Nominal.of(low, place)
                    start = place.stop
            elif isinstance(last, OrdinalEncoder):
                for column, j in zip(
                    columns, range(outputs.start, outputs.stop), strict=True
                ):
                    ordered = self.schema.columns[column].kind == "number"
                    yield (Discrete if ordered else Nominal).of(low, slice(j, j + 1))
            else:
                targets = {link.target for link in self.links_}
                for place, j in enumerate(range(outputs.start, outputs.stop)):
                    slot = Continuous.of(low, high, j)
                    slot.linked = bool(targets) and columns[place] in targets
                    yield slot

    def _kinds(self):
        """Return "continuous", "discrete" or "nominal" for each table column."""
        kinds = {}
        for _, step, columns, _ in self._blocks():
            last = step.steps[-1][1] if isinstance(step, Pipeline) else step
            for column in columns:
                named = self.schema.columns[column].kind == "category"
                if isinstance(last, OneHotEncoder) or named:
                    kinds[column] = "nominal"
                else:
                    coded = isinstance(last, OrdinalEncoder)
                    kinds[column] = "discrete" if coded else "continuous"
        return [kinds[j] for j in range(len(self.schema.columns))]

    def _invert(self, encoded):
        """Return the frame, as the transformer saw it, of an encoded matrix."""
        n_columns = len(self.schema.columns)
        parts = [None] * n_columns
        for name, step, columns, outputs in self._blocks():
            block = encoded[:, outputs]
            if not isinstance(step, str):
                block = np.asarray(_inverse(name, step, block))
            for place, column in enumerate(columns):
                parts[column] = block[:, place]
        frame = pd.DataFrame(dict(enumerate(parts)))
        if self.encoder is not None:
            frame.columns = self.schema.names
        return frame

    def _check_coverage(self):
        """Refuse columns that no step or two steps encode."""
        owners = [[] for _ in self.schema.columns]
        for name, step, columns, _ in self._blocks():
            for column in columns:
                if not (isinstance(step, str) and step == "drop"):
                    owners[column].append(name)
        for column, names in zip(self.schema.columns, owners, strict=True):
            if len(names) != 1:
                found = f"is encoded by {names}" if names else "is dropped"
                raise ValueError(
                    f"Every column must be encoded by exactly one step of encoder, but "
                    f"column {column.name!r} {found}. Give it one step, or "
                    "remainder='passthrough' for numbers."
                )

    def _check_round_trip(self, frame):
        """Refuse an encoder that does not give the training rows back."""
        rows = self.encode(frame)
        encoded_back = self.decode((rows.low + rows.high) / 2, rows.levels)
        expected = self.schema.natural(frame)
        found = self.schema.natural(encoded_back)
        for name, _, columns, _ in self._blocks():
            for j in columns:
                row = _first_difference(expected.iloc[:, j], found.iloc[:, j])
                if row is None:
                    continue
                held, back = (t.iloc[[row], j].tolist()[0] for t in (expected, found))
                raise ValueError(
                    f"Step {name!r} of encoder cannot be inverted: column "
                    f"{self.schema.columns[j].name!r} held {held!r} and came back as "
                    f"{back!r}. Use steps whose inverse_transform restores their input."
                )


def default_transformer(frame, schema):
    """Return the transformer that suits the columns of a float frame."""
    kinds = {"continuous": [], "discrete": [], "nominal": []}
    for j, column in enumerate(schema.columns):
        values = frame[j].dropna()
        if column.kind == "category" or values.empty:
            kinds["nominal"].append(j)
            continue
        # A value seen about once says no more than its neighbourhood.
        limit = max(2, min(MAX_DISCRETE, len(values) // 4))
        few = values.nunique() <= limit
        kinds["discrete" if few else "continuous"].append(j)
    return ColumnTransformer(
        [
            ("continuous", NormalScoreTransformer(), kinds["continuous"]),
            ("discrete", OrdinalEncoder(), kinds["discrete"]),
            ("nominal", OrdinalEncoder(), kinds["nominal"]),
        ]
    )


def _check_steps(transformer):
    """Refuse, by name, steps that have no inverse."""
    if not isinstance(transformer, ColumnTransformer):
        raise TypeError(
            "encoder must be a ColumnTransformer of invertible steps or None; got "
            f"{type(transformer).__name__}."
        )
    for name, step, _ in transformer.transformers:
        if isinstance(step, str):
            continue
        for part in (
            [s for _, s in step.steps] if isinstance(step, Pipeline) else [step]
        ):
            if isinstance(part, str) or part is None:
                continue
            one_way = getattr(part, "func", None) and part.inverse_func is None
            if one_way or not hasattr(part, "inverse_transform"):
                raise ValueError(
                    f"Step {name!r} of encoder cannot be inverted: "
                    f"{type(part).__name__} has no "
                    f"{'inverse_func' if one_way else 'inverse_transform'}. Use a step "
                    "that has one, such as StandardScaler or OrdinalEncoder."
                )


def _inverse(name, step, block):
    """Return what a fitted step made the columns of `block` of."""
    with warnings.catch_warnings():
        # Some scikit-learn versions check names there, which outputs do not have.
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        try:
            return step.inverse_transform(block)
        except ValueError as error:
            raise ValueError(
                f"Step {name!r} of encoder cannot be inverted: {error}"
            ) from error


def _first_difference(a, b):
    """Return the first row where two columns differ by more than rounding, or None."""
    if pd.api.types.is_numeric_dtype(a) and pd.api.types.is_numeric_dtype(b):
        # float32 inside the network rounds by about 1e-7 of the spread.
        atol = 1e-4 * float(np.nanmax(np.abs(a), initial=0.0))
        same = np.isclose(a, b, rtol=1e-3, atol=atol, equal_nan=True)
    else:
        same = ((a == b) | (a.isna() & b.isna())).to_numpy()
    return None if same.all() else int(np.argmin(same))
