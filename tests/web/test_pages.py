"""The lab's pages that compute in the browser: their mathematics against the reference, and what people do on them."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firsthand.reference import functions as f
from firsthand.reference.fully_connected import backprop_matrix

PAGES = ("neuron", "softmax", "backward", "space")
ACTIVATIONS = {"sigmoid": f.SIGMOID, "tanh": f.TANH, "relu": f.RELU, "linear": f.LINEAR}
COSTS = {"quadratic": f.QUADRATIC, "crossEntropy": f.CROSS_ENTROPY}
FOUR_RUNS = [
    (0.6, 0.9, "quadratic", 0.15),
    (2.0, 2.0, "quadratic", 0.15),
    (0.6, 0.9, "crossEntropy", 0.005),
    (2.0, 2.0, "crossEntropy", 0.005),
]


def call(page, module, expression, **values):
    """A JavaScript expression over what lib/MODULE.js exports (m) and values (v)."""
    code = f"async v => {{ const m = await import('/lib/{module}.js'); return {expression}; }}"
    return page.evaluate(code, values)


def value(page, name):
    return page.locator(f"[data-value={name}]").text_content()


@pytest.fixture(scope="module")
def sheet(browser, lab_url):
    """An empty page of the lab's origin, to call its modules in."""
    page = browser.new_page()
    page.goto(f"{lab_url}/icon.svg")
    yield page
    page.close()


# one neuron


def reference_neuron(w, b, activation, cost, rate, epochs):
    """(weights, outputs, costs) before the first epoch and after each, by the reference's backpropagation."""
    act, fn, x, y = ACTIVATIONS[activation], COSTS[cost], np.ones((1, 1)), np.zeros((1, 1))
    weights, biases, seen = [np.full((1, 1), w)], [np.full((1, 1), b)], []
    for _ in range(epochs + 1):
        a = act.forward(weights[0] @ x + biases[0])
        seen.append((weights[0].item(), a.item(), fn.fn(a, y)))
        nabla = backprop_matrix(weights, biases, x, y, fn, [act])
        weights, biases = [weights[0] - rate * nabla.nabla_w[0]], [biases[0] - rate * nabla.nabla_b[0]]
    return np.array(seen)


@pytest.mark.parametrize(
    ("w", "b", "activation", "cost", "rate"),
    [(w, b, "sigmoid", cost, rate) for w, b, cost, rate in FOUR_RUNS]
    + [
        (-1.5, 0.5, "tanh", "quadratic", 0.1),
        (0.7, 0.2, "relu", "quadratic", 0.05),
        (1.0, -3.0, "linear", "quadratic", 0.2),
    ],
)
def test_neuron_learns_as_the_reference_does(sheet, w, b, activation, cost, rate):
    options = {"w": w, "b": b, "activation": activation, "cost": cost, "rate": rate, "epochs": 300}
    found = call(sheet, "neuron", "m.learn(v.options).map((at) => [at.w, at.a, at.cost])", options=options)
    np.testing.assert_allclose(found, reference_neuron(**options), rtol=1e-9, atol=1e-12)


def test_neuron_page_reaches_what_the_text_prints(open_page):
    page = open_page("neuron")
    for preset, (w, b, cost, rate) in enumerate(FOUR_RUNS):
        page.locator(".pairs button").nth(preset).click()
        assert f"{float(value(page, 'a')):.2f}" == {0.6: "0.82", 2.0: "0.98"}[w]
        page.locator("[data-do=jump]").click()
        assert value(page, "epoch") == "300"
        expected = reference_neuron(w, b, "sigmoid", cost, rate, 300)[-1, 1]
        assert float(value(page, "a")) == pytest.approx(expected, abs=6e-4)
        if preset == 0:
            assert f"{float(value(page, 'a')):.2f}" == "0.09"


def test_slowdown_and_its_cure(sheet):
    """Slow for about 150 epochs and steepest later with the quadratic cost; steepest at once with the cross-entropy."""
    costs = {
        preset: np.array(call(sheet, "neuron", "m.learn(m.PRESETS[v.i]).map((at) => at.cost)", i=preset))
        for preset in (1, 3)
    }
    steepest = {preset: int(np.argmax(-np.diff(cost))) for preset, cost in costs.items()}
    assert costs[1][0] - costs[1][150] < 0.15 * (costs[1][0] - costs[1][300])
    assert 150 < steepest[1] < 300
    assert steepest[3] == 0


def test_cross_entropy_stays_finite_where_the_neuron_is_saturated(sheet):
    found = call(sheet, "neuron", "m.look({ w: 400, b: 400, activation: 'sigmoid', cost: 'crossEntropy' })")
    assert found["cost"] == 800
    assert found["dw"] == 1


def test_cost_that_needs_a_sigmoid_is_not_offered_for_others(open_page):
    page = open_page("neuron")
    page.locator(".pairs button").nth(3).click()
    page.get_by_role("combobox", name="activation function").select_option("tanh")
    costs = page.get_by_role("combobox", name="cost function")
    assert costs.input_value() == "quadratic"
    assert costs.locator("option[value=crossEntropy]").is_disabled()


# softmax


def test_softmax_and_its_slopes_are_the_references(sheet):
    z = np.array([2.5, -1.0, 3.2, 3.5])
    for c in (1.0, 0.3, 7.0):
        a = f.softmax(c * z[:, None])[:, 0]
        np.testing.assert_allclose(call(sheet, "softmax", "m.softmax(v.z, v.c)", z=z.tolist(), c=c), a, rtol=1e-12)
        # column k of the matrix is dC/dz for C = a_j: one way back for each j
        back = np.stack([c * f.SOFTMAX.back(a[:, None], np.eye(4)[:, [j]])[:, 0] for j in range(4)])
        np.testing.assert_allclose(call(sheet, "softmax", "m.slopes(v.z, v.c)", z=z.tolist(), c=c), back, atol=1e-12)


@given(st.lists(st.floats(-500, 500), min_size=4, max_size=4), st.floats(0.1, 20))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_softmax_is_always_a_distribution(sheet, z, c):
    a = np.array(call(sheet, "softmax", "m.softmax(v.z, v.c)", z=z, c=c))
    assert np.all(a >= 0)
    assert a.sum() == pytest.approx(1)


def test_softmax_page_shows_what_the_text_prints(open_page):
    page = open_page("softmax")
    rows = {"0.5": ".315 .009 .633 .043", "1.6": ".290 .009 .584 .118", "3.5": ".174 .005 .349 .472"}
    for z4, published in rows.items():
        page.get_by_role("button", name=f"z₄ = {z4}", exact=True).click()
        assert value(page, "sum") == " + ".join(f"0{number}" for number in published.split()) + " = 1.000"


def test_sliders_and_temperature_by_keyboard(open_page):
    page = open_page("softmax")
    before = value(page, "sum")
    page.get_by_role("slider", name="z₄").focus()
    page.keyboard.press("End")  # z₄ = 5 is now by far the largest
    assert value(page, "sum") != before
    page.get_by_role("slider", name="c in e^(c z)").focus()
    page.keyboard.press("End")
    assert value(page, "sum") == "0.000 + 0.000 + 0.000 + 1.000 = 1.000"  # a maximum


# space bends


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
@pytest.mark.parametrize("hidden", [[2], [4, 3]])
def test_gradient_of_the_small_network_is_the_references(sheet, activation, hidden):
    net = call(sheet, "smallnet", "m.network(v)", hidden=hidden, activation=activation, seed=5)
    examples = call(sheet, "toydata", "m.toydata('arcs', { noise: 0.1, seed: 1 }).slice(0, 20)")
    weights, biases = [np.array(w) for w in net["weights"]], [np.array(b)[:, None] for b in net["biases"]]
    x, y = np.array([e["x"] for e in examples]).T, np.array([[e["y"] for e in examples]], float)
    activations = [ACTIVATIONS[activation]] * len(hidden) + [f.SIGMOID]
    expected = backprop_matrix(weights, biases, x, y, f.CROSS_ENTROPY, activations)

    code = """async ({ net, examples }) => {
      const m = await import('/lib/smallnet.js');
      const gradient = m.gradient(net, examples);
      m.descend(net, gradient, 0.5);
      return { gradient, net };
    }"""
    found = sheet.evaluate(code, {"net": net, "examples": examples})
    for l in range(len(weights)):  # noqa: E741
        dw, db = expected.nabla_w[l] / len(examples), expected.nabla_b[l] / len(examples)
        np.testing.assert_allclose(found["gradient"]["dw"][l], dw, atol=1e-12)
        np.testing.assert_allclose(found["gradient"]["db"][l], db[:, 0], atol=1e-12)
        np.testing.assert_allclose(found["net"]["weights"][l], weights[l] - 0.5 * dw, atol=1e-12)
        np.testing.assert_allclose(found["net"]["biases"][l], (biases[l] - 0.5 * db)[:, 0], atol=1e-12)


def test_random_numbers_are_even_and_normal(sheet):
    even = call(sheet, "smallnet", "Array.from({ length: 4000 }, m.generator(3))")
    normal = call(sheet, "smallnet", "((r) => Array.from({ length: 4000 }, () => m.normal(r)))(m.generator(4))")
    even, normal = np.array(even), np.array(normal)
    assert even.min() >= 0
    assert even.max() < 1
    np.testing.assert_allclose(np.histogram(even, 10, (0, 1))[0], 400, atol=80)  # four standard deviations
    assert abs(normal.mean()) < 0.07
    assert abs(normal.std() - 1) < 0.05


def test_no_straight_line_separates_the_toy_data(sheet):
    """Each set has two classes of the same size that least squares on (x1, x2) gets wrong for at least one in ten."""
    for name in call(sheet, "toydata", "m.NAMES"):
        examples = call(sheet, "toydata", "m.toydata(v.name)", name=name)
        x = np.array([[1, *e["x"]] for e in examples])
        y = np.array([e["y"] for e in examples])
        assert y.mean() == 0.5
        line = np.linalg.lstsq(x, 2.0 * y - 1, rcond=None)[0]
        assert np.mean((x @ line > 0) == y) < 0.9, name


def test_boundary_is_where_the_output_is_one_half(sheet):
    code = """async () => {
      const [n, b, d] = await Promise.all(['smallnet', 'bend', 'toydata'].map((name) => import(`/lib/${name}.js`)));
      const net = n.network({ hidden: [4, 3], activation: 'tanh', seed: 1 });
      const examples = d.toydata('xor');
      const random = n.generator(2);
      for (let i = 0; i < 60; i += 1) n.epoch(net, examples, { rate: 0.3, batch: 10, random });
      const points = b.contour(b.outputs(net, 1, 48), 1).flat();
      const hidden = examples.map(({ x }) => n.forward(net, x).at(-2));
      const side = b.view(net, hidden, null, null);
      return points.map((x) => ({ a: n.forward(net, x).at(-1)[0], seen: side.to(n.forward(net, x).at(-2)) }))
        .concat(hidden.map((h) => ({ a: null, seen: side.to(h), output: side.output(...side.to(h)) })))
        .concat(examples.map(({ x }) => ({ a: n.forward(net, x).at(-1)[0] })));
    }"""
    found = sheet.evaluate(code)
    boundary = [one for one in found if one["a"] is not None and "seen" in one]
    assert len(boundary) > 50
    np.testing.assert_allclose([one["a"] for one in boundary], 0.5, atol=0.05)  # straight pieces of a curve
    np.testing.assert_allclose([one["seen"][0] for one in boundary], 0, atol=0.05)  # and x = 0 in hidden space
    shaded, outputs = (
        [one["output"] for one in found if "output" in one],
        [one["a"] for one in found if "seen" not in one],
    )
    np.testing.assert_allclose(shaded, outputs, atol=1e-9)


def test_space_bends_until_a_line_separates_and_the_same_way_again(open_page):
    page = open_page("space")

    def learn(preset, hundreds):
        page.locator(".pairs button").nth(preset).click()
        for _ in range(hundreds):
            page.locator("[data-do=jump]").click()
        return value(page, "cost"), value(page, "accuracy")

    cost, accuracy = learn(0, 2)
    assert accuracy == "100.0 %"
    assert learn(2, 3)[1] != "100.0 %"  # two units cannot close a circle
    assert learn(3, 2)[1] == "100.0 %"
    assert learn(0, 2) == (cost, accuracy)


def test_hidden_layer_can_be_looked_at_from_every_side(open_page):
    page = open_page("space")
    page.locator(".pairs button").nth(4).click()  # 8 and 8 units
    sides = page.get_by_role("combobox", name="look at")
    assert sides.locator("option").count() == 1 + 8 * 7 // 2
    sides.select_option("2,5")
    page.get_by_label("hidden unit 3, y: hidden unit 6").wait_for()
    for kind in ("sigmoid", "relu"):
        page.get_by_role("combobox", name="activation of the hidden units").select_option(kind)
        page.locator("[data-do=jump]").click()
        assert value(page, "epoch") == "100"


def test_learning_that_explodes_is_shown_and_breaks_nothing(open_page):
    page = open_page("neuron")
    page.get_by_role("combobox", name="activation function").select_option("linear")
    page.get_by_role("slider", name="learning rate").fill("24")  # the largest, 10
    page.locator("[data-do=jump]").click()
    page.get_by_text("It has diverged").wait_for()
    page.locator(".chart-svg").first.hover()
    page.evaluate("location.hash = '#/space'")
    page.get_by_role("combobox", name="activation of the hidden units").select_option("relu")
    page.get_by_role("slider", name="learning rate").fill("8")  # the largest, 2
    for _ in range(3):
        page.locator("[data-do=jump]").click()
    assert value(page, "epoch") == "300"


# backward


def test_backward_page_computes_as_the_study_does(sheet):
    from firsthand.studies.review import backward, forward

    kinds = {"relu": "ReLU", "tanh": "tanh", "logistic": "logistic"}
    start = call(sheet, "backward", "m.START")
    for kind, name in kinds.items():
        found = call(sheet, "backward", "m.look({ ...m.START, kind: v.kind })", kind=kind)
        weights = [np.array(w) for w in start["weights"]]
        zs, ys = forward(weights, np.array(start["x"]), name)
        by_z, slopes = backward(weights, zs, ys, np.array([start["t"]]), name)
        for layer in range(3):
            np.testing.assert_allclose(found["z"][layer + 1], zs[layer], rtol=1e-12)
            np.testing.assert_allclose(found["dz"][layer + 1], by_z[layer], rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(found["dw"][layer], slopes[layer], rtol=1e-12, atol=1e-15)


def test_backward_page_says_what_a_small_change_does(open_page):
    page = open_page("backward")
    first = float(value(page, "error"))
    page.locator("[data-way=backward]").click()
    page.get_by_role("img", name="with ∂E/∂z").wait_for()
    page.get_by_role("combobox", name="connection").select_option("0,1,2")
    expected, changed = (float(value(page, name).replace("−", "-")) for name in ("expected", "changed"))
    assert changed == pytest.approx(expected, rel=0.05)
    page.get_by_role("slider", name="its weight w").fill("-1.5")
    assert "× −1" in page.locator(".formula").text_content() or "−1.50 ×" in page.locator(".formula").text_content()
    page.locator("[data-do=again]").click()
    for _ in range(10):
        page.locator("[data-do=descend]").click()
    assert float(value(page, "error")) < first / 2
    page.locator("[data-edge='2,0,0']").click()
    assert page.get_by_role("combobox", name="connection").input_value() == "2,0,0"


# what they have in common


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_fit_a_small_screen_in_both_languages(open_page, name, lang):
    page = open_page(name, lang=lang, viewport={"width": 360, "height": 740})
    page.locator(".chart-svg[aria-label]").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    about = page.locator("main > .look").text_content()
    assert ("第三章" in about or "图 1" in about) if lang == "zh" else ("chapter 3" in about or "figure 1" in about)
    for figure in page.locator("figure").all():  # a title, a sentence what to look for, and named axes
        assert figure.locator("h3").text_content()
        assert figure.locator("figcaption").text_content()
        assert figure.locator(".chart-label").count() == 2


@pytest.mark.parametrize("name", PAGES)
def test_every_control_has_a_name(open_page, name):
    page = open_page(name)
    for control in page.locator("main button, main select, main input").all():
        assert control.evaluate("e => (e.getAttribute('aria-label') ?? e.textContent).trim()")


@pytest.mark.parametrize("name", PAGES)
def test_values_are_read_off_charts_by_keyboard_and_pointer(open_page, name):
    page = open_page(name)
    chart = page.locator("figure").first
    picture, tip = chart.locator(".chart-svg"), chart.locator(".chart-tip")
    chart.locator(".chart-svg[aria-label]").wait_for()
    picture.focus()
    page.keyboard.press("Home")
    first = tip.text_content()
    assert any(c.isdigit() for c in first)
    if name != "neuron":  # which has learned nothing yet: one reading
        page.keyboard.press("End")
        assert tip.text_content() != first
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    picture.hover()
    assert any(c.isdigit() for c in tip.text_content())


def test_run_and_pause_by_keyboard_keep_time(open_page):
    page = open_page("neuron")
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    page.locator("[data-do=run]").focus()
    page.keyboard.press("Enter")
    page.clock.run_for(2000)
    running = int(value(page, "epoch"))
    assert 60 < running <= 120  # 60 epochs a second, by frames
    page.keyboard.press("Enter")
    page.clock.run_for(1000)
    assert int(value(page, "epoch")) == running
    page.keyboard.press("Enter")
    page.clock.run_for(6000)
    assert value(page, "epoch") == "300"
    assert page.locator("[data-do=step]").is_disabled()


def test_reduced_motion_changes_the_picture_once_a_second(open_page):
    page = open_page("neuron", reduced_motion="reduce")
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    page.locator("[data-do=run]").click()
    page.clock.run_for(900)
    assert value(page, "epoch") == "0"
    page.clock.run_for(200)
    assert int(value(page, "epoch")) == pytest.approx(60, abs=1)


@pytest.mark.parametrize("name", ["neuron", "space"])
def test_another_language_and_other_colours_lose_nothing(open_page, name):
    page = open_page(name)
    page.locator("[data-do=step]").click()
    page.locator("[data-do=step]").click()
    page.locator("#language").click()
    page.get_by_role("button", name="▶ 运行").wait_for()
    page.locator("#theme").click()
    page.locator("[data-value=epoch]").wait_for()
    assert value(page, "epoch") == "2"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_enough_contrast(open_page, theme):
    """WCAG AA: 4.5 for text, 3 for the lines and signs of charts, against the ground of panels."""
    page = open_page("neuron", theme=theme)
    names = ["paper", "panel", "ink", "muted", "accent", "on-accent", *(f"series-{i}" for i in range(1, 7))]
    code = "async names => { const { colour } = await import('/lib/dom.js'); return names.map(colour); }"
    colours = dict(zip(names, page.evaluate(code, names), strict=True))

    def luminance(name):
        c = np.array([int(colours[name][i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return np.where(c <= 0.03928, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    def contrast(one, other):
        low, high = sorted([luminance(one), luminance(other)])
        return (high + 0.05) / (low + 0.05)

    for ground in ("paper", "panel"):
        assert contrast("ink", ground) >= 7
        assert contrast("muted", ground) >= 4.5
        assert min(contrast(name, ground) for name in names if name.startswith("series")) >= 3
    assert contrast("on-accent", "accent") >= 4.5


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 8))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ticks_stand_in_order_within_the_axis(sheet, low, length, count):
    high = low + length
    if high - low < 1e-9 * max(abs(low), abs(high)):
        return
    ticks = call(sheet, "scale", "m.scale([v.low, v.high], [0, 100]).ticks(v.count)", low=low, high=high, count=count)
    at = [tick["at"] for tick in ticks]
    assert at == sorted(set(at))
    assert len(at) <= count + 1
    assert all(low - 1e-6 * length <= x <= high + 1e-6 * length for x in at)
    bottom, top = call(sheet, "scale", "m.rounded([v.low, v.high])", low=low, high=high)
    assert bottom <= low + 1e-6 * length
    assert top >= high - 1e-6 * length


def test_ticks_of_logarithmic_axes_and_numbers_as_people_write_them(sheet):
    ticks = call(sheet, "scale", "m.scale([1e-8, 1], [0, 100], true).ticks(5).map((tick) => tick.text)")
    assert ticks == ["10⁻⁸", "10⁻⁶", "10⁻⁴", "0.01", "1"]
    written = call(sheet, "scale", "[0, -2.5, 0.00012345, 1234567, Infinity, NaN].map((x) => m.number(x))")
    assert written == ["0", "−2.50", "1.23 × 10⁻⁴", "1.23 × 10⁶", "∞", "–"]
