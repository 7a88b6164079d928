"""What makes networks fast on a processor."""

import ctypes
import sys
from contextlib import contextmanager
from functools import cache

import torch

# M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of mallopt: bytes that are kept at the end of
# the heap, and of a piece that is not taken from there, the most allowed.
KEPT = {-1: 2**29, -3: 2**25}


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
    """Let the allocator of Linux keep what is freed, instead of giving it back at once.

    Else it asks for the same pages again at each operation or step, and each is filled
    with zeros first, which takes as long as the operation. That outlasts the call: up
    to so many bytes of freed memory stay with the process.
    """
    if sys.platform == "linux":
        # Not every C library has it.
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        for option, n_bytes in KEPT.items() if set_option else ():
            set_option(option, n_bytes)


@cache
def _multiplies_bfloat16():
    """Return whether the processor has AVX512-BF16 or AMX, as far as torch tells."""
    names = "_is_avx512_bf16_supported", "_is_amx_tile_supported"
    return any(getattr(torch.cpu, name, bool)() for name in names)
