"""Search a synthesizer by Optuna, and end bad trials while they train.

    python examples/optuna_search.py

Held-out rows are scored after every 50 steps of a training; a trial that is behind
others by then is pruned. Needs optuna.
"""

import optuna
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback

from sklearn_tabsyn import DiffusionSynthesizer


class Pruning(Callback):
    """Report the loss of held-out rows to a trial, and end the fit if it is pruned.

    Parameters
    ----------
    trial : optuna.Trial
        The trial of this fit.
    """

    def __init__(self, trial):
        self.trial = trial

    def on_epoch_end(self, net, **kwargs):
        """Report, after every 50 steps."""
        if "valid_loss" not in net.history[-1]:
            return
        self.trial.report(-net.history[-1]["valid_loss"], len(net.history))
        if self.trial.should_prune():
            raise optuna.TrialPruned


def search(table, n_trials=12):
    """Return the finished study."""
    train, held_out = train_test_split(table, random_state=0)

    def score(trial):
        synthesizer = DiffusionSynthesizer(
            hidden_dim=trial.suggest_categorical("hidden_dim", [16, 32, 64, 128]),
            n_blocks=trial.suggest_int("n_blocks", 1, 4),
            dropout=trial.suggest_float("dropout", 0.0, 0.4),
            learning_rate=trial.suggest_float("learning_rate", 3e-4, 1e-2, log=True),
            early_stopping=True,
            callbacks=[Pruning(trial)],
            random_state=0,
        )
        return synthesizer.fit(train).score(held_out)

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1),
    )
    study.optimize(score, n_trials=n_trials)
    return study


def main():
    """Search and print."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = search(load_diabetes(as_frame=True, scaled=False).frame)
    states = [trial.state.name.lower() for trial in study.trials]
    print(
        f"{states.count('complete')} trials complete, {states.count('pruned')} pruned"
    )
    print(f"bound: {study.best_value:.2f} nats per row with {study.best_params}")


if __name__ == "__main__":
    main()
