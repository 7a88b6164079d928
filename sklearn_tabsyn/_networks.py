"""The networks that learn what the columns tell about each other."""

import itertools
import math

import torch
from torch import Tensor, nn


class NoiseEmbedding(nn.Module):
    """Cosines and sines of a noise label at frequencies from 1 to about 60.

    Parameters
    ----------
    n_dims : int
        Length of the embedding, an even number.
    """

    def __init__(self, n_dims):
        super().__init__()
        frequencies = torch.exp(torch.linspace(0, math.log(60), n_dims // 2))
        self.register_buffer("frequencies", frequencies)

    def forward(self, noise_labels: Tensor) -> Tensor:
        """Return the embedding, (n, n_dims), of noise labels, (n,)."""
        angles = noise_labels[:, None] * self.frequencies
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class Network(nn.Module):
    """The ends that both networks share: inputs with noise and class, and outputs."""

    def __init__(self, n_inputs, n_outputs, hidden_dim, n_classes):
        super().__init__()
        self.inputs = nn.Linear(n_inputs, hidden_dim)
        self.noise = nn.Sequential(
            NoiseEmbedding(64),
            nn.Linear(64, hidden_dim),
            nn.SiLU(),
            nn.Linear(hidden_dim, hidden_dim),
        )
        self.classes = None
        if n_classes:
            self.classes = nn.Linear(n_classes, hidden_dim, bias=False)
        self.outputs = nn.Linear(hidden_dim, n_outputs)
        # Zero at first: the denoiser starts as exact Bayes for single columns.
        nn.init.zeros_(self.outputs.weight)
        nn.init.zeros_(self.outputs.bias)

    def enter(self, x, noise_labels, class_labels):
        """Return the first hidden layer, (n, hidden_dim)."""
        hidden = self.inputs(x) + self.noise(noise_labels)
        if self.classes is not None and class_labels is not None:
            hidden = hidden + self.classes(class_labels)
        return hidden


class ResidualMLP(Network):
    """Residual blocks that each normalise, widen twofold, and narrow again.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Number of input and of output features.
    hidden_dim : int, default=256
        Width of the blocks.
    n_blocks : int, default=3
        Number of blocks.
    dropout : float, default=0.0
        Share of inner activations that are dropped in training.
    n_classes : int, default=0
        Number of columns of `class_labels`; none are expected if 0.
    """

    def __init__(
        self, n_inputs, n_outputs, hidden_dim=256, n_blocks=3, dropout=0.0, n_classes=0
    ):
        super().__init__(n_inputs, n_outputs, hidden_dim, n_classes)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(hidden_dim),
                nn.Linear(hidden_dim, 2 * hidden_dim),
                nn.SiLU(),
                nn.Dropout(dropout),
                nn.Linear(2 * hidden_dim, hidden_dim),
            )
            for _ in range(n_blocks)
        )
        self.norm = nn.LayerNorm(hidden_dim)

    def forward(self, x, noise_labels, class_labels=None):
        """Return the outputs, (n, n_outputs), of inputs (n, n_inputs).

        `noise_labels`, (n,), or (1,) if all rows have the same, are c_noise =
        ln(sigma) / 4; `class_labels`, (n, n_classes), say what is given: 1 for each
        column that is.
        """
        hidden = self.enter(x, noise_labels, class_labels)
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return self.outputs(self.norm(hidden))


class MLP(Network):
    """The plain network of TabSyn: layers of h, 2h, 2h and h units.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Number of input and of output features.
    hidden_dim : int, default=256
        The width h.
    n_blocks : int, default=2
        One less than the number of layers after the first.
    dropout : float, default=0.0
        Share of activations that are dropped in training.
    n_classes : int, default=0
        Number of columns of `class_labels`; none are expected if 0.
    """

    def __init__(
        self, n_inputs, n_outputs, hidden_dim=256, n_blocks=2, dropout=0.0, n_classes=0
    ):
        super().__init__(n_inputs, n_outputs, hidden_dim, n_classes)
        widths = [hidden_dim, *[2 * hidden_dim] * n_blocks, hidden_dim]
        layers = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.SiLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(nn.SiLU(), *layers)

    def forward(self, x, noise_labels, class_labels=None):
        """Return the outputs, (n, n_outputs), of inputs (n, n_inputs)."""
        return self.outputs(self.layers(self.enter(x, noise_labels, class_labels)))


NETWORKS = {"residual_mlp": ResidualMLP, "mlp": MLP}
