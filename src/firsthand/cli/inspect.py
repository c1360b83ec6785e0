"""`firsthand inspect`."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firsthand.errors import FirsthandError, reading
from firsthand.files import write_atomically, write_saved

from .common import DataName, Device, Json, ModelPath, find_model, load_splits, use_device

if TYPE_CHECKING:
    from numpy import ndarray

    from firsthand.data import Dataset, ImageSplits
    from firsthand.figures import Figure
    from firsthand.inspect import Verdict
    from firsthand.models import Ensemble, Model
    from firsthand.nn import Cost

__all__ = ["inspect"]


def inspect(
    model: ModelPath = None,
    data: DataName = "mnist",
    out: Annotated[
        Path | None, typer.Option(help="New folder for the pictures.", show_default="runs/DATE-inspect")
    ] = None,
    images: Annotated[int, typer.Option(help="How many images of the data to look at.")] = 2000,
    shown: Annotated[int, typer.Option(help="How many of them to show with saliency and neighbours.")] = 6,
    member: Annotated[int, typer.Option(help="Which network of an ensemble to look into, from 1.")] = 1,
    adversarial: Annotated[
        bool, typer.Option("--adversarial", help="Find the smallest change that fools it, for the images shown.")
    ] = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Look inside a model: gradients, idle units, weights, filters, saliency, neighbours, and whether it overfits.

    The images are the first of the validation data, or of the other data where there are none.
    """
    use_device(device)
    from firsthand.models import Ensemble
    from firsthand.report import new_run_folder

    found = find_model(model, quiet=as_json)
    one = found.members[_checked("--member", member, len(found.members)) - 1] if isinstance(found, Ensemble) else found
    size = one.input_shape[:2] if len(one.input_shape) == 3 else None
    splits = load_splits(data, None, 0, whole=True, size=size)
    part = splits.validation if splits.validation is not None else splits.train
    one.check_fits(part)
    looked_at = part[: _checked("--images", images, None)]
    most = _checked("--shown", shown, None)
    folder = new_run_folder(out, "inspect").path
    if not as_json:
        print(f"looking at {len(looked_at):,} images, for about half a minute ...", file=sys.stderr)
    numbers, figures = _look(one, looked_at, splits.train[:10_000], looked_at.images[:most])
    if adversarial:
        numbers["adversarial"], figures["adversarial"] = _fool(found, looked_at, most)
    verdict = _verdict(model, one, splits)
    if verdict is not None:
        numbers["overfitting"] = {"kind": verdict.kind, "gap": verdict.gap, "noise": verdict.noise}
        numbers["overfitting"] |= {"english": verdict.english, "chinese": verdict.chinese}
    for name, figure in figures.items():
        write_saved(folder / f"{name}.png", partial(figure.savefig, format="png", dpi=110))
    write_atomically(folder / "inspect.json", json.dumps(numbers, indent=1, ensure_ascii=False) + "\n")
    if as_json:
        print(json.dumps({**numbers, "folder": str(folder)}))
        return
    print(f"{one.network.summary()}\n\n{len(looked_at):,} images\n")
    print(f"{'gradient':40} {'|dC/db|':>10} {'|dC/dw|':>10}")
    for row in numbers["gradients"]:
        print(f"{row['layer']:40} {row['bias']:10.2g} {row['weights']:10.2g}")
    print(*("", *numbers["units"]), sep="\n")
    if adversarial:
        about = numbers["adversarial"]
        print(
            f"\nadversarial: {about['fooled']} of {about['images']} images fooled, mean distortion "
            f"{about['distortion']:.3f}; noise of the same size fools {about['fooled_by_noise']}"
        )
    if verdict is not None:
        print(f"\n{verdict.english}")
    print(f"\npictures: {folder}")


def _look(
    model: "Model", data: "Dataset", known: "Dataset", some: "ndarray"
) -> "tuple[dict[str, Any], dict[str, Figure]]":
    """Numbers and pictures of a model over some data; neighbours are looked for among those known."""
    from firsthand.inspect import (
        Neighbours,
        feature_maps,
        gradient_lengths,
        gradient_saliency,
        kernel_images,
        kernel_layers,
        occlusion,
        parts,
        plots_fooled,
        plots_inside,
        project_strongest,
        strongest,
        unit_use,
        weight_histograms,
    )

    cost = _cost(model)
    gradients, units = gradient_lengths(model.network, model.params, data, cost=cost), unit_use(model, data)
    weights = weight_histograms(model)
    figures = {"gradients": plots_inside.plot_gradients(gradients), "weights": plots_inside.plot_weights(weights)}
    if units:
        figures["units"] = plots_inside.plot_units(units)
    if len(model.input_shape) == 3:
        own = {part.name for part in parts(model.network) if len(part.path) == 1}
        for number, name in enumerate(kernel_layers(model.network), start=1):
            figures[f"kernels_{number}"] = plots_inside.plot_kernels(kernel_images(model, name))
            figures[f"feature_maps_{number}"] = plots_inside.plot_feature_maps(
                some[0], feature_maps(model, some[0], name), name
            )
            if name in own:  # a projection goes through layers in a row
                figures[f"projected_{number}"] = plots_fooled.plot_projected(project_strongest(model, data, name))
            figures[f"strongest_{number}"] = plots_inside.plot_strongest(strongest(model, data, name))
        maps = {
            "gradient |∂z/∂x|": gradient_saliency(model, some),
            "covered: fall of z": occlusion(model, some, of="z"),
        }
        named = [f"called {model.classes[k]}" for k in model.predict(some)]
        figures["saliency"] = plots_inside.plot_saliency(some, maps, named)
        nearest = Neighbours(model, known).nearest(some, min(9, len(known)))
        figures["neighbours"] = plots_inside.plot_neighbours(some, nearest, known)
    numbers = {
        "images": len(data),
        "cost": cost.__name__,
        "gradients": [{"layer": each.name, "bias": each.bias, "weights": each.weights} for each in gradients],
        "units": [str(each) for each in units],
        "weights": [
            {"layer": each.name, "mean": each.mean, "std": each.std, "near_zero": each.near_zero} for each in weights
        ],
    }
    return numbers, figures


def _fool(model: "Model | Ensemble", data: "Dataset", most: int) -> "tuple[dict[str, Any], Figure]":
    """The smallest changes that fool a model, for the first images that it reads rightly."""
    import jax
    import numpy as np

    from firsthand.inspect import distortion, fooled, minimal_distortion, plots_fooled, same_size

    right = np.flatnonzero(~fooled(model, data.images, data.labels))[:most]
    if not len(right):
        raise FirsthandError(f"--adversarial: none of the {len(data):,} images is read rightly")
    images, labels = data.images[right], data.labels[right]
    changed = minimal_distortion(model, images, labels)
    noise = same_size(images, changed, noise=True, key=jax.random.key(0))
    said = model.top_k(changed, 1)
    figure = plots_fooled.plot_fooled(
        images / np.float32(255),
        changed,
        [model.classes[label] for label in labels],
        [f"{name}: {p:.0%}" for ((name, p),) in said],
    )
    numbers = {
        "images": len(images),
        "fooled": int(fooled(model, changed, labels).sum()),
        "distortion": float(distortion(images, changed).mean()),
        "fooled_by_noise": int(fooled(model, noise, labels).sum()),
    }
    return numbers, figure


def _cost(model: "Model") -> "Cost":
    """The cost of the model's training; where it is unknown, one that fits its output layer."""
    from firsthand.nn import cross_entropy, log_likelihood, quadratic, softmax

    name = model.provenance.get("recipe", {}).get("cost")
    by_name = {cost.__name__: cost for cost in (cross_entropy, log_likelihood, quadratic)}
    return by_name.get(name, log_likelihood if model.network.activation is softmax else quadratic)


def _verdict(path: Path | None, model: "Model", splits: "ImageSplits") -> "Verdict | None":
    """Return the verdict from the history beside the model if that suffices, else from measurements on its data."""
    from firsthand.inspect import overfitting
    from firsthand.learning import History

    if splits.validation is None or splits.train.digest != model.provenance.get("training_data"):
        return None
    sizes = {"training_images": len(splits.train), "validation_images": len(splits.validation)}
    if path is not None and (file := path.with_name("history.json")).exists():
        with reading(file, "not the history of a training"):
            kept = json.loads(file.read_text(encoding="utf-8"))  # of an ensemble, a list
            history = History.from_json(kept) if isinstance(kept, dict) else History()
        if "training_accuracy" in history and "validation_accuracy" in history:
            return overfitting(history, **sizes)
    accuracies = {
        "training_accuracy": model.accuracy(splits.train),
        "validation_accuracy": model.accuracy(splits.validation),
    }
    return overfitting(History([{"epoch": model.provenance["epochs"], **accuracies}]), **sizes)


def _checked(option: str, value: int, most: int | None) -> int:
    if value < 1 or (most is not None and value > most):
        raise FirsthandError(f"{option}: found {value}, expected 1 or more" + (f", at most {most}" if most else ""))
    return value
