"""Pictures that a generative network draws: `firsthand sample` of a Generator or a variational autoencoder."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from firsthand.errors import FirsthandError

if TYPE_CHECKING:
    from firsthand.models import Autoencoder, Generator

__all__ = ["sample_pictures"]

COLUMNS = 20


def sample_pictures(
    model: "Generator | Autoencoder", *, label: str | None, count: int, steps: int, seed: int, out: Path, as_json: bool
) -> None:
    """Draw pictures and write them as one sheet.

    Args:
        model: draws them.
        label: of which class; None leaves that to the model.  An autoencoder knows no classes.
        count: how many.
        steps: of Gibbs sampling before each; an autoencoder takes none.
        seed: of all randomness.
        out: the picture, in a format that its name says.
        as_json: print what was done for programs.
    Raises:
        FirsthandError: a model of something else than grey images, an autoencoder whose codes cannot be drawn, no such
            class, a name that says no format.
    """
    import jax
    import numpy as np
    from PIL import Image

    from firsthand.inspect.sheets import sheet_of
    from firsthand.models import Generator

    if len(model.input_shape) != 3 or model.input_shape[2] != 1:
        raise FirsthandError(f"sample: the model draws examples of shape {model.input_shape}, expected grey images")
    if out.suffix.lower() not in Image.registered_extensions():
        raise FirsthandError(f"--out: found {out}, expected the name of a picture, such as sheet.png")
    about: dict[str, object] = {"out": str(out), "count": count, "seed": seed}
    key = jax.random.key(seed)
    if isinstance(model, Generator):
        images = model.sample(count, key=key, label=label, steps=steps)[..., 0]
        about |= {"label": label, "steps": steps}
    else:
        images = model.sample(count, key=key)[..., 0]
    sheet = sheet_of([images[row : row + COLUMNS] for row in range(0, count, COLUMNS)])
    Image.fromarray(sheet).save(out)
    if as_json:
        print(json.dumps(about))
        return
    what = "pictures" if label is None else f"pictures of {label!r}"
    chains = f", each after {steps} steps" if "steps" in about else ""
    print(f"{out}: {count} {what}{chains}; mean ink {float(np.mean(images)):.1%}")
