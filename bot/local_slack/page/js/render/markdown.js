// Slack's `markdown` block: the common part of Markdown as DOM nodes.
import { h } from "../dom.js";
import { emoji, link } from "./mrkdwn.js";

const INLINE =
  /(?<code>`[^`\n]+`)|(?<bold>\*\*[^\n]+?\*\*|__[^\n]+?__)|(?<italic>\*[^*\n]+\*|(?<!\w)_[^_\n]+_(?!\w))|(?<strike>~~[^~\n]+~~)|\[(?<label>[^\]\n]+)\]\((?<href>[^)\s]+)\)|:(?<emoji>[a-z0-9_+-]+):|(?<url>https?:\/\/[^\s<>)]+)/g;

/** @param {string} text @returns {any[]} */
function inline(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) nodes.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    const { code, bold, italic, strike, label, href, emoji: name, url } = match.groups;
    if (code) nodes.push(h("code", null, code.slice(1, -1)));
    else if (bold) nodes.push(h("strong", null, inline(bold.slice(2, -2))));
    else if (italic) nodes.push(h("em", null, inline(italic.slice(1, -1))));
    else if (strike) nodes.push(h("s", null, inline(strike.slice(2, -2))));
    else if (label) nodes.push(link(href, label));
    else if (name) nodes.push(emoji(name));
    else nodes.push(link(url, url));
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

const cells = (row) =>
  row
    .replace(/^\s*\||\|\s*$/g, "")
    .split("|")
    .map((cell) => cell.trim());

function table(rows) {
  const [head, , ...body] = rows;
  return h(
    "div",
    { class: "table-wrap" },
    h(
      "table",
      null,
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          cells(head).map((cell) => h("th", null, inline(cell))),
        ),
      ),
      h(
        "tbody",
        null,
        body.map((row) =>
          h(
            "tr",
            null,
            cells(row).map((cell) => h("td", null, inline(cell))),
          ),
        ),
      ),
    ),
  );
}

/** The block kinds, in the order in which a line is tried against them; each takes the lines it matches in one run. */
const KINDS = [
  {
    test: /^#{1,6} /,
    make: (run) => run.map((line) => h("h4", { class: "md-heading" }, inline(line.replace(/^#+ /, "")))),
  },
  { test: /^>/, make: (run) => h("blockquote", null, inline(run.map((line) => line.replace(/^> ?/, "")).join("\n"))) },
  {
    test: /^\s*[-*+] /,
    make: (run) =>
      h(
        "ul",
        null,
        run.map((line) => h("li", null, inline(line.replace(/^\s*[-*+] /, "")))),
      ),
  },
  {
    test: /^\s*\d+[.)] /,
    make: (run) =>
      h(
        "ol",
        null,
        run.map((line) => h("li", null, inline(line.replace(/^\s*\d+[.)] /, "")))),
      ),
  },
  { test: /^\s*\|.*\|\s*$/, make: (run) => (run.length > 1 ? table(run) : h("p", null, inline(run[0]))) },
  { test: /^(-{3,}|\*{3,})$/, make: () => h("hr", null) },
  { test: /^\s*$/, make: () => null },
];
const PARAGRAPH = { test: /./, make: (run) => h("p", { class: "lines" }, inline(run.join("\n"))) };

function blocks(text) {
  const made = [];
  let run = [];
  let kind = null;
  const flush = () => {
    if (kind) made.push(kind.make(run));
    run = [];
  };
  for (const line of text.split("\n")) {
    const next = KINDS.find(({ test }) => test.test(line)) || PARAGRAPH;
    if (next !== kind) flush();
    kind = next;
    run.push(line);
  }
  flush();
  return made;
}

/** @param {string} text */
export function markdown(text) {
  const parts = text.split(/^```.*$/m);
  return h(
    "div",
    { class: "rich" },
    parts.map((part, at) =>
      at % 2 ? h("pre", null, part.replace(/^\n|\n$/g, "")) : blocks(part.replace(/^\n|\n$/g, "")),
    ),
  );
}
