"""`firsthand export`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from .common import Device, Json, ModelPath, find_model, use_device

__all__ = ["export"]


def export(
    file: Annotated[Path, typer.Argument(help="ONNX file to write, NAME.onnx.")],
    model: ModelPath = None,
    pixels: Annotated[
        bool, typer.Option("--pixels/--floats", help="Input: uint8 pixels 0..255, or float32 as they are.")
    ] = True,
    tolerance: Annotated[float, typer.Option(help="Largest difference of a probability to accept.")] = 1e-5,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Write a model as an ONNX file, with scaling and temperature inside, checked by ONNX Runtime."""
    use_device(device)
    import numpy as np

    from firsthand.data import mnist
    from firsthand.interop import export_onnx

    found = find_model(model, quiet=as_json)
    digits = found.input_shape == mnist().test.image_shape
    images = mnist().test.images[:1000] if digits else None
    if images is not None and not pixels:
        images = images.astype(np.float32) / 255
    seen = export_onnx(found, file, images=images, pixels=pixels, tolerance=tolerance)
    which = "MNIST test images" if digits else "random inputs"
    if as_json:
        about = {"file": str(file), "bytes": file.stat().st_size, "classes": list(found.classes)}
        checked = None if seen is None else seen._asdict() | {"images": which}
        print(json.dumps({**about, "compared": checked}))
        return
    kind = "uint8 pixels 0..255" if pixels else "float32"
    shape = ", ".join(map(str, ("batch", *found.input_shape)))
    print(f"{file}: {file.stat().st_size / 2**10:,.0f} KiB")
    print(f"input:   images ({shape}), {kind}")
    print(f"outputs: probabilities (batch, {len(found.classes)}), label (batch): index of {', '.join(found.classes)}")
    if seen is None:
        print("not compared: package onnxruntime not found (pip install 'firsthand[onnx]')")
    else:
        same = f"the same labels, probabilities within {seen.difference:.1e}"
        print(f"checked: ONNX Runtime {seen.runtime} gives {same}, on {seen.n:,} {which}")
