"""Trainings of the lab: real processes, followed over the WebSocket, and what becomes of them."""

import os
import signal
import time

import pytest

pytest.importorskip("fastapi", reason="the extra lab is not installed")
pytest.importorskip("httpx2", reason="httpx2 is not installed (extra test)")

from starlette.testclient import TestClient

from firsthand import Model, mnist
from firsthand.web.server import create_app
from firsthand.web.server.lab import Lab
from firsthand.web.server.shelf import Shelf
from firsthand.web.server.trainings import POINTS, RESTARTS, Training, Trainings
from firsthand.web.server.worker import TrainingSettings

OURS, LIVE = "http://localhost:8000", "ws://localhost:8000/api/live"
ENDLESS = {"hidden": [10], "examples": 1000, "epochs": 1000}
OVER = ("finished", "failed", "crashed")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    runs = tmp_path_factory.mktemp("lab") / "runs"
    return Lab(Shelf(None, runs), Trainings(2, runs), runs / "results")


@pytest.fixture(scope="module")
def client(lab):
    with TestClient(create_app(lab), base_url=OURS) as client:
        yield client


class Follower:
    """A page that watches: what it has been told of a training, until something is so."""

    def __init__(self, socket):
        self.socket, self.messages = socket, []
        socket.send_json({"type": "watch"})
        self.first = socket.receive_json()

    def until(self, number, holds):
        for _ in range(20_000):
            message = self.socket.receive_json()
            self.messages.append(message)
            if message.get("number") == number and holds(message):
                return message
            assert message.get("number") != number or message["state"] not in OVER, message
        raise AssertionError("told much, but not that")

    def heard(self, number, name):
        return [m[name] for m in self.messages if m.get("number") == number and name in m and "settings" not in m]


@pytest.fixture
def follower(client):
    with client.websocket_connect(LIVE) as socket:
        yield Follower(socket)


def start(client, **settings):
    answer = client.post("/api/trainings", json=settings)
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "starting"
    return answer.json()["number"]


@pytest.mark.slow
def test_a_training_streams_and_its_model_is_kept(client, lab, follower):
    number = start(client, hidden=[20, 10], examples=2000, epochs=6, regularization="l2", strength=0.1)
    done = follower.until(number, lambda m: m["state"] == "finished")
    records = follower.heard(number, "record")
    assert [record["epoch"] for record in records] == [1, 2, 3, 4, 5, 6]
    for quantity in ("training_cost", "training_accuracy", "validation_cost", "validation_accuracy"):
        assert all(record[quantity] > 0 for record in records)
    at = [at for at, _ in follower.heard(number, "cost")]
    assert at == sorted(at)
    assert 0 < at[0] < at[-1] <= 6
    layers = follower.heard(number, "gradients")[0]["layers"]
    assert [layer["name"] for layer in layers] == ["1 FullyConnected", "2 FullyConnected", "3 FullyConnected"]
    assert all(layer["bias"] > 0 and layer["weights"] > 0 for layer in layers)
    assert done["parameters"] == 785 * 20 + 21 * 10 + 11 * 10
    assert set(done["verdict"]) == {"kind", "en", "zh"}

    # somebody who comes later gets all of it
    with client.websocket_connect(LIVE) as socket:
        (known,) = Follower(socket).first["trainings"]
    assert known["records"] == records
    assert known["settings"]["hidden"] == [20, 10]

    kept = client.put(f"/api/trainings/{number}/kept").json()["model"]
    assert client.put(f"/api/trainings/{number}/kept").json()["model"] == kept
    assert [found["id"] for found in client.get("/api/models").json()] == [kept]
    model = Model.load(lab.shelf.runs / kept / "model.safetensors")
    best = max(record["validation_accuracy"] for record in records)
    assert model.accuracy(mnist().validation) == pytest.approx(best, abs=1e-4)
    assert client.delete(f"/api/trainings/{number}").status_code == 204
    assert client.post(f"/api/trainings/{number}/stop").status_code == 404


@pytest.mark.slow
def test_pause_continue_stop_limit_and_crash(client, lab, follower):
    first, second = start(client, **ENDLESS), start(client, **ENDLESS)
    refused = client.post("/api/trainings", json=ENDLESS)
    assert refused.status_code == 409
    assert refused.json()["error"] == "trainings: 2 are running, expected fewer than 2: stop one first"
    assert client.put(f"/api/trainings/{first}/kept").status_code == 422  # nothing to keep yet

    follower.until(first, lambda m: "record" in m)
    client.post(f"/api/trainings/{first}/pause")
    follower.until(first, lambda m: m["state"] == "paused")
    before = len(lab.trainings.get(first).records)
    time.sleep(1)
    assert len(lab.trainings.get(first).records) == before
    client.post(f"/api/trainings/{first}/continue")
    follower.until(first, lambda m: m["state"] == "training")
    follower.until(first, lambda m: "record" in m)

    # what kills one touches neither the other nor the lab, and it goes on where it was, until that is of no use
    for times in range(RESTARTS):
        reached = follower.until(second, lambda m, at=times: m.get("record", {}).get("epoch", 0) > at)["record"][
            "epoch"
        ]
        os.kill(lab.trainings.get(second).process.pid, signal.SIGKILL)
        follower.until(second, lambda m: m["state"] == "starting")
        follower.until(second, lambda m, reached=reached: m.get("record", {}).get("epoch", 0) > reached)
        epochs = [record["epoch"] for record in lab.trainings.get(second).records]
        assert epochs == list(range(1, len(epochs) + 1))
    os.kill(lab.trainings.get(second).process.pid, signal.SIGKILL)
    crashed = follower.until(second, lambda m: m["state"] == "crashed")
    assert crashed["error"].startswith("its process was ended by SIGKILL")
    assert client.get("/api/models").status_code == 200
    follower.until(first, lambda m: "record" in m)

    client.post(f"/api/trainings/{first}/stop")
    stopped = follower.until(first, lambda m: m["state"] == "finished")
    assert stopped["why"].startswith("interrupted: kept epoch ")
    assert stopped["has_model"]
    assert client.post(f"/api/trainings/{first}/stop").json()["state"] == "finished"  # once more does nothing


def test_a_training_that_diverges_says_why(client, follower):
    number = start(client, learning_rate=100, regularization="l2", strength=1000, examples=1000, epochs=3)
    failed = follower.until(number, lambda m: m["state"] == "failed")
    assert "the learning rate (100) is likely too large" in failed["error"]


def test_a_process_that_cannot_start_is_a_crash_with_its_last_words(client, follower, monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "abacus")
    number = start(client, examples=100, epochs=1)
    crashed = follower.until(number, lambda m: m["state"] == "crashed")
    assert crashed["error"].startswith("its process ended with exit code 1: ")
    assert "abacus" in crashed["error"]


def test_a_curve_that_grows_long_is_thinned(tmp_path):
    training = Training(1, TrainingSettings(), tmp_path)
    for step in range(3 * POINTS):
        training.hear({"event": "step", "at": step / 10, "cost": 1.0, "steps_per_second": 5})
    assert len(training.cost) <= POINTS + 1
    assert training.cost[0][0] == 0
    assert training.cost[-1][0] == (3 * POINTS - 1) / 10


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"hidden": [0]}, "body.hidden.0: Input should be greater than or equal to 1"),
        ({"hidden": [1] * 6}, "body.hidden: List should have at most 5 items"),
        ({"examples": 99}, "body.examples: "),
        ({"learning_rate": 0}, "body.learning_rate: "),
        ({"learning_rate": "inf"}, "body.learning_rate: "),
        ({"cost": "hinge"}, "body.cost: Input should be 'quadratic', 'cross-entropy' or 'log-likelihood'"),
        ({"folder": "/tmp"}, "body.folder: Extra inputs are not permitted"),
    ],
)
def test_settings_out_of_range_are_refused(client, settings, error):
    answer = client.post("/api/trainings", json=settings)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(error)
