"""MNIST, bundled: 70,000 handwritten digits that come with the package and need no network.

The file holds the images in the order of `mnist.pkl.gz`, the file of the book, so that its split into
training and validation images is the one behind the published numbers. `tools/box/build_mnist.py` made it.

Source: Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", 1998; a remix of
NIST Special Databases 1 and 3. Licence of the data: CC BY-SA 3.0.
"""

from functools import cache
from pathlib import Path

from .dataset import Dataset
from .examples import DataError
from .loaders import load_npz
from .splits import Splits

__all__ = ["BOX", "DIGITS", "mnist", "read_box"]

BOX = Path(__file__).with_name("mnist.npz")
DIGITS = tuple("0123456789")

# Of the decoded images and labels (so of the class counts too), not of the file: they hold whatever program
# compressed it, and are the very digests that say in a model's provenance which data it saw. Costs 0.03 s.
DIGESTS = {
    "train": "59d205519e1884af5e0a52eeb52bb1900ea265f81493b8512d21f5f72167b0aa",
    "validation": "80c2da9d5e960e1040e9d51e6af85bc1798e8b2b50314e5890d96405a0694b77",
    "test": "8e4f653f4234f022331f8194d2a1ca62e34862ca6c2f74856b0097c7a397840d",
}


@cache
def mnist() -> Splits[Dataset, Dataset]:
    """Load MNIST: 50,000 training, 10,000 validation and 10,000 test images.

    Returns:
        Data sets of uint8 images (n, 28, 28, 1), white (255) digits on black (0), and labels 0 to 9. The book
        stores the pixel v as v / 256.

    Raises:
        DataError: the file of this package is damaged.

    Examples:
        >>> mnist().train
        Dataset(50000 images of 28x28x1, 10 classes)
        >>> mnist().test.class_counts()
        array([ 980, 1135, 1032, 1010,  982,  892,  958, 1028,  974, 1009])
    """
    return read_box(BOX)


def read_box(path: Path) -> Splits[Dataset, Dataset]:
    """Read the file of the package and check that it holds MNIST, image for image."""
    try:
        whole = load_npz(path, classes=DIGITS)
        parts = Splits(whole[:50_000], whole[50_000:60_000], whole[60_000:])
    except DataError as error:
        raise DataError(f"{error}; MNIST comes with the package: reinstall firsthand") from error
    for name, part in parts._asdict().items():
        if part.digest != DIGESTS[name]:
            raise DataError(
                f"{path}: {name} images with SHA-256 {part.digest} found, {DIGESTS[name]} expected; "
                "MNIST comes with the package: reinstall firsthand"
            )
    return parts
