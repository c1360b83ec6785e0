// The clock behind what learns on a page, and its buttons: Run or Pause, one step, a jump, Reset.

import { h } from "./dom.js";
import { t } from "./i18n.js";

/**
 * {element, stop(), refresh()}.  `advance(epochs)` learns for that many and shows the result, `done()` says whether
 * there is nothing left, `speed()` gives epochs per second, `jump` is {text, epochs()}.  With reduced motion the picture
 * changes once a second instead of with every frame; what is computed is the same.
 */
export function runner({ advance, done = () => false, speed, jump, reset, reducedMotion }) {
  let timer = null;
  let last = 0;
  let owed = 0; // part of an epoch that is due

  const request = (then) => (reducedMotion ? setTimeout(() => then(performance.now()), 1000) : requestAnimationFrame(then));
  const cancel = (id) => (reducedMotion ? clearTimeout(id) : cancelAnimationFrame(id));
  const longest = reducedMotion ? 1500 : 100; // a page that was asleep does not catch up

  function tick(now) {
    owed += (Math.min(now - last, longest) / 1000) * speed();
    last = now;
    const epochs = Math.floor(owed);
    owed -= epochs;
    timer = request(tick);
    if (epochs) advance(epochs);
    if (done()) stop();
  }

  function stop() {
    if (timer !== null) cancel(timer);
    timer = null;
    refresh();
  }

  function toggle() {
    if (timer !== null) return stop();
    if (done()) reset();
    last = performance.now();
    owed = 0;
    timer = request(tick);
    refresh();
  }

  const button = (name, text, onclick) => h("button", { type: "button", "data-do": name, onclick }, text);
  const run = button("run", "", toggle);
  run.classList.add("main");
  const step = button("step", t({ en: "One epoch", zh: "一个回合" }), () => only(1));
  const leap = button("jump", jump.text, () => only(jump.epochs()));
  const again = button("reset", t({ en: "Reset", zh: "重置" }), () => {
    stop();
    reset();
    refresh();
  });

  function only(epochs) {
    stop();
    advance(epochs);
    refresh();
  }

  function refresh() {
    run.textContent = timer === null ? t({ en: "▶ Run", zh: "▶ 运行" }) : t({ en: "❚❚ Pause", zh: "❚❚ 暂停" });
    step.disabled = leap.disabled = done();
  }

  refresh();
  return { element: h("div", { class: "row" }, run, step, leap, again), stop, refresh };
}
