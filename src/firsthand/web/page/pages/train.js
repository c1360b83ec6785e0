import { curves } from "../lib/curves.js";
import { choice, h, put } from "../lib/dom.js";
import { lang, t } from "../lib/i18n.js";
import { described, knobs } from "../lib/knobs.js";

export const title = { en: "Train", zh: "训练" };
export const about = {
  en: "Choose a network and how it learns, start it, and watch the curves: where the validation cost turns, how far the accuracies part (chapter 3), and which layers hardly learn (chapter 5).",
  zh: "选择网络和学习方式，启动训练，观察曲线：验证代价在哪里掉头，训练与验证准确度相差多少（第三章），哪些层几乎不学习（第五章）。",
};

const STATES = {
  waiting: { en: "waits for another to end", zh: "等待其他训练结束" },
  starting: { en: "starting …", zh: "正在启动……" },
  training: { en: "training", zh: "训练中" },
  paused: { en: "paused", zh: "已暂停" },
  stopping: { en: "stopping …", zh: "正在停止……" },
  finished: { en: "finished", zh: "已结束" },
  failed: { en: "failed", zh: "失败" },
  crashed: { en: "crashed", zh: "崩溃" },
};
const OVER = ["finished", "failed", "crashed"];
const MARKS = ["●", "■", "▲", "◆", "✕", "✚"]; // the signs of the charts

// what outlives the page: the knobs, and what is compared
const kept = { preset: null, settings: null, hidden: new Set(), chosen: null };

export function mount(root, { api }) {
  const runs = new Map();
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const form = h("div", {});
  const look = h("p", { class: "note" });
  const list = h("div", { class: "runs" });
  const verdict = h("p", { class: "verdict", "aria-live": "polite" });
  const pictures = curves();
  let presets = [];
  let frame = 0;

  const say = (error) => {
    fault.textContent = error?.message ?? "";
    fault.hidden = !error;
  };
  const ask = async (request) => {
    try {
      const answer = await request;
      say(null);
      return answer;
    } catch (error) {
      say(error);
    }
  };

  function showForm() {
    put(form, knobs(kept.settings, (settings) => (kept.settings = settings)));
    const preset = presets.find(({ id }) => id === kept.preset);
    look.textContent = preset ? t({ en: preset.en.look, zh: preset.zh.look }) : "";
  }

  async function start() {
    const run = await ask(api.post("trainings", kept.settings));
    if (!run) return;
    kept.chosen = run.number;
    redraw();
  }

  // every message that changes something leads here, at most once a frame
  function redraw() {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      show();
    });
  }

  function show() {
    const all = [...runs.values()].map((run) => ({ ...run, index: (run.number - 1) % 6 }));
    if (!runs.has(kept.chosen)) kept.chosen = all.length ? all[all.length - 1].number : null;
    const chosen = all.find(({ number }) => number === kept.chosen);
    showList(all);
    pictures.show(all.filter(({ number }) => !kept.hidden.has(number)), chosen);
    verdict.textContent = chosen?.verdict?.[lang()] ?? t({ en: "After the first epoch the verdict on overfitting stands here.", zh: "第一个回合之后，这里给出是否过度拟合的判断。" });
  }

  const rows = new Map();
  function showList(all) {
    for (const number of [...rows.keys()].filter((number) => !runs.has(number))) {
      rows.get(number).element.remove();
      rows.delete(number);
    }
    list.hidden = !all.length;
    for (const run of all) {
      if (!rows.has(run.number)) {
        rows.set(run.number, row(run));
        list.prepend(rows.get(run.number).element);
      }
      rows.get(run.number).show(run);
    }
  }

  function row({ number, index, settings }) {
    const state = h("output", { class: "state" });
    const progress = h("progress", { max: settings.epochs, "aria-label": t({ en: `Progress of training ${number}`, zh: `训练 ${number} 的进度` }) });
    const numbers = h("span", { class: "number" });
    const problem = h("p", { class: "error", hidden: true });
    const act = (name, text, what) => h("button", { class: name, onclick: what }, t(text));
    const post = (command) => () => ask(api.post(`trainings/${number}/${command}`));
    const buttons = {
      pause: act("pause", { en: "Pause", zh: "暂停" }, post("pause")),
      continue: act("continue", { en: "Continue", zh: "继续" }, post("continue")),
      stop: act("stop", { en: "Stop", zh: "停止" }, post("stop")),
      keep: act("keep", { en: "Keep the model", zh: "保留模型" }, () => ask(api.put(`trainings/${number}/kept`))),
      remove: act("remove", { en: "Remove", zh: "移除" }, () => ask(api.remove(`trainings/${number}`))),
    };
    const compared = h("input", { type: "checkbox", checked: !kept.hidden.has(number), onchange: () => {
      kept.hidden[compared.checked ? "delete" : "add"](number);
      redraw();
    } });
    const choose = h("input", { type: "radio", name: "chosen", onchange: () => {
      kept.chosen = number;
      redraw();
    } });
    const link = h("a", { href: "#/draw", hidden: true }, t({ en: "kept; draw for it", zh: "已保留；去手写试试" }));
    const element = h("article", { class: `panel run tone-${index + 1}`, "data-number": number },
      h("div", { class: "row" }, h("strong", { class: "mark" }, `${MARKS[index]} ${number}`), h("span", {}, described(settings)), state),
      progress,
      h("div", { class: "row" }, numbers),
      problem,
      h("div", { class: "row" },
        h("label", {}, compared, t({ en: "in the plots", zh: "画出曲线" })),
        h("label", {}, choose, t({ en: "gradients and verdict", zh: "梯度与判断" })),
        Object.values(buttons), link));
    return {
      element,
      show(run) {
        const over = OVER.includes(run.state);
        const last = run.records[run.records.length - 1];
        const at = Math.max(run.cost[run.cost.length - 1]?.[0] ?? 0, last?.epoch ?? 0);
        state.textContent = t(STATES[run.state]);
        state.className = `state ${run.state}`;
        progress.value = run.state === "finished" ? settings.epochs : at;
        numbers.textContent = [
          `${t({ en: "epoch", zh: "回合" })} ${at.toFixed(settings.epochs < 100 ? 1 : 0)} / ${settings.epochs}`,
          run.speed && !over ? `${run.speed.toLocaleString("en")} ${t({ en: "steps/s", zh: "步/秒" })}` : null,
          last ? `${t({ en: "validation", zh: "验证" })} ${(100 * last.validation_accuracy).toFixed(2)} %` : null,
          run.parameters ? `${run.parameters.toLocaleString("en")} ${t({ en: "parameters", zh: "个参数" })}` : null,
        ].filter(Boolean).join(" · ");
        problem.textContent = run.error ?? "";
        problem.hidden = !run.error;
        choose.checked = run.number === kept.chosen;
        buttons.pause.hidden = run.state !== "training";
        buttons.continue.hidden = run.state !== "paused";
        const waiting = run.state === "waiting";
        buttons.stop.hidden = over || waiting || run.state === "stopping";
        buttons.keep.hidden = !run.has_model || Boolean(run.kept);
        buttons.remove.hidden = !over && !waiting;
        link.hidden = !run.kept;
      },
    };
  }

  function received(message) {
    if (message.type === "trainings") {
      runs.clear();
      for (const run of message.trainings) runs.set(run.number, run);
    } else if (message.type === "removed") runs.delete(message.number);
    else if (message.type === "training") {
      const { type, cost, record, gradients, ...news } = message;
      if (message.settings) runs.set(message.number, { ...news, cost, gradients });
      else {
        const run = runs.get(message.number);
        if (!run) return;
        Object.assign(run, news);
        if (cost) run.cost.push(cost);
        if (record) run.records.push(record);
        if (gradients) run.gradients.push(gradients);
      }
    }
    redraw();
  }

  ask(api.get("presets")).then((found) => {
    if (!found) return;
    presets = found;
    kept.preset ??= presets[0].id;
    kept.settings ??= presets.find(({ id }) => id === kept.preset).settings;
    put(begin, choice({
      label: t({ en: "Begin with", zh: "从这里开始" }),
      options: presets.map(({ id, en, zh }) => [id, t({ en: en.title, zh: zh.title })]),
      value: kept.preset,
      onchange: (id) => {
        kept.preset = id;
        kept.settings = presets.find((preset) => preset.id === id).settings;
        showForm();
      },
    }).element);
    showForm();
  });
  const begin = h("div", {});
  put(root, h("div", { class: "training" },
    h("section", { class: "panel" },
      begin, look,
      h("button", { class: "main", id: "start", onclick: start }, t({ en: "Start training", zh: "开始训练" })),
      fault, form),
    h("div", { class: "watched" }, list, h("section", { class: "panel" }, h("h2", {}, t({ en: "Overfitting?", zh: "过度拟合？" })), verdict), pictures.element)));
  const socket = api.live("live", {
    onmessage: received,
    onopen: () => {
      socket.send({ type: "watch" });
      say(null);
    },
    onlost: () => say(new Error(t({ en: "The lab’s server does not answer; trying again …", zh: "实验室服务器没有响应，正在重试……" }))),
  });
  show();
  return () => {
    socket.close();
    cancelAnimationFrame(frame);
  };
}
