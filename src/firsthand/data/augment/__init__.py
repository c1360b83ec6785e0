"""Training images made different every time they are seen, on the device, inside the compiled training step.

`docs/augmentation.md` shows what each does to digits, and what it costs.
"""

from .base import Augmentation, Compose
from .expanded import displaced, expanded
from .pixels import ColourNoise, Erase, HorizontalFlip, Noise, RandomCrop, Shift
from .warps import Affine, Distort, Elastic, Rotate, Scale, Shear, Translate, Warp

__all__ = [
    "Affine",
    "Augmentation",
    "ColourNoise",
    "Compose",
    "Distort",
    "Elastic",
    "Erase",
    "HorizontalFlip",
    "Noise",
    "RandomCrop",
    "Rotate",
    "Scale",
    "Shear",
    "Shift",
    "Translate",
    "Warp",
    "displaced",
    "expanded",
]
