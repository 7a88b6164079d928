"""Denoisers whose wide layers multiply fewer numbers."""

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from sklearn_tabsyn import _corrections
from sklearn_tabsyn._lean import Listener, lean
from sklearn_tabsyn._networks import MLP, ResidualMLP

N_INPUTS, WIDTH, N_CALLS = 300, 256, 4


def make(decay=1.0, network=ResidualMLP):
    """A network whose inputs matter less and less, each `decay` times the last one."""
    torch.manual_seed(0)
    network = network(N_INPUTS, 400, hidden_dim=WIDTH, n_blocks=1)
    nn.init.normal_(network.outputs.weight)
    scale = decay ** torch.arange(WIDTH)
    left, _ = torch.linalg.qr(torch.randn(WIDTH, WIDTH))
    right, _ = torch.linalg.qr(torch.randn(N_INPUTS, WIDTH))
    with torch.no_grad():
        network.inputs.weight.copy_(left * scale @ right.T)
    return network.eval()


def rows(seed=1):
    random = torch.Generator().manual_seed(seed)
    # Not around zero, so that what is left out has a mean.
    return torch.randn(512, N_INPUTS, generator=random) + 0.5


def hear(network):
    listener = Listener(network, N_CALLS)
    with torch.no_grad(), listener.listening():
        for seed in range(N_CALLS):
            network(rows(seed), torch.zeros(1))
    return listener


def leaner(network, layers):
    """The network with narrow layers."""
    return lean(SimpleNamespace(network=network, mean=torch.zeros(1)), layers).network


def answer(network, x):
    with torch.no_grad():
        return network(x, torch.zeros(1))


def test_what_lies_in_few_directions_is_said_exactly():
    network = make()
    with torch.no_grad():
        network.inputs.weight[20:] = 0.0
    layers = hear(network).narrow(1e-3)
    # 20 directions, and as many as a processor takes at once
    widths = {name: len(layer.first) for name, layer in layers.items()}
    assert widths == {"inputs": 32, "blocks.0.1": 32}
    x = rows(99)
    found, expected = answer(leaner(network, layers), x), answer(network, x)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.01)


def test_layers_that_need_all_directions_stay_whole():
    assert hear(make()).narrow(0.05) == {}


@pytest.mark.parametrize("kind", [ResidualMLP, MLP])
@pytest.mark.parametrize("tolerance", [0.03, 0.1, 0.3])
def test_no_more_is_left_out_than_tolerated(kind, tolerance):
    network = make(0.95, kind)
    layers = hear(network).narrow(tolerance)
    first, second, bias = (torch.tensor(part) for part in layers["inputs"])
    assert first.numel() + second.numel() < 0.75 * network.inputs.weight.numel()
    with torch.no_grad():
        x = torch.cat([rows(seed) for seed in range(N_CALLS)])
        expected, found = network.inputs(x), x @ first.T @ second.T + bias
    torch.testing.assert_close(found.mean(0), expected.mean(0), rtol=0, atol=1e-4)
    left = (found - expected).square().sum()
    whole = (expected - expected.mean(0)).square().sum()
    assert (left / whole).sqrt() < tolerance


def test_more_is_left_out_where_more_is_tolerated():
    listener = hear(make(0.95))
    widths = [len(listener.narrow(t)["inputs"].first) for t in (0.03, 0.1, 0.3)]
    assert widths == sorted(set(widths), reverse=True)


def test_the_last_layer_and_small_ones_stay_whole():
    listener = hear(make(0.5))
    assert set(listener.narrow(0.5)) == {"inputs", "blocks.0.1", "blocks.0.4"}


def test_networks_of_the_user_stay_whole():
    class Own(nn.Sequential):
        def forward(self, x, noise_labels):
            return super().forward(x)

    torch.manual_seed(0)
    listener = hear(Own(nn.Linear(N_INPUTS, 10), nn.Linear(10, N_INPUTS)))
    assert listener.narrow(1.0) == {}


def test_network_is_heard_no_longer_than_asked():
    network = make(0.95)
    listener = Listener(network, N_CALLS)
    with pytest.raises(RuntimeError), listener.listening():
        answer(network, rows()[:, 1:])  # of another width
    answer(network, rows())
    assert listener.said == {}


def test_network_itself_stays_as_it_is():
    network = make(0.95)
    before = {name: w.clone() for name, w in network.state_dict().items()}
    leaner(network, hear(network).narrow(0.3))
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(weight, before[name], rtol=0, atol=0)


@pytest.fixture
def tolerant(monkeypatch):
    """Accept layers that say much less."""
    monkeypatch.setattr(_corrections, "TOLERANCES", (0.2,))
    monkeypatch.setattr(_corrections, "FARTHER", 100.0)


def wide(fast, **params):
    return fast(hidden_dim=256, sampler="fitted", **params)


def test_rows_are_drawn_by_narrow_layers(tolerant, fast, mixed):
    synthesizer = wide(fast).fit(mixed)
    before = list(synthesizer.denoiser_.network.state_dict())
    state = torch.get_rng_state()
    rows = synthesizer.sample(100, random_state=0)
    assert torch.equal(torch.get_rng_state(), state)
    layers = synthesizer._corrections[-1]
    assert "blocks.0.1" in layers
    assert list(synthesizer.denoiser_.network.state_dict()) == before
    again = pickle.loads(pickle.dumps(synthesizer)).sample(100, random_state=0)
    pd.testing.assert_frame_equal(again, rows)


def test_layers_stay_whole_where_rows_would_end_elsewhere(
    tolerant, monkeypatch, fast, mixed
):
    monkeypatch.setattr(_corrections, "FARTHER", 0.0)
    synthesizer = wide(fast).fit(mixed)
    synthesizer.sample(10)
    assert synthesizer._corrections[-1] == {}


def test_students_start_from_whole_layers(tolerant, fast, mixed):
    synthesizer = wide(fast).fit(mixed)
    student = synthesizer.distill(max_iter=5).student_
    own = synthesizer.denoiser_.network.state_dict()
    shapes = {name: weight.shape for name, weight in own.items()}
    assert {n: w.shape for n, w in student.network.state_dict().items()} == shapes


def test_numbers_and_names_end_nearly_where_the_whole_network_leads(fast):
    random = np.random.default_rng(0)
    names = random.choice(3, 2_000, p=[0.5, 0.3, 0.2])
    numbers = random.normal(size=(2_000, 2)) @ [[1, 0.8], [0, 0.6]] + names[:, None]
    table = pd.DataFrame(numbers, columns=["a", "b"]).assign(name=names.astype(str))
    synthesizer = wide(fast, n_blocks=3, max_iter=300).fit(table)
    rows = synthesizer.sample(2_000, random_state=0)
    sigmas, weights, layers = synthesizer._corrections
    assert layers
    synthesizer._corrections = sigmas, weights, {}
    whole = synthesizer.sample(2_000, random_state=0)
    assert (rows["name"] == whole["name"]).mean() > 0.98
    far = (rows[["a", "b"]] - whole[["a", "b"]]).abs() > 0.1
    assert far.to_numpy().mean() < 0.03


def test_layers_that_always_say_the_same():
    network = make()
    nn.init.zeros_(network.inputs.weight)
    nn.init.zeros_(network.inputs.bias)
    found = answer(leaner(network, hear(network).narrow(0.03)), rows())
    torch.testing.assert_close(found, answer(network, rows()), rtol=0, atol=1e-3)
