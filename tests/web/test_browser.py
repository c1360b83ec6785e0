"""The lab as people meet it: a real process, a real browser, a mouse, keys and files; no error in the console."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from firsthand import mnist
from firsthand.experiments.result import Finding, Published, Result, Source, Text
from tests.conftest import says
from tests.processes import PATIENCE, read_until, running

PAGES = (
    "draw",
    "inside",
    "neuron",
    "softmax",
    "backward",
    "train",
    "mistakes",
    "fool",
    "blind",
    "space",
    "dream",
    "play",
    "text",
    "execute",
    "memory",
    "story",
    "results",
    "api",
)
SHOTS = Path(__file__).parents[2] / "runs" / "lab-screenshots"
# strokes as shares of the surface
SEVEN = [[(0.40, 0.2), (0.60, 0.2), (0.48, 0.85)]]
ONE_AND_TWO = [
    [(0.25, 0.15), (0.25, 0.85)],
    [(0.55, 0.35), (0.58, 0.22), (0.66, 0.2), (0.71, 0.3), (0.68, 0.45), (0.53, 0.82), (0.75, 0.82)],
]


@pytest.fixture(scope="module")
def lab_url(browser, tmp_path_factory):
    """The address of `firsthand lab` in a folder of its own, with the model in the box and one result."""
    pytest.importorskip("fastapi", reason="the lab's tests need the extra lab")
    place = tmp_path_factory.mktemp("lab")
    (place / "results" / "experiments").mkdir(parents=True)
    run = {"seed": 0, "seconds": 12.0, "numbers": {"test_accuracy": 0.95}, "arrays": {}}
    Result(
        id="quadratic-30",
        title=Text("Quadratic cost", "二次代价函数"),
        source=Source("Nielsen", "chapter 1"),
        quick=False,
        published=(Published("test_accuracy", 0.9542),),
        runs=(run,),
        claims=((Text("It is slow.", "很慢。"), Finding(False, Text("12 s", "12 秒"))),),
        deviations=(Text("None to speak of.", "无。"),),
        captions={},
        machine="this one",
        versions={},
        date="2026-01-01T00:00:00Z",
        command="firsthand run quadratic-30",
    ).save(place / "results" / "experiments")
    command = [sys.executable, "-u", "-m", "firsthand", "lab", "--no-open", "--port", "0"]
    with running(command, cwd=place) as process:
        said = read_until(process, lambda line: True)
        yield found(r"^lab: (http://localhost:\d+)/  \(Ctrl-C ends it\)\n$", said)[0]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130  # as every program that Ctrl-C ends


def draw(page, strokes, *, pause=0):
    surface = page.locator(".pad").bounding_box()
    for stroke in strokes:
        points = [(surface["x"] + x * surface["width"], surface["y"] + y * surface["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=6)
        page.mouse.up()
        page.wait_for_timeout(pause)


def found(pattern, text):
    """The groups of a pattern that must be there."""
    match = re.search(pattern, text)
    assert match, text
    return match.groups()


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_page_fits_and_says_what_to_look_for(open_page, theme, width):
    SHOTS.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        page = open_page(name, theme=theme, viewport={"width": width, "height": 900})
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        look = page.locator("p.look").inner_text()
        assert len(look) > 40
        unnamed = page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, a, canvas[tabindex], [role=img]")]
            .filter((e) => !(e.textContent.trim() || e.ariaLabel || e.title || e.labels?.length))
            .filter((e) => !e.getAttribute("aria-hidden"))
            .map((e) => e.outerHTML.slice(0, 80))"""
        )
        assert not unnamed, name
        page.screenshot(path=SHOTS / f"{name}-{theme}-{width}.png", full_page=True)
        page.close()


def test_a_digit_drawn_by_mouse_is_read(open_page):
    page = open_page("draw")
    draw(page, SEVEN)
    says(page, "#answer", "7")
    assert float(re.findall(r"read in ([\d.]+) ms", page.inner_text("#time"))[0]) < 10_000
    bars = page.locator(".probability output").all_inner_texts()
    assert float(bars[7].removesuffix(" %")) > 50
    assert page.locator(".seen canvas").evaluate("c => [c.width, c.height]") == [28, 28]

    page.click("#why")
    page.locator(".alike figure").first.wait_for()
    assert page.locator(".alike figure").count() == 8
    assert "7" in page.locator(".alike figcaption").first.inner_text()

    page.click("#undo")
    says(page, "#answer", "–")


def test_several_digits_get_a_box_each(open_page):
    page = open_page("draw")
    draw(page, ONE_AND_TWO, pause=300)
    says(page, "#answer", "1 2")
    assert page.locator(".drawing .box").count() == 2
    page.locator(".drawing .box").nth(1).focus()
    page.keyboard.press("Enter")
    assert "2" in page.locator(".probability.best .name").inner_text()
    page.click("#clear")
    says(page, "#answer", "–")


def test_a_digit_can_be_drawn_by_keys(open_page):
    page = open_page("draw")
    page.locator(".pad").focus()
    for _ in range(14):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _ in range(26):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    says(page, "#answer", "1")
    page.keyboard.press("Control+z")
    says(page, "#answer", "–")


def test_a_photo_is_chosen_or_dropped_and_read(open_page, tmp_path):
    grey = np.full((300, 800), 210.0) - np.linspace(0, 60, 800)
    for place, index in enumerate((0, 1, 2, 4)):
        digit = Image.fromarray(mnist().test.images[index, ..., 0]).resize((140, 140), Image.Resampling.BICUBIC)
        grey[80:220, 40 + 180 * place : 180 + 180 * place] -= 0.5 * np.asarray(digit)
    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(tmp_path / "photo.png")
    page = open_page("draw")
    page.set_input_files("#photo", tmp_path / "photo.png")
    page.locator(".photo .box").first.wait_for()
    read = "".join(page.locator(".lines strong").all_inner_texts())
    assert read.replace(" ", "") == "7214"
    page.locator(".photo .box").nth(1).click()
    says(page, "#answer", "2")


def test_what_is_dropped_and_no_picture_gets_one_line(browser, lab_url):
    page = browser.new_page()  # whose console may speak of the refusal
    page.goto(f"{lab_url}/#/draw")
    page.locator(".pad").wait_for()
    page.evaluate(
        """() => {
          const dropped = new DataTransfer();
          dropped.items.add(new File(["no picture"], "photo.png", {type: "image/png"}));
          document.dispatchEvent(new DragEvent("drop", {dataTransfer: dropped, bubbles: true, cancelable: true}));
        }"""
    )
    page.locator(".photo .error:not([hidden])").wait_for()
    assert "no picture found" in page.locator(".photo .error").inner_text()
    page.close()


def test_inside_shows_the_arithmetic_of_a_unit(open_page):
    page = open_page("inside")
    maps = page.locator(".layer canvas[tabindex='0']")
    maps.first.wait_for()
    maps.nth(2).focus()  # of the model in the box, the first layer that pools
    page.keyboard.press("ArrowRight")
    says(page, "#unit-name", "Layer 3, map 1, row 0, column 1")
    sums = page.inner_text("#unit-sum").replace("−", "-")
    products, sign, bias, z = found(r"= (\S+) ([+-]) (\S+) = (\S+)", sums)
    assert float(products) + float(f"{sign}{bias}") == pytest.approx(float(z), abs=2e-3)
    assert page.locator(".field-mark").is_visible()
    says(page, ".inside aside", "144 of 576 values")
    maps.last.hover()
    says(page, "#unit-name", "Layer 17, unit")


@pytest.mark.slow
def test_a_training_starts_streams_stops_and_is_kept(open_page):
    page = open_page("train")
    page.locator("#start").click()
    run = page.locator(".run").first
    run.wait_for()
    says(page, ".run .state", "training")
    drawn = "() => document.querySelector('.curves .chart-stage .line')?.getAttribute('d')?.length > 20"
    page.wait_for_function(drawn)
    run.get_by_text("validation", exact=False).first.wait_for()  # the first epoch is complete
    run.locator(".stop").click()
    page.locator(".run .state.finished, .run .state.failed").wait_for()
    assert re.search(r"epoch \d", run.inner_text())
    run.locator(".keep").click()
    run.get_by_role("link").wait_for()
    run.get_by_role("link").click()
    page.locator(".pad").wait_for()
    page.locator(".panel select option").last.wait_for(state="attached")  # asked of the server after the pad is drawn
    assert page.locator(".panel select option").count() == 2  # the box, and the one that was kept


@pytest.mark.slow
def test_mistakes_are_filtered_by_the_confusion_matrix(open_page):
    page = open_page("mistakes")
    page.locator(".mistake").first.wait_for()
    total = int(*found(r"(\d+) are not", page.inner_text(".summary")))
    assert page.locator(".mistake").count() == min(total, 60)
    page.locator(".mistake").first.click()
    label, called = found(r"a (\d), called (\d)", page.locator(".detail h2").inner_text())
    matrix = page.locator(".inspected svg.chart-svg").first
    matrix.focus()
    page.keyboard.press("Home")
    for key in ["ArrowDown"] * int(label) + ["ArrowRight"] * int(called) + ["Enter"]:
        page.keyboard.press(key)
    page.locator("#all").wait_for()
    page.locator(".mistake .true").first.wait_for()
    labels, predicted = (page.locator(f".mistake .{name}").all_inner_texts() for name in ("true", "called"))
    assert (set(labels), set(predicted)) == ({label}, {called})


@pytest.mark.slow
def test_a_drawn_digit_is_fooled_by_pulling_epsilon(open_page):
    page = open_page("fool")
    draw(page, SEVEN)
    says(page, "#fooled", "7")
    assert page.locator(".triptych canvas").count() == 3
    page.get_by_label("epsilon").fill("0.5")
    says(page, "#fooled", "Fooled: 7")
    says(page, "#change", "Root mean square of the change")
    page.get_by_label("How").select_option("noise")
    page.get_by_label("epsilon").fill("0.05")
    says(page, "#fooled", "stays 7")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.click("#smallest")
    says(page, "#change", "smallest change")
    says(page, "#fooled", "Fooled: 7")
    page.screenshot(path=SHOTS / "fool-smallest.png", full_page=True)


def test_a_person_reads_digits_blind_and_saves_the_outcome(open_page):
    page = open_page("blind", lang="zh", accept_downloads=True)
    page.get_by_label("数量").select_option("20")
    page.click("#begin")
    for number in range(20):
        says(page, "#progress", f"第 {number + 1} / 20 个")
        if number == 5:  # one is taken back, and given again
            page.keyboard.press("Backspace")
            says(page, "#progress", "第 5 / 20 个")
            page.keyboard.press("3")
        page.keyboard.press(str(number % 10))
    page.locator("#own").wait_for()
    assert "95 % 区间" in page.inner_text("#own")
    assert page.locator("tbody tr").count() == 2  # the person, and the model in the box
    page.screenshot(path=SHOTS / "blind-outcome.png", full_page=True)
    with page.expect_download() as saved:
        page.click("#export")
    kept = json.loads(Path(saved.value.path()).read_text())
    assert len(kept["answers"]) == len(kept["indices"]) == 20
    assert kept["readers"][0]["n"] == 20


def test_results_stand_beside_what_was_published(open_page):
    page = open_page("results", lang="zh")
    page.locator(".results .id").click()
    row = page.locator(".results").inner_text()
    assert "95.42 %" in row
    assert "95.00 %" in row
    assert "无法判定" in row  # of one run the spread is not known
    assert "不成立" in row
    with page.expect_popup() as report:
        page.locator("#count a").click()
    report.value.wait_for_load_state()
    assert "二次代价函数" in report.value.inner_text("body")


def test_language_theme_and_unknown_addresses(browser, lab_url):
    page = browser.new_page(locale="en-US")
    page.goto(f"{lab_url}/#/draw")
    says(page, "h1", "Draw")
    page.click("#language")
    says(page, "h1", "手写")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.click("#theme")  # from the system's choice to light, and on
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    says(page, "h1", "手写")  # both are remembered
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.evaluate("location.hash = '#/nowhere'")
    page.locator("nav a[aria-current=page]").wait_for()
    says(page, "h1", "手写")
    page.close()


def test_text_has_enough_contrast(open_page):
    """WCAG 2.2, 1.4.3: 4.5:1 for text; 1.4.11: 3:1 for the lines of pictures."""
    for theme in ("light", "dark"):
        page = open_page("draw", theme=theme)
        names = [
            "paper",
            "panel",
            "ink",
            "muted",
            "accent",
            "on-accent",
            "good",
            "bad",
            *(f"series-{i}" for i in range(1, 7)),
        ]
        colours = page.evaluate(
            "names => names.map((n) => getComputedStyle(document.documentElement).getPropertyValue('--' + n).trim())",
            names,
        )
        c = dict(zip(names, map(luminance, colours), strict=True))
        for ground in ("paper", "panel"):
            for name in ("ink", "muted", "accent", "good", "bad"):
                assert contrast(c[name], c[ground]) >= 4.5, (theme, name, ground)
            for i in range(1, 7):
                assert contrast(c[f"series-{i}"], c[ground]) >= 3, (theme, i, ground)
        assert contrast(c["on-accent"], c["accent"]) >= 4.5, theme


def luminance(colour):
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    high, low = max(one, other), min(one, other)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.slow
def test_a_lab_that_cannot_start_says_why(lab_url):
    port = lab_url.rpartition(":")[2]
    for arguments, message in (
        (["--port", port], f"--host 127.0.0.1 --port {port}: cannot be bound to"),
        (["--port", "0", "--model", "none.safetensors"], "none.safetensors: no such model file"),
        (["--port", "99999"], "--port: found 99999, expected 0 to 65535"),
    ):
        command = [sys.executable, "-m", "firsthand", "lab", "--no-open", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=os.environ)
        assert done.returncode == 2
        assert done.stderr.startswith("firsthand: ")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
