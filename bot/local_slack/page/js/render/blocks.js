// Block Kit blocks as DOM nodes.
import { h, icon } from "../dom.js";
import { interactive } from "./elements.js";
import { markdown } from "./markdown.js";
import { plain, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";
/** @typedef {import("./elements.js").Surface} Surface */

function picture(element, className) {
  const node = h("img", {
    class: className,
    src: element.image_url,
    alt: element.alt_text || "",
    loading: "lazy",
    referrerpolicy: "no-referrer",
  });
  node.addEventListener("error", () => node.replaceWith(h("span", { class: "unknown" }, element.alt_text || "image")));
  return node;
}

function section(surface, block) {
  const accessory =
    block.accessory &&
    (block.accessory.type === "image"
      ? picture(block.accessory, "thumb")
      : interactive(surface, block, block.accessory, plainOf(block.text)));
  return h(
    "div",
    { class: "block section" },
    h(
      "div",
      { class: "section-text" },
      block.text && h("div", { class: "mrkdwn" }, textObject(block.text)),
      block.fields &&
        h(
          "div",
          { class: "fields" },
          block.fields.map((field) => h("div", { class: "mrkdwn" }, textObject(field))),
        ),
    ),
    accessory && h("div", { class: "accessory" }, accessory),
  );
}

const plainOf = (object) => (object && object.type === "plain_text" ? object.text : undefined);

function context(block) {
  return h(
    "div",
    { class: "block context" },
    block.elements.map((element) =>
      element.type === "image"
        ? picture(element, "context-image")
        : h("span", { class: "mrkdwn" }, textObject(element)),
    ),
  );
}

function input(surface, block) {
  const error = surface.errors?.[block.block_id];
  const label = block.label?.text || "";
  return h(
    "div",
    { class: `block input${error ? " input-wrong" : ""}`, data: { block: block.block_id } },
    h("div", { class: "input-label" }, plain(label), block.optional && h("span", { class: "optional" }, " optional")),
    interactive(surface, block, block.element, label),
    h(
      "div",
      { class: "input-note", id: `note-${block.block_id}` },
      error
        ? h("span", { class: "input-error", role: "alert" }, error)
        : block.hint && h("span", { class: "hint" }, textObject(block.hint)),
    ),
  );
}

function table(block) {
  const cell = (one) => (one.type === "rich_text" ? richText(one) : one.text || "");
  return h(
    "div",
    { class: "block table-wrap" },
    h(
      "table",
      null,
      h(
        "tbody",
        null,
        block.rows.map((row) =>
          h(
            "tr",
            null,
            row.map((one) => h("td", null, cell(one))),
          ),
        ),
      ),
    ),
  );
}

const MAKERS = {
  section,
  header: (_, block) => h("div", { class: "block header", role: "heading", "aria-level": "3" }, textObject(block.text)),
  divider: () => h("hr", { class: "block divider" }),
  context: (_, block) => context(block),
  actions: (surface, block) =>
    h(
      "div",
      { class: "block actions" },
      block.elements.map((element) => interactive(surface, block, element)),
    ),
  input,
  rich_text: (_, block) => h("div", { class: "block" }, richText(block)),
  markdown: (_, block) => h("div", { class: "block" }, markdown(block.text)),
  image: (_, block) =>
    h(
      "figure",
      { class: "block image" },
      block.title && h("figcaption", null, textObject(block.title)),
      picture(block, "picture"),
    ),
  file: (_, block) => h("div", { class: "block context" }, icon("file"), block.external_id),
  table: (_, block) => table(block),
};

/** @param {Surface} surface @param {any[]} blocks */
export function renderBlocks(surface, blocks) {
  return blocks.map((block) =>
    MAKERS[block.type]
      ? MAKERS[block.type](surface, block)
      : h("div", { class: "block unknown" }, `This page does not know the block “${block.type}”.`),
  );
}
