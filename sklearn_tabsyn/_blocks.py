"""What the denoiser must know of each column by itself, from encoded rows."""

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

# Components of a column at most, so many that trees, which cut it about as finely, see
# no more; of many columns fewer, which then tell rows apart more than where exactly a
# number is, so that all together have about as many; and rows that each has at least.
N_COMPONENTS, FEWEST_COMPONENTS, ALL_COMPONENTS, MIN_ROWS = 128, 64, 2_560, 16
# Rows for each component, and the fewest of these, where always some columns are given:
# what they tell of finer ones would be learned by heart.
GIVEN_ROWS, FEWEST_OF_GIVEN = 128, 16
# A value with at least this share of a continuous column is a component itself.
HEAVY_TIE = 0.01
# Names of up to this many levels have one-hot codes, others points in N_DENSE
# dimensions.
MAX_ONE_HOT, N_DENSE = 64, 32
# Columns share a block if the shorter has at least this share of the longer's levels.
SIMILAR = 0.6


def describe_columns(rows, codebooks, weights, sigma_data=0.5, given=False):
    """Return the marginals of all columns, as the arguments of the denoiser's blocks.

    Parameters
    ----------
    rows : Rows
        Encoded training rows.
    codebooks : list of (int, bool)
        Number of levels of each codebook column and whether they are ordered.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    sigma_data : float, default=0.5
        Standard deviation of scaled numbers (Karras et al. 2022, table 1).
    given : bool, default=False
        Whether always some columns are given.

    Returns
    -------
    blocks : list of (str, dict)
        Kind, "mixture" or "codebook", and arguments of blocks that together own every
        value and every codebook column. Only numbers and numpy arrays.
    """
    blocks = []
    n_values = rows.low.shape[1]
    if n_values:
        blocks.append(("mixture", _mixture(rows, weights, sigma_data, given)))
    shares = [
        _shares(rows.levels[:, j], n_levels, weights)
        for j, (n_levels, _) in enumerate(codebooks)
    ]
    columns = {"place": [], "dense": [], "one_hot": []}
    for j, (n_levels, ordered) in enumerate(codebooks):
        many = "dense" if n_levels > MAX_ONE_HOT else "one_hot"
        columns["place" if ordered else many].append((n_levels, j))
    for kind, members in columns.items():
        for group in _similar(members):
            arguments = {"columns": group, "priors": [shares[j] for j in group]}
            if kind == "place":
                arguments["codes"] = [_places(shares[j], sigma_data) for j in group]
            elif kind == "dense":
                arguments["codes"] = [_dense_codes(len(shares[j])) for j in group]
            blocks.append(("codebook", arguments))
    return blocks


def marginal_shares(blocks, rows):
    """Return the relative share of encoded rows by the marginals of their columns.

    Parameters
    ----------
    blocks : list of (str, dict)
        The marginals, see :func:`describe_columns`.
    rows : Rows
        Encoded rows; a column of which a row has nothing does not count.

    Returns
    -------
    shares : ndarray of shape (n_rows,), dtype float64
        Product of the shares of levels, and of the densities of values.
    """
    shares = np.ones(len(rows.levels))
    for kind, block in blocks:
        for place, column in enumerate(block["columns"]):
            if kind == "codebook":
                levels = rows.levels[:, column]
                share = block["priors"][place][levels]
                shares *= np.where(levels < 0, 1.0, share)
            else:
                value = (rows.low[:, column] + rows.high[:, column]) / 2
                density = _density(block, place, value.astype(np.float64))
                shares *= np.where(np.isnan(value), 1.0, density)
    return shares


def _density(block, place, values):
    """Return the density of a column's mixture; of a heavy tie, how often it occurs."""
    scaled = (values - block["shift"][place]) * block["scale"][place]
    means, widths, priors = (block[k][place] for k in ("means", "widths", "priors"))
    narrow = np.maximum(widths, 1e-4)
    density = norm.pdf(scaled[:, None], means, narrow) * priors
    tied = np.where(np.abs(scaled[:, None] - means) < 1e-4, priors, 0)
    # A value that is no tie is one of many: its density over a thousandth.
    density = np.where(widths > 0, density / 1_000, tied)
    return density.sum(1)


def _similar(columns):
    """Group (number of levels, column) so that little padding is needed."""
    groups = []
    for n_levels, column in sorted(columns, reverse=True):
        if not groups or n_levels < SIMILAR * groups[-1][0]:
            groups.append((n_levels, []))
        groups[-1][1].append(column)
    return [group for _, group in groups]


def _shares(levels, n_levels, weights):
    """Return the weighted share of each level; all equal if no row has one."""
    seen = levels >= 0
    counts = np.bincount(levels[seen], weights[seen], minlength=n_levels)
    if not counts.sum():
        counts = np.ones(n_levels)
    return counts / counts.sum()


def _places(prior, sigma_data):
    """Return the standardised normal scores of the mid-ranks of ordered levels."""
    rank = np.cumsum(prior) - prior / 2
    scores = ndtri(rank.clip(1e-9, 1 - 1e-9))
    shift, scale = _standard(scores, prior, sigma_data)
    return ((scores - shift) * scale)[:, None]


def _dense_codes(n_levels):
    """Return fixed random points on the unit sphere.

    They are about as far from each other as one-hot vectors, and the evidence for
    each level is as exact, in a small share of the coordinates.
    """
    codes = np.random.default_rng(n_levels).normal(size=(n_levels, N_DENSE))
    return codes / np.linalg.norm(codes, axis=1, keepdims=True)


def _standard(values, shares, sigma_data):
    """Return shift and scale to mean 0 and standard deviation `sigma_data`."""
    mean = np.average(values, weights=shares)
    sd = np.sqrt(np.average((values - mean) ** 2, weights=shares))
    return mean, sigma_data / sd if sd > 1e-12 else 1.0


def _mixture(rows, weights, sigma_data, given):
    """Return the arguments of the block of all continuous columns."""
    parts, n_columns = [], rows.low.shape[1]
    most = np.clip(ALL_COMPONENTS // n_columns, FEWEST_COMPONENTS, N_COMPONENTS)
    if given:
        most = min(most, max(len(weights) // GIVEN_ROWS, FEWEST_OF_GIVEN))
    for low, high in zip(rows.low.T, rows.high.T, strict=True):
        seen = ~np.isnan(low)
        if not seen.any():  # never a value: one standard component
            one = np.zeros(1), np.zeros(1), np.ones(1)
            parts.append(_components(*one, sigma_data, most))
            continue
        ends = low[seen].astype(np.float64), high[seen].astype(np.float64)
        parts.append(_components(*ends, weights[seen], sigma_data, most))
    width = max(len(part["means"]) for part in parts)
    # A component of prior 0 is padding.
    padding = {
        "means": 0.0,
        "widths": 1.0,
        "priors": 0.0,
        "low": np.inf,
        "high": np.inf,
    }
    arguments = {
        name: np.stack([_fill(part[name], width, fill) for part in parts])
        for name, fill in padding.items()
    }
    return {
        "columns": list(range(len(parts))),
        "shift": np.array([part["shift"] for part in parts]),
        "scale": np.array([part["scale"] for part in parts]),
        **arguments,
        "sigma_data": sigma_data,
    }


def _fill(row, length, value):
    return np.concatenate([row, np.full(length - len(row), value)])


def _components(low, high, weights, sigma_data, most):
    """Return scaling, and sorted components with their ends, of a column."""
    middle = (low + high) / 2
    shift, scale = _standard(middle, weights, sigma_data)
    order = np.argsort(middle, kind="stable")
    low, high = ((end[order] - shift) * scale for end in (low, high))
    middle, weights = (low + high) / 2, weights[order] / weights.sum()
    label = _labels(middle, weights, most)
    priors = np.bincount(label, weights)
    means = np.bincount(label, weights * middle) / priors
    spread = (middle - means[label]) ** 2 + (high - low) ** 2 / 12
    widths = np.sqrt(np.bincount(label, weights * spread) / priors)
    widths[widths < 1e-6 * sigma_data] = 0  # a tie, but for rounding
    first = np.flatnonzero(np.diff(label, prepend=-1))
    last = np.append(first[1:] - 1, len(label) - 1)
    return {
        "shift": shift,
        "scale": scale,
        "means": means,
        "widths": widths,
        "priors": priors,
        "low": low[first],
        "high": high[last],
    }


def _labels(middle, weights, most):
    """Return the component of each sorted value: equal slices and heavy ties."""
    tie = np.cumsum(np.diff(middle, prepend=middle[0]) > 0)
    share = np.bincount(tie, weights)
    several = np.bincount(tie) > 1
    heavy = ((share >= HEAVY_TIE) & several)[tie]
    n_slices = np.clip(np.count_nonzero(~heavy) // MIN_ROWS, 1, most)
    mass = np.cumsum(np.where(heavy, 0, weights))
    piece = np.floor(mass / max(mass[-1], 1e-300) * n_slices * (1 - 1e-9))
    # A heavy tie is its own component and parts the slice around it.
    border = np.diff(np.where(heavy, -1 - tie, piece)) != 0
    return np.concatenate([[0], np.cumsum(border)])
