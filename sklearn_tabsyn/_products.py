"""Matrix products of networks in half the bits, where the processor has them."""

from functools import cache

import torch


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


@cache
def _multiplies_bfloat16():
    """Return whether the processor has AVX512-BF16 or AMX, as far as torch tells."""
    names = "_is_avx512_bf16_supported", "_is_amx_tile_supported"
    return any(getattr(torch.cpu, name, bool)() for name in names)
