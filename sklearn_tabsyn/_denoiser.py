"""The denoiser, which wraps a network in exact Bayes for single columns."""

import copy

import torch
from torch import nn

from sklearn_tabsyn._codebook import Codebook
from sklearn_tabsyn._evidence import ClusterEvidence
from sklearn_tabsyn._fast import fast_products
from sklearn_tabsyn._mixture import Mixture
from sklearn_tabsyn._networks import Network
from sklearn_tabsyn._start import GaussianStart

BLOCKS = {"mixture": Mixture, "codebook": Codebook}
# Noise level of a given column, so low that it leaves no doubt.
NO_NOISE = 1e-4
# Name, beside the weights of the network, of which of its outputs count.
HEEDED = "heeded"


class Denoiser(nn.Module):
    """D(x; sigma): the mean of the clean rows that may be behind a noisy one.

    Parameters
    ----------
    blocks : list of (str, dict)
        Kind and arguments of the blocks of columns, see `describe_columns`.
    network : callable
        Makes the network from its numbers of inputs and of outputs.
    observation : Observation, default=None
        Draws the columns that are given in training; if None, none can be given.
    """

    def __init__(self, blocks, network, observation=None):
        super().__init__()
        blocks = [BLOCKS[kind](**arguments) for kind, arguments in blocks]
        self.blocks = nn.ModuleList(blocks)
        self.n_dims = [len(block.mean) for block in blocks]
        self.n_outputs = [block.n_outputs for block in blocks]
        self.n_columns = [block.n_columns for block in blocks]
        self.n_values, self.n_codebooks = (
            sum(block.n_columns for block in blocks if block.reads == part)
            for part in ("values", "levels")
        )
        for moment in ("mean", "variance"):
            parts = [getattr(block, moment) for block in blocks]
            self.register_buffer(moment, torch.cat(parts))
        # Column, in the order of the blocks, that owns each coordinate.
        width = [len(b.mean) // b.n_columns for b in blocks for _ in range(b.n_columns)]
        owners = torch.arange(len(width)).repeat_interleave(torch.tensor(width))
        self.register_buffer("owners", owners)
        self.observation, self.evidence, self.start = observation, None, None
        # 0 at each output of the network that does not count, if there are any.
        self.register_buffer("heeded", self.mean.new_ones(sum(self.n_outputs)))
        self.heeds_all = True
        sigma = torch.ones(1, 1)
        inputs = self._inputs(
            self.mean[None], sigma, self._logits(self.mean[None], sigma)
        )
        classes = {} if observation is None else {"n_classes": len(width)}
        self.network = network(inputs.shape[1], sum(self.n_outputs), **classes)

    def forward(self, x, sigma, class_labels=None):
        """Return the denoised coordinates, of the shape (n, d) of x.

        Parameters
        ----------
        x : Tensor of shape (n, d)
            Noisy coordinates; those of given columns without noise.
        sigma : Tensor of shape (n,) or (1,)
            Noise level of each row, or of all.
        class_labels : Tensor of shape (n, C), default=None
            What is given of each row, from :meth:`labels`: 1 for each column that is,
            0 for others; nothing if None. A class to be conditioned on is a column
            like all others.

        Returns
        -------
        denoised : Tensor of shape (n, d)
            Posterior mean of the clean coordinates.
        """
        return self.mean_of(self.parts(x, sigma, class_labels))

    def denoise(self, x, sigma, class_labels=None):
        """Return the denoised coordinates of rows that all have one noise level."""
        # What depends on the level alone is computed once.
        return self(x, x.new_full((1,), sigma), class_labels)

    def learn_from(self, clusters):
        """Start training from clusters of rows instead of independent columns."""
        coordinates = self.mean, self.variance, self.owners, self.n_numbers
        books = [(block.n_columns, block.n_levels) for block in self.books]
        self.evidence = ClusterEvidence(clusters, *coordinates, books)
        if self.observation is not None:
            # It takes long where all rows are of different kinds.
            self.observation.few_kinds = True

    def draw_from(self, directions, variances, rest):
        """Start drawing from coordinates that spread like these."""
        self.start = GaussianStart(directions, variances, rest)

    def leave_alone(self, columns):
        """Take columns, (C,) in the order of the blocks, as independent of others."""
        heeded = self.heeded.clone()
        outputs = torch.arange(len(heeded), device=heeded.device)[None]
        parts = outputs.split(self.n_outputs, 1), columns.split(self.n_columns)
        for block, places, alone in zip(self.blocks, *parts, strict=True):
            for part in block.split(places):
                if part is not None:
                    heeded[part[0, alone]] = 0
        self.heed(heeded)

    def heed(self, outputs):
        """Let only those outputs of the network count, (n_outputs,), that are 1."""
        self.heeded, self.heeds_all = outputs, bool(outputs.all())

    def heed_all(self):
        """Let all outputs of the network count."""
        self.heed(torch.ones_like(self.heeded))

    def learned(self):
        """Return all tensors that training has changed, by name."""
        return {HEEDED: self.heeded, **self.network.state_dict()}

    def relearn(self, tensors):
        """Take over what another denoiser of the same blocks has learned."""
        weights = dict(tensors)
        self.heed(weights.pop(HEEDED))
        self.network.load_state_dict(weights)

    def near_gaussian(self, noise, sigma):
        """Return noisy rows, (n, d), of standard normal noise, as if Gaussian.

        The probability flow of Gaussian rows leads there from any higher noise level.
        """
        if self.start is None:
            return self.mean + (self.variance + sigma**2).sqrt() * noise
        return self.mean + self.start(noise, sigma)

    def mean_if_gaussian(self, x, sigma):
        """Return the denoised coordinates, (n, d), as if rows were Gaussian."""
        deviations = x - self.mean
        if self.start is None:
            return self.mean + deviations * self.variance / (self.variance + sigma**2)
        return self.mean + self.start.denoise(deviations, sigma)

    def without_gaps(self):
        """Return a denoiser of rows of which nothing is missing.

        Each level that means missing has no probability, whatever the noise.
        """
        denoiser = copy.deepcopy(self)
        for block in denoiser.blocks:
            if block.reads == "levels":
                missing = self.observation.missing_levels[block.columns]
                columns = torch.nonzero(missing >= 0).flatten()
                block.log_prior[columns, missing[columns]] = -torch.inf
        return denoiser

    @property
    def books(self):
        """The blocks of codebook columns."""
        return [block for block in self.blocks if block.reads == "levels"]

    @property
    def n_numbers(self):
        """Number of coordinates that are numbers; they stand before those of codes."""
        return sum(len(b.mean) for b in self.blocks if b.reads == "values")

    def labels(self, values, levels):
        """Return what is given in the order of the blocks, (n, C), as `class_labels`.

        `values`, (n, n_values), and `levels`, (n, n_codebooks), tell which are given.
        """
        given = {"values": values, "levels": levels}
        parts = [given[block.reads][:, block.columns] for block in self.blocks]
        return torch.cat(parts, 1).float()

    def unlabelled(self, class_labels):
        """Return which values, (n, n_values), and levels are given: undo `labels`."""
        sizes = {"values": self.n_values, "levels": self.n_codebooks}
        given = {
            name: class_labels.new_zeros(len(class_labels), size, dtype=torch.bool)
            for name, size in sizes.items()
        }
        parts = class_labels.split(self.n_columns, 1)
        for block, part in zip(self.blocks, parts, strict=True):
            given[block.reads][:, block.columns] = part > 0
        return given["values"], given["levels"]

    def given(self, class_labels):
        """Return whether each coordinate, (n, d), is given."""
        return class_labels[:, self.owners] > 0

    def encode(self, rows):
        """Return the coordinates, (n, d), of rows."""
        return torch.cat([b.encode(getattr(rows, b.reads)) for b in self.blocks], 1)

    def decode(self, x, sigma, chance, class_labels=None, outputs=None):
        """Return the values and levels behind coordinates with very little noise.

        A codebook column is drawn from its posterior, which at low noise is all but
        certain: unlike the code nearest to the mean, a draw cannot fall between two
        likely levels. The same goes for heavy ties of continuous columns. `chance`
        holds a uniform number for each: (n, n_values) and (n, n_codebooks). `outputs`
        is as in :meth:`parts`.
        """
        chances = dict(zip(("values", "levels"), chance, strict=True))
        rows = {name: torch.zeros_like(part) for name, part in chances.items()}
        for block, *part in self.parts(x, sigma, class_labels, outputs):
            decoded = block.decode(*part, chances[block.reads])
            rows[block.reads][:, block.columns] = decoded.to(x.dtype)
        return rows["values"], rows["levels"].long()

    def losses(self, x, sigma, rows, class_labels=None):
        """Return the losses, (n, C), of the columns of all blocks, given clean rows.

        A column of which a row has no value or level, or that is given, loses nothing.
        """
        losses = self._per_column("loss", x, sigma, rows, class_labels)
        return losses if class_labels is None else losses * (1 - class_labels)

    def entropies(self, x, sigma, rows, outputs=None):
        """Return the cross-entropies, (n, C), of the columns of all blocks.

        `outputs` is as in :meth:`parts`.
        """
        return self._per_column("entropy", x, sigma, rows, outputs=outputs)

    def _per_column(self, measure, x, sigma, rows, class_labels=None, outputs=None):
        columns = []
        for block, *part in self.parts(x, sigma, class_labels, outputs):
            loss = getattr(block, measure)(*part, getattr(rows, block.reads))
            columns.append(loss * getattr(rows, "has_" + block.reads)[:, block.columns])
        return torch.cat(columns, 1)

    def additions(self, x, sigma, class_labels=None):
        """Yield each block and what the network adds to its logits, (n, C, K)."""
        for block, _, _, _, out in self.parts(x, sigma, class_labels):
            yield block, block.split(out)[0]

    def mean_of(self, parts):
        """Return the denoised coordinates, (n, d), of what :meth:`parts` returned."""
        return torch.cat([block.denoise(*part) for block, *part in parts], 1)

    def parts(self, x, sigma, class_labels=None, outputs=None):
        """Return (block, coordinates, logits of its own, noise, outputs) of each block.

        Takes what :meth:`forward` takes. `outputs` holds what the network says for each
        block; it is asked if None.
        """
        levels = sigma[:, None]
        if class_labels is not None:
            # A given column has next to no noise.
            levels = torch.where(class_labels > 0, NO_NOISE, levels)
        logits = self._logits(x, levels)
        if outputs is None:
            outputs = self._asked(x, sigma, levels, logits, class_labels)
            outputs = outputs.split(self.n_outputs, 1)
        parts = x.split(self.n_dims, 1), logits, self._split(levels), outputs
        return list(zip(self.blocks, *parts, strict=True))

    def _asked(self, x, sigma, levels, logits, class_labels):
        """Return what the other columns tell of each, (n, n_outputs)."""
        # Evidence from other columns fades as 1 / sigma, and so must what the network
        # adds. Left free, its errors at high noise, rarely trained, move the marginals.
        fading = (1 + sigma[:, None] ** 2).rsqrt()
        if class_labels is not None:
            # What a given column tells does not fade.
            given = class_labels.amax(1, keepdim=True) > 0
            fading = torch.where(given, 1.0, fading)
        inputs = self._inputs(x, levels, logits)
        noise_labels = sigma.log() / 4
        if not isinstance(self.network, Network):
            noise_labels = noise_labels.expand(len(inputs))
        with fast_products(inputs.device):
            outputs = self.network(inputs, noise_labels, class_labels)
        if outputs.dtype == fading.dtype:
            outputs = outputs * fading
        else:
            # What was just made single spares another pass over memory.
            outputs = outputs.float().mul_(fading)
        if not self.heeds_all:
            outputs = outputs * self.heeded
        if self.evidence is not None:
            outputs = outputs + self._heard(x, sigma, levels, logits)
        return outputs

    def _heard(self, x, sigma, levels, logits):
        """Return the outputs, (n, n_outputs), of what clusters of rows tell.

        Rows of which nothing is given have one noise level, and take much less time.
        """
        if levels.shape[1] == 1:
            return self._told(x, sigma, levels, logits)
        sigma = sigma.expand(len(x))
        given = (levels != sigma[:, None]).any(1)
        heard = x.new_empty(len(x), sum(self.n_outputs))
        for rows, own in (given, levels[:, self.owners]), (~given, sigma[:, None]):
            if rows.any():
                some = x[rows], sigma[rows], own[rows], [part[rows] for part in logits]
                heard[rows] = self._told(*some)
        return heard

    def _told(self, x, sigma, levels, logits):
        """Return the same, with noise levels of coordinates, of rows, or of all."""
        books = [n for n, block in enumerate(self.blocks) if block.reads == "levels"]
        *heard, log_odds = self.evidence(x, levels, [logits[n] for n in books])
        heard = (part.split(self.n_dims, 1) for part in heard)
        parts = zip(self.blocks, x.split(self.n_dims, 1), logits, *heard, strict=True)
        level = sigma[:, None]
        outputs = [
            block.hear(part, own, level, *told) for block, part, own, *told in parts
        ]
        if log_odds:
            for n, gain in zip(books, log_odds, strict=True):
                outputs[n] = outputs[n] + gain.flatten(1)
        return torch.cat(outputs, 1)

    def _split(self, levels):
        """Return noise levels, (n, 1) or (n, C), for each block."""
        if levels.shape[1] == 1:
            return [levels] * len(self.blocks)
        return levels.split(self.n_columns, 1)

    def _logits(self, x, levels):
        parts = zip(
            self.blocks, x.split(self.n_dims, 1), self._split(levels), strict=True
        )
        return [block.logits(part, level) for block, part, level in parts]

    def _inputs(self, x, levels, logits):
        """Return the network inputs: scaled coordinates and single-column features."""
        parts = x.split(self.n_dims, 1), logits, self._split(levels)
        parts = zip(self.blocks, *parts, strict=True)
        features = [each for block, *part in parts for each in block.features(*part)]
        # c_in of EDM, with the mean and variance of each coordinate; one that never
        # varies holds nothing but noise.
        if levels.shape[1] > 1:
            levels = levels[:, self.owners]
        c_in = (levels**2 + self.variance).rsqrt() * (self.variance > 0)
        return torch.cat([(x - self.mean) * c_in, *features], 1)
