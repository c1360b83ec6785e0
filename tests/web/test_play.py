"""The page Play: games that repeat, that others take over, and what cannot be asked; in a browser by keyboard."""

import base64

import jax
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the lab's tests need the extra lab")
pytest.importorskip("httpx2", reason="httpx2 is not installed (extra test)")

from firsthand.web.server.play import STEPS
from firsthand.zoo.box import PLAYERS, boxed_player

KEY = jax.random.key(5)


def test_what_comes_with_the_package_is_small():
    assert sum(path.stat().st_size for path in PLAYERS.values()) < 0.5 * 2**20


@pytest.mark.parametrize("name", PLAYERS)
def test_the_box_plays_as_its_file_says(name):
    model = boxed_player(name)
    assert model.environment.name == name
    scores = model.play(20, key=KEY, limit=3_000).rewards
    at_random = model.play(20, key=KEY, limit=3_000, epsilon=1.0).rewards
    assert scores.mean() > at_random.mean() + 1
    assert scores.mean() > 0.4 * model.provenance["score"]


def test_a_game_is_the_policys_until_somebody_takes_over(client):
    found = client.post("/api/play", json={"game": "catch", "seed": 3}).json()
    assert found["actions"] == ["left", "stay", "right"]
    assert len(found["cells"]) == len(found["values"]) == len(found["taken"]) + 1 == 10
    assert found["ended"]
    assert found["rewards"][-1] == 1
    assert found["taken"] == np.argmax(found["values"], axis=1)[:-1].tolist()
    first = np.frombuffer(base64.b64decode(found["cells"][0]), np.uint8).reshape(10, 5)
    assert (first[0] == 1).sum() == 1
    assert (first[9] == 2).sum() == 1
    assert client.post("/api/play", json={"game": "catch", "seed": 3}).json() == found
    # the same chance, other actions: away from the ball
    column = int(np.argmax(first[0]))
    away = 0 if column >= 2 else 2
    other = client.post("/api/play", json={"game": "catch", "seed": 3, "actions": [-1, *[away] * 8]}).json()
    assert other["taken"] == [found["taken"][0], *[away] * 8]
    assert other["cells"][:2] == found["cells"][:2]
    assert other["rewards"][-1] == -1


def test_long_games_are_cut_off(client):
    found = client.post("/api/play", json={"game": "freeway"}).json()
    assert len(found["taken"]) == STEPS
    assert not found["ended"]


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"game": "pong"}, "Input should be 'catch', 'breakout' or 'freeway'"),
        ({"actions": [3]}, "actions: 3 found, expected -1 to 2"),
        ({"actions": [-2]}, "greater than or equal to -1"),
        ({"actions": [0] * (STEPS + 1)}, f"at most {STEPS}"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"policy": "mine"}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_played_is_one_line(client, asked, line):
    refused = client.post("/api/play", json=asked)
    assert refused.status_code == 422
    assert line in refused.json()["error"]


@pytest.mark.slow
def test_in_a_browser_a_game_goes_on_and_is_taken_over(open_page):
    page = open_page("play", viewport={"width": 1280, "height": 1000})
    page.wait_for_function("() => Number(document.querySelector('#game-step').value) >= 3")
    page.keyboard.down("ArrowLeft")
    page.wait_for_function("() => /yours/.test(document.querySelector('#score').textContent)")
    page.keyboard.up("ArrowLeft")
    page.select_option(".page-play select", "catch")
    page.wait_for_function("() => /after 9 steps.*the end/.test(document.querySelector('#score').textContent)")
    assert page.locator("#values .value").count() == 3
    before = page.locator("#board").evaluate("canvas => canvas.toDataURL()")
    page.locator("#game-step").fill("0")
    assert page.locator("#board").evaluate("canvas => canvas.toDataURL()") != before
    assert "after 0 steps" in page.locator("#score").inner_text()
