"""Features that nobody named: one Boltzmann machine, a deep belief net fine-tuned to read, and few labels."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firsthand import nn
from firsthand.data import Dataset, Splits
from firsthand.experiments.drawing import COLOURS, in_percent, panels
from firsthand.experiments.experiment import Claim, Drawing, Experiment, Measured, Run
from firsthand.experiments.result import Finding, Published, Result, Text
from firsthand.learning import Cosine, Recipe, started, train
from firsthand.nn import Network
from firsthand.zoo.generative import SINGLE_RBM, greedy

from .common import measured, trained
from .feature_maps import roughness
from .generative import BACKWARD, FASTER, FEWER, below, data_of, packed, show_images, unpacked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS"]

PRETRAINED = greedy((500, 500), 6)  # those of zoo.generative.DBN
TOP = greedy((2000,), 6)


# --- one machine ---------------------------------------------------------------------------------------------------

SHOWN = 40  # filters in the figure
CURVES = ("validation_pseudo_likelihood", "validation_error", "validation_free_energy", "training_free_energy")


def _filters(run: Run) -> Measured:
    data = data_of(run)
    # as many training images as validation images are enough for the gap between their free energies
    recipe = SINGLE_RBM.recipe.changed(epochs=run.shortened(10, 1), monitor=CURVES[:3])
    network = Network(SINGLE_RBM.layers)
    first = train(
        network,
        Splits(data.train, data.validation, None),
        recipe,
        key=run.key,
        checkpoint=run.place / "machine.safetensors",
        resume=(run.place / "machine.safetensors").exists(),
        progress=lambda at: run.say(f"epoch {at.epoch}/{at.epochs}") if at.record else None,
    )
    model, history = first.model, first.history
    weights = np.asarray(model.params[0]["weights"]).T.reshape(-1, 28, 28)
    # pixels at the border are never on, and the weights to them mean nothing
    inner = weights[:, 4:24, 4:24]
    rng = np.random.default_rng(run.seed)
    shuffled = rng.permuted(inner.reshape(len(inner), -1), axis=1).reshape(inner.shape)
    scores = model.provenance["scores"]
    numbers = {
        "pseudo_likelihood": scores["validation"]["pseudo_likelihood"],
        "error": scores["validation"]["error"],
        "free_energy_gap": scores["validation"]["free_energy"] - scores["training"]["free_energy"],
        "roughness": float(np.mean(roughness(inner))),
        "roughness_shuffled": float(np.mean(roughness(shuffled))),
        "active": float(np.mean(model.encode(data.validation.images[:2000]))),
    }
    chosen = rng.permutation(len(weights))[:SHOWN]
    limit = np.abs(weights[chosen]).max(axis=(1, 2), keepdims=True)
    return Measured(
        numbers,
        {
            "filters": packed((1 + weights[chosen] / limit) / 2),
            "curve": [round(value, 3) for value in history["validation_pseudo_likelihood"]],
        },
    )


def _local(runs: Sequence[Measured]) -> Finding:
    mean = {name: float(np.mean([run.numbers[name] for run in runs])) for name in runs[0].numbers}
    return Finding(
        mean["roughness"] < 0.5 * mean["roughness_shuffled"],
        Text(
            f"neighbouring weights differ {mean['roughness']:.2f} as much as any two (mean square), shuffled "
            f"{mean['roughness_shuffled']:.2f}; pseudo-likelihood {mean['pseudo_likelihood']:.1f} nat, squared "
            f"error of a "
            f"reconstruction {mean['error']:.2f}, free energy of validation images {mean['free_energy_gap']:.2f} "
            f"nat above "
            f"that of training images; {mean['active']:.1%} of the hidden units are on",
            f"相邻权重之差（均方）是任意两个权重之差的 {mean['roughness']:.2f} 倍，打乱后为 "
            f"{mean['roughness_shuffled']:.2f}；伪似然 {mean['pseudo_likelihood']:.1f} nat，重构的平方误差 "
            f"{mean['error']:.2f}，验证图像的自由能比训练图像高 {mean['free_energy_gap']:.2f} nat；"
            f"平均有 {mean['active']:.1%} 的隐藏单元处于开启状态",
        ),
    )


def _draw_filters(result: Result, needed: Mapping[str, Result]) -> "Figure":
    images = unpacked(result.runs[0]["arrays"]["filters"])
    return show_images(list(images.reshape(-1, 10, 28, 28)), diverging=True)


# --- a deep belief net that reads ----------------------------------------------------------------------------------

READER = (
    nn.FullyConnected(500),
    nn.FullyConnected(500),
    nn.FullyConnected(2000),
    nn.Softmax(10, weights_init=nn.hinton),
)
FINE = Recipe(
    epochs=30, batch_size=100, learning_rate=Cosine(0.1, 30), momentum=0.9, l2=1e-5, monitor=("validation_accuracy",)
)


def _backprop(run: Run) -> Measured:
    from firsthand.learning import train_greedily

    data = data_of(run)
    two = below(run, PRETRAINED, data, name="500-500")
    top = TOP if not run.quick else type(TOP)(TOP.machines, tuple(each.changed(epochs=1) for each in TOP.recipes))
    three, _ = train_greedily(
        top,
        data,
        key=run.key,
        below=two,
        place=run.place,
        progress=lambda at: run.say(f"machine 3 epoch {at.epoch}/{at.epochs}") if at.record else None,
    )
    network = Network(READER)
    return measured(trained(run, READER, FINE, data=data, start=started(network, three, key=run.key)))


# --- few labels ----------------------------------------------------------------------------------------------------

SMALL = (nn.FullyConnected(500), nn.FullyConnected(500), nn.Softmax(10, weights_init=nn.hinton))
LABELS = (100, 1000)
STEPS = 3000


def _few_labels(run: Run) -> Measured:
    data = data_of(run)
    model = below(run, PRETRAINED, data, name="500-500")
    network = Network(SMALL)
    starts = {
        "pretrained": started(network, model, key=run.key),
        "fresh": Network((*(nn.FullyConnected(500, weights_init=nn.glorot) for _ in range(2)), SMALL[-1])).init(
            key=run.key
        ),
    }
    numbers = {}
    for labels in LABELS:
        few = _balanced(data.train, labels, run.seed)
        batch = min(50, labels // 10)
        epochs = run.shortened(STEPS * batch // labels, 2)
        # without labels to spare, nothing is chosen: a fixed number of steps, and the last parameters
        recipe = Recipe(epochs, batch, Cosine(0.05, epochs), momentum=0.9, l2=1e-4, monitor=(), keep_best=False)
        for name, start in starts.items():
            found = train(network, Splits(few, None, data.test), recipe, key=run.key, params=start)
            numbers[f"{name}_{labels}"] = found.model.provenance["accuracies"]["test"]
            run.say(f"{labels} labels, {name}: {numbers[f'{name}_{labels}']:.4f}")
    return Measured(numbers)


def _balanced(data: Dataset, count: int, seed: int) -> Dataset:
    """Draw `count` images by the seed, equally many of each class."""
    order = np.random.default_rng(seed).permutation(len(data))
    labels = data.labels[order]
    return data[
        np.sort(np.concatenate([order[labels == k][: count // data.num_classes] for k in range(data.num_classes)]))
    ]


def _labels_helped(runs: Sequence[Measured]) -> Finding:
    parts, parts_zh, holds = [], [], True
    for labels in LABELS:
        before, after = (
            np.array([run.numbers[f"{name}_{labels}"] for run in runs]) for name in ("fresh", "pretrained")
        )
        gain = after - before
        error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
        holds = holds and bool(gain.mean() > 2 * error)
        said = [f"{each.mean():.2%} ± {each.std(ddof=min(1, len(gain) - 1)):.2%}" for each in (before, after)]
        parts.append(f"{labels:,} labels: {said[0]} without, {said[1]} with")
        parts_zh.append(f"{labels} 个标签：不预训练 {said[0]}，预训练后 {said[1]}")
    return Finding(holds, Text("; ".join(parts), "；".join(parts_zh)))


def _draw_labels(result: Result, needed: Mapping[str, Result]) -> "Figure":
    figure, grid = panels(1, 1, width=4.6)
    axes = grid[0, 0]
    for colour, name, label in zip(
        COLOURS, ("fresh", "pretrained"), ("labels alone", "features of 50,000 unlabelled images first"), strict=False
    ):
        for labels in LABELS:
            values = result.values(f"{name}_{labels}")
            axes.plot([labels] * len(values), values, ".", color=colour)
        axes.plot(LABELS, [result.mean(f"{name}_{labels}") for labels in LABELS], color=colour, label=label)
    axes.set(xscale="log", xlabel="labelled images", ylabel="test accuracy", xticks=LABELS, xlim=(70, 1400))
    axes.set_xticks(LABELS, [f"{labels:,}" for labels in LABELS])
    axes.minorticks_off()
    in_percent(axes)
    axes.legend(frameon=False, loc="lower right")
    return figure


EXPERIMENTS = (
    Experiment(
        "rbm-filters",
        Text(
            "What a Boltzmann machine of 500 units looks for, without a label",
            "500 个隐藏单元的玻尔兹曼机在没有标签时学到了什么",
        ),
        BACKWARD,
        _filters,
        claims=(
            Claim(
                Text(
                    "Contrastive divergence finds features in images without labels: filters of strokes, not of noise.",
                    "对比散度不用标签就能在图像中找到特征：滤波器是笔画，而不是噪声。",
                ),
                _local,
            ),
        ),
        drawings=(
            Drawing(
                "filters",
                Text(
                    "The weights of 40 hidden units, drawn at random; red turns a unit on, blue off: spots, short "
                    "strokes, "
                    "edges with an off side, and some that are speckled still.",
                    "随机选出的 40 个隐藏单元的权重；红色使其开启，蓝色使其关闭：斑点、短笔画、一侧为负的边缘，"
                    "也有一些仍是杂点。",
                ),
                _draw_filters,
            ),
        ),
        minutes=1.5,
    ),
    Experiment(
        "dbn-backprop",
        Text(
            "A deep belief net, 784-500-500-2000, fine-tuned by backpropagation",
            "深度信念网络 784-500-500-2000，用反向传播微调",
        ),
        FASTER,
        _backprop,
        # Hinton and Salakhutdinov's 1.2 % on the test images; their earlier 1.25 % is the up-down algorithm's
        published=(Published("test_accuracy", 0.988),),
        deviations=(
            Text(
                "50,000 training images instead of 60,000: the other 10,000 choose the epoch. 6 epochs of contrastive "
                "divergence a machine instead of 50, and 30 epochs of gradient descent with momentum instead of "
                "conjugate gradients.",
                "用 50,000 张训练图像而不是 60,000 张：其余 10,000 张用来选择训练轮次。每个玻尔兹曼机训练 6 "
                "轮而不是 50 轮；"
                "微调用 30 轮带动量的梯度下降，而不是共轭梯度法。",
            ),
            Text(
                "Also tried, on validation images (98.5 % as it is): 15 epochs a machine with a rate of 0.03 (98.5 %) "
                "and 0.01 (97.7 %), ten times the weight decay (98.4 %), dropout of 0.2 and 0.5 for 30 epochs (98.3 "
                "%).",
                "在验证图像上还试过（现在的做法为 98.5%）：每个玻尔兹曼机 15 轮、学习率 0.03（98.5%）和 0.01（97.7%），"
                "十倍的权重衰减（98.4%），0.2 与 0.5 的 dropout 训练 30 轮（98.3%）。",
            ),
        ),
        minutes=4,
    ),
    Experiment(
        "few-labels",
        Text(
            "100 and 1,000 labels, with and without features learned from unlabelled images",
            "100 和 1000 个标签：有无无标签预训练",
        ),
        FEWER,
        _few_labels,
        claims=(
            Claim(
                Text(
                    "Where labels are few, features learned without labels raise the accuracy.",
                    "标签很少时，不用标签学到的特征能提高准确度。",
                ),
                _labels_helped,
            ),
        ),
        drawings=(
            Drawing(
                "accuracy",
                Text(
                    "Test accuracy of the same network, 784-500-500-10, after the same steps. A dot is a run.",
                    "同一个网络 784-500-500-10 经过相同步数训练后的测试准确度。每个点是一次运行。",
                ),
                _draw_labels,
            ),
        ),
        runs=5,
        minutes=2,
    ),
)
