"""Settings that make networks fast, and that end with their context."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_tabsyn import _fast
from sklearn_tabsyn._fast import fast_products, no_denormals, one_cast

CPU = torch.device("cpu")


def tiny():
    return (torch.tensor(2.0**-130) * 2).item()


def test_denormals_come_back():
    assert tiny() > 0
    with no_denormals():
        inside = torch.set_flush_denormal(True)
        assert (tiny() == 0) == inside
        with no_denormals():
            pass
        assert (tiny() == 0) == inside
    assert tiny() > 0


def test_products_are_exact_elsewhere(monkeypatch):
    monkeypatch.setattr(_fast, "_multiplies_bfloat16", lambda: False)
    x, linear = torch.randn(5, 7), nn.Linear(7, 3)
    with fast_products(CPU):
        torch.testing.assert_close(linear(x), x @ linear.weight.T + linear.bias)


def test_products_err_by_little_and_weights_stay(monkeypatch):
    monkeypatch.setattr(_fast, "_multiplies_bfloat16", lambda: True)
    x, linear = torch.randn(50, 70), nn.Linear(70, 30)
    exact = linear(x)
    with fast_products(CPU):
        out = linear(x)
    assert out.dtype == torch.bfloat16
    np.testing.assert_allclose(out.detach().float(), exact.detach(), atol=0.03)
    out.float().sum().backward()
    assert linear.weight.dtype == linear.weight.grad.dtype == torch.float32
    assert not torch.is_autocast_enabled("cpu")
    assert linear(x).dtype == torch.float32


def test_new_weights_are_seen_after_the_context(monkeypatch):
    monkeypatch.setattr(_fast, "_multiplies_bfloat16", lambda: True)
    x, linear = torch.ones(1, 1), nn.Linear(1, 1, bias=False)
    for weight in (1.0, 2.0):
        nn.init.constant_(linear.weight, weight)
        with torch.no_grad(), one_cast():
            for _ in range(2):
                with fast_products(CPU):
                    assert linear(x).item() == weight
            assert (x @ x).dtype == torch.float32


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator of Linux")
def test_freed_memory_is_not_asked_for_again():
    code = """
import resource, torch
from sklearn_tabsyn._fast import keep_memory

def n_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        pieces = [torch.ones(1_500_000) for _ in range(40)]
        del pieces
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
keep_memory()
n_faults()
print(n_faults())
"""
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # 240 MB of pages of 4 KB, twenty times over, would be a million
    assert int(found) < 40_000
