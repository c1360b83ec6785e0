"""The lab's server: what it answers, what it refuses, and that nobody else can drive it."""

import base64
import json
import re
from io import BytesIO
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

pytest.importorskip("fastapi", reason="the extra lab is not installed")
pytest.importorskip("httpx2", reason="httpx2 is not installed (extra test)")

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from firsthand import FirsthandError, Model, Network, mnist, nn, reading
from firsthand.reading import boxed_model
from firsthand.reading.normalise import as_mnist
from firsthand.web.server import create_app
from firsthand.web.server.app import MAX_BODY, PAGE
from firsthand.web.server.drawing import read_drawing, unpack_drawing
from firsthand.web.server.lab import Lab
from firsthand.web.server.security import Guard
from firsthand.web.server.shelf import Shelf
from firsthand.web.server.trainings import Trainings

OURS = "http://localhost:8000"
LIVE = "ws://localhost:8000/api/live"


@pytest.fixture(scope="module")
def model():
    network = Network((nn.ConvPool(3, activation=nn.sigmoid), nn.FullyConnected(8), nn.Softmax(10)))
    return Model(network, network.init(key=jax.random.key(1)), mnist().test.classes)


@pytest.fixture(scope="module")
def lab(model, tmp_path_factory):
    place = tmp_path_factory.mktemp("lab")
    file = model.save(place / "own.safetensors")
    (place / "runs" / "broken").mkdir(parents=True)
    (place / "runs" / "broken" / "model.safetensors").write_bytes(b"no model")
    return Lab(Shelf(file, place / "runs"), Trainings(0, place / "runs"), place / "results")


@pytest.fixture(scope="module")
def client(lab):
    with TestClient(create_app(lab), base_url=OURS) as client:
        yield client


def test_a_model_file_that_is_removed_while_the_lab_runs_is_said_to_be(model, tmp_path):
    file = model.save(tmp_path / "gone.safetensors")
    lab = Lab(Shelf(file, tmp_path / "runs"), Trainings(0, tmp_path / "runs"), tmp_path / "results")
    file.unlink()
    with TestClient(create_app(lab), base_url=OURS) as client:
        answer = client.get("/api/mistakes", params={"model": "given"})
    assert answer.status_code == 404
    assert "gone.safetensors" in answer.json()["error"]


def pixels_of(index):
    return base64.b64encode(mnist().test.images[index].tobytes()).decode()


def drawing(number=1, width=60, height=40, length=None):
    ink = np.zeros((height, width), np.uint8)
    ink[height // 4 : -height // 4, width // 2 - 3 : width // 2 + 3] = 255
    return message_of(ink, number)[:length], ink


def message_of(ink, number=1, careful=False):
    height, width = ink.shape
    sides = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return number.to_bytes(4, "little") + sides + bytes([careful]) + ink.tobytes()


def written(*indices, apart=70):
    """Some test digits, side by side, as ink."""
    ink = np.zeros((90, apart * len(indices) + 20), np.uint8)
    for place, index in enumerate(indices):
        digit = Image.fromarray(mnist().test.images[index, ..., 0]).resize((60, 60))
        ink[15:75, 10 + place * apart : 70 + place * apart] = np.asarray(digit)
    return ink


# the page


def test_every_file_of_the_page_is_served_under_a_strict_policy(client):
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    types = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
    for path in PAGE.rglob("*"):
        if path.is_file():
            answer = client.get(f"/{path.relative_to(PAGE)}")
            assert answer.status_code == 200, path
            assert answer.headers["content-type"].startswith(types[path.suffix]), path
            assert answer.headers["content-security-policy"] == policy
            assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", sorted(PAGE.rglob("*.*")), ids=lambda path: path.name)
def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline(path):
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)
    if path.suffix == ".html":
        assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", text)
    if path.suffix == ".js":
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function", text)
    assert len(text.splitlines()) <= 400


@pytest.mark.parametrize(
    "path",
    [
        "/../server/app.py",
        "/..%2fserver%2fapp.py",
        "/%2e%2e/server/app.py",
        "/lib/..%5c..%5cserver%5capp.py",
        "//etc/passwd",
        "/lib/%00",
        "/api/models/..%2f..%2fown",
        "/api/models/own.safetensors",
    ],
)
def test_no_path_leads_out_of_the_page(client, path):
    answer = client.get(path)
    assert answer.status_code in (404, 405)
    assert "FastAPI" not in answer.text
    assert "root:" not in answer.text


# who may ask


@pytest.mark.parametrize(
    ("bound", "host", "allowed"),
    [
        ("127.0.0.1", "localhost:8000", True),
        ("127.0.0.1", "127.0.0.1:8000", True),
        ("127.0.0.1", "[::1]:8000", True),
        ("127.0.0.1", "LOCALHOST", True),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "evil.example:8000", False),
        ("127.0.0.1", "localhost.evil.example", False),
        ("127.0.0.1", "192.168.1.7:8000", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "[::1", False),
        ("0.0.0.0", "192.168.1.7:8000", True),
        ("0.0.0.0", "evil.example:8000", False),
        ("lab.example", "lab.example:8000", True),
    ],
)
def test_only_our_own_names_are_answered(lab, bound, host, allowed):
    # without a lifespan: the lab belongs to the other client
    answer = TestClient(create_app(lab, bound), base_url=OURS).get("/api/models", headers={"host": host})
    assert answer.status_code == (200 if allowed else 421)
    assert allowed or answer.json()["error"].startswith("Host: found ")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
def test_other_sites_pages_are_refused(client, headers):
    assert client.post("/api/trainings", json={}, headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(LIVE, headers=headers):
        pass


def test_our_own_page_and_links_to_it_are_not_refused(client):
    assert client.get("/api/models", headers={"origin": OURS}).status_code == 200
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200


def test_large_bodies_are_refused_with_and_without_a_declared_length(client):
    declared = client.post("/api/why", content=b"x", headers={"content-length": str(MAX_BODY + 1)})
    assert declared.status_code == 413
    parts = (b"x" * 2**20 for _ in range(MAX_BODY // 2**20 + 1))
    endless = client.post("/api/why", content=parts, headers={"content-type": "application/json"})
    assert endless.status_code == 413
    assert "expected at most" in endless.json()["error"]


def test_the_guard_leaves_other_protocols_alone():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    async def nothing(*_):
        raise AssertionError

    import asyncio

    asyncio.run(Guard(app, "127.0.0.1", 1)({"type": "lifespan"}, nothing, nothing))
    assert seen == ["lifespan"]


# models


def test_models_have_names_that_are_no_paths(client):
    assert [found["id"] for found in client.get("/api/models").json()] == ["given", "broken"]
    about = client.get("/api/models/given").json()
    assert about["parameters"] == 3 * 26 + 3 * 144 * 8 + 8 + 90
    assert len(about["classes"]) == 10
    broken = client.get("/api/models/broken")
    assert broken.status_code == 422
    assert "not a model file" in broken.json()["error"]
    unknown = client.get("/api/models/other")
    assert unknown.status_code == 404
    assert unknown.json()["error"] == "model: found 'other', expected one of given, broken"


def test_a_lab_without_any_model_says_what_to_do(tmp_path):
    empty = Lab(Shelf(None, tmp_path / "runs"), Trainings(0, tmp_path / "runs"), tmp_path)
    client = TestClient(create_app(empty), base_url=OURS)
    assert client.get("/api/models").json() == []
    answer = client.get("/api/confusion")
    assert answer.status_code == 404
    assert "no model: train one" in answer.json()["error"]


# drawings


def test_a_drawing_is_read_over_the_websocket(client, model):
    message, ink = drawing(7)
    with client.websocket_connect(LIVE, headers={"origin": OURS}) as socket:
        socket.send_bytes(message)
        answer = socket.receive_json()
    assert (answer["type"], answer["number"]) == ("read", 7)
    (digit,) = answer["digits"]
    assert digit["box"] == [27, 10, 33, 30]
    pixels = np.frombuffer(base64.b64decode(digit["pixels"]), np.uint8).reshape(28, 28)
    np.testing.assert_array_equal(pixels, as_mnist(ink[10:30, 27:33].astype(np.float32) / 255))
    np.testing.assert_allclose(digit["probabilities"], model.probabilities(pixels[None, ..., None])[0], atol=1e-5)


def test_an_empty_drawing_has_no_digits(client, model):
    assert read_drawing(np.zeros((9, 9), np.uint8), model) == ([], (), "")
    with client.websocket_connect(LIVE) as socket:
        socket.send_bytes(message_of(np.zeros((1, 2), np.uint8)))
        assert socket.receive_json()["digits"] == []


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"", "drawing: 0 bytes found, expected at least 9"),
        (b"1234567", "drawing: 7 bytes found"),
        (b"\0" * 9, "drawing: 0 x 0 pixels found, expected sides from 1 to 1024"),
        (b"\0" * 4 + b"\xff\xff\x01\0" + b"\0" * 65536, "drawing: 65535 x 1 pixels found"),
        (drawing(1, length=100)[0], "drawing: 100 bytes found, expected 9 + 60 x 40"),
        ("{", "message: found '{', expected JSON with a type"),
        ("[1]", "message: found '[1]', expected JSON with a type"),
        ('{"type": "nonsense"}', "message: found type 'nonsense', expected 'model' with a name, or 'watch'"),
        ('{"type": "model", "model": 3}', "message: found type 'model', expected"),
        ('{"type": "model", "model": "other"}', "model: found 'other', expected one of given, broken"),
        ("[" * 500, "message: found "),
        ("[" * 100_000, "message: 100000 characters found, expected at most 500"),
    ],
    ids=range(12),
)
def test_what_cannot_be_used_gets_one_line_and_the_connection_goes_on(client, message, error):
    with client.websocket_connect(LIVE) as socket:
        socket.send_bytes(message) if isinstance(message, bytes) else socket.send_text(message)
        answer = socket.receive_json()
        assert answer["type"] == "error"
        assert answer["error"].startswith(error)
        assert "\n" not in answer["error"]
        socket.send_bytes(drawing(2)[0])
        assert socket.receive_json()["number"] == 2


def test_several_digits_are_read_as_a_page(client):
    # by the model in the box: the random one of this test knows no digit
    boxed = boxed_model()
    found = read_drawing(written(0, 1, 2), boxed)
    assert [boxed.classes[digit.label] for digit in found.digits] == ["7", "2", "1"]
    assert [digit.label for digit in found.digits] == [int(digit.probabilities.argmax()) for digit in found.digits]
    lefts = [digit.box[0] for digit in found.digits]
    assert lefts == sorted(lefts)
    single = read_drawing(written(0), boxed)
    careful = read_drawing(written(0), boxed, careful=True)
    assert [found.digits[0].label for found in (single, careful)] == [7, 7]
    assert single.digits[0].is_digit is None
    assert (careful.digits[0].is_digit or 0) > 0.5


def test_a_scribble_is_no_digit_when_it_is_read_carefully(client):
    picture = Image.new("L", (150, 150))
    ends = np.random.default_rng(3).integers(10, 140, (24, 2))
    ImageDraw.Draw(picture).line([tuple(end) for end in ends.tolist()], fill=255, width=5)
    ink = np.asarray(picture)
    assert read_drawing(ink, boxed_model()).digits
    refused = read_drawing(ink, boxed_model(), careful=True)
    assert not refused.digits
    assert refused.reason


def test_a_photo_is_read(client, lab):
    ink = written(0, 1, 2, 4)
    photo = Image.fromarray((215 - 0.7 * ink - np.linspace(0, 60, ink.shape[1])[None]).astype(np.uint8))
    photo = photo.resize((3 * photo.width, 3 * photo.height))
    buffer = BytesIO()
    photo.save(buffer, "JPEG")
    lab.shelf.box = boxed_model
    answer = client.post("/api/read?model=box", content=buffer.getvalue()).json()
    lab.shelf.box = None
    assert [line.replace(" ", "") for line in answer["lines"]] == ["7214"]  # a wide gap is a space
    assert [answer["classes"][digit["label"]] for digit in answer["digits"]] == list("7214")
    assert all(0 <= side <= 1 for digit in answer["digits"] for side in digit["box"])
    with Image.open(BytesIO(base64.b64decode(answer["picture"]))) as shown:
        assert shown.size == photo.size


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, b"<svg/>"], ids=range(4))
def test_what_is_no_photo_gets_one_line(client, content):
    answer = client.post("/api/read", content=content, headers={"content-type": "application/octet-stream"})
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]


@given(st.binary(max_size=200))
def test_bytes_are_unpacked_or_refused(message):
    try:
        drawing = unpack_drawing(message)
    except FirsthandError:
        return
    assert drawing.ink.size == len(message) - 9


# inside, why, mistakes


def array_of(numbers):
    return np.frombuffer(base64.b64decode(numbers["values"]), "<f4").reshape(numbers["shape"])


def test_inside_shows_what_every_layer_makes_of_an_image(client, model):
    found = client.post("/api/inside", json={"pixels": pixels_of(0)}).json()
    assert [layer["name"] for layer in found["layers"]] == ["ConvPool", "FullyConnected", "Softmax"]
    assert [layer["output"]["shape"] for layer in found["layers"]] == [[12, 12, 3], [8], [10]]
    assert array_of(found["layers"][0]["kernels"]).shape == (3, 5, 5, 1)
    expected = model.outputs(mnist().test.images[:1])[0]
    np.testing.assert_allclose(array_of(found["layers"][2]["output"]), expected, atol=1e-6)


def test_a_unit_adds_up(client):
    question = {"pixels": pixels_of(0), "layer": 1, "unit": [3, 4, 2]}
    found = client.post("/api/inside/unit", json=question).json()
    z = float(np.sum(array_of(found["inputs"]) * array_of(found["weights"]))) + found["bias"]
    assert z == pytest.approx(found["z"], abs=1e-5)
    assert 1 / (1 + np.exp(-z)) == pytest.approx(found["output"], abs=1e-5)
    assert found["field"] == [6, 12, 8, 14]
    assert array_of(found["window"])[tuple(found["kept"])] == array_of(found["window"]).max()
    pooled = client.post("/api/inside/pooling", json={"pixels": pixels_of(0), "layer": 1, "channel": 2}).json()
    assert array_of(pooled["kept"]).sum() == 144
    assert array_of(pooled["before"]).shape == (24, 24)


def test_why_and_neighbours(client):
    found = client.post("/api/why", json={"pixels": pixels_of(3)}).json()
    assert array_of(found["saliency"]).shape == array_of(found["occlusion"]).shape == (28, 28)
    train = mnist().train
    own = base64.b64encode(train.images[12].tobytes()).decode()
    answer = client.post("/api/neighbours", json={"pixels": own}).json()
    nearest = answer["neighbours"][0]
    assert (nearest["index"], nearest["label"], nearest["pixels"]) == (12, train.labels[12], own)
    assert nearest["distance"] == pytest.approx(0, abs=1e-5)
    distances = [each["distance"] for each in answer["neighbours"]]
    assert distances == sorted(distances)
    assert answer["among"] == len(train)


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("inside", {"pixels": "AAAA"}, "pixels: 3 bytes found, expected (28, 28, 1), one each"),
        ("inside", {"pixels": "?"}, "pixels: not base64"),
        ("inside", {"pixels": "é"}, "pixels: not base64"),
        ("inside", {}, "body.pixels: Field required"),
        ("inside", {"pixels": "", "path": "/etc/passwd"}, "body.path: Extra inputs are not permitted"),
        ("inside/unit", {"layer": 7, "unit": [0]}, "layer: found 7, expected one of 1 ConvPool"),
        ("inside/unit", {"layer": 1, "unit": [12, 0, 0]}, "unit: found (12, 0, 0), expected a place in '1 ConvPool'"),
        ("inside/pooling", {"layer": 2, "channel": 0}, "layer '2 FullyConnected': it does not pool"),
        ("inside/pooling", {"layer": 1, "channel": 3}, "channel: found 3, expected 0 to 2"),
    ],
)
def test_questions_that_make_no_sense_get_one_line(client, path, body, error):
    if path != "inside":
        body = {"pixels": pixels_of(0), **body}
    answer = client.post(f"/api/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(error)


def test_mistakes_are_filtered_by_pair_and_all_can_be_had(client, model):
    confusion = client.get("/api/confusion").json()
    matrix = np.array(confusion["matrix"])
    assert matrix.sum() == confusion["n"] == 10_000
    assert np.trace(matrix) == confusion["right"]
    off = matrix - np.diag(np.diag(matrix))
    label, predicted = np.unravel_index(off.argmax(), off.shape)
    found, offset = [], 0
    while True:
        answer = client.get(f"/api/mistakes?label={label}&predicted={predicted}&offset={offset}").json()
        assert answer["total"] == matrix[label, predicted]
        found += answer["mistakes"]
        offset = len(found)
        if not answer["mistakes"] or offset >= 200:
            break
    assert {(each["label"], each["predicted"]) for each in found} == {(label, predicted)}
    sure = [each["probabilities"][each["predicted"]] for each in found]
    assert sure == sorted(sure, reverse=True)
    first = found[0]
    assert first["pixels"] == pixels_of(first["index"])
    assert client.get("/api/examples/5").json()["pixels"] == pixels_of(5)


# the description of all this


def test_the_schema_describes_every_route(client):
    schema = client.get("/api/openapi.json").json()
    assert len(schema["paths"]) >= 14
    for path, methods in schema["paths"].items():
        for method, about in methods.items():
            assert about["description"], (method, path)
            refused = {code: answer for code, answer in about["responses"].items() if code.startswith("4")}
            for answer in refused.values():
                assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Error"), (method, path)
    assert json.dumps(schema).count("ValidationError") == 0  # refusals have a form of our own
    assert client.get("/api/docs").status_code == 404  # FastAPI's own page would load scripts from elsewhere


def test_presets_can_be_trained_as_they_are(client):
    from firsthand.web.server.presets import PRESETS

    assert [preset["id"] for preset in client.get("/api/presets").json()] == [preset.id for preset in PRESETS]
    for preset in PRESETS:
        network = Network(preset.settings.layers())
        assert network.num_classes == 10
        assert preset.settings.recipe().epochs == preset.settings.epochs


def test_presets_are_the_experiments_of_their_names():
    from firsthand import nn
    from firsthand.studies import convolution, deep_networks, learning_speed
    from firsthand.web.server.presets import PRESETS

    presets = {preset.id: preset.settings for preset in PRESETS}
    for id, layers, l2 in (
        ("depth-4", learning_speed.hidden_layers(4), deep_networks.RECIPE.l2),
        ("shallow", convolution.conv_network((), (100,), nn.sigmoid), 0.0),
        ("conv-2-relu", convolution.conv_network((20, 40), (100,), nn.relu), 0.1 / convolution.BATCHES),
    ):
        assert repr(presets[id].layers()) == repr(layers)
        assert presets[id].recipe().l2 == pytest.approx(l2)


def test_the_page_knows_reasons_that_reading_gives():
    """In Chinese; one that reading no longer gives would be shown in English, unnoticed."""
    source = "".join(path.read_text() for path in Path(reading.__file__).parent.glob("*.py"))
    known = re.findall(r'^  "(.+)": "', (PAGE / "lib" / "reasons.js").read_text(), re.MULTILINE)
    assert len(known) > 5
    assert [reason for reason in known if f'"{reason}"' not in source] == []


def test_the_page_is_part_of_the_package():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert "web/page/**/*" in text
