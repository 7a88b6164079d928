"""A denoiser whose wide layers multiply fewer numbers, to draw rows by.

What a layer says of all rows lies mostly in fewer directions than it has outputs: two
narrow layers in its place, the first of which has one output for each direction, say
the same but for what lies in the others.
"""

import copy
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import linear

from sklearn_tabsyn._codebook import LANES
from sklearn_tabsyn._networks import Network

# Outputs of a layer that are looked at, about, to find the directions.
N_HEARD = 2_048
# A layer with fewer weights takes no time, and two layers that have more than this
# share of its weights hardly less than it.
MIN_WEIGHTS, MAX_SHARE = 2**16, 0.75


class Directions(NamedTuple):
    """Where the outputs of a layer lie.

    Parameters
    ----------
    mean : ndarray of shape (n_outputs,)
        Their mean.
    principal : ndarray of shape (k, n_outputs)
        Orthonormal, those along which they vary most first.
    left : ndarray of shape (k,)
        Share of the variance that the first of them leave out.
    """

    mean: np.ndarray
    principal: np.ndarray
    left: np.ndarray


class Narrow(NamedTuple):
    """Weights of two layers in the place of one.

    Parameters
    ----------
    first : ndarray of shape (k, n_inputs)
        Weights of the first, which has no bias.
    second : ndarray of shape (n_outputs, k)
        Weights of the second.
    bias : ndarray of shape (n_outputs,)
        Its bias.
    """

    first: np.ndarray
    second: np.ndarray
    bias: np.ndarray


class Listener:
    """Hears what the wide layers of a network say, to find narrow ones that say it.

    Low-rank factors are fitted to what a layer says of rows instead of to its weights
    (Chen, Yu, Dhillon and Hsieh 2021, DRONE). The last layer stays whole: what it says
    of levels that are out of the question is so large that errors of the same size
    would be felt elsewhere. So does a network of the user's own.

    Parameters
    ----------
    network : torch.nn.Module
        The network of a trained denoiser.
    n_calls : int
        How often it will be called while it is heard.
    """

    def __init__(self, network, n_calls):
        self.n_each = -(-N_HEARD // max(1, n_calls))
        self.layers, self.said = {}, {}
        if isinstance(network, Network):
            self.layers = {
                name: layer
                for name, layer in network.named_modules()
                if isinstance(layer, nn.Linear)
                and layer is not network.outputs
                and layer.weight.numel() >= MIN_WEIGHTS
            }

    @contextmanager
    def listening(self):
        """Hear all calls of the network."""
        hooks = [
            layer.register_forward_hook(partial(self._hear, name))
            for name, layer in self.layers.items()
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
        self.directions = {name: self._directions(name) for name in self.said}

    def narrow(self, tolerance):
        """Return the narrow layers, by name, where they are worth it.

        Parameters
        ----------
        tolerance : float
            How much less than the whole may be said, as a share of its standard
            deviation.

        Returns
        -------
        layers : dict of str to Narrow
            None of layers that need as many directions as they have outputs.
        """
        found = {}
        for name, (mean, principal, left) in self.directions.items():
            enough = np.flatnonzero(left <= tolerance**2)
            if len(enough):
                # as many as a processor computes at once
                k = -(-(1 + enough[0]) // LANES) * LANES
                found[name] = _narrow(self.layers[name], mean, principal[:k])
        return found

    def _hear(self, name, layer, inputs, outputs):
        # What is said of the noise level is said once for all rows.
        if len(outputs) > 1:
            some = outputs[:: max(1, len(outputs) // self.n_each)]
            self.said.setdefault(name, []).append(some.float().cpu())

    def _directions(self, name):
        said = torch.cat(self.said[name]).numpy()
        mean = said.mean(0)
        said = said - mean
        n_outputs, n_inputs = self.layers[name].weight.shape
        most = int(MAX_SHARE * n_outputs * n_inputs / (n_outputs + n_inputs))
        variances, principal = np.linalg.eigh(said.T @ said)
        total = variances.sum() or 1.0  # of a layer that always says the same
        left = 1 - np.cumsum(variances[::-1], dtype=float) / total
        return Directions(mean, principal.T[::-1][:most], left[:most])


class NarrowLinear(nn.Module):
    """Two layers in the place of one.

    Parameters
    ----------
    narrow : Narrow
        Their weights.
    """

    def __init__(self, narrow):
        super().__init__()
        for name, part in narrow._asdict().items():
            setattr(self, name, nn.Parameter(torch.tensor(part)))

    def forward(self, x):
        """Return the outputs, (n, n_outputs), of inputs (n, n_inputs)."""
        return linear(linear(x, self.first), self.second, self.bias)


def lean(denoiser, layers):
    """Return a denoiser that has narrow layers, by name, in the place of its own."""
    if not layers:
        return denoiser
    denoiser = copy.deepcopy(denoiser)
    for name, narrow in layers.items():
        parent, _, own = name.rpartition(".")
        layer = NarrowLinear(narrow).to(denoiser.mean.device)
        setattr(denoiser.network.get_submodule(parent), own, layer)
    return denoiser


def _narrow(layer, mean, principal):
    """Return weights that say what a layer says along some directions, and the mean."""
    weight, bias = (part.detach().cpu().numpy() for part in (layer.weight, layer.bias))
    bias = mean - principal.T @ (principal @ (mean - bias))
    return Narrow(principal @ weight, principal.T.copy(), bias)
