// The pictures of trainings: cost while they run, cost and accuracy after every epoch, gradients layer by layer.

import { lineChart } from "./charts.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

const percent = (v) => `${(100 * v).toFixed(2)} %`;
const ofRecords = (run, name) => run.records.filter((r) => r[name] !== null).map((r) => [r.epoch, r[name]]);
const both = (runs, quantity) => runs.flatMap((run) => [
  { name: `${run.number} ${t({ en: "validation", zh: "验证" })}`, points: ofRecords(run, `validation_${quantity}`), index: run.index },
  { name: `${run.number} ${t({ en: "training", zh: "训练" })}`, points: ofRecords(run, `training_${quantity}`), index: run.index, faint: true },
]);

/** {element, show(runs that are compared, the one that is looked at)}. */
export function curves() {
  const epoch = t({ en: "epoch", zh: "回合" });
  const cost = t({ en: "cost", zh: "代价" });
  const live = lineChart({
    title: t({ en: "Cost while it learns", zh: "学习中的代价" }),
    note: t({ en: "Mean over the mini-batches of the running epoch: it falls at once, or the learning rate is wrong (chapter 3, “How to choose a neural network’s hyper-parameters?”).", zh: "当前回合内各小批量的平均代价：应立即下降，否则学习率不合适（第三章“如何选择神经网络的超参数”）。" }),
    x: { label: epoch, domain: [0, null] }, y: { label: cost, domain: [0, null] } });
  const costs = lineChart({
    title: t({ en: "Cost after each epoch", zh: "每个回合后的代价" }),
    note: t({ en: "Thin: first 5,000 training images at most; thick: 10,000 validation images. Where the thick line turns upwards, overfitting begins (chapter 3, “Overfitting and regularization”).", zh: "细线：至多前 5000 幅训练图像；粗线：10000 幅验证图像。粗线掉头向上之处，过度拟合开始（第三章“过度拟合和规范化”）。" }),
    x: { label: epoch, domain: [0, null] }, y: { label: cost, domain: [0, null] } });
  const accuracies = lineChart({
    title: t({ en: "Accuracy after each epoch", zh: "每个回合后的准确度" }),
    note: t({ en: "The gap between thin (training) and thick (validation) is what the network knows by heart.", zh: "细线（训练）与粗线（验证）的差距，就是网络“死记硬背”的部分。" }),
    x: { label: epoch, domain: [0, null] }, y: { label: t({ en: "accuracy", zh: "准确度" }), domain: [null, 1], format: percent } });
  const gradients = lineChart({
    title: t({ en: "Length of the gradient, layer by layer", zh: "各层梯度的长度" }),
    note: t({ en: "‖∂C/∂b‖ over the first 200 training images. In deep sigmoid networks the earlier layers have the smaller gradients and learn more slowly (chapter 5, “The vanishing gradient problem”).", zh: "前 200 幅训练图像上的 ‖∂C/∂b‖。在深层 sigmoid网络中，越靠前的层梯度越小，学得越慢（第五章“消失的梯度问题”）。" }),
    x: { label: epoch, domain: [0, null] }, y: { label: "‖∂C/∂b‖", log: true } });

  return {
    element: h("div", { class: "columns curves" }, [live, costs, accuracies, gradients].map((chart) => h("section", { class: "panel" }, chart.element))),
    show(runs, chosen) {
      live.show({ series: runs.map((run) => ({ name: String(run.number), points: run.cost, index: run.index })) });
      costs.show({ series: both(runs, "cost") });
      accuracies.show({ series: both(runs, "accuracy") });
      const layers = chosen?.gradients[0]?.layers ?? [];
      gradients.show({ series: layers.map(({ name }, i) => ({ name,
        points: chosen.gradients.map(({ at, layers: found }) => [at, found[i].bias]).filter(([, length]) => length > 0) })) });
    },
  };
}
