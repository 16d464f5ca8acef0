// Modals that the app opened: a stack of views, of which the top one is on show.
import { act, dismissView, submitView } from "../actions.js";
import { h, iconButton } from "../dom.js";
import { renderBlocks } from "../render/blocks.js";
import { textObject } from "../render/mrkdwn.js";
import { valuesOf } from "../render/values.js";
import { changed, desk, onRender, state } from "../store.js";
import { trapFocus } from "./dialog.js";

/** Errors at the fields and whether it is being submitted, by view. @type {Map<string, {errors: Record<string, string>, sending: boolean}>} */
const status = new Map();

const statusOf = (view) => status.get(view.id) || { errors: {}, sending: false };

async function submit(view) {
  if (statusOf(view).sending) return;
  status.set(view.id, { errors: {}, sending: true });
  changed();
  const errors = await submitView(view);
  status.set(view.id, { errors, sending: false });
  changed();
  requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector(".modal [aria-invalid]")?.focus()));
}

function build(view, depth) {
  const { errors, sending } = statusOf(view);
  const surface = {
    key: view.id,
    values: valuesOf(view.id),
    errors,
    act: (block, element, chosen) =>
      act(view.id, { type: "view", view_id: view.id }, block, element, chosen, view.blocks),
  };
  const hasInput = view.blocks.some((block) => block.type === "input");
  const close = textObject(
    view.close || { type: "plain_text", text: depth > 1 ? "Back" : hasInput ? "Cancel" : "Close" },
  );
  const form = h(
    "form",
    { class: "modal", role: "dialog", "aria-modal": "true", "aria-labelledby": "modal-title", novalidate: true },
    h(
      "div",
      { class: "modal-head" },
      h("h2", { id: "modal-title" }, textObject(view.title)),
      iconButton("close", "Close", () => dismissView(true)),
    ),
    errors[""] && h("div", { class: "modal-error", role: "alert" }, errors[""]),
    h("div", { class: "modal-body blocks" }, renderBlocks(surface, view.blocks)),
    h(
      "div",
      { class: "modal-foot" },
      h("button", { type: "button", class: "button", on: { click: () => dismissView(false) } }, close),
      (view.submit || hasInput) &&
        h(
          "button",
          { type: "submit", class: `button button-primary${sending ? " busy" : ""}`, disabled: sending },
          h("span", { class: "button-text" }, textObject(view.submit || { type: "plain_text", text: "Submit" })),
        ),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(view);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      dismissView(false);
    } else if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && view.submit) submit(view);
  });
  trapFocus(form);
  return form;
}

const controls = (box) => [
  ...box.querySelectorAll(".modal-body input, .modal-body textarea, .modal-body .select, .modal-body button"),
];

/** Put the focus back where it was after a redraw, else into the first field. */
function focusAfter(box, index, caret) {
  const all = controls(box);
  const target =
    index >= 0
      ? all[index]
      : box.querySelector("[data-autofocus]") ||
        all[0] ||
        box.querySelector(".modal-foot .button-primary, .modal-foot button");
  target?.focus();
  if (caret !== null && target && "setSelectionRange" in target && /^(text|textarea)$/.test(target.type))
    target.setSelectionRange(caret, caret);
}

/** @param {HTMLElement} layers */
export function mountModal(layers) {
  const layer = h("div", { class: "layer layer-view", hidden: true });
  layers.append(layer);
  let shownView = null;
  let stamp = "";
  let before = null;
  onRender(() => {
    const here = desk();
    const view = here?.views.at(-1) || null;
    const next = view
      ? JSON.stringify([
          view.id,
          here.views.length,
          statusOf(view),
          [...state.busy.keys()].filter((key) => key.startsWith(`${view.id}|`)),
        ])
      : "";
    if (view === shownView && next === stamp) return;
    const same = view && shownView && view.id === shownView.id;
    const active = document.activeElement;
    const index = same ? controls(layer).indexOf(active) : -1;
    const caret = same && active && "selectionStart" in active ? active.selectionStart : null;
    const scroll = same ? layer.querySelector(".modal-body").scrollTop : 0;
    if (view && !shownView) before = active;
    shownView = view;
    stamp = next;
    layer.hidden = !view;
    layer.replaceChildren(...(view ? [build(view, here.views.length)] : []));
    if (view) {
      layer.querySelector(".modal-body").scrollTop = scroll;
      focusAfter(layer, index, caret);
    } else if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
}
