"""A student that draws in a few steps what its teacher draws in many.

The probability flow of a denoiser leads noise to a row without any chance. So what a
student has to learn of noise is all but certain, and a posterior of each column by
itself, which is all that one evaluation of a network gives, can say it. Each further
step sees what the last one found, and the noise still, so it asks a deeper network.
"""

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from sklearn_tabsyn._batches import Batch, Budget
from sklearn_tabsyn._fast import one_cast
from sklearn_tabsyn._sampling import euler
from sklearn_tabsyn._training import train_net

# Noise levels of the teacher's walk. What 8 corrected levels err has a direction, which
# a student learns as well.
N_LEVELS = 12
# Noise levels of a student's steps, by their number. If rows were Gaussian, it would be
# known where the flow leads at the first, so that part need not be learned.
STUDENT_SIGMAS = {1: (0.6,), 2: (0.6, 0.25), 4: (0.6, 0.4, 0.25, 0.12)}
LEARNING_RATE = 2e-3
# Rows of a step, and rows that the teacher draws at a time.
BLOCK_ROWS = 1_024
# How often a student sees a row, about; blocks of rows to start with, and how many of
# them, and of numbers, are held in memory at most.
N_USES, FIRST_BLOCKS, MAX_BLOCKS, MAX_NUMBERS = 12, 4, 128, 2**25


class Pairs(NamedTuple):
    """Noise, and the rows to which the flow leads it.

    Parameters
    ----------
    noise : Tensor of shape (n, d)
        Standard normal noise.
    rows : Batch
        The rows.
    """

    noise: Tensor
    rows: Batch

    def to(self, device):
        """Return the pairs on a device."""
        return Pairs(self.noise.to(device), self.rows.to(device))


class FlowDataset(Dataset):
    """Pairs from an endless stream of flows, handed out as whole batches.

    They are held in a pool, which grows up to a bound, and in which the oldest block of
    rows then makes place for a new one.

    Parameters
    ----------
    teacher : Corrections
        The walk of a trained denoiser, in evaluation mode.
    """

    def __init__(self, teacher):
        self.teacher, self.denoiser = teacher, teacher.denoiser
        most = MAX_NUMBERS // (BLOCK_ROWS * len(self.denoiser.mean))
        self.n_blocks = min(max(FIRST_BLOCKS, most), MAX_BLOCKS)
        self.pool, self.n_made, self.n_asked = None, 0, 0

    def __len__(self):
        return self.n_blocks * BLOCK_ROWS

    def __getitems__(self, indices):
        """Return (pairs, weights) of some rows of the pool."""
        while self.n_made < FIRST_BLOCKS + self.n_asked // N_USES:
            self._renew()
        self.n_asked += 1
        there = min(self.n_made, self.n_blocks) * BLOCK_ROWS
        indices = torch.as_tensor(indices, device=self.denoiser.mean.device) % there
        noise, values, levels = (part.flatten(0, 1)[indices] for part in self.pool)
        has = torch.ones_like(values), torch.ones_like(levels, dtype=values.dtype)
        return Pairs(noise, Batch(values, levels, *has)), noise.new_ones(len(noise))

    def _renew(self):
        """Put a new block of rows in the place of the oldest."""
        sizes = (
            len(self.denoiser.mean),
            self.denoiser.n_values,
            self.denoiser.n_codebooks,
        )
        device = self.denoiser.mean.device
        noise = torch.randn(BLOCK_ROWS, sizes[0], device=device)
        chance = torch.rand(BLOCK_ROWS, sum(sizes[1:]), device=device)
        with torch.no_grad(), one_cast():
            block = noise, *self.teacher.walk(noise, chance.split(sizes[1:], 1))
        if self.pool is None:
            self.pool = [part.new_empty(self.n_blocks, *part.shape) for part in block]
        for part, new in zip(self.pool, block, strict=True):
            part[self.n_made % self.n_blocks] = new
        self.n_made += 1


class FlowLoss(nn.Module):
    """Loss of the rows to which the flow leads noise, at one random step of a student.

    Parameters
    ----------
    sigmas : tuple of float
        Falling noise levels of the student's steps.
    """

    def __init__(self, sigmas):
        super().__init__()
        self.sigmas = sigmas

    def forward(self, student, pairs, weights):
        """Return the loss of each pair, (n,)."""
        x = student.near_gaussian(pairs.noise, self.sigmas[0])
        place = int(torch.randint(len(self.sigmas), ()))
        if place:
            with torch.no_grad():
                x = euler(student.denoise, x, self.sigmas[: place + 1])
        sigma = x.new_full((1,), self.sigmas[place])
        return student.losses(x, sigma, pairs.rows).mean(1) * weights


def train_student(teacher, student_sigmas, max_iter, *, device="cpu", verbose=0):
    """Return the net of a student, trained to go all the way in a few steps.

    Knowledge distillation of the flow (Luhman and Luhman 2021), by the loss of the
    denoiser's own columns: from each of its steps, that Euler's method links, a student
    learns where the flow ends. It has the teacher's network and starts from its
    weights.

    Parameters
    ----------
    teacher : Corrections
        The walk of a trained denoiser, in evaluation mode.
    student_sigmas : tuple of float
        Falling noise levels of the student's steps.
    max_iter : int
        Number of steps of the training, of `BLOCK_ROWS` rows each.
    device : str
        Where to train.
    verbose : int
        Shows a progress bar if not 0.

    Returns
    -------
    net : DenoiserNet
        The net with its history; its `module_` is the student.
    """
    student = copy.deepcopy(teacher.denoiser)
    # In a few steps only the network makes values of noise, even of a single column.
    student.heed_all()
    return train_net(
        student,
        FlowDataset(teacher),
        Budget(max_iter),
        criterion=FlowLoss,
        criterion__sigmas=student_sigmas,
        learning_rate=LEARNING_RATE,
        batch_size=BLOCK_ROWS,
        device=device,
        verbose=verbose,
        title="distill",
    )
