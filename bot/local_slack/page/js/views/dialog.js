// Small dialogs of the page's own: a question before an action. Also the focus trap that every dialog uses.
import { h } from "../dom.js";

const FOCUSABLE =
  "a[href], button:not([disabled]), input:not([disabled]), textarea:not([disabled]), [tabindex]:not([tabindex='-1'])";

/** Keep Tab inside a dialog. @param {HTMLElement} box */
export function trapFocus(box) {
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const all = [...box.querySelectorAll(FOCUSABLE)].filter((node) => node.offsetParent !== null);
    if (!all.length) return;
    const last = all[all.length - 1];
    if (event.shiftKey && document.activeElement === all[0]) {
      event.preventDefault();
      last.focus();
    } else if (!event.shiftKey && document.activeElement === last) {
      event.preventDefault();
      all[0].focus();
    }
  });
}

/**
 * Ask before doing. Resolves to whether the person said yes.
 * @param {{title: any, text: any, confirm: string, deny: string, danger?: boolean}} words
 * @returns {Promise<boolean>}
 */
export function ask(words) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const finish = (answer) => {
      layer.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      resolve(answer);
    };
    const yes = h(
      "button",
      {
        type: "button",
        class: `button ${words.danger ? "button-danger" : "button-primary"}`,
        on: { click: () => finish(true) },
      },
      words.confirm,
    );
    const box = h(
      "div",
      { class: "modal modal-small", role: "alertdialog", "aria-modal": "true", "aria-label": "Please confirm" },
      h("div", { class: "modal-head" }, h("h2", null, words.title)),
      h("div", { class: "modal-body" }, h("p", { class: "lines" }, words.text)),
      h(
        "div",
        { class: "modal-foot" },
        h("button", { type: "button", class: "button", on: { click: () => finish(false) } }, words.deny),
        yes,
      ),
    );
    const layer = h(
      "div",
      { class: "layer", on: { pointerdown: (event) => event.target === layer && finish(false) } },
      box,
    );
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      finish(false);
    });
    trapFocus(box);
    document.getElementById("layers").append(layer);
    yes.focus();
  });
}
