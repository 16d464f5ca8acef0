// The app's Home tab, as the app published it for this person.
import { act } from "../actions.js";
import { fill, h } from "../dom.js";
import { renderBlocks } from "../render/blocks.js";
import { valuesOf } from "../render/values.js";
import { desk, state } from "../store.js";

/** @param {any} view */
function surfaceOf(view) {
  const container = { type: "view", view_id: view.id };
  return {
    key: view.id,
    values: valuesOf(view.id),
    act: (block, element, chosen) => act(view.id, container, block, element, chosen, view.blocks),
  };
}

/** @param {HTMLElement} node @returns {() => void} brings it up to date */
export function mountHome(node) {
  let shown;
  let stamp = "";
  return () => {
    const here = desk();
    const busy = [
      state.me,
      ...[...state.busy.keys()].filter((key) => here.home && key.startsWith(`${here.home.id}|`)),
    ].join();
    if (here.home === shown && busy === stamp) return;
    shown = here.home;
    stamp = busy;
    if (shown) fill(node, h("div", { class: "home-page blocks" }, renderBlocks(surfaceOf(shown), shown.blocks)));
    else if (shown === null)
      fill(
        node,
        h(
          "div",
          { class: "empty" },
          h("h2", null, "Nothing here yet"),
          h("p", null, `${here.app?.name || "The app"} has not published a Home tab for ${here.personName(here.me)}.`),
        ),
      );
    else fill(node, h("div", { class: "empty" }, h("span", { class: "spinner" })));
  };
}
