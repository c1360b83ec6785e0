"""The command line where the world is narrow: other encodings, closed pipes, full outputs, signals, memory, numbers."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from firsthand.data import mnist
from firsthand.learning import Recipe, RecipeError
from firsthand.models import Model

COMMAND = [sys.executable, "-m", "firsthand"]


def firsthand(*arguments, environment=None, **more):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        stderr=subprocess.PIPE,
        encoding="latin-1",
        timeout=120,
        env={**os.environ, **(environment or {})},
        **more,
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_an_encoding_lacks_is_replaced(tmp_path, encoding):
    path = tmp_path / "ünï 七.png"
    Image.fromarray(mnist().test.images[0, ..., 0]).save(path)
    narrow = {"PYTHONIOENCODING": encoding}
    done = firsthand("predict", path, stdout=subprocess.PIPE, environment=narrow)
    assert done.returncode == 0, done.stderr
    assert "\\u4e03.png: 7" in done.stdout
    listed = firsthand("experiments", "--zh", stdout=subprocess.PIPE, environment=narrow)
    assert listed.returncode == 0, listed.stderr
    assert "\\u5b9e\\u9a8c" in listed.stdout


def test_a_closed_pipe_ends_quietly():
    with subprocess.Popen([*COMMAND, "experiments"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.close()
        assert listing.stderr.read() == b""
        assert listing.wait(120) == 0


@pytest.mark.slow
def test_a_closed_pipe_ends_no_training(pictures, tmp_path):
    options = ("--recipe", "fully-connected", "--data", str(pictures), "--epochs", "3", "--out", str(tmp_path / "run"))
    command = [*COMMAND, "train", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as training:
        assert training.stdout is not None
        assert training.stderr is not None
        training.stdout.close()
        errors = training.stderr.read()
        assert training.wait(120) == 0, errors
    assert "Traceback" not in errors
    assert Model.load(tmp_path / "run" / "model.safetensors").provenance["epochs"] == 3


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_output_is_one_line_and_ends_no_training(pictures, tmp_path):
    with open("/dev/full", "w") as full:
        done = firsthand("summary", stdout=full)
        assert done.returncode == 2
        assert done.stderr == "firsthand: [Errno 28] No space left on device: 'standard output'\n"
        quick = ("--recipe", "fully-connected", "--data", pictures, "--epochs", 2)
        trained = firsthand("train", *quick, "--out", tmp_path / "run", stdout=full)
    assert trained.returncode == 0, trained.stderr
    assert trained.stderr.startswith("firsthand: standard output: No space left on device; the work goes on")
    assert len(Model.load(tmp_path / "run" / "model.safetensors").classes) == 10


@pytest.mark.slow
def test_sigterm_keeps_the_last_epoch(pictures, tmp_path):
    command = [*COMMAND, "train", "--recipe", "fully-connected", "--data", str(pictures), "--epochs", "100000"]
    with subprocess.Popen([*command, "--out", str(tmp_path / "run")], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line.startswith("epoch 2/") for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(120) == 130
    assert Model.load(tmp_path / "run" / "model.safetensors").provenance["epochs"] >= 2


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="how much memory is taken is found under /proc")
def test_too_little_memory_is_one_line():
    code = """
import resource, sys
from firsthand.cli import main
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + 30 * 2**20,) * 2)
sys.argv = ["firsthand", "data"]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "memory" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--seed", "-1"], "--seed: found -1, expected 0 to 4294967295"),
        (["sweep", "--values", "l2=0", "--seed", str(2**70)], f"--seed: found {2**70}, expected 0 to"),
        (["train", "--members", "0"], "--members: found 0, expected 1 to 1000"),
        (["predict", "x.png", "--top", "0"], "--top: found 0, expected 1 or more"),
        (["search", "--space", "l2=0,1", "--trials", "0"], "--trials: found 0, expected 1 or more"),
        (["run", "--all", "--jobs", "-3"], "--jobs: found -3, expected 1 or more"),
    ],
)
def test_numbers_out_of_range_are_one_line(monkeypatch, capsys, arguments, message):
    from firsthand.cli import main

    monkeypatch.setattr(sys, "argv", ["firsthand", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"firsthand: {message}")


@pytest.mark.parametrize("device", ["gpu", "tpu"])
def test_a_device_that_is_not_here_is_one_line(device):
    """In a process of its own: JAX chooses its platforms once."""
    none = {"CUDA_VISIBLE_DEVICES": "-1", "TPU_VISIBLE_CHIPS": "-1"}
    done = firsthand("predict", "none.png", "--device", device, environment=none)
    assert done.returncode == 2
    assert done.stderr.startswith(f"firsthand: --device {device}: not available here (")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("field", [{"epochs": "3"}, {"batch_size": 2.5}, {"momentum": "much"}, {"patience": True}])
def test_a_recipe_takes_numbers(field):
    (name,) = field
    with pytest.raises(RecipeError, match=f"recipe: {name} is .*, expected a"):
        Recipe(**{"epochs": 1, "learning_rate": 0.1, **field})


def test_an_estimator_refuses_text_for_a_number():
    pytest.importorskip("sklearn")
    from firsthand.interop import DigitClassifier

    with pytest.raises(RecipeError, match="recipe: epochs is '3', expected a whole number"):
        DigitClassifier(epochs="3").fit(np.eye(4, dtype=np.float32), [0, 1, 0, 1])  # type: ignore[arg-type]


def test_a_batch_larger_than_the_data_is_the_data():
    import jax

    from firsthand import nn
    from firsthand.data import Splits
    from firsthand.learning import train

    some = Splits(mnist().train[:50], mnist().validation[:20], None)
    network = nn.Network((nn.Softmax(10),))
    one, other = (
        train(network, some, Recipe(2, size, 0.1), key=jax.random.key(0)).model.params for size in (50, 10**9)
    )
    np.testing.assert_array_equal(one[0]["weights"], other[0]["weights"])
