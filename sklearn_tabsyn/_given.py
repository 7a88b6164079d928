"""Rows of which some columns are given, and how the columns with a choice are drawn."""

import warnings
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import softmax

from sklearn_tabsyn._batches import middle_batch

# Noise level at which coordinates tell next to nothing, and yet training has been.
BLIND_SIGMA = 5.0
# How right a row is in which all holds.
EXACTLY = 2
# Candidates for each row where several columns have a choice.
N_CANDIDATES = 4


class Cells(NamedTuple):
    """Canonical values of rows, and which of them are given.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_units), dtype float64
        Values of all columns of the table, and of the target behind them; NaN where
        a given value is missing.
    known : ndarray of shape (n_rows, n_units), dtype bool
        Which are given.
    """

    values: np.ndarray
    known: np.ndarray

    @classmethod
    def nothing(cls, n_rows, n_units):
        """Return cells of which none is given."""
        return cls(np.zeros((n_rows, n_units)), np.zeros((n_rows, n_units), bool))


@dataclass(eq=False)
class Choice:
    """A column that may have one of several values.

    Parameters
    ----------
    unit : int
        Position of the column.
    values : ndarray of shape (n_values,), dtype float64
        Canonical values; NaN means missing.
    rows : Rows
        The values, encoded.
    shares : ndarray of shape (n_values,), dtype float64
        Relative share of each in the column by itself.
    share : float
        Share of the column that all of them have.
    is_range : bool
        Whether all between them are meant, too.
    """

    unit: int
    values: np.ndarray
    rows: object
    shares: np.ndarray
    share: float
    is_range: bool

    def allows(self, values):
        """Tell which values of the column are among those it may have."""
        if self.is_range:
            return (values >= self.values[0]) & (values <= self.values[-1])
        allowed = np.isin(values, self.values)
        return allowed | (np.isnan(values) & np.isnan(self.values).any())


@dataclass
class Given:
    """What is given of the rows that are to be drawn.

    Parameters
    ----------
    model : TableModel
        Encodes what is given.
    cells : Cells
        Of every row, or one for all rows.
    choices : list of Choice
        Columns that are not given but restricted.
    later : list of Choice
        Those of them that are made of others, and drawn with them.
    """

    model: object
    cells: Cells
    choices: list = field(default_factory=list)
    later: list = field(default_factory=list)

    @property
    def can_be_wrong(self):
        """Whether rows may be drawn in which not all holds that should."""
        return bool(self.later or self.model.relations)

    def right(self, values, levels, cells, known):
        """Return how right encoded rows are: `EXACTLY`, 1 if nearly, or 0.

        Where relations hold as far as rounding allows, they are nearly right; where
        something is not as restricted, they are not.
        """
        settled = self.model.settle(values, levels, cells, known)
        exactly, nearly = self.model.holds(settled)
        right = np.where(exactly, EXACTLY, nearly)
        for choice in self.later:
            right[~choice.allows(settled[:, choice.unit])] = 0
        return right

    def complain(self, n_right, n_drawn):
        """Warn that too few drawn rows are right, or refuse restrictions of them."""
        text = (
            f"Of {n_drawn:,} rows that were drawn beside what is given, {n_right:,} "
            "meet all of it exactly and keep what relations_ lists. "
        )
        if self.later:
            raise ValueError(text + "Ask for less, or for fewer rows.")
        warnings.warn(
            text + "So what is given is kept as it is.",
            UserWarning,
            stacklevel=2,
        )

    def block(self, denoiser, places, random):
        """Return the rows at `places`, all of whose restricted columns are drawn.

        Parameters
        ----------
        denoiser : Denoiser
            Knows how likely each value is, given others.
        places : ndarray of shape (n,), dtype int64
            Rows; those beyond the last repeat it.
        random : numpy.random.Generator
            Source of the draws.

        Returns
        -------
        cells : Cells
            Canonical values and which are known now.
        batch : Batch
            The same, encoded.
        class_labels : Tensor of shape (n, C)
            What is given, as the denoiser takes it.
        """
        places = np.minimum(places, len(self.cells.values) - 1)
        cells = Cells(*(part[places] for part in self.cells))
        if self.choices:
            cells = self._choose(denoiser, cells, random)
        return cells, *self._encode(denoiser, cells)

    def chances(self, denoiser, wanted, random, n_draws):
        """Return the probabilities of the values of columns, given all known cells.

        Parameters
        ----------
        denoiser : Denoiser
            Knows how likely each value is, given others.
        wanted : list of (Choice, ndarray)
            Columns, and the rows of which each is wanted.
        random : numpy.random.Generator
            Source of the noise that stands for what is not known.
        n_draws : int
            Draws of the noise of which the mean is taken.

        Returns
        -------
        chances : list of ndarray of shape (n_wanted, n_values)
            One for each column.
        """
        with np.errstate(divide="ignore"):  # levels that no row has
            scores = [np.log(choice.shares) for choice, _ in wanted]
        totals = [0.0] * len(wanted)
        for _ in range(n_draws):
            ratios = self._ratios(denoiser, self.cells, wanted, random)
            for place, ratio in enumerate(ratios):
                totals[place] += softmax(scores[place] + ratio, axis=1)
        return [total / n_draws for total in totals]

    def _encode(self, denoiser, cells):
        """Return encoded cells, and what is given of them."""
        rows = self.model.encode_given(*cells)
        batch = middle_batch(*(torch.from_numpy(part) for part in rows))
        batch = batch.to(denoiser.mean.device)
        known = torch.from_numpy(cells.known).to(denoiser.mean.device)
        given = denoiser.observation.encoded(batch, known)
        return batch, denoiser.labels(*given)

    def _choose(self, denoiser, cells, random):
        """Return cells with a value for each restricted column.

        One column after the other is drawn given those before; what this leaves out,
        the chance that the later ones can be met at all, weighs the candidates.
        """
        n_rows = len(cells.values)
        copies = N_CANDIDATES if len(self.choices) > 1 else 1
        cells = Cells(*(np.repeat(part, copies, 0) for part in cells))
        groups = np.unique(
            np.nan_to_num(cells.values, nan=np.inf) * cells.known,
            axis=0,
            return_inverse=True,
        )[1].ravel()
        weights = np.zeros(len(cells.values))
        # The rarest first: then the others leave the weights nearly even.
        for choice in sorted(self.choices, key=lambda choice: choice.share):
            scores = np.log(choice.shares)[None]
            if cells.known.any():
                wanted = [(choice, slice(None))]
                scores = scores + self._ratios(denoiser, cells, wanted, random)[0]
            scores = np.broadcast_to(scores, (len(weights), scores.shape[1]))
            top = scores.max(1)
            below = np.exp(scores - top[:, None]).cumsum(1)
            weights += top + np.log(below[:, -1])
            chance = random.random((len(weights), 1)) * below[:, -1:]
            picked = (below <= chance).sum(1).clip(max=len(choice.values) - 1)
            cells.values[:, choice.unit] = choice.values[picked]
            cells.known[:, choice.unit] = True
        if copies == 1:
            return cells
        kept = np.empty(n_rows, dtype=int)
        for group in np.unique(groups):
            members = np.flatnonzero(groups == group)
            rows = members[::copies] // copies
            share = np.exp(weights[members] - weights[members].max())
            # Systematic resampling, in random order.
            steps = (np.arange(len(rows)) + random.random()) / len(rows)
            found = np.searchsorted(share.cumsum() / share.sum(), steps)
            kept[rows] = random.permutation(members[found.clip(max=len(members) - 1)])
        return Cells(*(part[kept] for part in cells))

    def _ratios(self, denoiser, cells, wanted, random):
        """Return log p(value | what is given) - log p(value), (n, n_values) of each.

        At a high noise level the noisy coordinates tell nothing, so what the
        network adds to the marginal of a column is what the given columns tell.
        """
        batch, class_labels = self._encode(denoiser, cells)
        noise = random.standard_normal((len(cells.values), len(denoiser.mean)))
        with torch.inference_mode():
            clean = denoiser.encode(batch)
            noisy = denoiser.mean + BLIND_SIGMA * torch.from_numpy(noise).to(clean)
            x = torch.where(denoiser.given(class_labels), clean, noisy)
            level = x.new_full((len(x),), BLIND_SIGMA)
            ratios = [
                (block, (block.log_prior + added).log_softmax(-1) - block.log_prior)
                for block, added in denoiser.additions(x, level, class_labels)
            ]
            return [_found(ratios, *column) for column in wanted]


def _found(ratios, choice, rows):
    """Return what the ratios of all columns say of the values of one, (n, n_values)."""
    device = ratios[0][1].device
    low, high, levels = (torch.from_numpy(part).to(device) for part in choice.rows)
    parts = {"values": (low + high) / 2, "levels": levels.long()}
    total = 0.0
    for block, ratio in ratios:
        index, there = block.places(parts[block.reads])
        for column in torch.nonzero(there.any(0)).flatten().tolist():
            found = ratio[rows, column][:, index[:, column]]
            total = total + torch.where(there[:, column], found, 0.0)
    return total.double().cpu().numpy()
