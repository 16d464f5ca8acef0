// Text files in messages: diffs with their lines coloured, everything else as it is, long ones folded.
import { h } from "../dom.js";

const FOLD_AT = 14;

const LINE_KINDS = [
  [/^(diff --git|index |--- |\+\+\+ |new file|deleted file|similarity|rename )/, "meta"],
  [/^@@/, "hunk"],
  [/^\+/, "added"],
  [/^-/, "removed"],
];

const kindOf = (line) => LINE_KINDS.find(([test]) => test.test(line))?.[1] || "same";

/** @param {string} name @param {string} text */
export const isDiff = (name, text) =>
  /\.(diff|patch)$/.test(name) || /^(diff --git|--- .*\n\+\+\+ )/m.test(text.slice(0, 2000));

/** Lines of code, folded after a few. @param {string} text @param {boolean} diff */
export function codeView(text, diff) {
  const lines = text.replace(/\n$/, "").split("\n");
  const body = h("pre", { class: `code-view${diff ? " diff" : ""}`, tabindex: "0" });
  const draw = (count) =>
    body.replaceChildren(
      ...lines
        .slice(0, count)
        .map((line) => h("span", { class: `line${diff ? ` line-${kindOf(line)}` : ""}` }, `${line}\n`)),
    );
  const long = lines.length > FOLD_AT + 4;
  draw(long ? FOLD_AT : lines.length);
  const box = h("div", { class: "code-box" }, body);
  if (long) {
    let folded = true;
    const toggle = h("button", { type: "button", class: "code-more" }, `Show all ${lines.length} lines`);
    toggle.addEventListener("click", () => {
      folded = !folded;
      draw(folded ? FOLD_AT : lines.length);
      toggle.textContent = folded ? `Show all ${lines.length} lines` : "Show less";
    });
    box.append(toggle);
  }
  return box;
}
