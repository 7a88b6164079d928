"""What happens around the steps of a training: rates, averages, progress."""

import math

import torch
from skorch.callbacks import Callback
from torch.optim.swa_utils import AveragedModel
from tqdm.auto import tqdm

# Steps over which the learning rate rises, at most a tenth of the training.
WARM_UP = 100


class LearningRate(Callback):
    """Warm up over the first steps, then fall to zero over the last half.

    Parameters
    ----------
    budget : Budget
        Tells how much of the training is done.
    """

    def __init__(self, budget):
        self.budget = budget

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        """Set the rate of the coming step."""
        if not training:
            return
        warmup = max(1, min(WARM_UP, self.budget.max_iter // 10))
        rise = min(1.0, self.budget.step / warmup)
        fall = min(1.0, 2 * (1 - self.budget.progress()))
        for group in net.optimizer_.param_groups:
            group["lr"] = net.lr * rise * fall


class FiniteLoss(Callback):
    """End a training whose loss is no longer a number.

    Parameters
    ----------
    budget : Budget
        Tells how many steps there were.
    """

    def __init__(self, budget):
        self.budget = budget

    def on_epoch_end(self, net, **kwargs):
        """Raise a ValueError if the last epoch diverged."""
        loss = net.history[-1, "train_loss"]
        if not math.isfinite(loss):
            raise ValueError(
                f"Training diverged: the loss is {loss} after {self.budget.step} "
                f"steps. Lower learning_rate, which is {net.lr}."
            )


class WeightAverage(Callback):
    """Keep an exponential moving average of the weights, and end with it.

    The average is in the net from the end of an epoch's steps to the start of the
    next epoch, so that held-out rows and callbacks at the end of an epoch see it.

    Parameters
    ----------
    decay : float, default=0.999
        Share of the average that a step leaves; less in the first steps.
    """

    def __init__(self, decay=0.999):
        self.decay = decay

    def on_train_begin(self, net, **kwargs):
        """Start from the weights of the net."""
        self.average_ = AveragedModel(net.module_, multi_avg_fn=self._update)
        self.inside_ = False

    def on_epoch_begin(self, net, **kwargs):
        """Go on with the trained weights."""
        self._put(net, inside=False)

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        """Judge held-out rows by the average."""
        self._put(net, inside=not training)

    def on_batch_end(self, net, batch=None, training=False, **kwargs):
        """Let the average follow a step."""
        if training:
            self.average_.update_parameters(net.module_)

    def on_epoch_end(self, net, **kwargs):
        """Show the average to the callbacks that follow."""
        self._put(net, inside=True)

    def on_train_end(self, net, **kwargs):
        """Leave the average in the net."""
        self._put(net, inside=True)
        del self.average_

    def _put(self, net, inside):
        """Exchange the weights and their average, unless that is done already."""
        if inside == self.inside_:
            return
        self.inside_ = inside
        averages = self.average_.module.parameters()
        for weight, average in zip(net.module_.parameters(), averages, strict=True):
            weight.data, average.data = average.data, weight.data

    def _update(self, averages, weights, n_averaged):
        step = float(n_averaged)
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(averages, weights, 1 - decay)


class Progress(Callback):
    """Show rows per second, the loss and the time left.

    Parameters
    ----------
    budget : Budget
        Tells how many steps there are.
    title : str, default="fit"
        What stands before the bar.
    """

    def __init__(self, budget, title="fit"):
        self.budget, self.title = budget, title

    def on_train_begin(self, net, **kwargs):
        """Open the bar."""
        total = self.budget.max_iter * net.batch_size
        self.bar_ = tqdm(total=total, unit="row", unit_scale=True, desc=self.title)

    def on_batch_end(self, net, batch=None, training=False, **kwargs):
        """Move the bar."""
        if training:
            self.bar_.update(net.batch_size)

    def on_epoch_end(self, net, **kwargs):
        """Show the losses."""
        last = net.history[-1]
        names = {"loss": "train_loss", "held-out": "valid_loss"}
        shown = {name: f"{last[key]:.4f}" for name, key in names.items() if key in last}
        self.bar_.set_postfix(shown)

    def on_train_end(self, net, **kwargs):
        """Close the bar."""
        self.bar_.close()
