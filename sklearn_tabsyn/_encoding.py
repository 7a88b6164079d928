"""Between a table of numbers and the values and levels that the denoiser sees."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri
from sklearn.base import clone
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from sklearn_tabsyn._focusing._focus import Focus, free_rows
from sklearn_tabsyn._nearest import nearest_of
from sklearn_tabsyn._normal_score import NormalScoreTransformer
from sklearn_tabsyn._protection import protect
from sklearn_tabsyn._relations._all import Relations
from sklearn_tabsyn._relations._search import find_relations
from sklearn_tabsyn._round_trip import check_coverage, check_round_trip
from sklearn_tabsyn._slots import Continuous, Discrete, Nominal, blank, missing_key
from sklearn_tabsyn._steps import (
    check_steps,
    default_transformer,
    encoded_places,
    invert_step,
    is_apart,
    parts_of,
)

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
    find_relations : bool, default=True
        Whether to find exact relations between columns; none with an own encoder.
    min_count : int, default=1
        Rows in which a value must be found to be kept; see :func:`protect`.

    Attributes
    ----------
    transformer_ : ColumnTransformer
        The fitted encoder.
    slots_ : list of Continuous, Discrete and Nominal
        What each encoded column becomes, and how it is read back.
    relations_ : Relations
        What holds exactly between columns.
    focus_ : Focus
        Moves drawn numbers; none unless it is set later.
    """

    def __init__(self, schema, encoder=None, find_relations=True, min_count=1):
        self.schema = schema
        self.encoder = encoder
        self.find_relations = find_relations
        self.min_count = min_count

    def fit(self, frame):
        """Learn the encoding of a float frame and return its encoded rows.

        Raises
        ------
        ValueError
            If a step of the user's encoder cannot be inverted, or if no value of a
            column may be kept.
        """
        learned, hidden = frame, None
        if self.min_count > 1:
            learned, frame, hidden = protect(self.schema, frame, self.min_count)
        self.relations_, self.focus_ = Relations(), Focus()
        self._fit_transformer(learned)
        self.kinds_ = self._kinds()
        missing = frame.isna()
        self.n_rows_ = len(frame)
        self.gaps_ = missing.any().to_numpy()
        # A value of each column by itself: together they are no row of the table.
        self.filler_ = frame.quantile(interpolation="lower").to_numpy()
        self.ends_ = np.stack([frame.min(), frame.max()], 1)
        if self.min_count > 1:
            self.filler_ = self.ends_[:, 0]
        if self.find_relations and self.encoder is None:
            self.relations_ = self._find_relations(frame, hidden)
        self._fit_rests(frame)
        low, high = self._transform(frame)
        self._place_slots(low, high, missing.to_numpy())
        if self.encoder is not None:
            check_round_trip(self, frame.iloc[:N_CHECKED])
        return blank(self.slots_, self._rows(low, high, frame), hidden)

    def encode(self, frame):
        """Return the encoded rows of a float frame."""
        self._check_missing(frame)
        if self.encoder is None:
            frame = self._nearest(frame)
        return self._rows(*self._transform(frame), frame)

    def encode_given(self, cells, known):
        """Return the encoded rows of canonical values that are only partly known.

        What is not known is encoded as some value that is not missing.
        """
        cells = np.where(known, cells, self.filler_)
        return self._rows(*self._transform(pd.DataFrame(cells)), pd.DataFrame(cells))

    def joint_steps(self):
        """Yield the name and the columns of steps that encode columns together."""
        for name, _, columns, _ in self.blocks():
            units = {slot.unit for slot in self.slots_}
            if not units.issuperset(columns):
                yield name, columns

    def nearest(self, unit, values):
        """Return the nearest values that a column can have; NaN stays NaN."""
        column = self.schema.columns[unit]
        if column.kind == "category":
            return values
        if self.kinds_[unit] != "continuous":
            return nearest_of(self.known_values(unit), values)
        here = np.where(np.isnan(values), self.filler_[unit], values)
        nearest = column.read(column.restore(here))
        return np.where(np.isnan(values), np.nan, nearest)

    def known_values(self, unit):
        """Return sorted canonical values of a column; of a continuous one its ends."""
        column = self.schema.columns[unit]
        if column.kind == "category":
            return np.arange(float(len(column.levels)))
        if self.kinds_[unit] == "continuous":
            return self.ends_[unit]
        [slot] = [s for s in self.slots_ if s.unit == unit and not s.others]
        n_levels = slot.codebooks()[0][0]
        levels = np.zeros((n_levels, self.n_codebooks_), dtype=np.int32)
        levels[:, slot.level] = np.arange(n_levels)
        values = np.zeros((n_levels, self.n_values_))
        return np.unique(self.decode_apart(values, levels)[unit].to_numpy())

    def points(self, unit, low, high, n_points):
        """Return values of a continuous column that lie evenly between two others.

        Also returns the share of all values between the two, None if they lie evenly in
        another coordinate than the rank, and so are not equally likely.
        """
        ends = np.tile(self.filler_, (2, 1))
        ends[:, unit] = low, high
        view = self.view(pd.DataFrame(ends))
        step, columns = next((s, c) for _, s, c, _ in self.blocks() if unit in c)
        share, slot = None, next(slot for slot in self.slots_ if slot.unit == unit)
        if isinstance(step, NormalScoreTransformer):
            start, stop = step.rank_edges(view.iloc[:, columns])
            place = columns.index(unit)
            first, last = start[0, place], stop[1, place]
            coordinates = ndtri(np.linspace(first, last, 2 * n_points + 1)[1::2])
            share = float(last - first)
        else:
            encoded = self._transform(pd.DataFrame(ends))[0][:, slot.place.start]
            coordinates = np.linspace(*np.sort(encoded), n_points)
        values = np.zeros((n_points, self.n_values_))
        values[:, slot.value] = coordinates
        levels = np.zeros((n_points, self.n_codebooks_), dtype=np.int32)
        found = self.decode_apart(values, levels)[unit].to_numpy()
        column = self.schema.columns[unit]
        return self.relations_.suited(unit, column.read(column.restore(found))), share

    def decode(self, values, levels, cells=None, known=None, gaps=True):
        """Return the float frame of encoded values and levels.

        Where a cell is `known`, it is that of `cells`, as it is. Without `gaps` no
        relation to another column makes a value a missing one.
        """
        encoded = self._decode_slots(values, levels)
        frame = self._invert(encoded)
        if known is None:
            known = np.zeros(frame.shape, dtype=bool)
        else:
            frame = frame.mask(known, cells)
        marks = {link.target: levels[:, j] for link, j in self.link_places()}
        frame = self.focus_.sharpen(frame, partial(free_rows, marks, known))
        rests, codes = self._rests(encoded), encoded[:, self.code_places_]
        return self.relations_.repair(frame, known, marks, rests, codes, gaps)

    def decode_apart(self, values, levels):
        """Return the float frame of encoded columns, each by itself."""
        return self._invert(self._decode_slots(values, levels))

    def _decode_slots(self, values, levels):
        """Return the encoded matrix of values and levels."""
        encoded = np.full((len(values), self.n_encoded_), np.nan)
        for slot in self.slots_:
            slot.decode(values, levels, encoded)
        return encoded

    def _rests(self, encoded):
        """Return the rests of offsets of an encoded matrix, by their targets."""
        offsets = self.relations_.offsets
        if not offsets:
            return {}
        rests = self.rest_scores_.inverse_transform(encoded[:, self.rest_places_])
        targets = [offset.target for offset in offsets]
        return dict(zip(targets, rests.T, strict=True))

    def _fit_transformer(self, frame):
        """Fit the user's transformer if it can be inverted, or the default one."""
        transformer = self.encoder
        if transformer is None:
            transformer = default_transformer(frame, self.schema, self.min_count)
        else:
            check_steps(transformer)
        self.transformer_ = clone(transformer).set_params(sparse_threshold=0)
        self.transformer_.fit(self.view(frame))
        if self.encoder is not None:
            check_coverage(self)

    def _fit_rests(self, frame):
        """Fit the normal scores of the rests of offsets.

        They stand behind all columns, and behind them the codes of further ones.
        """
        outputs = self.transformer_.output_indices_.values()
        start = max(part.stop or 0 for part in outputs)
        rests = self.relations_.rests(frame)
        if rests.shape[1]:
            scores = NormalScoreTransformer(min_count=self.min_count)
            self.rest_scores_ = scores.fit(rests)
        self.rest_places_ = slice(start, start + rests.shape[1])
        start = self.rest_places_.stop
        self.code_places_ = slice(start, start + len(self.relations_.codings))
        self.n_encoded_ = self.code_places_.stop

    def _place_slots(self, low, high, missing):
        """Give every encoded column its place among the values and levels."""
        self.slots_ = list(self._make_slots(low, high, missing))
        self.n_values_ = self.n_codebooks_ = 0
        for slot in self.slots_:
            slot.value, slot.level = self.n_values_, self.n_codebooks_
            self.n_values_ += slot.n_values
            self.n_codebooks_ += slot.n_codebooks
        self.codebooks_ = [book for slot in self.slots_ for book in slot.codebooks()]

    def _check_missing(self, frame):
        """Refuse gaps in columns that had none."""
        for j in np.flatnonzero(frame.isna().any().to_numpy() & ~self.gaps_):
            raise ValueError(
                f"Column {self.schema.columns[j].name!r} has missing values, but had "
                "none in fit. Fill them, or fit anew."
            )

    def _nearest(self, frame):
        """Return a frame whose discrete numbers are all known ones."""
        frame = frame.copy()
        for name, step, columns, _ in self.blocks():
            if name != "discrete":
                continue
            for j, known in zip(columns, step.categories_, strict=True):
                frame[j] = nearest_of(known[~np.isnan(known)], frame[j])
        return frame

    def view(self, frame):
        """Return the frame as the transformer wants it."""
        return frame if self.encoder is None else self.schema.natural(frame)

    def _transform(self, frame):
        """Return the encoded matrix, twice: lower and upper end of each value."""
        view = self.view(frame)
        low = np.asarray(self.transformer_.transform(view), dtype=np.float64)
        high = low.copy()
        for _, step, columns, outputs in self.blocks():
            if isinstance(step, NormalScoreTransformer):
                block = view.iloc[:, columns]
                low[:, outputs], high[:, outputs] = step.intervals(block)
        ends = [(low, high)]
        if self.relations_.offsets:
            ends.append(self.rest_scores_.intervals(self.relations_.rests(frame)))
        if self.relations_.codings:
            ends.append([self.relations_.codes(frame)] * 2)
        return tuple(map(np.hstack, zip(*ends, strict=True)))

    def _find_relations(self, frame, hidden):
        """Return the relations in rows of which nothing is hidden."""
        if hidden is not None:
            frame = frame[~hidden.any(axis=1)].reset_index(drop=True)
        columns = self.schema.columns
        # Sums and products of vast numbers may overflow; then they are no relations.
        with np.errstate(over="ignore", invalid="ignore"):
            return find_relations(columns, self.kinds_, frame, self.min_count)

    def _rows(self, low, high, frame):
        n_rows = len(low)
        rows = Rows(
            np.full((n_rows, self.n_values_), np.nan, dtype=np.float32),
            np.full((n_rows, self.n_values_), np.nan, dtype=np.float32),
            np.full((n_rows, self.n_codebooks_), -1, dtype=np.int32),
        )
        for slot in self.slots_:
            slot.encode(low, high, rows)
        for link, place in self.link_places():
            rows.levels[:, place] = self.relations_.marks(link, frame)
        return rows

    def link_places(self):
        """Yield each link and its place among the levels."""
        places = {slot.unit: slot.link for slot in self.slots_ if slot.n_marks}
        for link in self.relations_.marked:
            yield link, places[link.target]

    def blocks(self):
        """Yield (name, fitted step, input columns, outputs) of the transformer."""
        inputs = self.transformer_._transformer_to_input_indices
        outputs = self.transformer_.output_indices_
        for name, step, _ in self.transformer_.transformers_:
            if len(inputs[name]):
                yield name, step, list(inputs[name]), outputs[name]

    def _make_slots(self, low, high, missing):
        """Yield the slots of all encoded columns."""
        marks = {link.target: len(link.constants) for link in self.relations_.marked}
        for _, step, columns, outputs in self.blocks():
            last = parts_of(step)[-1]
            if isinstance(last, OneHotEncoder | OrdinalEncoder):
                for column, place in zip(
                    columns, encoded_places(last, outputs), strict=True
                ):
                    ordered = self.schema.columns[column].kind == "number"
                    one_hot = isinstance(last, OneHotEncoder)
                    make = Discrete if ordered and not one_hot else Nominal
                    key = missing_key(low, place, missing[:, column])
                    slot = make.of(low, place, key)
                    slot.unit, slot.n_marks = column, marks.get(column, 0)
                    yield slot
                continue
            # Steps that mix their columns encode all of them or none.
            apart = len(columns) == outputs.stop - outputs.start and is_apart(step)
            for place, j in enumerate(range(outputs.start, outputs.stop)):
                slot = Continuous.of(low, high, slice(j, j + 1))
                slot.unit = columns[place] if apart else columns[0]
                slot.n_marks = marks.get(columns[place], 0) if apart else 0
                yield slot
        for j, offset in enumerate(self.relations_.offsets, self.rest_places_.start):
            slot = Continuous.of(low, high, slice(j, j + 1))
            slot.unit, slot.others = offset.target, offset.sources
            yield slot
        for j, coding in enumerate(self.relations_.codings, self.code_places_.start):
            there = coding.tells_gaps | ~np.isnan(low[:, j])
            slot = Nominal.of(low[there], slice(j, j + 1))
            slot.unit, *slot.others = coding.members
            yield slot

    def _kinds(self):
        """Return "continuous", "discrete" or "nominal" for each table column."""
        kinds = {}
        for _, step, columns, _ in self.blocks():
            last = parts_of(step)[-1]
            for column in columns:
                named = self.schema.columns[column].kind == "category"
                if isinstance(last, OneHotEncoder) or named:
                    kinds[column] = "nominal"
                else:
                    coded = isinstance(last, OrdinalEncoder)
                    kinds[column] = "discrete" if coded else "continuous"
        return [kinds[j] for j in range(len(self.schema.columns))]

    def _invert(self, encoded):
        """Return the float frame of an encoded matrix, each column by itself."""
        n_columns = len(self.schema.columns)
        parts = [None] * n_columns
        for name, step, columns, outputs in self.blocks():
            block = encoded[:, outputs]
            if not isinstance(step, str):
                block = np.asarray(invert_step(name, step, block))
            for place, column in enumerate(columns):
                parts[column] = block[:, place]
        frame = pd.DataFrame(dict(enumerate(parts)))
        if self.encoder is not None:
            frame.columns = self.schema.names
            return self.schema.from_natural(frame)
        return frame
