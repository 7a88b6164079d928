"""A picture of how a synthesizer was trained."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_tabsyn.inspection._figures import (
    FADED,
    REAL,
    SYNTHETIC,
    clear_frame,
    get_axes,
    set_title,
)

PANEL = (4.4, 3.2)
# Each entry of the curves of a synthesizer is of so many steps, or the last ones.
STEPS = 50
HELD_OUT = {"color": SYNTHETIC, "lw": 1.8}


class TrainingDisplay:
    """The loss of a synthesizer over its training, and what noise hides from it.

    Made by :meth:`from_estimator`.

    Parameters
    ----------
    steps : ndarray of shape (n_losses,)
        Steps taken at the end of each entry of the curves.
    loss : ndarray of shape (n_losses,)
        Mean training loss.
    validation_loss : ndarray of shape (n_losses,) or (0,)
        Minus the bound on the log-density of held-out rows, beyond that of independent
        columns, in nats; empty without early stopping.
    sigmas : ndarray of shape (n_levels,)
        Rising noise levels.
    uncertainty : ndarray of shape (n_levels,)
        How much of a training row the synthesizer cannot tell under that noise: the
        mean cross-entropy of its columns, in nats. It rises where rows are decided.

    Attributes
    ----------
    figure_ : Figure
        The figure, after :meth:`plot`.
    axes_ : ndarray of Axes of shape (2,)
        The curves and the uncertainty, after :meth:`plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn import DiffusionSynthesizer
    >>> from sklearn_tabsyn.inspection import TrainingDisplay
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> synthesizer = DiffusionSynthesizer(max_iter=100, random_state=0).fit(X)
    >>> display = TrainingDisplay.from_estimator(synthesizer)
    >>> display.steps
    array([ 50, 100])
    """

    def __init__(self, steps, loss, validation_loss, sigmas, uncertainty):
        self.steps = steps
        self.loss = loss
        self.validation_loss = validation_loss
        self.sigmas = sigmas
        self.uncertainty = uncertainty

    @classmethod
    def from_estimator(cls, estimator):
        """Take what a fitted synthesizer keeps of its training.

        Parameters
        ----------
        estimator : DiffusionSynthesizer
            Fitted.

        Returns
        -------
        display : TrainingDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it keeps no loss and no noise levels.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "loss_curve_") or not hasattr(estimator, "_profile"):
            raise TypeError(
                "TrainingDisplay shows the training of a DiffusionSynthesizer; got "
                f"{type(estimator).__name__}."
            )
        loss = np.array(estimator.loss_curve_)
        validation_loss = np.array(estimator.validation_loss_curve_)
        steps = np.minimum(STEPS * np.arange(1, len(loss) + 1), estimator.n_iter_)
        return cls(steps, loss, validation_loss, *estimator._profile)

    def plot(self, ax=None):
        """Draw the curves and the uncertainty.

        Parameters
        ----------
        ax : array of Axes of shape (2,), default=None
            Where to draw. If None, a new figure.

        Returns
        -------
        self : TrainingDisplay
            The display, with `axes_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` does not hold two axes.
        """
        self.axes_ = get_axes(ax, 2, 2, PANEL)
        self.figure_ = self.axes_[0].figure
        curves, levels = self.axes_
        self._draw_curves(curves)
        levels.plot(self.sigmas, self.uncertainty, color=REAL, lw=1.8)
        levels.set(xscale="log", xlabel="noise level sigma")
        levels.set_ylabel("cross-entropy (nats)")
        set_title(levels, "Uncertainty by noise level", length=40)
        for panel in self.axes_:
            clear_frame(panel)
            panel.tick_params(labelsize=9)
        return self

    def _draw_curves(self, ax):
        """Draw the losses over the steps, or say that there are none."""
        set_title(ax, "Loss", length=40)
        ax.set_xlabel("step")
        if not len(self.loss):
            text = f"fewer than {STEPS} steps: no loss yet"
            place = {"transform": ax.transAxes, "ha": "center", "va": "center"}
            ax.text(0.5, 0.5, text, color=FADED, **place)
            return
        mark = "o" if len(self.loss) == 1 else None
        ax.plot(self.steps, self.loss, marker=mark, color=REAL, lw=1.8, label="train")
        if len(self.validation_loss):
            # Another measure than the loss, so on an axis of its own.
            other = ax.twinx()
            steps = self.steps[: len(self.validation_loss)]
            other.plot(steps, self.validation_loss, marker=mark, **HELD_OUT)
            other.set_ylabel("minus bound of held-out rows (nats)", color=SYNTHETIC)
            other.spines["top"].set_visible(False)
            other.tick_params(labelsize=9)
            ax.plot([], [], label="held out", **HELD_OUT)
        ax.legend(frameon=False, loc="upper center")
