"""Training on adversarial images: in every epoch those that fool the network as it is then."""

import hashlib
from dataclasses import dataclass
from typing import Any

from jax import Array

from firsthand.data import Dataset
from firsthand.learning import Source
from firsthand.models import Model
from firsthand.nn import Network

from .adversarial import projected_gradient
from .sheets import as_bytes

__all__ = ["Adversarial"]


@dataclass(frozen=True, eq=False)
class Adversarial(Source):
    """Images as they are, and as many changed ones: made against the parameters with which the epoch begins.

    Args:
        data: the images as they are.
        network: that is trained.
        epsilon: the largest change of a pixel, on the scale where black is 0 and white is 1.
        steps: of the attack; 1 is the sign of the gradient (`gradient_sign`), more are `projected_gradient`.

    The changed images are kept in bytes, which rounds each pixel by 1/510 at most.

    References:
        Goodfellow, Shlens and Szegedy 2014, section 6, where the images are made again in every mini-batch.
    """

    data: Dataset
    network: Network
    epsilon: float
    steps: int = 1

    def examples(self, epoch: int, params: Any, *, key: Array) -> Dataset:
        model = Model(self.network, params, self.data.classes)
        rate = self.epsilon if self.steps == 1 else None
        changed = projected_gradient(
            model, self.data.images, self.data.labels, self.epsilon, steps=self.steps, rate=rate
        )
        return self.data + self.data.with_arrays(as_bytes(changed), self.data.labels)

    @property
    def like(self) -> Dataset:
        return self.data + self.data

    @property
    def digest(self) -> str:
        about = f"adversarial {self.epsilon} {self.steps} {self.network} {self.data.digest}"
        return hashlib.sha256(about.encode()).hexdigest()
