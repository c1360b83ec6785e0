"""PyTorch, eager.  Its honest best on these networks: plain functions on resident tensors, no module, no DataLoader."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.speed.nets import Conv, Drop, Net, Problem, shapes

PACKAGES = ("torch",)


def weighted_input(net: Net, params: list[Tensor], x: Tensor, flatten: Callable[[Tensor], Tensor]) -> Tensor:
    """The output layer's weighted input, (batch, 10), of images (batch, 1, 28, 28)."""
    rest = iter(params)
    for layer in net.layers:
        if isinstance(layer, Drop):
            x = F.dropout(x, layer.rate)
        elif isinstance(layer, Conv):
            # ReLU after pooling is the same and has a quarter of the work
            x = F.relu(F.max_pool2d(F.conv2d(x, next(rest), next(rest)), 2))
        else:
            weights, bias = next(rest), next(rest)
            x = torch.addmm(bias, flatten(x), weights)
            if layer.activation != "none":
                x = F.relu(x) if layer.activation == "relu" else torch.sigmoid(x)
    return x


def cost(net: Net, z: Tensor, labels: Tensor) -> Tensor:
    """The mean cost of a mini-batch."""
    if net.output == "softmax":
        return F.cross_entropy(z, labels)
    y = F.one_hot(labels, z.shape[1]).to(z.dtype)
    return F.binary_cross_entropy_with_logits(z, y, reduction="sum") / len(z)


class Torch:
    """The base of eager and compiled PyTorch: data and parameters as tensors, in either memory format."""

    def __init__(self, problem: Problem, variant: str, threads: int) -> None:
        torch.set_num_threads(threads)
        self.problem, self.net, self.rate = problem, problem.net, problem.net.learning_rate
        self.channels_last = "channels_last" in variant
        images = torch.from_numpy(problem.floats()).permute(0, 3, 1, 2)  # (n, 1, 28, 28)
        self.images = images.contiguous(memory_format=self._format())
        self.labels = torch.from_numpy(problem.labels).long()
        self.batches = torch.from_numpy(problem.order).long().split(problem.batch_size)
        self.now: list[Tensor] = []
        self.reset()

    def _format(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def flatten(self, x: Tensor) -> Tensor:
        """Images as rows, in the order in which they lie in memory, so that nothing is copied."""
        if x.dim() == 4 and self.channels_last:
            x = x.permute(0, 2, 3, 1)
        return x.flatten(1)

    def loss(self, params: list[Tensor], x: Tensor, labels: Tensor) -> Tensor:
        """The mean cost of a mini-batch, as a function of the parameters."""
        return cost(self.net, weighted_input(self.net, params, x, self.flatten), labels)

    def reset(self) -> None:
        fresh = [torch.from_numpy(self._rows(i, p, inward=True).copy()) for i, p in enumerate(self.problem.params)]
        for i, p in enumerate(fresh):
            if p.dim() == 4:
                fresh[i] = p.permute(3, 2, 0, 1).contiguous(memory_format=self._format())
        if self.now:  # the same tensors, so that compiled code stays valid
            with torch.no_grad():
                torch._foreach_copy_(self.now, fresh)
        else:
            self.now = [p.requires_grad_() for p in fresh]

    def params(self) -> list[np.ndarray]:
        found = [p.detach().permute(2, 3, 1, 0) if p.dim() == 4 else p.detach() for p in self.now]
        return [self._rows(i, p.contiguous().numpy(), inward=False) for i, p in enumerate(found)]

    def _rows(self, index: int, p: np.ndarray, inward: bool) -> np.ndarray:
        """The rows of the weights after an image from firsthand's order of pixels and channels to PyTorch's, or back.

        Of contiguous tensors PyTorch flattens (channels, height, width); firsthand flattens (height, width, channels).
        """
        image, weights = shapes(self.net)[index // 2]
        if index % 2 or len(weights) == 4 or len(image) == 1 or self.channels_last:
            return p
        height, width, channels = image
        if inward:
            return p.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(p.shape)
        return p.reshape(channels, height, width, -1).transpose(1, 2, 0, 3).reshape(p.shape)


class Peer(Torch):
    """Eager PyTorch."""

    def run(self, start: int, steps: int) -> None:
        for at in self.batches[start : start + steps]:
            gradient = torch.autograd.grad(self.loss(self.now, self.images[at], self.labels[at]), self.now)
            with torch.no_grad():
                torch._foreach_add_(self.now, gradient, alpha=-self.rate)
