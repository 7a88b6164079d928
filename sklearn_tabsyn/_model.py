"""The two ends of a synthesizer: from a table to encoded rows, and back."""

import numpy as np
import pandas as pd
from scipy.stats import mode

from sklearn_tabsyn._asked import choice_of
from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._conditions import all_values
from sklearn_tabsyn._denoiser import Denoiser
from sklearn_tabsyn._encoding import Rows, TableEncoder
from sklearn_tabsyn._evidence import learn_clusters
from sklearn_tabsyn._gaps import draw_gaps
from sklearn_tabsyn._given import Cells, Given
from sklearn_tabsyn._observation import Layout, Observation
from sklearn_tabsyn._protection import min_rows
from sklearn_tabsyn._scored import read_further, read_scored
from sklearn_tabsyn._sizes import need_start
from sklearn_tabsyn._start import learn_start
from sklearn_tabsyn._table import (
    TableSchema,
    TargetSchema,
    close_frame,
    open_frame,
)

# Numbers that are held in memory at a time where gaps get their mean.
MAX_NUMBERS = 8_000_000


class TableModel:
    """What is learned of a table's columns, each by itself.

    Parameters
    ----------
    schemas : list of TableSchema and TargetSchema
        How the table is read and restored, and the target if there is one.
    encoders : list of TableEncoder
        How each is encoded.
    blocks : list of (str, dict)
        The marginals of all encoded columns, see `describe_columns`.
    layout : Layout
        Which table column each encoded column belongs to.
    conditional : float
        Share of training rows of which columns are given; none can be if 0.
    """

    def __init__(self, schemas, encoders, blocks, layout, conditional):
        self.schemas = schemas
        self.encoders = encoders
        self.blocks = blocks
        self.layout = layout
        self.conditional = conditional
        self.clusters = self.start = None

    @classmethod
    def learn(
        cls,
        X,
        y,
        weights,
        categorical_features,
        encoder,
        protect_values,
        find_relations,
        sigma_data,
        conditional,
    ):
        """Return the model of a table, and its encoded rows."""
        min_count = min_rows(protect_values)
        if encoder is not None and min_count > 1:
            raise ValueError(
                "protect_values needs encoder=None, for steps of your own may keep any "
                "value. Leave one of them out."
            )
        schemas = [TableSchema.from_table(X, categorical_features)]
        if y is not None:
            schemas.append(TargetSchema.from_target(y))
        encoders = [
            TableEncoder(schema, own, find_relations, min_count)
            for schema, own in zip(schemas, (encoder, None), strict=False)
        ]
        tables = zip(encoders, schemas, (X, y), strict=False)
        rows = _join(
            [encoder.fit(schema.read(table)) for encoder, schema, table in tables]
        )
        codebooks = [book for encoder in encoders for book in encoder.codebooks_]
        blocks = describe_columns(
            rows, codebooks, weights, sigma_data, given=conditional == 1
        )
        return cls(schemas, encoders, blocks, Layout.of(encoders), conditional), rows

    @property
    def relations(self):
        """Exact relations between columns of the table."""
        return list(self.encoders[0].relations_.listed)

    @property
    def column_kinds(self):
        """Name of each column to "continuous", "discrete" or "nominal"."""
        names = [column.name for column in self.schemas[0].columns]
        return dict(zip(names, self.encoders[0].kinds_, strict=True))

    def read(self, X, y):
        """Return the canonical values of a table, and of the target behind it."""
        tables = zip(self.schemas, (X, y), strict=False)
        return np.hstack([schema.read(table) for schema, table in tables])

    def encode(self, X, y):
        """Return the encoded rows of a further table with the same columns."""
        self._check_target(y)
        tables = zip(self.encoders, self.schemas, (X, y), strict=False)
        return _join([read_further(schema, e, table) for e, schema, table in tables])

    def read_scored(self, X, y):
        """Return encoded rows, and what their log-density has beside that of these."""
        self._check_target(y)
        tables = zip(self.schemas, self.encoders, (X, y), strict=False)
        rows, extra = zip(*(read_scored(*table) for table in tables), strict=True)
        return _join(rows), sum(extra)

    @property
    def has_target(self):
        """Whether a target was learned."""
        return len(self.schemas) == 2

    def target_points(self, n_rows, n_points=32):
        """Yield columns of one target value, and the log of the width it stands for."""
        schema, encoder = self.schemas[1], self.encoders[1]
        values, widths = encoder.known_values(0), None
        if encoder.kinds_[0] == "continuous":
            values = np.unique(encoder.points(0, *values, n_points)[0])
            widths = np.log(np.gradient(values))
        for place, value in enumerate(values):
            column = schema.restore(np.full(n_rows, value))
            yield column, 0.0 if widths is None else widths[place]

    def decode(self, values, levels, cells=None, known=None):
        """Return the table, and the target if there is one, of encoded rows."""
        frames = self.decode_frames(values, levels, cells, known)
        pairs = zip(self.schemas, frames, strict=True)
        tables = tuple(schema.restore(frame) for schema, frame in pairs)
        return tables[0] if len(tables) == 1 else tables

    def settle(self, values, levels, cells=None, known=None):
        """Return the canonical values that encoded rows are restored as."""
        frames = self.decode_frames(values, levels, cells, known)
        pairs = zip(self.schemas, frames, strict=True)
        columns = (pair for schema, frame in pairs for pair in schema.canonical(frame))
        return np.column_stack([column.settle(cells) for column, cells in columns])

    def holds(self, settled):
        """Tell in which rows of settled values relations hold, exactly and nearly."""
        table = pd.DataFrame(settled[:, : len(self.schemas[0].columns)])
        return self.encoders[0].relations_.holds(table)

    def decode_cells(self, values, levels, cells, known):
        """Return the canonical values of encoded rows of the table."""
        frames = self.decode_frames(values, levels, cells, known, gaps=False)
        return next(frames).to_numpy(dtype=np.float64)

    def decode_frames(self, values, levels, cells=None, known=None, gaps=True):
        """Yield the canonical values of the table, and of the target behind it."""
        unit = 0
        for schema, encoder in zip(self.schemas, self.encoders, strict=True):
            n_values, n_levels = encoder.n_values_, encoder.n_codebooks_
            given = ()
            if known is not None:
                units = slice(unit, unit + len(schema.columns))
                given = cells[:, units], known[:, units]
                unit = units.stop
            own = values[:, :n_values], levels[:, :n_levels]
            yield encoder.decode(*own, *given, gaps=gaps)
            values, levels = values[:, n_values:], levels[:, n_levels:]

    def read_gaps(self, X):
        """Return the cells of a table, and where it has gaps.

        Unknown categories are neither.
        """
        frame, _ = open_frame(X)
        values = np.zeros((len(frame), self.n_units))
        gaps = np.zeros(frame.shape, dtype=bool)
        for unit, column in enumerate(self.schemas[0].columns):
            cells = frame.iloc[:, unit].reset_index(drop=True)
            gaps[:, unit] = cells.isna()
            if gaps[:, unit].all():  # of whatever dtype
                values[:, unit] = np.nan
                continue
            # Numbers of few values take the nearest known one.
            read = column.read_known(cells)
            values[:, unit] = self.encoders[0].nearest(unit, read)
        return Cells(values, ~np.isnan(values)), gaps

    def centers(self, draws):
        """Return means of numbers and modes of names, (n, units), of (n, k, units)."""
        centers = draws.mean(1)
        for unit, kind in enumerate(self.encoders[0].kinds_):
            if kind == "nominal":
                centers[:, unit] = mode(draws[:, :, unit], axis=1).mode
        return centers

    def expect(self, denoiser, cells, gaps, random, n_draws):
        """Return means of numbers and modes of names of the gaps of rows.

        Unlike :meth:`centers` they come from the distribution of each gap itself.
        Columns that are encoded together have no such.
        """
        expected = np.zeros(gaps.shape)
        choices = [
            choice_of(self, unit, *all_values(self.encoders[0], unit))
            for unit in np.flatnonzero(gaps.any(0))
        ]
        n_numbers = sum(denoiser.n_outputs) + sum(len(c.values) for c in choices)
        n_parts = 1 + len(gaps) * n_numbers // MAX_NUMBERS
        for rows in np.array_split(np.arange(len(gaps)), n_parts):
            given = Given(self, Cells(*(part[rows] for part in cells)))
            wanted = [(choice, gaps[rows, choice.unit]) for choice in choices]
            found = given.chances(denoiser, wanted, random, n_draws)
            for (choice, here), chances in zip(wanted, found, strict=True):
                expected[rows[here], choice.unit] = self._center(choice, chances)
        known = cells.known[:, : gaps.shape[1]]
        frame = np.where(known, cells.values[:, : gaps.shape[1]], expected)
        frame = pd.DataFrame(np.where(known | gaps, frame, np.nan))
        return self.encoders[0].relations_.repair(frame, known, gaps=False).to_numpy()

    def _center(self, choice, chances):
        """Return the mean value of a column, or the likeliest name, (n,)."""
        if self.encoders[0].kinds_[choice.unit] == "nominal":
            return choice.values[chances.argmax(1)]
        return self.schemas[0].columns[choice.unit].settle(chances @ choice.values)

    def _check_target(self, y):
        """Refuse a target that was not there in fit, and one that is not there now."""
        if (y is None) != (len(self.schemas) == 1):
            raise ValueError(
                "y must be given if and only if the first fit was given y; got "
                f"y={'None' if y is None else type(y).__name__}. Make it a column of X "
                "to learn both alike."
            )

    @property
    def has_joint_steps(self):
        """Whether some columns are encoded together."""
        return any(len(members) > 1 for _, members in self.encoders[0].joint_steps())

    def fill(self, X, rows, gaps, values):
        """Return a table whose gaps in `rows` are filled by canonical values."""
        frame, container = open_frame(X)
        frame = frame.copy()
        for unit, column in enumerate(self.schemas[0].columns):
            here = gaps[rows, unit]
            if not here.any():
                continue
            new = column.restore(values[here, unit])
            frame.isetitem(unit, _filled(frame.iloc[:, unit], rows[here], new))
        return close_frame(frame, container)

    def encode_given(self, cells, known):
        """Return the encoded rows of canonical values that are only partly known."""
        splits = np.cumsum([len(schema.columns) for schema in self.schemas])[:-1]
        parts = (np.split(part, splits, axis=1) for part in (cells, known))
        triples = zip(self.encoders, *parts, strict=True)
        return _join([e.encode_given(cells, known) for e, cells, known in triples])

    @property
    def n_units(self):
        """Number of columns of the table and the target."""
        return sum(len(schema.columns) for schema in self.schemas)

    def build_denoiser(self, network=None):
        """Return an untrained denoiser; by the network of the last call if None."""
        if network is not None:
            self.network = network
        observation = None
        if self.conditional:
            observation = Observation(self.layout, self.conditional)
        denoiser = Denoiser(self.blocks, self.network, observation)
        self._begin(denoiser)
        return denoiser

    def fill_few(self, denoiser, dataset):
        """Fill the gaps of a dataset by what the rest of a row tells, if rows are few.

        Many rows teach a network what to do about gaps.
        """
        if self._are_few(dataset):
            dataset.draws = draw_gaps(denoiser, dataset)

    def learn_start(self, denoiser, dataset):
        """Let a denoiser draw from how rows spread, and start from clusters of few."""
        self.start = learn_start(denoiser, dataset)
        if self._are_few(dataset):
            given = self.conditional == 1
            self.clusters = learn_clusters(denoiser, dataset, given=given)
        self._begin(denoiser)

    def _are_few(self, dataset):
        """Tell whether rows are so few that their clusters should tell of them, too."""
        return need_start(len(dataset), self.n_units, self.conditional)

    def _begin(self, denoiser):
        """Let a denoiser begin where all of this model do, if that is known."""
        if self.start is not None:
            denoiser.draw_from(*self.start)
        if self.clusters is not None:
            denoiser.learn_from(self.clusters)


def _filled(column, rows, new):
    """Return a column with new cells in some rows; none of its own if in all."""
    if len(rows) == len(column):
        return new.set_axis(column.index)
    column = column.copy()
    if not isinstance(column.dtype, pd.CategoricalDtype):
        column.iloc[rows] = new.array
        return column
    known = column.cat.categories
    column = column.cat.add_categories(pd.unique(new[~new.isin(known)]))
    column.iloc[rows] = new.tolist()
    return column


def _join(parts):
    """Return encoded rows side by side."""
    return Rows(*(np.hstack(columns) for columns in zip(*parts, strict=True)))
