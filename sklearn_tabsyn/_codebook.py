"""Columns of finitely many values: their coordinates and their exact posterior."""

import torch
from torch import Tensor, nn
from torch.nn import functional

# A level that nearly all rows have makes the evidence for it no stronger than this.
MIN_NOVELTY = 0.3
# Numbers that processors of the day compute at once.
LANES = 16


class Codebook(nn.Module):
    """Columns whose value is one of K codes, seen through Gaussian noise.

    A code is a point: a place on a line for ordered numbers, a one-hot vector or
    any other vector for names. What a column that knows nothing of the others
    would believe about its code, given its noisy coordinates, is Bayes' rule and
    needs no learning. A network only adds to these logits what the other columns
    tell. Columns with fewer levels than the largest are padded with levels of
    probability zero, so that all columns are computed at once.

    Parameters
    ----------
    columns : sequence of int
        Place of each column in the matrix of levels that :meth:`encode` reads.
    priors : sequence of ndarray of shape (n_levels,)
        Share of each level among the training rows, one array for each column.
    codes : sequence of ndarray of shape (n_levels, n_dims), default=None
        The points of the levels, for each column; one-hot vectors if None.

    Notes
    -----
    Shapes: `n` rows, `C` columns, `K` levels, `d` coordinates of a column
    (`d = K` for one-hot vectors).
    """

    reads = "levels"

    def __init__(self, columns, priors, codes=None):
        super().__init__()
        self.n_columns, self.n_levels = len(columns), max(map(len, priors))
        prior = _pad(priors, self.n_levels)
        self.register_buffer("columns", torch.as_tensor(columns, dtype=torch.long))
        self.register_buffer("log_prior", prior.log())
        codes = None if codes is None else _pad(codes, self.n_levels)
        self.register_buffer("codes", codes)
        self.n_dims = self.n_levels if codes is None else codes.shape[-1]
        self.n_outputs = self.n_columns * self.n_levels
        self.register_buffer("mean", self._expected(prior).flatten())
        squares = prior if codes is None else (prior[..., None] * codes**2).sum(1)
        variance = squares.flatten() - self.mean**2
        self.register_buffer("variance", variance.clamp(min=0))

    @property
    def novelty(self):
        """What each coordinate, (C * d,), tells that others of its column do not.

        A number by which correlations are multiplied: so all codes of a one-hot column
        together explain as much of another column as its levels do.
        """
        if self.codes is None:
            return (1 - self.mean).clamp(min=0).sqrt()
        return torch.ones_like(self.mean)

    def encode(self, levels):
        """Return the coordinates, (n, C * d), of the rows' levels."""
        levels = levels[:, self.columns]
        if self.codes is None:
            return functional.one_hot(levels, self.n_levels).flatten(1).float()
        columns = torch.arange(self.n_columns, device=levels.device)
        return self.codes[columns, levels].flatten(1)

    def logits(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Return log prior + log N(x; code, sigma^2), up to a constant of the row.

        `x` has the shape (n, C * d), `sigma` (n, 1) or (n, C), the result (n, C, K).
        """
        if self.n_dims == 1 and self.codes is not None:
            codes = self.codes[..., 0] / sigma[..., None]
            scores = (x / sigma)[:, :, None] - codes
            return torch.addcmul(self.log_prior, scores, scores, value=-0.5)
        return torch.addcdiv(self.log_prior, self._evidence(x), sigma[..., None] ** 2)

    def features(self, x, logits, sigma):
        """Return what each column believes by itself, as parts of network inputs."""
        beliefs = _softmax(logits)
        if self.codes is not None and self.n_dims > 1:
            beliefs = self._expected(beliefs)
        return [beliefs.flatten(1)]

    def hear(self, x, logits, sigma, pull, precision):
        """Return the outputs that say what Gaussian evidence of others says.

        It is a factor `exp(pull * u - precision * u^2 / 2)`, (n, C * d) each, of the
        deviation u of a code from the mean, in each coordinate.
        """
        pull, precision, mean = (
            part.unflatten(-1, (self.n_columns, -1))
            for part in (pull, precision, self.mean)
        )
        if self.codes is not None:
            u = self.codes - mean[:, None]
            shifts = torch.einsum("ncd,ckd->nck", pull, u)
            shifts = shifts - torch.einsum("ncd,ckd->nck", precision, u**2) / 2
            return shifts.flatten(1)
        # Between the codes 1 and 0, as if the correlations had not been reduced. So two
        # levels count weak dependence twice, which few rows blur: new rows gain by it.
        shifts = pull - precision * (1 - 2 * mean) / 2
        return shifts.flatten(1) / self.novelty.clamp(min=MIN_NOVELTY)

    def denoise(self, x, logits, sigma, outputs):
        """Return the posterior mean, (n, C * d), of the clean coordinates."""
        return self._expected(self._posterior(logits, outputs)).flatten(1)

    def decode(self, x, logits, sigma, outputs, chance):
        """Return levels, (n, C), drawn from their posterior by uniform numbers."""
        return drawn(self._posterior(logits, outputs), chance[:, self.columns])

    def entropy(self, x, logits, sigma, outputs, levels):
        """Return the cross-entropy, (n, C), of the levels of the clean rows."""
        logits = _fill(logits + self.split(outputs)[0])
        levels = levels[:, self.columns]
        return functional.cross_entropy(
            logits.flatten(0, 1), levels.flatten(), reduction="none"
        ).view_as(levels)

    def log_marginal(self, levels):
        """Return the logarithm of the share, (n, C), of the rows' levels."""
        columns = torch.arange(self.n_columns, device=levels.device)
        return self.log_prior[columns, levels[:, self.columns]]

    # the posterior mean, learned through its logarithmic score
    loss = entropy

    def places(self, levels):
        """Return the levels, (n, C), of the own columns, and where there are any."""
        levels = levels[:, self.columns]
        return levels.clamp(min=0), levels >= 0

    def split(self, outputs):
        """Return what a network adds to the logits, (n, C, K), and nothing else."""
        return outputs.unflatten(1, (self.n_columns, -1)), None

    def _evidence(self, x):
        """Return -|x - code|^2 / 2 for every level, up to a constant of the row."""
        x = x.unflatten(1, (self.n_columns, -1))
        if self.codes is None:
            # |x - e_k|^2 = |x|^2 - 2 x_k + 1: only x_k depends on the level.
            return x
        return torch.einsum("ncd,ckd->nck", x, self.codes) - (self.codes**2).sum(-1) / 2

    def _posterior(self, logits, outputs):
        """Return the probability, (n, C, K), of every level."""
        return _softmax(logits + self.split(outputs)[0])

    def _expected(self, probabilities):
        """Return the mean code, (..., C, d), of level probabilities (..., C, K)."""
        if self.codes is None:
            return probabilities
        if self.n_dims == 1:
            # Matrix products of one column take several times as long.
            return (probabilities * self.codes[..., 0]).sum(-1, keepdim=True)
        return torch.einsum("...ck,ckd->...cd", probabilities, self.codes)


def drawn(probabilities, chance):
    """Return places, (n, C), that uniform numbers draw by probabilities, (n, C, K)."""
    below = probabilities.cumsum(-1)
    # Rounding may leave the last sum under 1, and padding has no probability.
    below = below / below[..., -1:]
    return (below <= chance[..., None]).sum(-1)


def _softmax(logits):
    """Return the probabilities, (..., K), of logits."""
    return _fill(logits).softmax(-1)[..., : logits.shape[-1]]


def _fill(logits):
    """Return logits with as many levels as torch computes at once, rather than one."""
    missing = max(0, LANES - logits.shape[-1])
    return functional.pad(logits, (0, missing), value=-torch.inf) if missing else logits


def _pad(rows, length):
    """Stack tensors of unequal first dimension, filled up with zeros."""
    rows = [torch.as_tensor(row, dtype=torch.float32) for row in rows]
    padded = torch.zeros(len(rows), length, *rows[0].shape[1:])
    for place, row in zip(padded, rows, strict=True):
        place[: len(row)] = row
    return padded
