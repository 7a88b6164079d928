"""What suits a table of so many rows and columns."""

import numpy as np

# Most rows that start from their clusters: of any table, for each column, and of wide
# tables. More teach the network better by itself.
FEW, FEW_PER_COLUMN, FEW_OF_WIDE = 1_000, 64, 2_000
# The same if of every row columns are given: what they tell takes longer to learn.
FEW_IF_GIVEN = 2_000
# The fewest steps; the second with a start if of every row columns are given.
MIN_STEPS, MIN_STEPS_IF_GIVEN = 50, 300
# Steps after which a laptop has worked for ten minutes or so, however large the table.
MAX_STEPS = 20_000
# The default batch: this share of the table, within these bounds; small ones copy less.
# The second if of every row columns are given, which larger ones teach better.
BATCH_SHARE, SHARE_IF_GIVEN, BATCH_SIZE = 1 / 16, 1 / 8, (64, 1_024)
# Passes over the rows by the largest batches, after which they are rather learned by
# heart, and rows that all smaller tables count as.
MAX_PASSES, COUNTED = 180, 8_192
# Rows between which some are held back at first, and how many at most.
HELD_BACK_OF, MAX_HELD_BACK = (1_000, 16_384), 512
# Columns from which a table counts as wide.
MANY_COLUMNS = 16
# Noise levels to walk down, and how many more at most: one for each column beyond many,
# for of many columns some are decided at almost every level.
NUM_STEPS, MORE_STEPS = 8, 8
# Rows drawn for each that is kept, and how many times as many at most for tables of
# many columns, of which a network misses more.
N_CANDIDATES, MORE_CANDIDATES = 1.25, 1.6
# Most rows and width of the network for smaller tables, and its width for all others.
WIDTHS = {100: 16, 500: 32, 2_000: 64, 12_000: 128, 24_000: 192}
WIDEST = 256


def need_start(n_rows, n_columns, conditional=0.0):
    """Tell whether rows teach more if they start from their clusters.

    `conditional` is the share of them of which columns are given.
    """
    if conditional == 1:
        return n_rows <= FEW_IF_GIVEN
    return n_rows <= np.clip(FEW_PER_COLUMN * n_columns, FEW, FEW_OF_WIDE)


def default_batch(n_rows, conditional=0.0):
    """Return how many rows a step should see."""
    share = SHARE_IF_GIVEN if conditional == 1 else BATCH_SHARE
    return int(np.clip(n_rows * share, *BATCH_SIZE))


def default_steps(n_rows, n_columns=1, has_start=False, conditional=0.0):
    """Return how many steps suit a table.

    Few for a small table, which is soon learned by heart, and more for a large one,
    though it is passed over fewer times. Measured on tables of 75 to 90,000 rows: with
    fewer steps a classifier tells the new rows apart more easily, with more they come
    nearer to the training rows than to others. Half as many as rows, or three quarters
    of those of other tables, if there is a start from clusters, beyond which less is
    left to learn. Up to half as many more of wide tables, which have more to learn.
    Tables of some thousand rows would be passed over most often, and copied most,
    without a limit. Where columns of every row are given, a start leaves half of the
    steps, but more of the fewest rows.
    """
    if has_start:
        steps = min(n_rows / 2, 24 * n_rows**0.5)
        if conditional == 1:
            return int(max(MIN_STEPS_IF_GIVEN, steps / 2))
        return int(max(MIN_STEPS, steps))
    small, middle, large = 32 * n_rows**0.5, 225 * n_rows**0.25, 1.05 * n_rows**0.75
    counted = MAX_PASSES * max(n_rows, COUNTED) / BATCH_SIZE[1]
    passed = MAX_PASSES * n_rows / min(n_rows, default_batch(n_rows, conditional))
    steps = min(max(min(small, middle), large), counted) * times_more(n_columns, 1.5)
    return int(np.clip(min(steps, passed), MIN_STEPS, MAX_STEPS))


def times_more(n_columns, most):
    """Return how many times as much a wide table takes as others, at most so many."""
    return float(np.clip(n_columns / MANY_COLUMNS, 1, most))


def rows_held_back(n_rows, conditional=0.0):
    """Return how many rows should tell which columns are independent.

    Fewer rows would hardly tell, and more are not learned by heart.
    """
    if conditional == 1 or not HELD_BACK_OF[0] < n_rows < HELD_BACK_OF[1]:
        return 0
    return min(n_rows // 8, MAX_HELD_BACK)


def default_width(n_rows):
    """Return the width of the network that suits a table.

    A narrow one takes more steps to learn few rows by heart than to learn what they
    have in common.
    """
    return next((w for most, w in WIDTHS.items() if n_rows <= most), WIDEST)


def default_num_steps(n_columns):
    """Return how many noise levels rows should walk down."""
    return NUM_STEPS + int(np.clip(n_columns - MANY_COLUMNS, 0, MORE_STEPS))


def default_candidates(n_columns):
    """Return how many rows to draw for each that is kept, 1.25 to 2."""
    return N_CANDIDATES * times_more(n_columns, MORE_CANDIDATES)
