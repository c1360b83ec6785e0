"""`firsthand train` of a game, and `firsthand play`."""

import json
import sys

import jax
import pytest
from PIL import Image

from firsthand import nn
from firsthand.environments import Catch, Pong
from firsthand.environments.live import stage
from firsthand.models import Autoencoder, Policy


@pytest.fixture
def policy(tmp_path):
    game = Catch()
    network = nn.Network((nn.FullyConnected(3, nn.linear),), game.observation_shape)
    return Policy(network, network.init(key=jax.random.key(0)), game).save(tmp_path / "model.safetensors")


@pytest.mark.slow
def test_a_policy_plays_beside_chance_and_is_filmed(command, policy, tmp_path):
    film = tmp_path / "game.gif"
    code, said, err = command("play", policy, "--episodes", 5, "--film", film)
    assert (code, err) == (0, "")
    assert said.startswith("catch, policy: ")
    assert "\ncatch, at random: " in said
    assert "9 steps, n = 5" in said
    with Image.open(film) as picture:
        assert getattr(picture, "n_frames", 1) == 10
    code, said, _ = command("play", "--model", policy, "--episodes", 5, "--json")
    found = json.loads(said)
    assert (found["environment"], found["episodes"], len(found["policy"])) == ("catch", 5, 5)
    assert set(found["at random"]) <= {-1.0, 1.0}
    assert json.loads(command("play", policy, "--episodes", 5, "--json")[1]) == found
    _, said, _ = command("play", policy, "--episodes", 5, "--limit", 3)
    assert "5 cut off after 3 steps" in said


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--epsilon", "3"), "--epsilon: found 3, expected a share, 0 to 1"),
        (("--film", "x.mp4"), "--film: found x.mp4, expected a name that ends in .gif"),
        (("--episodes", "0"), "--episodes: found 0, expected 1 to 10000"),
    ],
)
def test_what_cannot_be_played_is_one_line(command, policy, options, line):
    assert command("play", policy, *options)[::2] == (2, f"firsthand: {line}\n")


def test_another_model_does_not_play(command, tmp_path):
    network = nn.Network((nn.FullyConnected(4),), (4,))
    file = Autoencoder(network, network.init(key=jax.random.key(0))).save(tmp_path / "model.safetensors")
    code, _, err = command("play", file)
    assert (code, err) == (
        2,
        "firsthand: play: Autoencoder found, expected a policy: `firsthand train --recipe catch`\n",
    )


def test_pong_without_its_emulator_is_one_line(command, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    stage.cache_clear()  # other tests of this process may have left live games
    game = Pong()
    network = nn.Network((nn.FullyConnected(6, nn.linear),), game.observation_shape)
    file = Policy(network, network.init(key=jax.random.key(0)), game).save(tmp_path / "model.safetensors")
    line = "firsthand: pong: gymnasium not found: pip install 'firsthand[gym]'\n"
    for call in (("play", file), ("train", "--recipe", "pong", "--out", tmp_path / "run")):
        code, _, err = command(*call)
        assert (code, err) == (2, line)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--data", "mnist"), "--data: found mnist; the recipe catch learns a game by playing it"),
        (("--examples", 5), "--examples: found 5; the recipe catch learns a game"),
        (("--members", 2), "--members: found 2; the recipe catch learns a game"),
    ],
)
def test_a_game_has_no_data(command, tmp_path, options, line):
    code, _, err = command("train", "--recipe", "catch", *options, "--out", tmp_path / "run")
    assert code == 2
    assert line in err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_game_is_learned_reported_and_resumed(command, tmp_path):
    run = tmp_path / "run"
    code, said, err = command("train", "--recipe", "catch", "--epochs", 3, "--out", run)
    assert code == 0, err
    assert "epoch 3/3" in said
    assert {"model.safetensors", "report.html", "game.gif", "learning_curves.png"} <= {p.name for p in run.iterdir()}
    assert "score at random" in (run / "report.html").read_text()
    code, said, _ = command("play", run / "model.safetensors", "--episodes", 3)
    assert code == 0
    for name in ("sweep", "search"):
        options = ("--values", "learning_rate=0.1,0.2") if name == "sweep" else ("--space", "learning_rate=0.1,0.2")
        code, _, err = command(name, "--recipe", "catch", *options)
        assert (code, "learns a game, expected one for images" in err) == (2, True)
