"""What a user asks of new rows, read and checked, as what is given of them."""

import numpy as np
import pandas as pd

from sklearn_tabsyn._blocks import marginal_shares
from sklearn_tabsyn._conditions import (
    allowed_values,
    check_conditions,
    check_names,
    possible_values,
)
from sklearn_tabsyn._given import Cells, Choice, Given
from sklearn_tabsyn._table import is_frame, open_frame


def read_asked(model, conditions=None, class_labels=None, *, n_samples=1):
    """Return what is given of rows, and how many rows there are.

    Parameters
    ----------
    model : TableModel
        Of the table that the conditions are about.
    conditions, class_labels, n_samples
        As the method `sample` takes them.

    Raises
    ------
    ValueError
        If something is asked that no row can have, or of another number of rows.
    """
    _check_conditional(model)
    parts, choices = [], []
    if not is_frame(conditions):
        conditions = {} if conditions is None else conditions
        names = [column.name for column in model.schemas[0].columns]
        for unit, asked in check_conditions(conditions, names):
            allowed = allowed_values(model.encoders[0], unit, asked)
            choices.append(choice_of(model, unit, *allowed))
    else:
        parts.append(_cells(model, conditions))
    if class_labels is not None:
        parts.append(_classes(model, class_labels))
    lengths = {len(part.values) for part in parts} - {1}
    lengths |= {n_samples} - {1}
    if len(lengths) > 1:
        raise ValueError(
            "n_samples, the rows of conditions and the class_labels must be as many; "
            f"got {sorted(lengths)}. Leave n_samples out."
        )
    if 0 in lengths:
        raise ValueError("conditions and class_labels must have rows; found none.")
    n_rows = max(lengths, default=1)
    n_different = max((len(part.values) for part in parts), default=1)
    values, known = Cells.nothing(n_different, model.n_units)
    for part in parts:
        values = np.where(part.known, part.values, values)
        known = known | part.known
    for choice in choices:
        if len(choice.values) == 1:
            values[:, choice.unit], known[:, choice.unit] = choice.values[0], True
    choices = [choice for choice in choices if len(choice.values) > 1]
    _check_joint(model, known, choices)
    later = _made_of_asked(model, known, choices)
    choices = [choice for choice in choices if choice not in later]
    return Given(model, Cells(values, known), choices, later), n_rows


def choice_of(model, unit, values, share):
    """Return the choice between values of a column of the table.

    `share` is that of a range, None of single values.
    """
    cells, known = Cells.nothing(len(values), model.n_units)
    cells[:, unit], known[:, unit] = values, True
    rows = model.encode_given(cells, known)
    value_parts, level_parts = model.layout.alone(unit)
    rows.low[:, ~value_parts] = np.nan
    rows.levels[:, ~level_parts] = -1
    shares, is_range = marginal_shares(model.blocks, rows), share is not None
    if is_range:
        shares = np.ones(len(values))
    else:
        share = float(shares.sum())
    return Choice(unit, values, rows, shares / shares.sum(), share, is_range)


def _made_of_asked(model, known, choices):
    """Return the choices of columns that relations tie to others that are asked for."""
    origins = model.encoders[0].relations_.origins
    n_columns = len(model.schemas[0].columns)
    asked = {*np.flatnonzero(known[:, :n_columns].any(0))}
    asked |= {choice.unit for choice in choices}
    later = []
    for choice in choices:
        own = origins(choice.unit)
        others = [origins(unit) for unit in asked - {choice.unit}]
        if own != {choice.unit} and any(own & other for other in others):
            later.append(choice)
    return later


def _check_conditional(model):
    if not model.conditional:
        raise ValueError(
            "Nothing can be given, for this synthesizer was fitted with "
            "conditional=False; set conditional=True and fit it anew."
        )


def _cells(model, frame):
    """Return the cells of a frame of partly filled rows."""
    schema = model.schemas[0]
    pandas, _ = open_frame(frame)
    check_names(pandas.columns, [column.name for column in schema.columns])
    values, known = Cells.nothing(len(pandas), model.n_units)
    for unit, column in enumerate(schema.columns):
        if column.name not in pandas:
            continue
        cells = pandas[column.name].reset_index(drop=True)
        there = cells.notna().to_numpy()
        known[there, unit] = True
        values[there, unit] = possible_values(model.encoders[0], unit, cells[there])
    return Cells(values, known)


def _classes(model, class_labels):
    """Return the cells of targets."""
    if not model.has_target:
        raise ValueError(
            "class_labels need a synthesizer that was fitted with y. Give conditions "
            "on columns of X, or fit with y."
        )
    labels = class_labels
    if np.ndim(labels) == 0:
        labels = np.asarray([labels], dtype=object)
    target = pd.Series(np.asarray(labels).tolist(), dtype=object)
    values, known = Cells.nothing(len(target), model.n_units)
    values[:, -1] = possible_values(model.encoders[1], 0, target)
    known[:, -1] = True
    return Cells(values, known)


def _check_joint(model, known, choices):
    """Refuse to be given some, but not all, columns that are encoded together."""
    given = known.copy()
    given[:, [choice.unit for choice in choices]] = True
    columns = model.schemas[0].columns
    for name, members in model.encoders[0].joint_steps():
        part = given[:, members]
        if (part.any(1) & ~part.all(1)).any() or any(
            c.unit in members for c in choices
        ):
            names = [columns[j].name for j in members]
            raise ValueError(
                f"Step {name!r} of encoder encodes the columns {names} together; give "
                "single values for all of them or for none."
            )
