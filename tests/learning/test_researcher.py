"""A researcher's program outside the package: a recurrent layer of one's own in a character model.

It trains, is killed and resumed to the same bits, is saved, loaded and sampled; three of it train side by side.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import PATIENCE

pytestmark = pytest.mark.slow

PROGRAM = """
import hashlib, json, os, signal, sys
from pathlib import Path
import jax, numpy as np
sys.path.insert(0, EXAMPLES)
from text_letter_by_letter import Recurrent
from firsthand import Recipe, nn, train
from firsthand.data import text_splits
from firsthand.learning import NextSymbol
from firsthand.models import load

data = text_splits("she sells sea shells by the sea shore. " * 20, 16, (0.8, 0.1, 0.1))
symbols = len(data.train.symbols)
network = nn.Network((Recurrent(symbols, 24), nn.Softmax(symbols)), (16,))
recipe = Recipe(6, 4, 0.2, momentum=0.9, clip=1.0, objective=NextSymbol())
file, resume = Path("checkpoint"), Path("checkpoint").exists()

def progress(at):
    if "die" in sys.argv and at.epoch == 4:
        os.kill(os.getpid(), signal.SIGKILL)

members = 3 if "members" in sys.argv else None
options = {"checkpoint": file, "resume": resume, "progress": progress, "members": members}
training = train(network, data, recipe, key=jax.random.key(0), **options)
models = training.model if members else [training.model]
said = []
for model in models:
    loaded = load(model.save("model.safetensors"))
    leaves = b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(loaded.params))
    sample = loaded.sample("she s", 8, key=jax.random.key(1), temperature=0.3)
    said.append({"bits": hashlib.sha256(leaves).hexdigest(), "sample": sample})
print(json.dumps(said))
"""


def run(folder, *words):
    program = folder / "program.py"
    examples = Path(__file__).parents[2] / "examples"
    program.write_text(PROGRAM.replace("EXAMPLES", repr(str(examples))))
    return subprocess.run(
        [sys.executable, program, *words], cwd=folder, capture_output=True, text=True, timeout=4 * PATIENCE
    )


def test_killed_and_resumed_it_ends_with_the_same_bits(tmp_path):
    first, second = tmp_path / "whole", tmp_path / "killed"
    first.mkdir()
    second.mkdir()
    [whole] = json.loads(run(first).stdout)
    killed = run(second, "die")
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout == ""
    assert os.path.exists(second / "checkpoint")
    [resumed] = json.loads(run(second).stdout)
    assert resumed == whole
    assert whole["sample"] == "ells sea"


def test_three_of_it_train_side_by_side(tmp_path):
    found = run(tmp_path, "members")
    assert found.returncode == 0, found.stderr
    said = json.loads(found.stdout)
    assert len({member["bits"] for member in said}) == 3
