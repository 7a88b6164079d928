"""Continuous columns: a mixture of narrow Gaussians and an exact residual."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_tabsyn._codebook import drawn

# How often each wave of a continuous coordinate repeats in two standard deviations.
WAVES = (1.0, 2.0, 4.0, 8.0, 16.0)
# Share of a broad component that only the log-density of strange values sees.
FLOOR = 1e-4


class Mixture(nn.Module):
    """Continuous columns as Gaussian components, seen through Gaussian noise.

    The components say which of several futures a value has, which a mean alone
    cannot; the residual, preconditioned as in EDM [1]_, says the exact value within
    one. With a single component of mean 0 and width `sigma_data` this is EDM's
    own denoiser, `c_skip * x + c_out * F`.

    Parameters
    ----------
    columns : sequence of int
        Place of each column in the matrix of values that :meth:`encode` reads.
    shift, scale : ndarray of shape (n_columns,)
        Mean of the values, and what brings them to the deviation `sigma_data`.
    means, widths, priors : ndarray of shape (n_columns, n_components)
        Mean, standard deviation and share of each component, sorted by mean;
        a component of prior 0 is padding.
    low, high : ndarray of shape (n_columns, n_components)
        Where the values of each component begin and end.
    sigma_data : float
        Standard deviation of the values.

    References
    ----------
    .. [1] Karras, T., Aittala, M., Aila, T., and Laine, S. (2022). Elucidating the
       design space of diffusion-based generative models. NeurIPS, table 1.
    """

    reads = "values"

    def __init__(
        self, columns, shift, scale, means, widths, priors, low, high, sigma_data
    ):
        super().__init__()
        self.sigma_data = sigma_data
        self.n_columns, self.n_components = np.shape(means)
        self.n_outputs = self.n_columns * (self.n_components + 1)
        self.register_buffer("columns", torch.as_tensor(columns, dtype=torch.long))
        for name, array in {
            "shift": shift,
            "scale": scale,
            "means": means,
            "variances": np.square(widths),
            "log_prior": priors,
            "edges": (high[:, :-1] + low[:, 1:]) / 2,
        }.items():
            self.register_buffer(name, torch.tensor(array, dtype=torch.float32))
        self.log_prior.log_()
        frequencies = torch.tensor(WAVES) / (2 * sigma_data)
        self.register_buffer("frequencies", frequencies)
        real = self.log_prior > -torch.inf
        self.register_buffer("ties", (self.variances == 0) & real)
        # Where all components are ties there is no mean of others to fall back on.
        some = (real & ~self.ties).any(1, keepdim=True)
        self.register_buffer("left_out", self.ties & some)
        ends = (torch.tensor(end, dtype=torch.float32) for end in (low, high))
        for name, part in self._stretches(*ends).items():
            self.register_buffer(name, part)
        mean = (priors * means).sum(1)
        second_moment = (priors * (widths**2 + means**2)).sum(1)
        variance = (second_moment - mean**2).clip(min=0)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("variance", torch.tensor(variance, dtype=torch.float32))

    @property
    def novelty(self):
        """What each coordinate, (C,), tells that no other of its column does."""
        return torch.ones_like(self.mean)

    def encode(self, values):
        """Return the coordinates, (n, C), of the rows' values."""
        return (values[:, self.columns] - self.shift) * self.scale

    def decode(self, x, logits, sigma, outputs, chance):
        """Return the values, (n, C), of coordinates with very little noise.

        Uniform numbers draw which heavy tie a value is, or between which two it lies,
        so that it is exactly the tied value or not near it. The mean of all that are no
        ties would often fall on one that they lie around; it is taken where it lies in
        the stretch that was drawn, and otherwise the mean of that stretch.
        """
        shifts, residual = self.split(outputs)
        beliefs = (logits + shifts).softmax(-1)
        move = residual * self._c_out(sigma)
        others = self._mean_of(~self.left_out, x, beliefs, sigma) + move
        if self.ties.any():
            chosen = drawn(beliefs, chance[:, self.columns])
            chosen = torch.arange(self.n_columns, device=chosen.device), chosen
            low, high = self.lowest[chosen], self.highest[chosen]
            inside = self.stretches == self.stretches[chosen][..., None]
            own = self._mean_of(inside, x, beliefs, sigma) + move
            # What leads out of the stretch leads back from its end.
            own = torch.where(own < low, 2 * low - own, own)
            own = torch.where(own > high, 2 * high - own, own).clamp(low, high)
            others = torch.where((others >= low) & (others <= high), others, own)
        return others / self.scale + self.shift

    def logits(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Return log prior + log N(x; mean, sigma^2 + width^2), (n, C, K).

        `sigma` has the shape (n, 1) or (n, C).
        """
        slope = (sigma[..., None] ** 2 + self.variances).rsqrt()
        scores = torch.addcmul(-self.means * slope, x[:, :, None], slope)
        return torch.addcmul(self.log_prior + slope.log(), scores, scores, value=-0.5)

    def features(self, x, logits, sigma):
        """Return what each column knows by itself, as parts of inputs of a network.

        Beside the belief in each component these are waves of the coordinate, which
        tell places within a component and fade where the noise is as long as they are.
        """
        angles = 2 * math.pi * self.frequencies * x[..., None]
        phase_noise = 2 * math.pi * self.frequencies * sigma[..., None]
        left = (-(phase_noise**2) / 2).exp()
        parts = logits.softmax(-1), angles.cos() * left, angles.sin() * left
        return [part.flatten(1) for part in parts]

    def hear(self, x, logits, sigma, pull, precision):
        """Return the outputs that say what Gaussian evidence of others says.

        It is a factor `exp(pull * u - precision * u^2 / 2)`, (n, C) each, of the
        deviation u of the clean coordinate from its mean.
        """
        noise = sigma[..., None] ** 2
        variances = noise * self.variances / (noise + self.variances)
        pull, precision = pull[..., None], precision[..., None]
        weight = 1 + precision * variances
        u = self._centers(x, sigma) - self.mean[:, None]
        shifts = (pull * u + (pull**2 * variances - precision * u**2) / 2) / weight
        shifts = shifts - weight.log() / 2
        move = variances * (pull - precision * u) / weight
        move = ((logits + shifts).softmax(-1) * move).sum(-1)
        return torch.cat([shifts.flatten(1), move / self._c_out(sigma)], 1)

    def denoise(self, x, logits, sigma, outputs):
        """Return the posterior mean, (n, C), of the clean coordinates."""
        shifts, residual = self.split(outputs)
        beliefs = (logits + shifts).softmax(-1)
        return self._mean(x, beliefs, sigma) + residual * self._c_out(sigma)

    def loss(self, x, logits, sigma, outputs, values):
        """Return the weighted square error plus component cross-entropy, (n, C)."""
        error = self.denoise(x, logits, sigma, outputs) - self.encode(values)
        # lambda(sigma) of EDM: the square error of D counts like that of F.
        error = (error / self._c_out(sigma)) ** 2
        return error + self.entropy(x, logits, sigma, outputs, values)

    def entropy(self, x, logits, sigma, outputs, values):
        """Return the cross-entropy, (n, C), of the components of the clean rows."""
        logits = logits + self.split(outputs)[0]
        component, _ = self.places(values)
        return functional.cross_entropy(
            logits.flatten(0, 1), component.flatten(), reduction="none"
        ).view_as(component)

    def tied(self, values):
        """Return which heavy tie, (n, C, K), each of the rows' values is, if any."""
        return self.ties & (self.encode(values)[..., None] - self.means).abs().lt(1e-5)

    def log_marginal(self, values):
        """Return the log-density, (n, C), of the rows' values; of a tie, its share."""
        clean = self.encode(values)
        logits = self.logits(clean, clean.new_zeros(1, 1))
        tied = self.tied(values)
        others = logits.masked_fill(self.ties, -torch.inf).logsumexp(-1)
        # A value where no component is near is improbable, not impossible.
        spread = 4 * self.variance + 1e-12
        far = math.log(FLOOR) - ((clean - self.mean) ** 2 / spread + spread.log()) / 2
        others = torch.logaddexp(others, far)
        others = others - math.log(2 * math.pi) / 2 + self.scale.log()
        return torch.where(
            tied.any(-1), (self.log_prior.exp() * tied).sum(-1).log(), others
        )

    def places(self, values):
        """Return the component, (n, C), of each value, and where there is a value."""
        clean = self.encode(values)
        component = torch.searchsorted(self.edges, clean.T.contiguous()).T
        return component.clamp(max=self.n_components - 1), ~clean.isnan()

    def split(self, outputs):
        """Return what is added to the logits, (n, C, K), and the residual, (n, C)."""
        n_shifts = self.n_outputs - self.n_columns
        shifts, residual = outputs.split([n_shifts, self.n_columns], 1)
        return shifts.unflatten(1, (self.n_columns, -1)), residual

    def _stretches(self, low, high):
        """Return of which stretch each component is, and where that begins and ends.

        A heavy tie is one by itself, and so is what lies between two of them.
        """
        low, high = (torch.where(self.ties, self.means, end) for end in (low, high))
        parted = self.ties[:, 1:] | self.ties[:, :-1]
        begins = torch.cat([self.ties[:, :1], parted], 1)
        ends = torch.cat([parted, self.ties[:, -1:]], 1)
        lowest = torch.where(begins, low, -torch.inf).cummax(1).values
        highest = torch.where(ends, high, torch.inf).flip(1).cummin(1).values.flip(1)
        stretches = begins.cumsum(1)
        return {"stretches": stretches, "lowest": lowest, "highest": highest}

    def _mean(self, x, beliefs, sigma):
        """Return the mean over components of (x w^2 + z s^2) / (s^2 + w^2).

        `beliefs`, (n, C, K), are their probabilities.
        """
        pull = self._pull(sigma)
        if len(pull) < len(x):
            # The same for all rows, so the sums over components are matrix products.
            weights = torch.stack([pull * self.means, pull], -1)[0]
            target, share = torch.einsum("nck,ckm->ncm", beliefs, weights).unbind(-1)
            return x + target - share * x
        return (beliefs * self._centers(x, sigma)).sum(-1)

    def _mean_of(self, some, x, beliefs, sigma):
        """Return the mean over some components, NaN if all are out of the question."""
        beliefs = beliefs * some
        return self._mean(x, beliefs / beliefs.sum(-1, keepdim=True), sigma)

    def _centers(self, x, sigma):
        """Return the mean, (n, C, K), of the clean coordinates of each component."""
        return torch.lerp(x[:, :, None], self.means, self._pull(sigma))

    def _pull(self, sigma):
        """Return how far noise moves a coordinate to the mean of each component."""
        noise = sigma[..., None] ** 2
        return noise / (noise + self.variances)

    def _c_out(self, sigma):
        sd = self.sigma_data
        return sigma * sd * (sigma**2 + sd**2).rsqrt()
