"""`firsthand doctor`."""

import dataclasses
import json
from typing import Any

from .common import Json

__all__ = ["doctor"]


def doctor(as_json: Json = False) -> None:
    """Show what this installation computes with: versions, devices, active kernels and why."""
    import jax

    from firsthand import kernels
    from firsthand.compilation import keep_compilations
    from firsthand.files import describe_machine, versions
    from firsthand.processes import cores

    kept = keep_compilations()
    native = dataclasses.asdict(kernels.status())
    facts: dict[str, Any] = {
        "machine": describe_machine(),
        "versions": versions(),
        "devices": [f"{d.platform}: {d.device_kind}" for d in jax.devices()],
        "kernels": native,
        "threads": kernels.threads(),
        "cores": len(cores()),
        "compiled": "not kept" if kept is None else f"kept in {kept}",
    }
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {item}" for key, item in value.items() if item not in (None, ""))
        elif isinstance(value, list):
            value = ", ".join(value)
        print(f"{name + ':':10} {value}")
