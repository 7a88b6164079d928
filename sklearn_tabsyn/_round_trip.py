"""Refusals of encoders of a user's own that lose something of a table."""

from sklearn_tabsyn._steps import first_difference


def check_coverage(encoder):
    """Refuse columns that no step or two steps encode."""
    owners = [[] for _ in encoder.schema.columns]
    for name, step, columns, _ in encoder.blocks():
        for column in columns:
            if not (isinstance(step, str) and step == "drop"):
                owners[column].append(name)
    for column, names in zip(encoder.schema.columns, owners, strict=True):
        if len(names) != 1:
            found = f"is encoded by {names}" if names else "is dropped"
            raise ValueError(
                f"Every column must be encoded by exactly one step of encoder, but "
                f"column {column.name!r} {found}. Give it one step, or "
                "remainder='passthrough' for numbers."
            )


def check_round_trip(encoder, frame):
    """Refuse an encoder that does not give the training rows back."""
    rows = encoder.encode(frame)
    encoded_back = encoder.decode((rows.low + rows.high) / 2, rows.levels)
    expected = encoder.schema.natural(frame)
    found = encoder.schema.natural(encoded_back)
    for name, _, columns, _ in encoder.blocks():
        for j in columns:
            row = first_difference(expected.iloc[:, j], found.iloc[:, j])
            if row is None:
                continue
            held, back = (t.iloc[[row], j].tolist()[0] for t in (expected, found))
            raise ValueError(
                f"Step {name!r} of encoder cannot be inverted: column "
                f"{encoder.schema.columns[j].name!r} held {held!r} and came back as "
                f"{back!r}. Use steps whose inverse_transform restores their input."
            )
