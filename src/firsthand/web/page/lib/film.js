// A slider over what happens step by step, which can play by itself.

import { h, put, slider } from "./dom.js";
import { t } from "./i18n.js";

/**
 * Frames that are shown one after the other: {element, button, play(frames, pace), stop(), show(i), end()}.
 *
 * Options: id of the slider; label; name(i), what is written beside it; paint(i), which shows frame i; reducedMotion, with
 * which it begins at the last frame and plays only when it is told.  `button` plays and pauses.  `end` is called when the
 * page is left: an answer of the server that comes later starts nothing.
 */
export function film({ id, label, name, paint, reducedMotion }) {
  let timer = 0;
  let ended = false;
  let count = 1;
  let every = 80; // milliseconds
  const at = slider({ label, min: 0, max: 0, step: 1, value: 0, show: name, oninput: (i) => {
    stop();
    paint(i);
  } });
  at.input.id = id;
  const button = h("button", { type: "button", id: `${id}-play`, onclick: () => (timer ? stop() : go()) });

  function stop() {
    clearInterval(timer);
    timer = 0;
    put(button, t({ en: "▶ Play", zh: "▶ 播放" }));
  }
  function show(i) {
    at.set(i);
    paint(i);
  }
  function go() {
    stop();
    if (ended) return;
    let i = Number(at.input.value);
    if (i >= count - 1) i = -1; // from the beginning
    timer = setInterval(() => {
      i += 1;
      show(i);
      if (i >= count - 1) stop();
    }, every);
    put(button, t({ en: "❚❚ Pause", zh: "❚❚ 暂停" }));
  }
  stop();
  return {
    element: at.element,
    button,
    show,
    stop,
    play(frames, pace = 80) {
      stop();
      [count, every] = [frames, pace];
      at.input.max = frames - 1;
      show(reducedMotion ? frames - 1 : 0);
      if (!reducedMotion) go();
    },
    end() {
      ended = true;
      stop();
    },
  };
}
