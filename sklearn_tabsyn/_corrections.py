"""A walk down a few noise levels that ends where one down many would.

What a step lacks is, for one denoiser, much the same function of what the walk has just
seen, whatever row it leads to. So it is learned from rows that are walked both ways.
"""

import itertools
from functools import partial

import numpy as np
import torch

from sklearn_tabsyn._fast import no_denormals, one_cast
from sklearn_tabsyn._generation import even_noise
from sklearn_tabsyn._lean import Listener, lean
from sklearn_tabsyn._sampling import unipc
from sklearn_tabsyn._spared import Spared

# Rows that are walked both ways, and steps of the long walk for each of the short one.
N_ROWS, N_BETWEEN = 512, 3
# What is added to the diagonal of the normal equations, as a share of it.
RIDGE = 0.01
# How much less layers may say, tried in turn, and how much farther rows may then end
# from where the long walk leads, than those of the whole network.
TOLERANCES, FARTHER = (0.03, 0.02, 0.01), 1.15


class Corrections:
    """What each step of UniPC lacks, by column, and the walk by such steps.

    It is taken as linear in what the walk knows at the start of the step: how far the
    denoised rows lie from the noisy ones and from their mean, and how they have changed
    over the last two steps. Every column has weights of its own, as each is decided at
    noise levels of its own.

    Parameters
    ----------
    denoiser : Denoiser
        Trained, in evaluation mode.
    sigmas : sequence of float
        Falling noise levels.
    weights : list of ndarray of shape (n_known, n_columns)
        For each step, from :func:`learn_corrections`.
    layers : dict of str to Narrow
        Narrow layers by which the denoiser is asked, from the same.
    """

    def __init__(self, denoiser, sigmas, weights, layers):
        self.denoiser, self.sigmas, self.weights = denoiser, sigmas, weights
        self.layers, self.asked = layers, lean(denoiser, layers)

    def walk(self, noise, chance):
        """Return the values and levels that noise leads to.

        Parameters
        ----------
        noise : Tensor of shape (n, d)
            Standard normal noise.
        chance : tuple of Tensor
            As :meth:`Denoiser.decode` takes it.
        """
        first, last = self.sigmas[0], self.sigmas[-1]
        spared = Spared(self.asked, first)
        x = self.denoiser.near_gaussian(noise, first)
        x = unipc(spared.denoise, x, self.sigmas, self.correct)
        return spared.decode(x, x.new_full((1,), last), chance)

    def correct(self, place, x, start, denoised):
        """Return rows, (n, d), with what the step from `start` to them lacked."""
        return self.add(place, x, self.known(start, denoised))

    def add(self, place, x, known):
        """Return rows, (n, d), with the weighted sum of what is known."""
        owners = self.denoiser.owners
        weights = torch.from_numpy(self.weights[place]).to(x)[:, owners]
        for weight, part in zip(weights, known, strict=True):
            x = torch.addcmul(x, weight, part)
        return x

    def known(self, start, denoised):
        """Return what a walk knows at the start of a step, up to four of (n, d)."""
        changes = [b - a for a, b in itertools.pairwise(denoised)]
        return [start - denoised[-1], denoised[-1] - self.denoiser.mean, *changes]


def learn_corrections(denoiser, sigmas):
    """Learn by least squares, step by step, each from where the last one led.

    Parameters
    ----------
    denoiser : Denoiser
        Trained, in evaluation mode.
    sigmas : sequence of float
        Falling noise levels.

    Returns
    -------
    corrections : Corrections
        The same each time.
    """
    noise = even_noise(np.random.default_rng(0), len(denoiser.mean))[:N_ROWS]
    listener = Listener(denoiser.network, (len(sigmas) - 1) * N_BETWEEN)
    with torch.no_grad(), one_cast(), no_denormals():
        noise = torch.from_numpy(noise).to(denoiser.mean)
        x = denoiser.near_gaussian(noise, sigmas[0])
        with listener.listening():
            path = _long_walk(denoiser, x, sigmas)
        learn = partial(_learn, denoiser, sigmas, x, path)
        whole, distance = learn({})
        for layers in filter(None, map(listener.narrow, TOLERANCES)):
            narrow, its_own = learn(layers)
            if its_own <= FARTHER * distance:
                return narrow
    return whole


def _learn(denoiser, sigmas, x, path, layers):
    """Return what is learned for some narrow layers, and how far rows end."""
    corrections = Corrections(denoiser, sigmas, [], layers)

    def learn(place, x, start, denoised):
        known = corrections.known(start, denoised)
        weights = _least_squares(known, path[place] - x, denoiser.owners)
        corrections.weights.append(weights)
        return corrections.add(place, x, known)

    end = unipc(Spared(corrections.asked, sigmas[0]).denoise, x, sigmas, learn)
    return corrections, float((end - [x, *path][-1]).abs().mean())


def _long_walk(denoiser, x, sigmas):
    """Return the rows after each step, walked down many more levels in between."""
    places = np.arange((len(sigmas) - 1) * N_BETWEEN + 1) / N_BETWEEN
    fine = np.exp(np.interp(places, np.arange(len(sigmas)), np.log(sigmas)))
    path = []

    def keep(place, x, *_):
        if (place + 1) % N_BETWEEN == 0:
            path.append(x)
        return x

    unipc(denoiser.denoise, x, fine.tolist(), keep)
    return path


def _least_squares(known, lacks, owners):
    """Return weights, (n_known, n_columns), by which `known` adds up to `lacks`."""
    n_columns = int(owners.max()) + 1

    def products(a, b):
        sums = torch.zeros(n_columns, device=a.device)
        return sums.index_add_(0, owners, (a * b).sum(0)).cpu().numpy()

    normal = np.array([[products(a, b) for a in known] for b in known], dtype=float)
    target = np.array([[products(a, lacks)] for a in known], dtype=float)
    diagonal = np.einsum("iic->ic", normal)
    # Coordinates that never vary have nothing to correct, and nothing to learn from.
    diagonal += RIDGE * diagonal + 1e-9
    weights = np.linalg.solve(normal.transpose(2, 0, 1), target.transpose(2, 0, 1))
    return weights[..., 0].T.astype(np.float32)
