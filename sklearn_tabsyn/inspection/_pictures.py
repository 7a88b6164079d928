"""Pictures of displays as text that a page can hold."""

import base64
import copy
import io
import warnings

DPI = 150


def to_data_uri(display, size, n_panels=1):
    """Return a display drawn as a PNG, in a URI; panels lie below each other.

    Neither the display nor pyplot keeps the figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(n_panels, 1)
    copy.copy(display).plot(axes)
    file = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    text = base64.b64encode(file.getvalue()).decode("ascii")
    return f"data:image/png;base64,{text}"
