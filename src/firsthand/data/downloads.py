"""Data sets in the form of MNIST, downloaded once from where they are published.

Each file is checked against a SHA-256 each time before it is used, so that nothing else is ever read, whoever
sent it. An interrupted download is taken up where it stopped, at the next call.
"""

import hashlib
import http.client
import logging
import os
import urllib.error
import urllib.request
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs

from firsthand.errors import reading
from firsthand.files import naming

from .bounded import open_unpacked
from .dataset import Dataset
from .examples import DataError
from .loaders import load_idx, make_dataset, read_idx
from .mnist import DIGITS
from .splits import Splits

__all__ = ["RemoteFile", "download", "emnist_digits", "fashion_mnist", "kmnist"]

logger = logging.getLogger(__name__)

_TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 16  # bytes; as much may be lost when the process is killed
_VALIDATION = 10_000  # images, the last of the published training images


@dataclass(frozen=True)
class RemoteFile:
    """A published file: where it is, its size in bytes, and the SHA-256 (hex) of its content."""

    url: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.url.rpartition("/")[2]


_IDX_NAMES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def _idx_files(folder: str, sizes: Sequence[int], hashes: Sequence[str]) -> list[RemoteFile]:
    """The four files of a data set that is published the way MNIST is."""
    urls = [f"{folder}/{name}-ubyte.gz" for name in _IDX_NAMES]
    return [RemoteFile(*file) for file in zip(urls, sizes, hashes, strict=True)]


# The hashes are those in the checksum files of TensorFlow Datasets; several other projects give the same.
# That is also why the plain http of two publishers will do.
FASHION_MNIST_FILES = _idx_files(
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    (26_421_880, 29_515, 4_422_102, 5_148),
    (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
)
KMNIST_FILES = _idx_files(
    "http://codh.rois.ac.jp/kmnist/dataset/kmnist",
    (18_165_135, 29_497, 3_041_136, 5_120),
    (
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    ),
)
EMNIST_FILE = RemoteFile(
    "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
    561_753_746,
    "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
)

# SHA-256 of the unpacked files: repacked, as Debian's package dataset-fashion-mnist is, they are the same data
FASHION_MNIST_CONTENT = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
FASHION_MNIST_FOLDER = "FIRSTHAND_FASHION_MNIST"  # an environment variable
_SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")

_FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def fashion_mnist(cache: Path | None = None) -> Splits[Dataset, Dataset]:
    """Load Fashion-MNIST: 70,000 photos of clothes, 50,000 / 10,000 / 10,000. Downloads 31 MB the first time.

    Nothing is downloaded where the files are in the folder that the environment variable FIRSTHAND_FASHION_MNIST
    names, or in /usr/share/datasets/fashion-mnist (Debian's package dataset-fashion-mnist), packed or not.

    Args:
        cache: the folder that keeps the files; by default one in the user's cache directory.

    Returns:
        Data sets of uint8 images (n, 28, 28, 1), light on black (0). The validation images are the last
        10,000 of the published training images.

    Raises:
        DataError: the files are not in the cache and cannot be had, or are not the published ones.

    References:
        H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
        Learning Algorithms", arXiv:1708.07747, 2017. Licence: MIT.
    """
    named = os.environ.get(FASHION_MNIST_FOLDER)
    if cache is None and (named or _SYSTEM_FOLDER.is_dir()):
        return _load_found(Path(named) if named else _SYSTEM_FOLDER, FASHION_MNIST_CONTENT, _FASHION_CLASSES)
    try:
        return _load_idx_files(FASHION_MNIST_FILES, cache or _cache("fashion-mnist"), _FASHION_CLASSES)
    except DataError as error:
        raise DataError(f"{error}; Debian's package dataset-fashion-mnist has the data too") from None


def kmnist(cache: Path | None = None) -> Splits[Dataset, Dataset]:
    """Load Kuzushiji-MNIST: 70,000 cursive Japanese letters, 50,000 / 10,000 / 10,000. Downloads 21 MB once.

    Args:
        cache: the folder that keeps the files; by default one in the user's cache directory.

    Returns:
        Data sets of uint8 images (n, 28, 28, 1), light on black (0). The validation images are the last
        10,000 of the published training images. The classes are named by the hiragana of today.

    Raises:
        DataError: the files are not in the cache and cannot be had, or are not the published ones.

    References:
        T. Clanuwat et al., "Deep Learning for Classical Japanese Literature", arXiv:1812.01718, 2018.
        Licence: CC BY-SA 4.0. "KMNIST Dataset" (created by CODH), adapted from "Kuzushiji Dataset" (created
        by NIJL and others), doi:10.20676/00000341.
    """
    return _load_idx_files(KMNIST_FILES, cache or _cache("kmnist"), tuple("おきすつなはまやれを"))


def emnist_digits(cache: Path | None = None) -> Splits[Dataset, Dataset]:
    """Load the digits of EMNIST: 280,000, as 230,000 / 10,000 / 40,000. Downloads 562 MB the first time.

    Args:
        cache: the folder that keeps the file; by default one in the user's cache directory.

    Returns:
        Data sets of uint8 images (n, 28, 28, 1), white (255) digits on black (0), upright (they are published
        with rows and columns exchanged). The validation images are the last 10,000 of the published training
        images.

    Raises:
        DataError: the file is not in the cache and cannot be had, or is not the published one.

    References:
        G. Cohen, S. Afshar, J. Tapson and A. van Schaik, "EMNIST: an extension of MNIST to handwritten
        letters", arXiv:1702.05373, 2017. Published by NIST from its Special Database 19, with the request to
        cite the paper; no licence is stated.
    """
    path = download(EMNIST_FILE, cache or _cache("emnist"))
    parts = []
    with zipfile.ZipFile(path) as archive:
        for part in ("train", "test"):
            with archive.open(f"gzip/emnist-digits-{part}-images-idx3-ubyte.gz") as file:
                images = read_idx(file, 3)
            with archive.open(f"gzip/emnist-digits-{part}-labels-idx1-ubyte.gz") as file:
                labels = read_idx(file, 1)
            upright = np.ascontiguousarray(images.transpose(0, 2, 1))
            parts.append(make_dataset(upright, labels, DIGITS))
    return _splits(*parts)


def _load_idx_files(files: Sequence[RemoteFile], cache: Path, classes: Sequence[str]) -> Splits[Dataset, Dataset]:
    train_images, train_labels, test_images, test_labels = (download(file, cache) for file in files)
    return _splits(
        load_idx(train_images, train_labels, classes=classes),
        load_idx(test_images, test_labels, classes=classes),
    )


def _load_found(folder: Path, content: Sequence[str], classes: Sequence[str]) -> Splits[Dataset, Dataset]:
    """Load the four files of a data set from a folder of somebody else's, by the hashes of what they hold."""
    found = []
    for name, sha256 in zip(_IDX_NAMES, content, strict=True):
        places = [folder / f"{name}-ubyte{ending}" for ending in (".gz", "")]
        path = next((place for place in places if place.is_file()), places[0])
        with reading(path, "no readable file found", DataError):
            actual = hashlib.sha256(open_unpacked(path)).hexdigest()
        if actual != sha256:
            raise DataError(f"{path}: content with SHA-256 {actual} found, {sha256} expected")
        found.append(path)
    train_images, train_labels, test_images, test_labels = found
    return _splits(
        load_idx(train_images, train_labels, classes=classes),
        load_idx(test_images, test_labels, classes=classes),
    )


def _splits(published_train: Dataset, test: Dataset) -> Splits[Dataset, Dataset]:
    return Splits(published_train[:-_VALIDATION], published_train[-_VALIDATION:], test)


def _cache(name: str) -> Path:
    return platformdirs.user_cache_path("firsthand") / name


def download(remote: RemoteFile, folder: Path) -> Path:
    """Return the path of a published file, downloaded first unless the folder holds it already.

    What has arrived is kept as NAME.part, for the next call to go on from, until all of it is there and its
    hash is right; only then does it get its name.

    Args:
        remote: the file.
        folder: made if need be. Two processes that download into it at once spoil each other's NAME.part; the
            hash shows it, and another call mends it.

    Returns:
        The path of the file, its hash checked in this call.

    Raises:
        DataError: the file cannot be had, or not all of it, or it is not the published one.
    """
    path, part = folder / remote.name, folder / f"{remote.name}.part"
    try:
        if path.is_file() and _sha256(path) == remote.sha256:
            return path
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(remote, part)
        found = _sha256(part)
        if found != remote.sha256:
            part.unlink()
            raise DataError(
                f"{remote.url}: SHA-256 {found} found, {remote.sha256} expected; what arrived was discarded"
            )
        part.replace(path)
    except (OSError, http.client.HTTPException) as error:
        raise DataError(
            f"{remote.url}: not downloaded ({error}); call again when there is a connection, or put the file at {path}"
        ) from error
    return path


def _fetch(remote: RemoteFile, part: Path) -> None:
    """Download what is missing of NAME.part, or all of it from a server that does not send parts."""
    start = part.stat().st_size if part.exists() else 0
    if start >= remote.size:
        return  # the hash will tell
    logger.info("downloading %s (%.0f MB) to %s", remote.url, remote.size / 1e6, part.parent)
    with _open(remote.url, start) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            start = 0
        # A page that asks to log in, say, is not to be kept as the beginning of the file.
        if response.length not in (None, remote.size - start):
            raise DataError(f"{remote.url}: {response.length + start:,} bytes found, {remote.size:,} expected")
        with part.open("ab" if start else "wb") as file:
            while file.tell() <= remote.size and (chunk := response.read(_CHUNK)):
                with naming(part):
                    file.write(chunk)
            arrived = file.tell()
    if arrived < remote.size:
        raise ConnectionError(f"{arrived:,} of {remote.size:,} bytes arrived, which are kept")


def _open(url: str, start: int) -> http.client.HTTPResponse:
    """Ask for a file from byte `start` on."""
    headers = {"User-Agent": "firsthand"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        raise ConnectionError(str(error)) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
