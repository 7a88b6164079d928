"""What a pickle of a fitted synthesizer holds."""

import torch

from sklearn_tabsyn._seeds import find_device, seeded_torch

# Where the weights of each denoiser are in a pickle.
PLACES = {"denoiser_": "_weights", "student_": "_student_weights"}


class WeightsAsArrays:
    """Pickle the weights of the network as numpy arrays: small, free of the device."""

    def __getstate__(self):
        state = dict(super().__getstate__())
        for name, place in PLACES.items():
            if name in state:
                learned = state.pop(name).learned()
                state[place] = {key: w.cpu().numpy() for key, w in learned.items()}
        return state

    def __setstate__(self, state):
        state = dict(state)
        weights = {name: state.pop(place, None) for name, place in PLACES.items()}
        super().__setstate__(state)
        for name, arrays in weights.items():
            if arrays is not None:
                with seeded_torch(0, "cpu"):  # first weights, which are replaced
                    denoiser = self._model.build_denoiser()
                denoiser.relearn({key: torch.tensor(w) for key, w in arrays.items()})
                setattr(self, name, denoiser.to(find_device(self.device)).eval())
