"""The EDM loss, and a skorch net that trains a denoiser by it."""

import math
import warnings

import torch
from sklearn.exceptions import ConvergenceWarning
from skorch import NeuralNet
from skorch.callbacks import GradientNormClipping
from skorch.dataset import unpack_data
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import DataLoader

from sklearn_tabsyn._batches import ShuffledBatches
from sklearn_tabsyn._callbacks import (
    FiniteLoss,
    LearningRate,
    Progress,
    WeightAverage,
)
from sklearn_tabsyn._fast import keep_memory, no_denormals
from sklearn_tabsyn._likelihood import LogDensityBound

# Held-out rows that are looked at, and noisy ones of all of them together: the fewer
# rows, the more points has the integral that judges each.
MAX_HELD_OUT, N_NOISY, MAX_POINTS = 2_048, 2**15, 128
# Norm of the gradient of a step, at most.
MAX_NORM = 1.0
# How much higher noise levels are in rows of which some columns are given.
GIVEN_SIGMA = 4.0


class EDMLoss(nn.Module):
    """Mean loss of rows at random noise levels (Karras et al. 2022, table 1).

    ln(sigma) is normal with mean `P_mean` and standard deviation `P_std`. Square
    errors of continuous columns weigh lambda(sigma) = 1 / c_out^2; codebook columns
    count by the cross-entropy of the same posterior, which needs no weight.

    Parameters
    ----------
    P_mean, P_std : float
        Mean and standard deviation of ln(sigma).
    """

    def __init__(self, P_mean=-1.0, P_std=1.4):
        super().__init__()
        self.P_mean, self.P_std = P_mean, P_std

    def forward(self, denoiser, batch, weights):
        """Return the loss of each row, (n,)."""
        clean = denoiser.encode(batch)
        sigma = self.draw_sigma(clean)
        class_labels = None
        if denoiser.observation is not None:
            kinds = denoiser.observation.kinds(len(clean))
            class_labels = denoiser.labels(*denoiser.observation.draw(batch, kinds))
            # What given columns tell must be known where the noise says nothing.
            sigma = torch.where(class_labels.any(1), GIVEN_SIGMA * sigma[kinds], sigma)
        noisy = clean + sigma[:, None] * torch.randn_like(clean)
        if class_labels is not None:
            noisy = torch.where(denoiser.given(class_labels), clean, noisy)
        return denoiser.losses(noisy, sigma, batch, class_labels).mean(1) * weights

    def draw_sigma(self, clean):
        """Return one noise level for each row, one from each of n equal cells.

        Drawn so, the levels of a batch always cover their whole distribution, and
        the gradient varies less than with independent draws.
        """
        n_rows = len(clean)
        cells = torch.arange(n_rows, device=clean.device, dtype=clean.dtype)
        share = (cells + torch.rand_like(cells)) / n_rows
        normal = torch.special.ndtri(share.clamp(1e-6, 1 - 1e-6))
        return (self.P_mean + self.P_std * normal).exp()


class DenoiserNet(NeuralNet):
    """Train a denoiser in place; an "epoch" is a fixed number of steps.

    Parameters
    ----------
    module : Denoiser
        What to train.
    criterion : type
        The loss, :class:`EDMLoss`.
    *args
        Further positional parameters of :class:`skorch.NeuralNet`.
    budget : Budget
        How long to train.
    n_held_back : int, default=0
        Last rows that are not trained on until a callback changes `batches_`.
    **kwargs
        Further parameters of :class:`skorch.NeuralNet`.
    """

    def __init__(
        self, module, criterion=EDMLoss, *args, budget, n_held_back=0, **kwargs
    ):
        self.budget, self.n_held_back = budget, n_held_back
        super().__init__(module, criterion, *args, **kwargs)

    def get_iterator(self, dataset, training=False):
        """Return the batches of one epoch, or of all held-out rows in order."""
        if training:
            n_rows = len(dataset) - self.n_held_back
            batches = ShuffledBatches(n_rows, self.batch_size, self.budget)
            self.batches_ = batches
        else:
            n_rows = min(len(dataset), MAX_HELD_OUT)
            batches = torch.arange(n_rows).split(self.batch_size)
            self.n_points_ = min(MAX_POINTS, 2 ** int(math.log2(N_NOISY / n_rows)))
        # Whole batches come from the data set: one row at a time would cost more
        # than the network.
        return DataLoader(dataset, batch_sampler=batches, collate_fn=_identity)

    def train_step_single(self, batch, **fit_params):
        """Return the loss of one batch, its gradients computed."""
        self._set_training(True)
        loss = self._batch_loss(batch)
        loss.backward()
        return {"loss": loss.detach(), "y_pred": None}

    def validation_step(self, batch, **fit_params):
        """Return minus what the bound of held-out rows has beyond their marginals."""
        self._set_training(False)
        rows, weights = unpack_data(batch)
        with torch.no_grad():
            bound = LogDensityBound(self.module_, self.n_points_)
            gains = bound.gains(rows.to(self.device)) * weights.to(self.device)
        return {"loss": -gains.mean(), "y_pred": None}

    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        """Train, and remember whether the user interrupted it."""
        self.interrupted_ = False
        try:
            return super().fit_loop(X, y, epochs=epochs, **fit_params)
        except KeyboardInterrupt:
            self.interrupted_ = not self.stopped_
            raise

    def notify(self, method_name, **kwargs):
        """Tell the callbacks; one that ends the training does so by an interrupt."""
        self.stopped_ = method_name == "on_epoch_end"
        super().notify(method_name, **kwargs)
        if self.stopped_ and self.budget.progress() == 1:
            raise KeyboardInterrupt
        self.stopped_ = False

    def _batch_loss(self, batch):
        rows, weights = unpack_data(batch)
        rows = rows.to(self.device)
        return self.criterion_(self.module_, rows, weights.to(self.device)).mean()


def train_net(
    denoiser,
    dataset,
    budget,
    *,
    criterion=EDMLoss,
    held_out=None,
    watcher=None,
    learning_rate=2e-3,
    weight_decay=0.0,
    ema_decay=0.999,
    batch_size=1024,
    device="cpu",
    callbacks=(),
    verbose=0,
    title="fit",
    **options,
):
    """Train a denoiser in place and return its net.

    Parameters
    ----------
    denoiser : Denoiser
        What to train; holds the averaged weights afterwards.
    dataset : torch.utils.data.Dataset
        Hands out whole batches with weights.
    budget : Budget
        How long to train.
    criterion : type, default=EDMLoss
        Class of the loss.
    held_out : RowDataset, default=None
        Rows and weights whose loss is looked at after each epoch; none if None.
    watcher : skorch.callbacks.Callback, default=None
        Steers the training by rows that it is not trained on.
    learning_rate, weight_decay : float
        Parameters of AdamW.
    ema_decay : float
        Decay of the averaged weights.
    batch_size : int
        Rows of a step.
    device : str
        Where to train.
    callbacks : sequence of skorch.callbacks.Callback
        Further callbacks, called after the built-in ones.
    verbose : int
        Shows a progress bar if not 0.
    title : str
        What stands before the bar.
    **options
        Further parameters of the net, such as those of the loss.

    Returns
    -------
    net : DenoiserNet
        The trained net, with its history.
    """
    hooks = [
        ("learning_rate", LearningRate(budget)),
        ("gradient_norm", GradientNormClipping(gradient_clip_value=MAX_NORM)),
        ("finite_loss", FiniteLoss(budget)),
        ("weight_average", WeightAverage(ema_decay)),
    ]
    if watcher is not None:
        hooks.append(("watcher", watcher))
    if verbose:
        hooks.append(("progress", Progress(budget, title)))
    net = DenoiserNet(
        denoiser,
        criterion,
        budget=budget,
        optimizer=torch.optim.AdamW,
        optimizer__betas=(0.9, 0.99),
        optimizer__weight_decay=weight_decay,
        # one pass over all weights, where torch has it
        optimizer__fused=device.startswith(("cpu", "cuda")),
        lr=learning_rate,
        batch_size=batch_size,
        max_epochs=budget.max_epochs,
        train_split=held_out and predefined_split(held_out),
        callbacks=[*hooks, *callbacks],
        callbacks__print_log=None,
        device=device,
        verbose=0,
        **options,
    )
    keep_memory()
    with no_denormals():
        return net.fit(dataset)


def losses_of(net, name):
    """Return the losses of all whole epochs of a net; none if there are none."""
    return [float(epoch[name]) for epoch in net.history if name in epoch]


def warn_interrupted(what, budget, remedy=""):
    """Warn the caller of a synthesizer of a training that did not come to its end."""
    warnings.warn(
        f"The {what} was interrupted after {budget.step} of {budget.max_iter} steps. "
        f"The synthesizer can be used{remedy}.",
        ConvergenceWarning,
        stacklevel=4,
    )


def _identity(batch):
    return batch
