"""PyTorch with `torch.compile`: forward and backward compiled, or the whole step with gather and update.

For the CPU, mode="reduce-overhead" (CUDA graphs) does nothing; "max-autotune" took minutes to compile here and was not
faster.  With the whole step in one graph the C++ wrapper saves the Python between the kernels, which is what the small
networks' time consists of.
"""

import torch
from torch import Tensor

from benchmarks.speed.nets import Problem

from .torch_eager import PACKAGES, Torch

__all__ = ["PACKAGES", "Peer"]


class Peer(Torch):
    """Compiled PyTorch."""

    def __init__(self, problem: Problem, variant: str, threads: int) -> None:
        super().__init__(problem, variant, threads)
        # what was compiled for the last problem counts towards a limit
        torch.compiler.reset()
        if variant == "step":
            for p in self.now:
                p.requires_grad_(False)
            options: dict[str, str | int | bool] = {"cpp_wrapper": True}
            self.step = torch.compile(self._whole_step, fullgraph=True, dynamic=False, options=options)
        else:
            self.compiled_loss = torch.compile(self.loss, fullgraph=True, dynamic=False)
            self.step = self._compiled_gradient
        self.run(0, 3)  # compiles

    def _whole_step(self, at: Tensor) -> None:
        gradient = torch.func.grad(self.loss)(self.now, self.images[at], self.labels[at])
        for p, g in zip(self.now, gradient, strict=True):
            p.sub_(self.rate * g)

    def _compiled_gradient(self, at: Tensor) -> None:
        gradient = torch.autograd.grad(self.compiled_loss(self.now, self.images[at], self.labels[at]), self.now)
        with torch.no_grad():
            torch._foreach_add_(self.now, gradient, alpha=-self.rate)

    def run(self, start: int, steps: int) -> None:
        for at in self.batches[start : start + steps]:
            self.step(at)
