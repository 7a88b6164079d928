"""How a synthesizer trains on a table: as it is told, or else as suits the rows."""

from functools import partial

from skorch.callbacks import EarlyStopping

from sklearn_tabsyn._batches import Budget, shuffled_rows, split_rows
from sklearn_tabsyn._independence import IndependentColumns, find_unrelated
from sklearn_tabsyn._networks import NETWORKS
from sklearn_tabsyn._sizes import (
    default_batch,
    default_steps,
    default_width,
    rows_held_back,
)
from sklearn_tabsyn._training import train_net

# The share of training rows of which some columns are given, if any should be.
CONDITIONAL = 0.3
# Where rows are not given: it blurs what given columns tell.
WEIGHT_DECAY = 0.3


def conditional_share(params):
    """Return the share of training rows of which some columns are given."""
    return CONDITIONAL if params.conditional is True else params.conditional


def network_of(params, n_rows):
    """Return what makes the network from its numbers of inputs and outputs."""
    return partial(
        NETWORKS.get(params.denoiser, params.denoiser),
        hidden_dim=_or_auto(params.hidden_dim, default_width, n_rows),
        n_blocks=params.n_blocks,
        dropout=params.dropout,
    )


def train(params, denoiser, model, dataset, device):
    """Train a denoiser in place and return its net.

    Parameters
    ----------
    params : DiffusionSynthesizer
        What was asked for.
    denoiser : Denoiser
        What to train.
    model : TableModel
        What is known of the table's columns.
    dataset : RowDataset
        The rows.
    device : str
        Where to train.

    Returns
    -------
    net : DenoiserNet
        The trained net, with its history.
    """
    n_rows, share = len(dataset), model.conditional
    has_start = denoiser.evidence is not None
    steps = partial(default_steps, has_start=has_start, conditional=share)
    max_iter = _or_auto(params.max_iter, steps, n_rows, model.n_units)
    batch_size = _or_auto(params.batch_size, default_batch, n_rows, share)
    budget = Budget(max_iter, params.max_time)
    if params.early_stopping:
        dataset, watching = _watch_held_out(params, dataset)
    elif has_start:
        watching = {}
    else:
        dataset, watching = _hold_back(denoiser, dataset, budget, share)
    return train_net(
        denoiser,
        dataset,
        budget,
        criterion__P_mean=params.P_mean,
        criterion__P_std=params.P_std,
        learning_rate=params.learning_rate,
        weight_decay=_or_auto(params.weight_decay, _default_decay, share),
        ema_decay=params.ema_decay,
        batch_size=min(batch_size, len(dataset)),
        device=device,
        callbacks=params.callbacks or (),
        verbose=params.verbose,
        **watching,
    )


def _watch_held_out(params, dataset):
    """Return rows to train on, and how others tell when to stop."""
    dataset, held_out = split_rows(dataset, params.validation_fraction)
    stop = EarlyStopping(patience=params.n_iter_no_change, load_best=True)
    return dataset, {"held_out": held_out, "watcher": stop}


def _hold_back(denoiser, dataset, budget, conditional):
    """Return rows in order, and how the last tell which columns are independent."""
    n_held_back = rows_held_back(len(dataset), conditional)
    if not n_held_back:
        return dataset, {}
    unrelated = find_unrelated(denoiser, dataset.rows)
    if not unrelated.any():
        return dataset, {}
    dataset, held_back = shuffled_rows(dataset, n_held_back)
    watcher = IndependentColumns(budget, held_back, unrelated)
    return dataset, {"n_held_back": n_held_back, "watcher": watcher}


def _default_decay(conditional):
    """Return the weight decay of a training."""
    return 0.0 if conditional else WEIGHT_DECAY


def _or_auto(asked, default, *size):
    """Return what was asked for, or the default of a size if that was "auto"."""
    return default(*size) if asked == "auto" else asked
