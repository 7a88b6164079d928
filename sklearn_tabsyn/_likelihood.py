"""The variational bound on the log-density of encoded rows."""

import copy

import numpy as np
import torch
from scipy.stats import entropy, qmc
from tqdm.auto import tqdm

# The noise levels of the integral: ln(sigma) is normal within these ends. Below them
# rows differ in next to nothing, above them next to nothing is decided.
SIGMA_MIN, SIGMA_MAX = 0.01, 20.0
CENTER, SPREAD = -1.0, 2.0
# Points of the integral for each row. The error of its mean over all rows counts, so
# many for a table of few different rows, and few for one of many.
N_POINTS, MIN_POINTS, MAX_POINTS = 2**16, 64, 4_096
# Noisy rows that are computed together.
CALL_ROWS = 1_024
# Components of the reference are so much wider, for side by side they are then smooth.
WIDER = 1.6


class LogDensityBound:
    """A lower bound on the log-density of rows, by the errors of a denoiser.

    Of a diffusion model -log p(row) is at most the integral of the squared error of the
    denoised row over ln(sigma), divided by sigma^2, plus what the ends cost [1]_; of an
    exact denoiser that is an equality. The reference that takes all columns for
    independent is exact, and its log-density is known. So only the difference of both
    errors is integrated, in which much of the noise cancels:

    log p(row) >= log p_ref(row) + integral of (error_ref - error) / sigma^2 dln(sigma)

    plus what levels of codebook columns are more certain of at the lowest noise.

    The integral is a mean over the points of a Sobol sequence in noise level and noise,
    shifted for each row by numbers that follow from its own content [2]_. So it depends
    on no other row, and its errors average out over many.

    Parameters
    ----------
    denoiser : Denoiser
        Trained, in evaluation mode.
    n_points : int
        Points of the integral, a power of two.

    References
    ----------
    .. [1] Kingma, D., Salimans, T., Poole, B., and Ho, J. (2021). Variational diffusion
       models. NeurIPS, equations 14 and 15.
    .. [2] Cranley, R., and Patterson, T. (1976). Randomization of number theoretic
       methods for multiple integration. SIAM Journal on Numerical Analysis 13.
    """

    def __init__(self, denoiser, n_points):
        self.denoiser = denoiser
        self.reference = copy.deepcopy(denoiser.blocks)
        for block in self.reference:
            if block.reads == "values":
                block.variances *= WIDER**2
        n_dims = len(denoiser.mean)
        points = qmc.Sobol(1 + n_dims, rng=np.random.default_rng(0))
        points = torch.from_numpy(points.random(n_points))
        self.sigmas, self.weights = (
            part.to(denoiser.mean) for part in _noise_levels(points[:, 0].numpy())
        )
        self.points = points[:, 1:].to(denoiser.mean)

    def evaluate(self, dataset, rows, verbose=0):
        """Return the bounds, (n,), of the rows of a data set at some places."""
        size = max(1, CALL_ROWS // len(self.points))
        bounds = [torch.empty(0)]
        with torch.inference_mode():
            blocks = torch.from_numpy(rows).split(size)
            for places in tqdm(blocks, "score", disable=not verbose):
                # Whole blocks, so that each row meets the same arithmetic every time.
                filled = torch.nn.functional.pad(places, (0, size - len(places)))
                batch, _ = dataset.__getitems__(filled)
                batch = batch.to(self.points.device)
                bound = self.marginals(batch).sum(1) + self.gains(batch)
                bounds.append(bound[: len(places)].cpu())
        return torch.cat(bounds).numpy()

    def marginals(self, batch):
        """Return the log-densities, (n, C), of the columns by the reference.

        Those of continuous columns are per unit of their encoded value.
        """
        parts = [b.log_marginal(getattr(batch, b.reads)) for b in self.reference]
        has = self.denoiser.labels(batch.has_values, batch.has_levels)
        return torch.where(has > 0, torch.cat(parts, 1), 0.0)

    def gains(self, batch):
        """Return what the bound, (n,), has beyond the reference, in nats."""
        denoiser = self.denoiser
        has = denoiser.labels(batch.has_values, batch.has_levels)[:, denoiser.owners]
        clean = denoiser.encode(batch)
        shift = _shifts(_hash(batch), clean.shape[1]).to(clean)
        # What a row does not have is drawn, as in training, and gets noise as well.
        center = torch.where(has > 0, clean, denoiser.mean)
        variance = torch.where(has > 0, 0.0, denoiser.variance)
        gains = clean.new_zeros(len(clean))
        size = max(1, CALL_ROWS // len(clean))
        parts = (part.split(size) for part in (self.sigmas, self.weights, self.points))
        for sigma, weight, points in zip(*parts, strict=True):
            deviation = (variance + sigma[:, None, None] ** 2).sqrt()
            noisy = center + deviation * _normal(points[:, None] + shift)
            level = sigma.repeat_interleave(len(clean))
            denoised, plain = self._denoise(noisy.flatten(0, 1), level)
            denoised, plain = (d.view_as(noisy) - clean for d in (denoised, plain))
            gain = ((plain**2 - denoised**2) * has).sum(2)
            gains += weight @ gain
        noise = _normal(self.points[0] + shift)
        lowest = center + (variance + SIGMA_MIN**2).sqrt() * noise
        return gains + self._decided(lowest, batch)

    def _denoise(self, x, sigma):
        """Return the denoised rows, and those denoised by the reference."""
        plain = []
        parts = self.denoiser.parts(x, sigma)
        for part, reference in zip(parts, self.reference, strict=True):
            block, own, logits, level, outputs = part
            if block.reads == "values":
                logits = reference.logits(own, level)
            nothing = torch.zeros_like(outputs)
            plain.append(reference.denoise(own, logits, level, nothing))
        return self.denoiser.mean_of(parts), torch.cat(plain, 1)

    def _decided(self, x, batch):
        """Return how much more certain, (n,), all levels are than by the reference."""
        sigma = x.new_full((len(x),), SIGMA_MIN)
        more = x.new_zeros(len(x))
        for block, own, logits, level, outputs in self.denoiser.parts(x, sigma):
            if block.reads == "levels":
                plain, full = (
                    block.entropy(own, logits, level, out, batch.levels)
                    for out in (torch.zeros_like(outputs), outputs)
                )
                more += ((plain - full) * batch.has_levels[:, block.columns]).sum(1)
        return more


def _noise_levels(shares):
    """Return noise levels of uniform shares, and the weight of each in the integral."""
    cut = torch.distributions.Normal(CENTER, SPREAD)
    ends = cut.cdf(torch.tensor([SIGMA_MIN, SIGMA_MAX]).log()).numpy()
    place = torch.from_numpy(ends[0] + (ends[1] - ends[0]) * shares)
    log_sigma = cut.icdf(place)
    density = cut.log_prob(log_sigma).exp() / float(ends[1] - ends[0])
    weights = 1 / (density * (2 * log_sigma).exp() * len(shares))
    return log_sigma.exp(), weights


def _normal(shares):
    """Return the normal scores of shares, of which only the fraction counts."""
    return torch.special.ndtri((shares % 1).clamp(1e-6, 1 - 1e-6))


def bound_log_densities(denoiser, dataset, n_points, verbose=0):
    """Return the bounds on the log-density of rows, each computed once.

    They are in nats, continuous columns per unit of their encoded value.

    Parameters
    ----------
    denoiser : Denoiser
        Trained, in evaluation mode.
    dataset : RowDataset
        Fixed rows.
    n_points : tuple of int
        Points for rows that can repeat and for others, see :func:`suited_points`.
    verbose : int, default=0
        Shows a progress bar if not 0.

    Returns
    -------
    bounds : ndarray of shape (n_rows,), dtype float32
        The bounds.
    """
    hashes, unique = _survey(denoiser, dataset)
    _, first, place = np.unique(hashes, return_index=True, return_inverse=True)
    bounds = np.empty(len(first), dtype=np.float32)
    for kind, points in enumerate(n_points):
        own = np.flatnonzero(unique[first] == kind)
        bound = LogDensityBound(denoiser, points)
        bounds[own] = bound.evaluate(dataset, first[own], verbose)
    return bounds[place]


def suited_points(denoiser, dataset):
    """Return how many points of the integral suit the rows of a training set.

    Of rows that can repeat, without a value of a continuous column, and of others.
    """
    hashes, unique = _survey(denoiser, dataset)
    points = []
    for kind in range(2):
        _, counts = np.unique(hashes[unique == kind], return_counts=True)
        # As many equally frequent rows would have the same entropy.
        n_different = np.exp(entropy(counts)) if len(counts) else 1
        few = np.clip(N_POINTS / n_different, MIN_POINTS, MAX_POINTS)
        points.append(2 ** int(np.log2(few)))
    return tuple(points)


def _survey(denoiser, dataset):
    """Return 64 bits that follow from each row, and if it has a value of its own."""
    hashes, unique = [], []
    for rows in torch.arange(len(dataset)).split(2**16):
        batch, _ = dataset.__getitems__(rows)
        batch = batch.to(denoiser.mean.device)
        hashes.append(_hash(batch))
        own = torch.zeros(len(rows), dtype=torch.bool, device=denoiser.mean.device)
        for block in denoiser.blocks:
            if block.reads == "values":
                has = batch.has_values[:, block.columns] > 0
                own |= (has & ~block.tied(batch.values).any(-1)).any(1)
        unique.append(own.cpu().numpy())
    return np.concatenate(hashes), np.concatenate(unique)


def _hash(batch):
    values = batch.values.cpu().numpy().view(np.uint32)
    parts = values, *(part.cpu().numpy() for part in batch[1:])
    state = np.zeros(len(values), dtype=np.uint64)
    for column in np.hstack([part.astype(np.uint64) for part in parts]).T:
        state = _mixed(state ^ column)
    return state


def _shifts(hashes, n_dims):
    """Return uniform numbers, (n, n_dims), that follow from hashes."""
    states = _mixed(hashes[:, None] + np.arange(1, n_dims + 1, dtype=np.uint64))
    return torch.from_numpy((states >> np.uint64(40)).astype(np.float32) / 2**24)


def _mixed(state):
    """Return well mixed bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
