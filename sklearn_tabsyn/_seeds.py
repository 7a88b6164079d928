"""Randomness and devices without a trace on global state."""

from contextlib import contextmanager
from threading import RLock

import numpy as np
import torch
from sklearn.utils import check_random_state


def seed_sequence(random_state):
    """Return a seed sequence from a seed, a generator or, if None, fresh entropy.

    Unlike `check_random_state`, None does not draw from numpy's global generator.
    """
    if isinstance(random_state, np.random.RandomState):
        random_state = random_state.randint(0, 2**32, size=4, dtype=np.uint32).tolist()
    elif random_state is not None:
        check_random_state(random_state)  # raises scikit-learn's own error
        random_state = int(random_state)
    return np.random.SeedSequence(random_state)


def int_seed(random_state):
    """Return a seed that every library takes, drawn from any `random_state`."""
    return int(seed_sequence(random_state).generate_state(1)[0])


# Torch has one generator for all threads: one after another may seed it.
ONE_AT_A_TIME = RLock()


@contextmanager
def seeded_torch(seed, device):
    """Seed torch's generators, and give them back their state afterwards.

    Threads that train at the same time wait for each other.
    """
    kind = torch.device(device).type
    devices = [torch.device(device)] if kind != "cpu" else []
    options = {"device_type": kind} if devices else {}
    with ONE_AT_A_TIME, torch.random.fork_rng(devices, **options):
        torch.manual_seed(seed)
        yield


def find_device(device):
    """Return the name of a device; "auto" is a GPU if there is one."""
    if device != "auto":
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device={device!r} cannot be used here; set device='auto' or 'cpu'. "
                f"torch says: {str(error).splitlines()[0]}"
            ) from error
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
