"""Faults around the lab: killed, interrupted, asked by others, by half, or by too many at once."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress

import numpy as np
import pytest

from firsthand.data import mnist

pytest.importorskip("fastapi", reason="the lab's tests need the extra lab")

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from firsthand.reading import boxed_model
from firsthand.web.server.app import create_app
from firsthand.web.server.drawing import Drawing, glance, read_drawing, read_pages
from firsthand.web.server.lab import Lab
from firsthand.web.server.live import _Newest, _reading
from firsthand.web.server.patience import PatientProtocol
from firsthand.web.server.remains import PLACE
from firsthand.web.server.shelf import Shelf
from firsthand.web.server.together import Together
from firsthand.web.server.trainings import Trainings

PATIENCE = 120


def app(tmp_path, **more):
    return create_app(Lab(Shelf(None, tmp_path), Trainings(1, tmp_path), tmp_path), **more)


@contextmanager
def process(folder, *options):
    """A lab in a process of its own: the process and its address."""
    command = [sys.executable, "-m", "firsthand", "lab", "--no-open", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder) as lab:
        try:
            assert lab.stdout is not None
            url = re.search(r"http://[^ ]*", lab.stdout.readline())
            assert url is not None
            yield lab, url[0]
        finally:
            lab.kill()


def asked(url, data=None):
    request = urllib.request.Request(url, data and json.dumps(data).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def awaited(condition):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8977, evil.com",
        "127.0.0.1:8977@evil.com",
        "evil.com",
        "localhost@evil.com",
        "localhost/evil",
        "",
        "[::1",
        "localhost:80#evil",
        "localhost?evil",
        "localhost.",
        "localhost.evil.com",
        "127.1",
        "0x7f000001",
        "[::ffff:127.0.0.1]",
        "[::1]evil",
        "localhost%00",
        "user@localhost",
    ],
)
def test_other_hosts_are_refused(tmp_path, host):
    with TestClient(app(tmp_path), base_url="http://127.0.0.1") as client:
        assert client.get("/api/presets", headers={"host": host}).status_code == 421
        for own in ("localhost:8977", "127.0.0.1:8977", "127.0.0.1", "[::1]:80", "LOCALHOST"):
            assert client.get("/api/presets", headers={"host": own}).status_code == 200, own


def test_two_hosts_are_refused(tmp_path):
    with TestClient(app(tmp_path), base_url="http://127.0.0.1") as client:
        for hosts in (("localhost", "evil.com"), ("evil.com", "localhost")):
            assert client.get("/api/presets", headers=[("host", host) for host in hosts]).status_code == 421


def test_who_has_no_token_is_refused(tmp_path):
    with TestClient(app(tmp_path, host="0.0.0.0", token="secret"), base_url="http://127.0.0.1") as client:
        for path in ("/", "/api/presets", "/api/presets?token=Secret", "/api/presets?token="):
            refused = client.get(path)
            assert refused.status_code == 401
            assert "token" in refused.json()["error"]
        first = client.get("/?token=secret")
        assert first.status_code == 200
        assert "HttpOnly; SameSite=Strict" in first.headers["set-cookie"]
        assert client.get("/api/presets").status_code == 200  # by the cookie
        # a path alone would be asked of starlette's own host, which is none of the lab's
        with client.websocket_connect("ws://127.0.0.1/api/live", headers={"cookie": "firsthand-lab=secret"}) as live:
            live.send_text("{}")
            assert live.receive_json()["type"] == "error"
        with pytest.raises(WebSocketDisconnect) as refused:
            client.websocket_connect("ws://127.0.0.1/api/live", headers={"cookie": "firsthand-lab=other"}).__enter__()
        assert refused.value.reason.startswith("token: ")


def test_a_lab_for_others_warns_and_prints_its_token(tmp_path):
    with process(tmp_path, "--host", "0.0.0.0") as (lab, url):
        assert lab.stderr is not None
        assert "whoever reaches this address and has the token" in lab.stderr.readline()
        assert re.search(r"\?token=[A-Za-z0-9_-]{20,}$", url)
        assert awaited(lambda: asked(url.replace("/?", "/api/presets?").replace("0.0.0.0", "127.0.0.1")))


def test_ctrl_c_while_the_lab_still_warms_up_ends_it(tmp_path):
    with process(tmp_path) as (lab, _):
        assert lab.stderr is not None
        lab.send_signal(signal.SIGINT)
        assert lab.wait(PATIENCE) in (0, 130)
        assert "exception not rethrown" not in (errors := lab.stderr.read())
        assert "Traceback" not in errors


def test_half_sent_requests_are_closed_and_lock_nobody_out(tmp_path, monkeypatch):
    import uvicorn

    from firsthand.web.server import patience

    monkeypatch.setattr(patience, "PATIENCE", 1.0)
    server = uvicorn.Server(uvicorn.Config(app(tmp_path), port=0, log_level="warning", http=PatientProtocol))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    awaited(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    starts = (b"", b"GET /api/pre", b"POST /api/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\nab")
    half = []
    for number in range(200):
        half.append(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
        half[-1].sendall(starts[number % 3])
    assert len(asked(f"http://127.0.0.1:{port}/api/presets")) > 3
    for one in half:
        with suppress(ConnectionResetError):
            assert one.recv(100) == b""
        one.close()
    server.should_exit = True
    thread.join(PATIENCE)


@pytest.mark.slow
def test_a_training_comes_back_after_its_lab_was_killed(tmp_path):
    settings = {"examples": 500, "epochs": 1000, "hidden": [10], "seed": 1}
    with process(tmp_path) as (lab, url):
        asked(f"{url}api/trainings", settings)
        reached = awaited(lambda: len(asked(f"{url}api/trainings")[0]["records"]) >= 3 and asked(f"{url}api/trainings"))
        lab.kill()
    (place,) = (tmp_path / "runs" / PLACE).iterdir()
    assert (place / "1" / "checkpoint.safetensors").exists()
    with process(tmp_path) as (lab, url):
        before = reached[0]["records"]
        more = awaited(
            lambda: (
                (found := asked(f"{url}api/trainings"))
                and len(found[0]["records"]) > len(before)
                and found[0]["records"]
            )
        )
        assert [record["epoch"] for record in more] == list(range(1, len(more) + 1))
        same = ("epoch", "validation_accuracy", "training_cost", "batch_cost")
        for one, other in zip(before[:3], more[:3], strict=True):
            assert {name: one[name] for name in same} == {name: other[name] for name in same}
        assert not place.exists()
        lab.send_signal(signal.SIGINT)
        lab.wait(PATIENCE)
    assert not (tmp_path / "runs" / PLACE).exists()
    assert not list(tmp_path.glob("**/firsthand-lab-*"))


@pytest.mark.slow
def test_a_training_killed_between_its_model_and_its_history_comes_back(tmp_path):
    old = tmp_path / PLACE / "tmp_dead_00" / "1"
    old.mkdir(parents=True)
    (old / "settings.json").write_text(json.dumps({"examples": 100, "epochs": 2, "hidden": [10]}))
    (old / "model.safetensors").write_bytes(b"whole, but nobody has said so yet")
    (old / "records.jsonl").write_text('{"epoch": 1, "batch_c')
    with TestClient(app(tmp_path), base_url="http://127.0.0.1") as client:
        (found,) = awaited(lambda: [one for one in client.get("/api/trainings").json() if one["state"] == "finished"])
        assert [record["epoch"] for record in found["records"]] == [1, 2]
        assert not old.parent.exists()


def ink(i):
    drawn = np.zeros((280, 280), np.uint8)
    drawn[40:264, 30:254] = mnist().test.images[i, ..., 0].repeat(8, axis=0).repeat(8, axis=1)
    return drawn


def same(one, other):
    assert [(digit.label, digit.box) for digit in one.digits] == [(digit.label, digit.box) for digit in other.digits]
    assert [reject.box for reject in one.rejected] == [reject.box for reject in other.rejected]
    for digit, alone in zip(one.digits, other.digits, strict=True):
        np.testing.assert_allclose(digit.probabilities, alone.probabilities, atol=1e-5)
        np.testing.assert_array_equal(digit.pixels, alone.pixels)


def test_drawings_read_together_are_read_as_alone():
    drawings = [ink(i) for i in range(5)] + [np.zeros((30, 30), np.uint8), np.hstack([ink(0), ink(1)])]
    for one, drawn in zip(glance(drawings, boxed_model()), drawings, strict=True):
        assert one.plain
        same(one.reading, read_drawing(drawn, boxed_model()))
    for one, drawn in zip(read_pages(drawings, boxed_model()), drawings, strict=True):
        same(one, read_drawing(drawn, boxed_model(), careful=True))


def test_a_page_is_read_where_it_stands_on_the_paper():
    small, large = np.zeros((300, 500), np.uint8), np.zeros((600, 1000), np.uint8)
    small[10:290, 100:380] = large[310:590, 600:880] = ink(3)
    one, other = read_pages([small, large], boxed_model())
    (digit,), (same_digit,) = one.digits, other.digits
    assert digit.label == same_digit.label == 0
    assert np.subtract(same_digit.box, digit.box).tolist() == [500, 300, 500, 300]


@pytest.mark.parametrize(
    ("parts", "plain"),
    [
        ([(40, 20), 60, (40, 20)], True),  # two ones, well apart
        ([(100, 20), 6, (100, 20)], False),  # too near: strokes of one digit, or two
        ([(40, 90)], False),  # wide: digits that touch
        ([(40, 20), 60, (10, 20)], False),  # a digit and a sign
    ],
)
def test_what_is_not_plainly_a_row_of_digits_is_looked_at_as_a_page(parts, plain):
    columns = [np.zeros((120, 20), np.uint8)]
    for part in parts:
        column = np.zeros((120, part if isinstance(part, int) else part[1]), np.uint8)
        if not isinstance(part, int):
            column[10 : 10 + part[0]] = 255
        columns.append(column)
    (seen,) = glance([np.hstack(columns)], boxed_model())
    assert seen.plain is plain


def test_two_lines_are_looked_at_as_a_page():
    (seen,) = glance([np.vstack([ink(0), ink(1)])], boxed_model())
    assert not seen.plain


def _label(answer):
    return answer.reading.digits[0].label


def test_what_waits_is_read_in_one_pass_and_a_fault_of_one_is_no_others():
    passes = []

    async def compute(function, some):
        passes.append(len(some))
        await asyncio.sleep(0)
        return function(some)

    def broken():
        raise RuntimeError("no model")

    async def main():
        together = Together(glance, compute, 128)
        models = [boxed_model, boxed_model, broken, boxed_model]
        drawings = [Drawing(i, False, ink(i)) for i in range(4)]
        return await asyncio.gather(*map(together.read, models, drawings), return_exceptions=True)

    answers = asyncio.run(main())
    assert passes == [4]
    assert [str(answer) if isinstance(answer, Exception) else _label(answer) for answer in answers] == [
        7,
        2,
        "no model",
        0,
    ]


def test_in_a_crowd_a_doubtful_drawing_is_answered_at_first_sight(tmp_path):
    doubtful, alone = Drawing(1, False, np.vstack([ink(0), ink(1)])), []

    async def main():
        lab = Lab(Shelf(None, tmp_path, boxed_model), Trainings(1, tmp_path), tmp_path)
        alone.append(await _reading(lab, boxed_model, doubtful))
        go = asyncio.Event()

        async def slow(*arguments):
            await go.wait()
            return await lab.compute(*arguments)

        lab.pages = Together(read_pages, slow, 8)
        other = asyncio.create_task(_reading(lab, boxed_model, Drawing(2, True, ink(2))))
        await asyncio.sleep(0)
        alone.append(await _reading(lab, boxed_model, doubtful))
        go.set()
        await other

    asyncio.run(main())
    assert [len(reading.digits) for reading in alone] == [2, 1]


def test_of_drawings_of_one_client_that_wait_the_newest_is_read(tmp_path):
    sent, go = [], asyncio.Event()

    class Socket:
        async def send_text(self, text):
            sent.append(json.loads(text)["number"])

    async def main():
        lab = Lab(Shelf(None, tmp_path, boxed_model), Trainings(1, tmp_path), tmp_path)
        first = lab.compute

        async def slow(*arguments):
            await go.wait()
            return await first(*arguments)

        lab.strokes = Together(glance, slow, 128)
        newest = _Newest(Socket(), lab)  # type: ignore[arg-type]
        for number in range(1, 6):
            newest.take(None, Drawing(number, False, ink(0)))
            await asyncio.sleep(0)
        go.set()
        assert newest._task is not None
        await newest._task

    asyncio.run(main())
    assert sent == [1, 5]
