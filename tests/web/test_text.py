"""The pages Text and Execute, and Inside in time: what their routes answer and refuse, and what people do on them."""

import base64
import json

import jax
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the lab's tests need the extra lab")
pytest.importorskip("httpx2", reason="httpx2 is not installed (extra test)")

from starlette.testclient import TestClient

from firsthand import Model, mnist, nn
from firsthand.data.tasks import part_of_program, run_program
from firsthand.inspect import unrolled, unrolled_text
from firsthand.models import LanguageModel
from firsthand.nn import Network
from firsthand.web.server import create_app
from firsthand.web.server.lab import Lab
from firsthand.web.server.shelf import Shelf
from firsthand.web.server.trainings import Trainings
from firsthand.zoo.box import LETTERS, PROGRAMS, SUM_READER, boxed_memory
from tests.conftest import serving

pytestmark = pytest.mark.usefixtures("compiled_quickly")

KEY = jax.random.key(2)
OWN = Network((nn.Embedding(4, 5), nn.LSTM(6), nn.GRU(3), nn.Softmax(4, weights_init=nn.large)), (8,))
WINDOW = Network((nn.Embedding(4, 5), nn.Bidirectional(nn.GRU(3)), nn.Softmax(4)), (8,))
ROWS = Network((nn.Rows(), nn.GRU(5, every_step=False), nn.Softmax(10)))
ALPHABET = ("a", "b", " ", "é")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    place = tmp_path_factory.mktemp("lab")
    (place / "runs" / "broken").mkdir(parents=True)
    (place / "runs" / "broken" / "model.safetensors").write_bytes(b"nothing")
    for name, network in (("own", OWN), ("window", WINDOW)):
        (place / "runs" / name).mkdir(parents=True)
        model = LanguageModel(network, network.init(key=KEY), ALPHABET)
        model.save(place / "runs" / name / "model.safetensors")
    (place / "runs" / "rows").mkdir()
    Model(ROWS, ROWS.init(key=KEY), mnist().test.classes).save(place / "runs" / "rows" / "model.safetensors")
    return Lab(Shelf(None, place / "runs"), Trainings(0, place / "runs"), place / "results")


@pytest.fixture(scope="module")
def client(lab):
    with TestClient(create_app(lab), base_url="http://localhost:8000") as client:
        yield client


@pytest.fixture(scope="module")
def lab_url(lab):
    """The address of the same lab for browsers; the newest of its classifiers reads rows."""
    another = Lab(Shelf(None, lab.shelf.runs), Trainings(0, lab.shelf.runs), lab.results)
    with serving(create_app(another)) as url:
        yield url


def own(lab):
    return lab.texts.model("own")


def units(letter):
    return np.frombuffer(base64.b64decode(letter["units"]), "<f4")


def refused(answer, *, status=422):
    assert answer.status_code == status, answer.text
    found = answer.json()["error"]
    assert "\n" not in found
    return found


def test_what_comes_with_the_package_is_small():
    assert sum(path.stat().st_size for path in (LETTERS, SUM_READER, PROGRAMS)) < 2**20


def test_each_shelf_has_its_own_kind(client):
    texts = [each["id"] for each in client.get("/api/text/models").json()]
    assert texts[0] == "letters"
    assert set(texts) == {"letters", "own", "window"}
    # of a file that cannot be read it is said so where it is chosen
    assert {each["id"] for each in client.get("/api/models").json()} == {"rows", "broken"}
    found = client.get("/api/text/models/own").json()
    assert found["symbols"] == list(ALPHABET)
    assert [(each["number"], each["name"], each["units"]) for each in found["layers"]] == [
        (2, "LSTM", 6),
        (3, "GRU", 3),
    ]
    assert found["sees"] is None
    window = client.get("/api/text/models/window").json()
    assert (window["layers"], window["sees"]) == ([], 8)
    assert "expected one of letters" in refused(client.get("/api/text/models/none"), status=404)


def test_a_beginning_is_read_letter_by_letter(client, lab):
    text = "ab ébaab ab"
    letters = client.post("/api/text/read", json={"model": "own", "text": text}).json()["letters"]
    assert [letter["symbol"] for letter in letters] == list(text)
    assert letters[0]["p"] is None
    surprises = own(lab).surprises(text)
    np.testing.assert_allclose([-np.log2(letter["p"]) for letter in letters[1:]], surprises, atol=1e-4)
    p = own(lab).probabilities(text[:5])
    assert dict(letters[4]["next"]) == pytest.approx(dict(zip(ALPHABET, p, strict=True)), abs=2e-5)
    assert [value for _, value in letters[4]["next"]] == sorted(p.round(5), reverse=True)
    numbers = np.array([[ALPHABET.index(symbol) for symbol in text]])
    trace = own(lab).network.trace(own(lab).params, numbers)
    expected = np.concatenate([trace[1,].left[0], trace[2,].left[0]], axis=1)
    np.testing.assert_allclose([units(letter) for letter in letters], expected, atol=1e-6)
    assert all(not len(units(letter)) for letter in read(client, "window", text))


def read(client, model, text):
    return client.post("/api/text/read", json={"model": model, "text": text}).json()["letters"]


def test_a_text_goes_on_as_the_model_writes_it_and_repeats(client, lab):
    asked = {"model": "own", "text": "ab", "length": 40, "temperature": 0.7, "seed": 5}
    answer = client.post("/api/text/write", json=asked)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    letters = [json.loads(line) for line in answer.text.splitlines()]
    written = "".join(letter["symbol"] for letter in letters)
    assert written == own(lab).sample("ab", 40, key=jax.random.key(5), temperature=0.7)
    assert client.post("/api/text/write", json=asked).text == answer.text
    again = read(client, "own", "ab" + written)
    for found, expected in zip(letters, again[2:], strict=True):
        assert found["p"] == pytest.approx(expected["p"], abs=1e-4)
        np.testing.assert_allclose(units(found), units(expected), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"text": ""}, "text: nothing found, at least one symbol expected"),
        ({"text": "abc"}, "text: 'c' found at position 2, one of the alphabet's 4 symbols expected"),
        ({"text": "中"}, "text: '中' found at position 0"),
        ({"text": "a" * 1001}, "body.text: String should have at most 1000 characters"),
        ({"text": 7}, "body.text"),
        ({"temperature": 0}, "body.temperature: Input should be greater than or equal to 0.05"),
        ({"temperature": float("nan")}, "body.temperature: Input should be a finite number"),
        ({"temperature": float("inf")}, "body.temperature: Input should be a finite number"),
        ({"temperature": "hot"}, "body.temperature"),
        ({"length": 0}, "body.length"),
        ({"length": 2001}, "body.length"),
        ({"seed": -1}, "body.seed"),
        ({"more": 1}, "body.more: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_written_on_is_one_line(client, change, error):
    body = json.dumps({"model": "own", "text": "ab", **change})  # of NaN, too
    headers = {"content-type": "application/json"}
    assert error in refused(client.post("/api/text/write", content=body, headers=headers))
    if "text" in change:
        body = json.dumps({"model": "own", **change})
        assert error in refused(client.post("/api/text/read", content=body, headers=headers))


def test_another_model_than_there_are_is_404(client):
    for route in ("read", "write", "inside"):
        asked = {"model": "../../own", "text": "ab"}
        assert "model: found '../../own'" in refused(client.post(f"/api/text/{route}", json=asked), status=404)


def test_a_text_is_unrolled(client, lab):
    text = "ab ébaa"
    found = client.post("/api/text/inside", json={"model": "own", "text": text}).json()
    expected = unrolled_text(own(lab), text)
    assert found["steps"] == list(text[:-1])
    assert (found["target"], found["cost"]) == ("a", pytest.approx(expected.cost))
    assert len(found["said"]) == 6
    for layer, gradient in zip(found["layers"], expected.gradient, strict=True):
        assert layer["gradient"] == pytest.approx(gradient.tolist())
        assert layer["at_start"] != layer["gradient"]
    assert found["layers"][0]["outputs"]["shape"] == [6, 6]
    for model, text, error in (
        ("own", "a", "text: 1 symbols found, 2 to 129 expected"),
        ("own", "", "text: 0 symbols found, 2 to 129 expected"),
        ("own", "a" * 130, "text: 130 symbols found, 2 to 129 expected"),
        ("own", "ax", "'x' found at position 1"),
        ("window", "ab", "model: it reads texts only as a whole, expected one with a memory"),
    ):
        assert error in refused(client.post("/api/text/inside", json={"model": model, "text": text}))


def test_an_image_that_is_read_by_rows_is_unrolled(client, lab):
    image = mnist().test.images[0]
    asked = {"model": "rows", "pixels": base64.b64encode(image.tobytes()).decode()}
    layers = client.post("/api/inside", json=asked).json()["layers"]
    assert [layer["remembers"] for layer in layers] == [False, True, False]
    found = client.post("/api/inside/time", json=asked).json()
    model = lab.shelf.single("rows")
    label = int(model.predict(image[None])[0])
    expected = unrolled(model, image.astype(np.float32) / 255, label)
    assert found["steps"] == [str(n + 1) for n in range(28)]
    assert found["target"] == str(label)
    assert found["layers"][0]["gradient"] == pytest.approx(expected.gradient[0].tolist())
    assert found["said"][0][0][0] == str(label)


def test_a_sum_is_executed_and_judged(client):
    for typed, program in {
        "347+285": "print(347+285)",
        " 12 + 5 = ": "print(12+5)",
        "print(7+8)": "print(7+8)",
    }.items():
        found = client.post("/api/execute", json={"program": typed}).json()
        assert found["program"] == program
        assert found["expected"] == run_program(program)
        assert found["part"] == part_of_program(program)
        letters = "".join(letter["symbol"] for letter in found["letters"])
        assert letters.startswith(program)
        model = boxed_memory(SUM_READER)
        coldest = model.sample(program, len(letters) - len(program), key=KEY, temperature=1e-4)
        assert letters[len(program) :] == coldest
        assert found["answer"] == coldest.split("\n")[0]
    assert client.post("/api/execute", json={"program": "347+285"}).json()["answer"] == "632"
    outside = client.post("/api/execute", json={"program": "1234+1"}).json()
    assert (outside["expected"], outside["part"]) == ("1235", None)
    assert client.post("/api/execute", json={"program": "9-4"}).json()["part"] is None  # it was taught sums alone


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("", "program: nothing found, a sum such as 12+34"),
        ("   ", "program: nothing found"),
        ("=", "program: nothing found"),
        ("1+", "')' found at 8, a number, a variable or ( expected"),
        ("1/0", "'/0)' found at 7, a sign of the language expected"),
        ("hello", "'hello)' found at 6, a number, a variable or ( expected"),
        ("((((((((((((((((((((((((((((((((((((((((((((((((", "a number, a variable or ( expected"),
        ("q=3;print(q+1)", "'q' found at position 0, one of the alphabet's 31 symbols expected"),
        ("print(1+2)\nprint(3)", "'print(3)' found"),
        ("__import__('os')", "a sign of the language expected"),
        ("9" * 61, "body.program: String should have at most 60 characters"),
        ("①+②", "a sign of the language expected"),
        ("٣+٤", "expected"),
    ],
)
def test_what_is_no_program_is_one_line(client, program, error):
    assert error in refused(client.post("/api/execute", json={"program": program}))


def test_networks_that_execute_say_what_they_were_taught(client):
    abouts = client.get("/api/execute/models").json()
    sums = abouts[0]
    assert (sums["id"], sums["kinds"], sums["digits"], sums["nesting"]) == ("sums", ["sum"], 3, 1)
    assert sums["right"]["up to 3 digits"] > 0.8
    assert [(each["id"], each["nesting"]) for each in abouts] == [("sums", 1), ("programs", 2)]
    found = client.post("/api/execute", json={"model": "programs", "program": "a=7;print(a*6)"}).json()
    assert (found["expected"], found["answer"], found["part"]) == ("42", "42", part_of_program("a=7;print(a*6)"))
    for about in abouts:
        drawn = {client.get(f"/api/execute/example/{about['id']}?seed={seed}").json() for seed in range(5)}
        assert len(drawn) >= 3
        for program in drawn:
            found = client.post("/api/execute", json={"model": about["id"], "program": program}).json()
            assert found["part"] == "test"
    refused(client.get("/api/execute/example/none?seed=0"))
    refused(client.get("/api/execute/example/sums"))


@pytest.mark.slow
def test_in_a_browser_a_text_goes_on_and_a_unit_colours_it(open_page):
    page = open_page("text", viewport={"width": 1280, "height": 1000})
    written = page.locator(".letter.written")
    page.wait_for_function("() => document.querySelectorAll('.letter').length > 20")
    page.locator("#beginning").fill("JULIET.\nO ")
    page.wait_for_function("() => document.querySelectorAll('.letter').length === 10")
    assert page.locator(".page-text .probability").count() == 8
    assert "after “␣”" in page.inner_text("#letter")
    page.get_by_label("letters per second").fill("100")
    page.get_by_label("letters", exact=True).fill("50")
    page.locator("#beginning").press("Control+Enter")
    page.wait_for_function("() => document.querySelectorAll('.letter.written').length === 50")
    page.wait_for_function("() => document.querySelector('#go').textContent === 'Go on'")

    page.locator(".letters").focus()
    page.keyboard.press("Home")
    assert "after “J”" in page.inner_text("#letter")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#letter").startswith("“U” had ")
    assert page.locator(".letter.picked").inner_text() == "U"
    before = written.first.evaluate("e => e.style.backgroundColor")
    page.locator("#unit").focus()
    page.keyboard.press("ArrowRight")
    assert "unit 2" in page.inner_text("#unit-about")
    assert written.first.evaluate("e => e.style.backgroundColor") not in ("", before)
    page.get_by_label("Find the unit that follows").select_option("space")
    correlation = float(page.inner_text("#unit-about").split("correlation ")[1].split()[0].replace("−", "-"))
    assert 0.3 < abs(correlation) <= 1

    page.locator("#go").click()
    page.wait_for_function("() => document.querySelector('#go').textContent === 'Stop'")
    page.locator("#go").click()
    page.wait_for_function("() => document.querySelector('#go').textContent === 'Go on'")


@pytest.mark.slow
def test_in_a_browser_what_cannot_be_read_is_one_line(browser, lab_url):
    page = browser.new_page(locale="en-US")  # whose console may speak of the refusal
    page.goto(f"{lab_url}/#/text")
    page.locator(".letter").first.wait_for()
    for text, line in (("", "text: nothing found, at least one symbol expected"), ("naïve", "'ï' found at position 2")):
        page.locator("#beginning").fill(text)
        page.locator(".page-text .error", has_text=line).wait_for()
        page.click("#go")
        page.wait_for_timeout(100)
        assert page.locator(".letter").count() == 0
        assert page.inner_text("#go") == "Go on"
    page.goto(f"{lab_url}/#/execute")
    page.locator(".sign").first.wait_for()
    page.locator("#program").fill("1/0")
    page.keyboard.press("Enter")
    page.locator(".page-execute .error", has_text="a sign of the language expected").wait_for()
    assert page.locator(".sign").count() == 0
    page.close()


@pytest.mark.slow
def test_in_a_browser_digits_come_with_their_probabilities(open_page):
    page = open_page("execute", lang="zh")
    page.locator("#program").fill("12+34")
    page.keyboard.press("Enter")
    page.wait_for_function("() => /46/.test(document.querySelector('#verdict').textContent)")
    assert page.locator(".program").inner_text() == "print(12+34)"
    page.locator(".sign").first.focus()
    page.keyboard.press("Enter")
    symbol = page.locator(".sign .big").first.inner_text()
    assert page.locator(".probability.best .name").inner_text() == symbol
    assert f"“{symbol}”的概率为" in page.inner_text("#sign")
    page.click("#another")
    page.wait_for_function("() => /测试数据/.test(document.querySelector('#part').textContent)")


@pytest.mark.slow
def test_in_a_browser_a_network_is_unrolled_in_time(open_page):
    page = open_page("inside", viewport={"width": 1280, "height": 1000})
    page.wait_for_function("() => document.querySelectorAll('.unrolled .cell').length === 28")  # the rows of a digit
    page.locator("#of-text").focus()
    page.keyboard.press("Enter")
    page.locator("#sentence").fill("the question")
    page.wait_for_function("() => document.querySelector('#cost')?.textContent.startsWith('C = −ln p(n)')")
    assert page.locator(".unrolled .cell").count() == 11
    lags = page.locator(".in-time svg.chart-svg").first
    lags.focus()
    page.keyboard.press("End")
    assert "steps back in time: 11" in page.locator(".in-time .chart-tip").first.inner_text()
    assert page.locator(".in-time .chart-key").first.inner_text() == "layer 2, LSTM: trained"
