"""Chapter 6, what a convolutional layer is: few parameters, shared over the image, and kernels with regions in them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.experiments.drawing import panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from firsthand.nn import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "roughness"]

INTRODUCTION = Source("Nielsen", "chapter 6, 'Introducing convolutional networks', 'Shared weights and biases'")


def _count_parameters(run: Run) -> Measured:
    convolutional = Network((nn.ConvPool(20), nn.FullyConnected(100), nn.Softmax(10))).parameter_counts[0]
    connected = Network((nn.FullyConnected(30), nn.FullyConnected(10)))
    return Measured(
        {
            "convolutional_layer": convolutional,
            "fully_connected_layer": connected.parameter_counts[0],
            "network_784_30_10": connected.parameter_count,
        }
    )


def _forty_times(runs: Sequence[Measured]) -> Finding:
    ratio = runs[0].numbers["fully_connected_layer"] / runs[0].numbers["convolutional_layer"]
    return Finding(ratio > 40, Text(f"{ratio:.1f} times", f"{ratio:.1f} 倍"))


def roughness(kernels: np.ndarray) -> np.ndarray:
    """The roughness of each kernel: the mean squared difference of neighbouring weights over twice the variance.

    It is 25/24 on average where the places of 25 weights mean nothing, and less where light and dark form regions.

    Args:
        kernels: (n, height, width).
    Returns:
        (n,).
    References:
        Geary 1954, 'The contiguity ratio and statistical mapping': c, times n/(n - 1).
    """
    down = np.mean((kernels[:, 1:] - kernels[:, :-1]) ** 2, axis=(1, 2))
    right = np.mean((kernels[:, :, 1:] - kernels[:, :, :-1]) ** 2, axis=(1, 2))
    return (down + right) / 2 / (2 * np.var(kernels, axis=(1, 2)))


def _measure_filters(run: Run) -> Measured:
    kernels = np.array(run.needed["dropout"].runs[0]["arrays"]["kernels"])  # (20, 5, 5)
    rng = np.random.default_rng(run.seed)
    found = float(np.mean(roughness(kernels)))
    shuffled = [
        np.mean(roughness(rng.permuted(kernels.reshape(len(kernels), -1), axis=1).reshape(kernels.shape)))
        for _ in range(run.shortened(1_000, 100))
    ]
    return Measured(
        {
            "roughness": found,
            "roughness_shuffled": float(np.mean(shuffled)),
            "roughness_shuffled_least": float(np.min(shuffled)),
            "standard_deviations_below": float((np.mean(shuffled) - found) / np.std(shuffled)),
        },
        {"kernels": kernels.tolist()},
    )


def _structured(runs: Sequence[Measured]) -> Finding:
    n = runs[0].numbers
    return Finding(
        n["roughness"] < n["roughness_shuffled_least"],
        Text(
            f"neighbouring weights differ {n['roughness']:.2f} as much as any two (mean square); with the weights of "
            f"each kernel shuffled {n['roughness_shuffled']:.2f}, at least {n['roughness_shuffled_least']:.2f}: "
            f"{n['standard_deviations_below']:.0f} standard deviations",
            f"相邻权重之差（均方）是任意两个权重之差的 {n['roughness']:.2f} 倍；把每个卷积核的权重打乱后为 "
            f"{n['roughness_shuffled']:.2f}，最小 {n['roughness_shuffled_least']:.2f}：相差 "
            f"{n['standard_deviations_below']:.0f} 个标准差",
        ),
    )


def _draw_filters(result: Result, needed: Mapping[str, Result]) -> "Figure":
    kernels = np.array(result.runs[0]["arrays"]["kernels"])
    figure, grid = panels(4, 5, width=1.0, height=1.0)
    for axes, kernel in zip(grid.flat, kernels, strict=True):
        axes.imshow(kernel, cmap="gray_r")
        axes.grid(visible=False)
        axes.set(xticks=(), yticks=())
    return figure


EXPERIMENTS = (
    Experiment(
        "parameters",
        Text("How few parameters a convolutional layer has", "卷积层的参数有多少"),
        INTRODUCTION,
        _count_parameters,
        published=(
            Published("convolutional_layer", 520, "value", 0),
            Published("fully_connected_layer", 23_550, "value", 0),
            Published("network_784_30_10", 23_860, "value", 0),
        ),
        claims=(
            Claim(
                Text(
                    "The fully connected layer has more than 40 times as many parameters as the convolutional one.",
                    "全连接层的参数是卷积层的 40 倍以上。",
                ),
                _forty_times,
            ),
        ),
        runs=1,
    ),
    Experiment(
        "filters",
        Text("The 20 kernels of the first layer as images", "第一层的 20 个卷积核"),
        INTRODUCTION,
        _measure_filters,
        claims=(
            Claim(
                Text(
                    "There is spatial structure in them beyond what would be expected at random.",
                    "它们有超出随机的空间结构：许多卷积核有明显的明暗区域。",
                ),
                _structured,
            ),
        ),
        drawings=(
            Drawing(
                "kernels",
                Text(
                    "Darker means a larger weight, lighter a smaller one (mostly negative), each kernel on its own "
                    "scale: regions of dark and light, edges at several angles.",
                    "越深表示权重越大，越浅表示权重越小（多为负值），每个卷积核各有比例："
                    "可以看到成片的明暗区域和各个方向的边缘。",
                ),
                _draw_filters,
            ),
        ),
        runs=1,
        needs=("dropout",),
    ),
)
