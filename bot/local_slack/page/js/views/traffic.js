// The traffic inspector: what passed between app and workspace lately.
import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { state } from "../store.js";
import { fullText } from "../time.js";
import { complain } from "./toasts.js";

const EVERY_MS = 1500;
const SHOWN = 150;
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function row(entry) {
  const good = /^(ok|ack|2\d\d|delivered|sent|answered)/.test(entry.outcome || "ok");
  const toApp = entry.direction === "to_app";
  const detail = h("pre", { class: "code-view" });
  const node = h(
    "details",
    { class: "call" },
    h(
      "summary",
      null,
      h(
        "span",
        { class: `call-way ${toApp ? "to-app" : "from-app"}`, title: toApp ? "workspace → app" : "app → workspace" },
        toApp ? "→" : "←",
      ),
      h("code", null, entry.name || entry.kind),
      h("span", { class: `call-outcome${good ? "" : " bad"}` }, entry.outcome),
      h("time", { class: "faint", title: fullText(entry.at) }, time.format(new Date(entry.at * 1000))),
    ),
    detail,
  );
  node.addEventListener("toggle", () => detail.replaceChildren(JSON.stringify(entry.detail, null, 2) || ""));
  return node;
}

/** @returns {{node: HTMLElement, update: (opened: boolean) => void}} */
export function trafficPanel() {
  const rows = h("div", { class: "calls" });
  const node = h(
    "div",
    { class: "traffic" },
    h(
      "div",
      { class: "panel-lead" },
      h(
        "p",
        null,
        "Newest first. ",
        h("span", { class: "call-way from-app" }, "←"),
        " the app calls the workspace, ",
        h("span", { class: "call-way to-app" }, "→"),
        " the workspace calls the app.",
      ),
    ),
    rows,
  );
  let last = 0;
  const read = async () => {
    const { entries = [], traffic = entries } = await get("traffic", { limit: SHOWN });
    const fresh = traffic.filter((entry) => entry.id > last);
    if (!last) fill(rows);
    for (const entry of fresh) rows.prepend(row(entry));
    while (rows.children.length > SHOWN) rows.lastElementChild.remove();
    last = Math.max(last, ...fresh.map((entry) => entry.id));
  };
  const poll = async () => {
    if (state.panel !== "traffic") return;
    await read().catch((error) => complain(error, "Could not read the traffic"));
    setTimeout(poll, EVERY_MS);
  };
  return { node, update: (opened) => opened && poll() };
}
