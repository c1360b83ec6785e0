"""Malformed files for every reader, from a fixed seed: what each made of them, in figures.

    python -m tools.measure.fuzz_files [--n 12000] [--seed 0] [--json FILE]

Good files of each kind are made and then damaged: bytes are changed, cut out, doubled, replaced by those of other
files; values in JSON are replaced by others; headers claim sizes; small files unpack to large ones; pickles call
functions.  Each is given to the reader that a user would give it to, in child processes whose memory is measured for
every input.  An input counts as

    refused     a FirsthandError of one line (or FileNotFoundError, of a missing file)
    read        a value: not every change is damage
    exception   anything else
    executed    the file made something happen: it created the file that its payload names
    too large   more than 2 GB of memory over what was taken before
    too slow    more than 10 seconds
    died        the process ended

The exit code is 0 where only the first two are not 0.
"""

import argparse
import gzip
import io
import json
import multiprocessing
import os
import pickle
import random
import struct
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

GIGABYTES = 2.0
SECONDS = 10.0
DEADLINE = 60.0  # seconds, after which a process is ended
BATCH = 100
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "x", "七", "\ud800", "a" * 5000, "../../x", "mnist", [], {}, [[]], [0] * 9, {"a": 1}, [None], "quick"),
]


class Kind(NamedTuple):
    """A kind of file: what it is called, a good one, who reads it, and how it is damaged beside its bytes."""

    name: str
    good: list[bytes]
    read: Callable[[Path], Any]
    damage: list[Callable[[random.Random, bytes, Path], bytes]]


# --- damage ---


def changed_bytes(rng: random.Random, data: bytes, path: Path) -> bytes:
    """Some bytes replaced, cut out, doubled or put in."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not content:
            break
        at, length = rng.randrange(len(content)), rng.choice((1, 1, 2, 4, 8, 64))
        match rng.randrange(5):
            case 0:
                content[at] = rng.randrange(256)
            case 1:
                del content[at : at + length]
            case 2:
                content[at:at] = content[at : at + length]
            case 3:
                content[at : at + length] = rng.choice((b"\0", b"\xff", b"\x7f")) * length
            case 4:
                content[at:at] = rng.randbytes(length)
    return bytes(content)


def cut(rng: random.Random, data: bytes, path: Path) -> bytes:
    """The beginning, or the beginning and other bytes."""
    return data[: rng.randrange(len(data) + 1)] + rng.randbytes(rng.choice((0, 0, 10, 1000)))


def noise(rng: random.Random, data: bytes, path: Path) -> bytes:
    """Other bytes, after the first few of the file."""
    return data[: rng.choice((0, 2, 4, 8, 16))] + rng.randbytes(rng.randrange(500))


def changed_value(rng: random.Random, found: Any) -> Any:
    """JSON with one of its values replaced, removed or doubled, anywhere."""
    if isinstance(found, dict) and found and rng.random() < 0.9:
        key = rng.choice(sorted(found))
        match rng.randrange(10):
            case 0:
                return {name: value for name, value in found.items() if name != key}
            case 1:
                return {**found, rng.choice(("x", "", "overrides", "layer", "seed")): rng.choice(VALUES)}
            case _:
                return {**found, key: changed_value(rng, found[key])}
    if isinstance(found, list) and found and rng.random() < 0.9:
        at = rng.randrange(len(found))
        changed = list(found)
        match rng.randrange(8):
            case 0:
                del changed[at]
            case 1:
                changed.insert(at, rng.choice((found[at], *VALUES)))
            case _:
                changed[at] = changed_value(rng, found[at])
        return changed
    return rng.choice(VALUES)


def changed_json(rng: random.Random, data: bytes, path: Path) -> bytes:
    """A file of JSON with one to three values changed, or nested too deeply."""
    if rng.random() < 0.01:
        return b"[" * 100_000 + b"]" * 100_000
    found = json.loads(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        found = changed_value(rng, found)
    return json.dumps(found).encode()


def changed_line(rng: random.Random, data: bytes, folder: Path) -> bytes:
    """A file of JSON lines with one of them changed, removed, doubled or moved."""
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(rng.randrange(len(lines)), lines[at])
        case 2:
            lines[at] = rng.choice((b"\n", b"null\n", b"[]\n", b'{"op_code": 99}\n'))
        case _:
            lines[at] = changed_json(rng, lines[at], folder) + b"\n"
    return b"".join(lines)


def changed_description(rng: random.Random, data: bytes, folder: Path) -> bytes:
    """A safetensors file with another description of what is in it, in our words or in those of the format."""
    (length,) = struct.unpack("<Q", data[:8])
    head = json.loads(data[8 : 8 + length])
    if rng.random() < 0.8:
        ours = json.loads(head["__metadata__"]["firsthand"])
        for _ in range(rng.choice((1, 1, 2))):
            ours = changed_value(rng, ours)
        head["__metadata__"]["firsthand"] = json.dumps(ours)
    else:
        head = changed_value(rng, head)
    text = json.dumps(head).encode()
    claimed = rng.choice((len(text),) * 20 + (2**60, 0, len(text) - 1))
    return struct.pack("<Q", claimed) + text + data[8 + length :]


def bomb(rng: random.Random, size: int) -> bytes:
    """A small file that unpacks to `size` megabytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        for _ in range(size):
            file.write(bytes(2**20))
    return packed.getvalue()


def bombs_of_idx(rng: random.Random, data: bytes, path: Path) -> bytes:
    """A header that claims much, and sometimes has it."""
    sizes = rng.choice(((2**31, 28, 28), (2**16, 2**16, 3), (0, 28, 28), (60_000, 28, 28), (900, 1024, 1024)))
    content = struct.pack(">BBBB3I", 0, 0, 8, 3, *sizes)
    return gzip.compress(content, 1) + (bomb(rng, 900) if sizes[0] == 900 and rng.random() < 0.05 else b"")


def bombs_of_npz(rng: random.Random, data: bytes, path: Path) -> bytes:
    """Headers of arrays that claim other shapes and types, over little content."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("x_train", "y_train"):
            head = io.BytesIO()
            shape = rng.choice(((2**31, 28, 28), (10**17,), (2, 2**40), (-1, 3), (600, 2**20), (), (0, 28, 28)))
            descr = rng.choice(("|u1", "<f8", "|O", "<U1000000", "|V8", "<M8[s]", "|b1"))
            np.lib.format.write_array_header_1_0(head, {"descr": descr, "fortran_order": False, "shape": shape})
            large = shape == (600, 2**20) and rng.random() < 0.05
            archive.writestr(f"{name}.npy", head.getvalue() + bytes(600 * 2**20 if large else rng.randrange(100)))
    return packed.getvalue()


class _Call:
    def __init__(self, function: Any, *arguments: Any):
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def attacks(rng: random.Random, data: bytes, folder: Path) -> bytes:
    """A pickle that would make the file that shows it, by one of several ways."""
    proof = str(folder / "executed")
    calls = (
        _Call(os.system, f"touch {proof}"),
        _Call(eval, f"open({proof!r}, 'w')"),
        _Call(exec, f"open({proof!r}, 'w')"),
        _Call(os.mkdir, proof),
        _Call(open, proof, "w"),
        _Call(np.load, proof),
    )
    pickled = pickle.dumps((np.zeros(2), rng.choice(calls)), rng.randrange(6))
    return gzip.compress(changed_bytes(rng, pickled, folder) if rng.random() < 0.3 else pickled, 1)


def steps(rng: random.Random, data: bytes, path: Path) -> bytes:
    """A pickle that asks for much in few bytes, or is made of steps in any order."""
    text = b"X" + struct.pack("<I", 2**20) + b"a" * 2**20
    single = (
        b"\x80\x02]r" + struct.pack("<I", rng.randrange(2**32)) + b".",
        b"]p%d\n." % rng.randrange(2**40),
        b"\x80\x05\x96" + struct.pack("<Q", rng.randrange(2**40)) + b".",
        b"\x80\x04\x8e" + struct.pack("<Q", rng.randrange(2**40)) + b".",
        b"\x80\x02\x8b" + struct.pack("<i", rng.randrange(-(2**31), 2**31)) + b".",
        b"\x80\x04\x95" + struct.pack("<Q", rng.randrange(2**63)) + b".",
        b"\x80\x02" + text + b"q\x000](" + b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R" * 5000 + b"e.",
        b"\x80\x02" + b"(" * 100_000 + b"t" * 99_999 + b".",
        b"\x80\x02]" + b"".join(b"q%c(h%ch%ce0h%c]" % (i, i, i, i) for i in range(1, 60)) + b".",
        b"I" + b"9" * 100_000 + b"\n.",
    )
    body = rng.choice(single)
    if rng.random() < 0.4:
        body = b"\x80\x04" + bytes(
            rng.choice(b"(.0]}tabdeghjlopqrstuRNIKMGSTUVXc\x81\x85\x86\x87\x94") for _ in range(60)
        )
    return gzip.compress(body, 1)


def repacked(rng: random.Random, data: bytes, folder: Path) -> bytes:
    """The unpacked content changed, and packed again."""
    return gzip.compress(rng.choice((changed_bytes, cut))(rng, gzip.decompress(data), folder), 1)


def changed_table(rng: random.Random, data: bytes, path: Path) -> bytes:
    """A table with cells changed, rows shortened, quotes opened."""
    rows = data.decode().splitlines()
    for _ in range(rng.choice((1, 1, 3))):
        at = rng.randrange(len(rows))
        cells = rows[at].split(",")
        cell = rng.randrange(len(cells))
        cells[cell] = rng.choice(("", "x", "1e400", "nan", "-1", "256", '"', "'", "\0", "9" * 400, "a" * 200_000, "\r"))
        rows[at] = rng.choice((",".join(cells), ",".join(cells[:cell]), ";".join(cells), rows[at] * 2))
    return "\n".join(rows).encode(errors="surrogatepass")


# --- good files and their readers ---


def kinds(folder: Path) -> list[Kind]:
    """All kinds, with good files made in a folder."""
    import jax
    from PIL import Image

    from firsthand import nn
    from firsthand.book.mnist_loader import load_data
    from firsthand.cli import run_settings
    from firsthand.data import Splits, load, load_image, mnist
    from firsthand.data.loaders import load_parts
    from firsthand.experiments.result import Result
    from firsthand.learning import Recipe, train
    from firsthand.models import Ensemble, load_model
    from firsthand.report import RunFolder
    from firsthand.search import Range, Search, search
    from firsthand.zoo import NamedRecipe

    images, labels = mnist().train.images[:20, ..., 0], mnist().train.labels[:20]
    some = Splits(mnist().train[:40], mnist().validation[:20], None)
    layers = (nn.ConvPool(2), nn.BatchNorm(), nn.Dropout(0.1), nn.FullyConnected(4, nn.relu), nn.Softmax(10))
    network, recipe = nn.Network(layers), Recipe(2, 10, 0.1, momentum=0.5)
    training = train(network, some, recipe, key=jax.random.key(0), checkpoint=folder / "checkpoint")
    ensemble = Ensemble((training.model, training.model))
    small = NamedRecipe("small", "", (nn.Softmax(10),), Recipe(2, 10, 0.1))
    space = {"learning_rate": Range(0.01, 1, log=True)}
    search(small, some, space, trials=2, storage=folder / "journal")
    np.savez(folder / "stored.npz", images=images, labels=labels)
    np.savez_compressed(
        folder / "parts.npz", x_train=images, y_train=labels, x_test=images / 255, y_test=labels[:, None]
    )
    idx = struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape) + images.tobytes()
    (folder / "t10k-labels-idx1-ubyte").write_bytes(
        struct.pack(">BBBBI", 0, 0, 8, 1, 20) + labels.astype("u1").tobytes()
    )
    pairs = tuple((images.reshape(20, 784) / np.float32(256), labels.astype(np.int64)) for _ in range(3))
    table = "\n".join([",".join(["label", *(f"pixel{i}" for i in range(784))])])
    table += "\n" + "\n".join(",".join(map(str, [y, *x.ravel()])) for x, y in zip(images[:4], labels[:4], strict=True))
    Image.fromarray(images[0]).save(folder / "0.png")
    names = "file,label\n" + "0.png,zero\n" * 4
    pictures = []
    for kind, more in (
        ("PNG", {}),
        ("JPEG", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {}),
        ("PPM", {}),
    ):
        written = io.BytesIO()
        Image.fromarray(images[0]).save(written, kind, **more)
        pictures.append(written.getvalue())
    settings = {
        **{"recipe": "quick", "data": "mnist", "invert": None, "start": None, "rehearsal": None, "rehearse": "mnist"},
        **{"examples": 100, "members": None, "seed": 0, "overrides": {"epochs": 3, "learning_rate": 0.5}},
    }
    results = Path("results/experiments")
    result = min(results.glob("*.json"), key=lambda path: path.stat().st_size).read_bytes()
    training.model.save(folder / "model.safetensors")
    ensemble.save(folder / "ensemble.safetensors")

    def read_checkpoint(path: Path) -> None:
        train(network, some, Recipe(1, 10, 0.1, momentum=0.5), key=jax.random.key(0), checkpoint=path, resume=True)

    def read_settings(path: Path) -> None:
        run_settings.resumed(RunFolder(path.parent), {})

    def read_journal(path: Path) -> None:
        for lock in path.parent.glob("*.lock"):
            lock.unlink()
        Search(small, some, space, storage=path).result()

    def used(path: Path) -> None:
        model = load_model(path)
        model.predict(np.zeros((1, *model.input_shape), np.uint8)) if np.prod(model.input_shape) < 1e6 else None

    plain = [changed_bytes, cut, noise]
    blob = lambda name: (folder / name).read_bytes()  # noqa: E731
    return [
        Kind("x.png", pictures, lambda path: load_image(path, (28, 28, 1)), plain),
        Kind("model.safetensors", [blob("model.safetensors")], used, [*plain, *[changed_description] * 4]),
        Kind("ensemble.safetensors", [blob("ensemble.safetensors")], used, [*plain, *[changed_description] * 4]),
        Kind("checkpoint.safetensors", [blob("checkpoint")], read_checkpoint, [*plain, *[changed_description] * 4]),
        Kind("t10k-images-idx3-ubyte", [idx, gzip.compress(idx)], load, [*plain, bombs_of_idx]),
        Kind("x.npz", [blob("stored.npz"), blob("parts.npz")], load_parts, [*plain, bombs_of_npz]),
        Kind("train.csv", [table.encode(), names.encode()], load, [*plain, changed_table, changed_table]),
        Kind(
            "mnist.pkl.gz",
            [gzip.compress(pickle.dumps(pairs, p), 1) for p in (0, 2, 5)],
            lambda path: load_data(str(path)),
            [*plain, repacked, attacks, steps],
        ),
        Kind("search.journal", [blob("journal")], read_journal, [*plain, *[changed_line] * 3]),
        Kind("result.json", [result], Result.load, [*plain, *[changed_json] * 4]),
        Kind("settings.json", [json.dumps(settings).encode()], read_settings, [*plain, *[changed_json] * 4]),
    ]


# --- one input after another, measured ---


def peak() -> int:
    """The most memory that this process has had since `forget_peak`, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return 1024 * int(line.split()[1])
    return 0


def forget_peak() -> None:
    """Let the measurement of memory begin again."""
    Path("/proc/self/clear_refs").write_text("5")


def judge(kind: Kind, number: int, seed: int, folder: Path) -> tuple[str, str, float, float]:
    """The reader's behaviour on input `number`: verdict, about it, seconds, gigabytes."""
    from firsthand.errors import FirsthandError

    rng = random.Random(f"{seed} {kind.name} {number}")
    path, proof = folder / kind.name, folder / "executed"
    path.write_bytes(rng.choice(kind.damage)(rng, rng.choice(kind.good), folder))
    forget_peak()
    before, started, about = peak(), time.perf_counter(), ""
    try:
        kind.read(path)
        verdict = "read"
    except FirsthandError as error:
        verdict = "refused" if "\n" not in str(error) else "exception"
        about = str(error)
    except FileNotFoundError:
        verdict = "refused"
    except BaseException as error:
        verdict, about = "exception", f"{type(error).__name__}: {str(error)[:200]}"
    seconds, gigabytes = time.perf_counter() - started, (peak() - before) / 2**30
    if proof.exists():
        verdict, about = "executed", f"{path.read_bytes()[:200]!r}"
    elif gigabytes > GIGABYTES:
        verdict = "too large"
    elif seconds > SECONDS:
        verdict = "too slow"
    return verdict, about, seconds, gigabytes


def work(inbox: Any, outbox: Any, seed: int, folder: Path) -> None:
    """Judge what comes, until None does."""
    import warnings

    warnings.simplefilter("ignore")
    folder.mkdir()
    found = {kind.name: kind for kind in kinds(folder)}
    outbox.put("ready")
    while (item := inbox.get()) is not None:
        name, number = item
        place = folder / "place"
        place.mkdir(exist_ok=True)
        for path in ("t10k-labels-idx1-ubyte", "0.png"):
            (place / path).write_bytes((folder / path).read_bytes())
        outbox.put((name, number, *judge(found[name], number, seed, place)))


def main() -> int:
    """Run all, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--n", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="one kind, by the name of its file")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    names = [
        *("x.png", "model.safetensors", "ensemble.safetensors", "checkpoint.safetensors", "t10k-images-idx3-ubyte"),
        *("x.npz", "train.csv", "mnist.pkl.gz", "search.journal", "result.json", "settings.json"),
    ]
    names = [options.only] if options.only else names
    items = [(name, number) for number in range(-(-options.n // len(names))) for name in names]
    tally: dict[str, Counter[str]] = {name: Counter() for name in names}
    most, longest, bad = 0.0, 0.0, []
    with tempfile.TemporaryDirectory() as scratch:
        started = 0
        while items:
            started += 1
            inbox, outbox = context.Queue(), context.Queue()
            worker = context.Process(target=work, args=(inbox, outbox, options.seed, Path(scratch) / str(started)))
            worker.start()
            outbox.get()
            while items:
                inbox.put(items[0])
                try:
                    name, number, verdict, about, seconds, gigabytes = _answer(outbox, worker)
                except EOFError:
                    name, number, verdict, about = *items[0], "died", f"exit code {worker.exitcode}"
                    seconds = gigabytes = 0.0
                items.pop(0)
                tally[name][verdict] += 1
                most, longest = max(most, gigabytes), max(longest, seconds)
                if verdict not in ("read", "refused"):
                    bad.append({"file": name, "number": number, "verdict": verdict, "about": about})
                    print(f"{name} {number}: {verdict} {about}", flush=True)
                if verdict == "died":
                    break
            inbox.put(None)
            worker.join(30)
            worker.kill()
    verdicts = ("refused", "read", "exception", "executed", "too large", "too slow", "died")
    print(f"{'file':24}{'n':>7}" + "".join(f"{verdict:>11}" for verdict in verdicts))
    for name, count in [*tally.items(), ("all", sum(tally.values(), Counter()))]:
        print(f"{name:24}{count.total():>7,}" + "".join(f"{count[verdict]:>11,}" for verdict in verdicts))
    print(f"seed {options.seed}; largest {most:.2f} GB over what was taken before, longest {longest:.1f} s")
    if options.json:
        figures = {"seed": options.seed, "gigabytes": most, "seconds": longest, "bad": bad}
        figures["files"] = {name: dict(count) for name, count in tally.items()}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if bad else 0


def _answer(outbox: Any, worker: Any) -> Any:
    """The next answer of a process.

    Raises:
        EOFError: it has ended, or takes too long and is ended.
    """
    import queue

    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            return outbox.get(timeout=0.5)
        except queue.Empty:
            if time.monotonic() > deadline:
                worker.kill()
                worker.join()
            if worker.exitcode is not None:
                raise EOFError from None


if __name__ == "__main__":
    raise SystemExit(main())
