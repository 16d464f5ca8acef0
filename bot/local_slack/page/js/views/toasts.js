// Short notes at the page's foot: what went wrong, with the workspace's own words.
import { h, iconButton } from "../dom.js";
import { Refused } from "../api.js";

const STAY_MS = 7000;

/** @param {string} text @param {"info"|"error"} [kind] */
export function toast(text, kind = "info") {
  const node = h("div", { class: `toast toast-${kind}` }, h("span", null, text));
  node.append(iconButton("close", "Dismiss", () => node.remove()));
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), STAY_MS);
}

/** Say what a failed call means. @param {unknown} error @param {string} doing */
export function complain(error, doing) {
  const words = error instanceof Refused ? error.message : "Something unexpected went wrong on this page.";
  toast(`${doing}: ${words}`, "error");
  if (!(error instanceof Refused)) console.error(error);
}
