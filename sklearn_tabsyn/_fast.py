"""What makes networks fast on a processor, and leaves no setting behind."""

from contextlib import contextmanager
from functools import cache

import torch

# Numbers of a piece of memory, 16 MB; it is never written to.
LARGE_PIECE = 2**22


def fast_products(device):
    """Return a context in which matrix products take bfloat16 numbers.

    Weights, gradients and all other arithmetic stay in single precision: what a
    network says is then exact to about one part in 500, far less than it errs. Only on
    processors that multiply such numbers by themselves, where it is several times as
    fast; elsewhere nothing changes. Nothing outlasts the context.

    Parameters
    ----------
    device : torch.device
        Where the network computes.

    Returns
    -------
    context : context manager
        Holds for the own thread.
    """
    enabled = device.type == "cpu" and _multiplies_bfloat16()
    return torch.autocast("cpu", torch.bfloat16, enabled=enabled)


def one_cast():
    """Return a context in which each weight takes its short form once.

    Around many calls of a network that is not trained meanwhile; the short forms are
    given up at its end.
    """
    return torch.autocast("cpu", enabled=False)


@contextmanager
def no_denormals():
    """Take numbers below 1e-38 for zero in the own thread.

    Processors compute with them many times as slowly, and softmax makes many, of
    improbable levels and components and of their gradients.
    """
    before = _takes_denormals_for_zero()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _takes_denormals_for_zero():
    return bool(torch.tensor(2.0**-130) * 2 == 0)


def keep_memory():
    """Let the allocator keep what is freed, instead of giving it back at once.

    That of Linux learns the size of what to keep from the largest piece that was ever
    freed. Else it asks for the same pages again at each operation, and each is filled
    with zeros first, which takes as long as the operation.
    """
    torch.empty(LARGE_PIECE)


@cache
def _multiplies_bfloat16():
    """Return whether the processor has AVX512-BF16 or AMX, as far as torch tells."""
    names = "_is_avx512_bf16_supported", "_is_amx_tile_supported"
    return any(getattr(torch.cpu, name, bool)() for name in names)
