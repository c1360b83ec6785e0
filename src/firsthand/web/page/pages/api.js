import { h, put } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

export const title = { en: "The API", zh: "接口说明" };
export const about = {
  en: "The requests that the pages make to the server; programs on this machine may make them, too. The whole schema is OpenAPI, at /api/openapi.json.",
  zh: "各页面向服务器请求的内容；本机上的其他程序也可以使用。完整的 OpenAPI 描述在 /api/openapi.json。",
};

const METHODS = ["get", "post", "put", "delete"];

/** The name of what a body or answer is, as the schema says it. */
function nameOf(content) {
  const schema = content?.["application/json"]?.schema;
  if (!schema) return null;
  if (schema.$ref) return schema.$ref.split("/").pop();
  return schema.items?.$ref ? `${schema.items.$ref.split("/").pop()}[]` : (schema.type ?? "JSON");
}

const typeOf = (schema) => !schema ? "any" : schema.const ?? schema.enum?.join(" | ") ?? (schema.$ref ? schema.$ref.split("/").pop()
  : schema.anyOf ? schema.anyOf.map(typeOf).join(" | ") : schema.type === "array" ? `${typeOf(schema.items)}[]` : schema.type);

const fields = ([name, { description, properties = {} }]) => h("section", { class: "panel" },
  h("h3", {}, name), description ? h("p", { class: "note" }, description) : null,
  h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, Object.entries(properties).map(([field, schema]) =>
    h("tr", {}, h("th", {}, h("code", {}, field)), h("td", {}, h("code", {}, typeOf(schema))), h("td", {}, schema.description ?? "")))))));

export function mount(root, { api }) {
  let ended = false;
  api.get("openapi.json").then(({ paths, components }) => {
    if (ended) return;
    const routes = Object.entries(paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })));
    put(root,
      h("section", { class: "panel scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, ["", "", { en: "what it does", zh: "作用" }, { en: "body", zh: "请求体" }, { en: "answer", zh: "返回" }].map((text) => h("th", {}, t(text))))),
        h("tbody", {}, routes.map(({ path, method, description, summary, requestBody, responses }) => h("tr", {},
          h("td", {}, h("code", {}, method.toUpperCase())), h("td", {}, h("code", {}, path)), h("td", {}, description ?? summary),
          h("td", {}, nameOf(requestBody?.content) ?? (requestBody ? t({ en: "the file", zh: "文件内容" }) : "–")),
          h("td", {}, nameOf(Object.entries(responses).find(([code]) => code.startsWith("2"))?.[1]?.content) ?? "–"))),
        h("tr", {}, h("td", {}, h("code", {}, "WS")), h("td", {}, h("code", {}, "/api/live")),
          h("td", {}, t({ en: "Drawings in, readings out; after {\"type\": \"watch\"}, all that happens to the trainings.", zh: "发送手写图像，返回识别结果；发送 {\"type\": \"watch\"} 之后，推送训练的一切进展。" })), h("td", {}, "–"), h("td", {}, "JSON"))))),
      h("h2", { class: "schemas" }, t({ en: "What is sent and answered", zh: "收发的数据" })),
      h("div", { class: "columns" }, Object.entries(components.schemas).map(fields)));
  }, (error) => put(root, h("p", { class: "error", role: "alert" }, error.message)));
  return () => (ended = true);
}
