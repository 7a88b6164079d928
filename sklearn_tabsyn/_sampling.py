"""Schedules of noise levels, and samplers that walk down them.

A sampler is a pure function of a denoiser, a start and the noise levels. The
denoiser is called as `denoise(x, sigma)` with a number `sigma` and returns the
mean of the clean rows behind x.
"""

import itertools
import math

import numpy as np

# Where the density of fitted noise levels is computed, and its exponent.
N_PLACES, CROWDING = 512, 0.4


def karras_sigmas(num_steps, sigma_min, sigma_max, rho):
    """Return falling noise levels, evenly spaced in their rho-th root.

    Karras et al. (2022), equation 5, without the last level of zero.

    Parameters
    ----------
    num_steps : int
        Number of levels.
    sigma_min, sigma_max : float
        Last and first level.
    rho : float
        The larger, the more levels near `sigma_min`.

    Returns
    -------
    sigmas : ndarray of shape (num_steps,), dtype float64
        Noise levels from `sigma_max` to `sigma_min`.
    """
    share = np.linspace(0, 1, num_steps) if num_steps > 1 else np.zeros(1)
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return (high + share * (low - high)) ** rho


def fitted_sigmas(sigmas, profile_sigmas, profile):
    """Return noise levels that lie where rows are decided.

    Their density in ln(sigma) is a power of how fast the uncertainty falls there. The
    error of a step of second order grows with its third power, so the exponent that
    makes all steps err alike is near a third; 0.4 was best on real tables.

    Parameters
    ----------
    sigmas : ndarray of shape (num_steps,)
        Falling noise levels, such as those of :func:`karras_sigmas`.
    profile_sigmas : ndarray of shape (n_levels,)
        Rising noise levels at which the uncertainty was measured.
    profile : ndarray of shape (n_levels,)
        Uncertainty of a denoised row at each, such as its mean cross-entropy.

    Returns
    -------
    sigmas : ndarray of shape (num_steps,), dtype float64
        Falling noise levels with the given first and last.
    """
    log_sigma = np.linspace(np.log(sigmas[-1]), np.log(sigmas[0]), N_PLACES)
    height = np.interp(log_sigma, np.log(profile_sigmas), profile)
    # Sampling noise must not make it fall; a little everywhere bounds the steps.
    speed = np.diff(np.maximum.accumulate(height))
    density = (speed + 0.01 * speed.mean() + 1e-9) ** CROWDING
    passed = np.r_[0, np.cumsum(density)] / density.sum()
    return np.exp(np.interp(np.linspace(1, 0, len(sigmas)), passed, log_sigma))


def euler(denoise, x, sigmas, churn=None):
    """Walk down the noise levels by Euler steps of the probability flow.

    Karras et al. (2022), algorithm 2 without its correction.

    Parameters
    ----------
    denoise : callable
        The denoiser.
    x : Tensor of shape (n, d)
        Rows with noise of level `sigmas[0]`.
    sigmas : sequence of float
        Falling noise levels; the last may be 0.
    churn : Churn, default=None
        Adds and removes noise at every step; none if None.

    Returns
    -------
    x : Tensor of shape (n, d)
        Rows with noise of level `sigmas[-1]`.
    """
    for sigma, following in itertools.pairwise(sigmas):
        x, sigma = churn(x, sigma) if churn else (x, sigma)
        x = x + (following - sigma) * _slope(denoise, x, sigma)
    return x


def heun(denoise, x, sigmas, churn=None):
    """Walk down the noise levels by Heun steps, two evaluations each.

    Karras et al. (2022), algorithm 2. A step to 0 is an Euler step.

    Parameters
    ----------
    denoise : callable
        The denoiser.
    x : Tensor of shape (n, d)
        Rows with noise of level `sigmas[0]`.
    sigmas : sequence of float
        Falling noise levels; the last may be 0.
    churn : Churn, default=None
        Adds and removes noise at every step; none if None.

    Returns
    -------
    x : Tensor of shape (n, d)
        Rows with noise of level `sigmas[-1]`.
    """
    for sigma, following in itertools.pairwise(sigmas):
        x, sigma = churn(x, sigma) if churn else (x, sigma)
        slope = _slope(denoise, x, sigma)
        ahead = x + (following - sigma) * slope
        if following > 0:
            slope = (slope + _slope(denoise, ahead, following)) / 2
            ahead = x + (following - sigma) * slope
        x = ahead
    return x


def dpmpp_2m(denoise, x, sigmas):
    """Walk down the noise levels by DPM-Solver++ (2M), one evaluation a step.

    Lu et al. (2022), DPM-Solver++: fast solver for guided sampling of diffusion
    probabilistic models, algorithm 2, with alpha = 1 and lambda = -ln(sigma).

    Parameters
    ----------
    denoise : callable
        The denoiser.
    x : Tensor of shape (n, d)
        Rows with noise of level `sigmas[0]`.
    sigmas : sequence of float
        Falling noise levels; the last may be 0.

    Returns
    -------
    x : Tensor of shape (n, d)
        Rows with noise of level `sigmas[-1]`.
    """
    before = step_before = None
    for sigma, following in itertools.pairwise(sigmas):
        denoised = target = denoise(x, sigma)
        if following == 0:
            return denoised
        step = math.log(sigma / following)
        if before is not None:
            target = denoised + (denoised - before) * (step / step_before / 2)
        x = x * (following / sigma) - math.expm1(-step) * target
        before, step_before = denoised, step
    return x


def unipc(denoise, x, sigmas, correct=None):
    """Walk down the noise levels by UniPC of order 2, one evaluation a step.

    Zhao et al. (2023), UniPC: a unified predictor-corrector framework for fast sampling
    of diffusion models, algorithm 1, with data prediction. A step is predicted from
    the last two denoised rows; the evaluation at its end, which the next step needs
    anyway, corrects it. The denoised rows in between are taken as linear in
    ln(sigma), of which the integral is exact.

    Parameters
    ----------
    denoise : callable
        The denoiser.
    x : Tensor of shape (n, d)
        Rows with noise of level `sigmas[0]`.
    sigmas : sequence of float
        Falling noise levels; the last may be 0.
    correct : callable, default=None
        Takes the place of a step, where it leads, where it starts and up to three of
        the last denoised rows, and returns where it should lead; as predicted if None.

    Returns
    -------
    x : Tensor of shape (n, d)
        Rows with noise of level `sigmas[-1]`.
    """
    denoised, start, step, slope = [], None, None, None
    for place, (sigma, following) in enumerate(itertools.pairwise(sigmas)):
        denoised = [*denoised[-2:], denoise(x, sigma)]
        if step is not None:
            slope = (denoised[-1] - denoised[-2]) / step
            x = _exponential_step(start, step, denoised[-2], slope)
        if following == 0:
            return denoised[-1]
        start, step = x, math.log(sigma / following)
        x = _exponential_step(start, step, denoised[-1], slope)
        if correct is not None:
            x = correct(place, x, start, denoised)
    return x


def _exponential_step(x, step, denoised, slope):
    """Return rows at the end of a step in -ln(sigma) along which D is linear."""
    gone = -math.expm1(-step)
    x = x.lerp(denoised, gone)
    return x if slope is None else x.add_(slope, alpha=step - gone)


SAMPLERS = {
    "fitted": unipc,  # with corrections
    "unipc": unipc,
    "dpmpp_2m": dpmpp_2m,
    "heun": heun,
    "euler": euler,
}


class Churn:
    """Fresh noise before a step, Karras et al. (2022), algorithm 2, lines 4 to 6.

    Parameters
    ----------
    draw : callable
        `draw(x)` returns standard normal noise of the shape of x.
    num_steps : int
        Number of steps that share `S_churn`.
    S_churn, S_tmin, S_tmax, S_noise : float
        Amount of noise, noise levels between which it is added, and its scale.
    """

    def __init__(self, draw, num_steps, S_churn, S_tmin, S_tmax, S_noise):
        self.draw, self.S_noise = draw, S_noise
        self.S_tmin, self.S_tmax = S_tmin, S_tmax
        self.gamma = min(S_churn / num_steps, math.sqrt(2) - 1)

    def __call__(self, x, sigma):
        """Return x with more noise, and its new noise level."""
        if not self.gamma or not self.S_tmin <= sigma <= self.S_tmax:
            return x, sigma
        sigma_hat = sigma * (1 + self.gamma)
        scale = self.S_noise * math.sqrt(sigma_hat**2 - sigma**2)
        return x + scale * self.draw(x), sigma_hat


def check_sampling(how):
    """Refuse parameters of a sampling that each are valid but do not fit together.

    Parameters
    ----------
    how : object
        Has `sampler`, `sigma_min`, `sigma_max` and the parameters of :class:`Churn`.

    Raises
    ------
    ValueError
        If they do not fit together.
    """
    if how.sigma_min >= how.sigma_max:
        raise ValueError(
            "sigma_min must be below sigma_max; got "
            f"sigma_min={how.sigma_min} and sigma_max={how.sigma_max}."
        )
    if how.S_tmin > how.S_tmax:
        raise ValueError(
            f"S_tmin must not exceed S_tmax; got S_tmin={how.S_tmin} and "
            f"S_tmax={how.S_tmax}."
        )
    if how.S_churn and how.sampler not in ("heun", "euler"):
        raise ValueError(
            f"S_churn={how.S_churn} needs a sampler that can add noise, but "
            f"sampler={how.sampler!r} cannot; set sampler='heun' or 'euler', or "
            "S_churn=0."
        )


def _slope(denoise, x, sigma):
    """Return dx / dsigma of the probability flow (Karras et al. 2022, equation 1)."""
    return (x - denoise(x, sigma)) / sigma
