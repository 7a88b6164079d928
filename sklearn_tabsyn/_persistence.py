"""What a pickle of a fitted synthesizer holds."""

import torch

from sklearn_tabsyn._seeds import find_device


class WeightsAsArrays:
    """Pickle the weights of the network as numpy arrays: small, free of the device."""

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "denoiser_" in state:
            weights = state.pop("denoiser_").network.state_dict()
            state["_weights"] = {name: w.cpu().numpy() for name, w in weights.items()}
        return state

    def __setstate__(self, state):
        state = dict(state)
        weights = state.pop("_weights", None)
        super().__setstate__(state)
        if weights is not None:
            denoiser = self._model.build_denoiser()
            tensors = {name: torch.tensor(w) for name, w in weights.items()}
            denoiser.network.load_state_dict(tensors)
            self.denoiser_ = denoiser.to(find_device(self.device)).eval()
