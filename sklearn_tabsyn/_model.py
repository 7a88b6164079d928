"""The two ends of a synthesizer: from a table to encoded rows, and back."""

import numpy as np

from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._denoiser import Denoiser
from sklearn_tabsyn._encoding import Rows, TableEncoder
from sklearn_tabsyn._table import TableSchema, TargetSchema


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
    """

    def __init__(self, schemas, encoders, blocks):
        self.schemas = schemas
        self.encoders = encoders
        self.blocks = blocks

    @classmethod
    def learn(cls, X, y, weights, categorical_features, encoder, sigma_data):
        """Return the model of a table, and its encoded rows."""
        schemas = [TableSchema.from_table(X, categorical_features)]
        if y is not None:
            schemas.append(TargetSchema.from_target(y))
        encoders = [
            TableEncoder(schema, own)
            for schema, own in zip(schemas, (encoder, None), strict=False)
        ]
        tables = zip(encoders, schemas, (X, y), strict=False)
        rows = _join(
            [encoder.fit(schema.read(table)) for encoder, schema, table in tables]
        )
        codebooks = [book for encoder in encoders for book in encoder.codebooks_]
        return cls(
            schemas, encoders, describe_columns(rows, codebooks, weights, sigma_data)
        ), rows

    @property
    def column_kinds(self):
        """Name of each column to "continuous", "discrete" or "nominal"."""
        names = [column.name for column in self.schemas[0].columns]
        return dict(zip(names, self.encoders[0].kinds_, strict=True))

    def encode(self, X, y):
        """Return the encoded rows of a further table with the same columns."""
        if (y is None) != (len(self.schemas) == 1):
            raise ValueError(
                "y must be given if and only if the first fit was given y; got "
                f"y={'None' if y is None else type(y).__name__}. Set warm_start=False "
                "to fit anew."
            )
        tables = zip(self.encoders, self.schemas, (X, y), strict=False)
        return _join([e.encode(schema.read(table)) for e, schema, table in tables])

    def decode(self, values, levels):
        """Return the table, and the target if there is one, of encoded rows."""
        tables = []
        for schema, encoder in zip(self.schemas, self.encoders, strict=True):
            n_values, n_levels = encoder.n_values_, encoder.n_codebooks_
            frame = encoder.decode(values[:, :n_values], levels[:, :n_levels])
            tables.append(schema.restore(frame))
            values, levels = values[:, n_values:], levels[:, n_levels:]
        return tables[0] if len(tables) == 1 else tuple(tables)

    def build_denoiser(self, network=None):
        """Return an untrained denoiser; by the network of the last call if None."""
        if network is not None:
            self.network = network
        return Denoiser(self.blocks, self.network)


def _join(parts):
    """Return encoded rows side by side."""
    return Rows(*(np.hstack(columns) for columns in zip(*parts, strict=True)))
