"""`firsthand evaluate`, `predict` and `summary`."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firsthand.errors import FirsthandError

from .common import (
    DATA_NAMES,
    TEXT_NAMES,
    Device,
    Invert,
    Json,
    ModelArgument,
    ModelPath,
    check_recipe,
    find_model,
    find_recipe,
    find_trained,
    load_splits,
    one_of,
    report_failed,
    use_device,
    whole,
)
from .texts import text_to_judge_by

if TYPE_CHECKING:
    from firsthand.models import Classifier, LanguageModel

__all__ = ["evaluate", "predict", "summary"]

TestData = Annotated[
    str | None,
    typer.Option(
        "--data",
        help="Data set, folder or file, as for `train`; for a language model shakespeare or FILE.txt.",
        show_default="mnist, or shakespeare",
    ),
]


def evaluate(
    named: ModelArgument = None,
    model: ModelPath = None,
    data: TestData = None,
    invert: Invert = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Measure a model on test data: accuracy and calibration, or bits per character of a text."""
    use_device(device)
    from firsthand.models import Ensemble, LanguageModel, Model

    path = one_of(named, model)
    found = find_model(None, quiet=as_json) if path is None else find_trained(path, quiet=as_json)
    if isinstance(found, LanguageModel):
        _evaluate_language(found, data or TEXT_NAMES[0], invert, as_json)
        return
    if not isinstance(found, Model | Ensemble):
        raise FirsthandError(f"evaluate: {type(found).__name__} found, expected a classifier or a language model")
    data = data or "mnist"
    if data in TEXT_NAMES:
        raise FirsthandError(f"--data: found {data}, a text; the model names classes")
    from firsthand.data import DataError
    from firsthand.inspect import (
        brier_score,
        confusion_matrix,
        expected_calibration_error,
        negative_log_likelihood,
    )

    size = found.input_shape[:2] if len(found.input_shape) == 3 else None
    splits = load_splits(data, None, 0, whole=True, size=size, invert=invert)
    test = splits.test if splits.test is not None else splits.train
    try:
        test = test.with_classes(found.classes)
    except DataError as error:
        raise DataError(f"{data}: {error} by the model") from None
    started = time.perf_counter()
    found.check_fits(test)
    z = found.weighted_inputs(test.images)
    seconds = time.perf_counter() - started
    probabilities = found.probabilities_at(z)
    matrix = confusion_matrix(test.labels, z.argmax(axis=1), len(found.classes))
    calibration = {
        "expected_calibration_error": expected_calibration_error(probabilities, test.labels),
        "negative_log_likelihood": negative_log_likelihood(probabilities, test.labels),
        "brier_score": brier_score(probabilities, test.labels),
        "temperature": found.temperature,
    }
    right = int(matrix.trace())
    if as_json:
        result = {"accuracy": right / len(test), "correct": right, "n": len(test), "seconds": seconds, **calibration}
        print(json.dumps({**result, "confusion": matrix.tolist(), "classes": list(found.classes)}))
        return
    print(f"accuracy: {right / len(test):.2%} ({right:,} of {len(test):,} right in {data}, {seconds:.2f} s)")
    how = "not calibrated" if found.temperature is None else f"temperature {found.temperature:.3f}"
    error, cost = calibration["expected_calibration_error"], calibration["negative_log_likelihood"]
    print(f"expected calibration error: {error:.2%}, negative log-likelihood: {cost:.4f} ({how})")
    wrong = [(int(n), i, j) for (i, j), n in _enumerate(matrix) if i != j and n]
    for n, i, j in sorted(wrong, reverse=True)[:5]:
        print(f"  {found.classes[i]} called {found.classes[j]}: {n} time{'s' * (n != 1)}")


def _evaluate_language(model: "LanguageModel", data: str, invert: bool | None, as_json: bool) -> None:
    """Read a text on with the model's memory, and say how much it was surprised."""
    if data in DATA_NAMES or invert is not None:
        found = f"--data: found {data}, images" if data in DATA_NAMES else "--invert: found, for pictures"
        raise FirsthandError(f"{found}; a language model reads a text, shakespeare or FILE.txt expected")
    text, part = text_to_judge_by(model, data)
    started = time.perf_counter()
    try:
        bits = model.bits(text)
    except FirsthandError as error:
        raise FirsthandError(f"--data: {data}: {str(error).removeprefix('text: ')}") from None
    seconds = time.perf_counter() - started
    if as_json:
        print(json.dumps({"bits": bits, "perplexity": 2**bits, "n": len(text) - 1, "part": part, "seconds": seconds}))
        return
    what = "test part of the text" if part else "whole text"
    print(f"bits per character: {bits:.3f} ({what}, {len(text) - 1:,} characters, {seconds:.2f} s)")
    print(f"perplexity: {2**bits:.2f}")


def predict(
    images: Annotated[list[str], typer.Argument(help="Image files, one digit each.")],
    model: ModelPath = None,
    top: Annotated[int, typer.Option(help="Number of candidates to name.", callback=whole(1))] = 3,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Name the digit on each image, with probabilities; `read` finds the digits on a photo.

    A picture that is not like those of MNIST is read as a photo, on which the digit is found first.
    """
    use_device(device)
    from firsthand.data import DataError

    from .one_digit import name_digit

    found = find_model(model)
    shape = _image_shape(found)
    results: list[dict[str, Any]] = []
    failed: list[str] = []
    for name in images:
        try:
            if not name:
                raise DataError("an empty name found, that of a picture expected")
            answer = name_digit(Path(name), found, shape, top)
        except DataError as error:  # the other pictures are named all the same
            failed.append(str(error))
            results.append({"image": name, "error": str(error)})
            continue
        label = next(iter(answer.candidates), None)
        about = {"image": name, "label": label, "candidates": answer.candidates, "notes": answer.notes}
        results.append(about | ({"reason": answer.reason} if label is None else {}))
        if not as_json:
            shown = ", ".join(f"{value} {probability:.1%}" for value, probability in answer.candidates.items())
            said = answer.reason if label is None else f"{label}  ({shown})"
            print(f"{name}: {said}" + "".join(f"\n  {note}" for note in answer.notes))
    if as_json:
        print(json.dumps(results))
    report_failed(failed, len(failed) < len(images))


def summary(
    named: ModelArgument = None,
    model: Annotated[Path | None, typer.Option("--model", help="Model file to describe.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Recipe to describe.")] = None,
    as_json: Json = False,
) -> None:
    """Describe a model or a recipe (layers, shapes, parameters, multiply-adds), or list the recipes."""
    model = one_of(named, model)
    if model is None and recipe is None:
        from firsthand.zoo.about import ABOUT

        print(json.dumps(ABOUT) if as_json else "\n".join(f"{name:18} {about}" for name, about in ABOUT.items()))
        return
    check_recipe(recipe)
    from firsthand.models import Ensemble
    from firsthand.nn import Network, to_json

    if model is not None:
        loaded = find_trained(model, quiet=True)
        networks = [member.network for member in (loaded.members if isinstance(loaded, Ensemble) else (loaded,))]
        table, about = loaded.summary(), loaded.provenance
    else:
        chosen = find_recipe(recipe or "", {})
        networks, about = [Network(chosen.layers, chosen.input_shape)], {"recipe": chosen.recipe.to_json()}
        table = networks[0].summary()
    if as_json:
        described = [to_json(network) for network in networks]
        count = sum(network.parameter_count for network in networks)
        print(json.dumps({"network": described[0] if len(described) == 1 else described, "parameters": count, **about}))
        return
    print(table)
    for name, value in about.items():
        print(f"{name}: {value if isinstance(value, str | int) else json.dumps(value)}")


def _image_shape(model: "Classifier") -> tuple[int, int, int]:
    shape = model.input_shape
    if len(shape) != 3:
        raise FirsthandError(f"model: it reads inputs of shape {shape}, not images")
    height, width, channels = shape
    return height, width, channels


def _enumerate(matrix: Any) -> Any:
    import numpy as np

    return np.ndenumerate(matrix)
