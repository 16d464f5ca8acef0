// The address keeps the acting person and the place: #U1/C1/thread-ts or #U1/home. Permalinks name nobody: #/C1/ts.
import { state } from "./store.js";

const LAST = "workspace.place";

/** @returns {{me: string, channel: string, thread: string, home: boolean}} */
function parse(text) {
  const [path, query] = text.replace(/^#/, "").split("?");
  const [me = "", where = "", ts = ""] = path.split("/");
  const thread = new URLSearchParams(query).get("thread_ts") || ts;
  return where === "home" ? { me, channel: "", thread: "", home: true } : { me, channel: where, thread, home: false };
}

export const readHash = () => parse(location.hash);

/** Where this browser was last, for a visit without an address. */
export const lastPlace = () => parse(localStorage.getItem(LAST) || "");

function format() {
  const { channel, thread, home } = state.place;
  return `#${[state.me, home ? "home" : channel, thread].filter(Boolean).join("/")}`;
}

export function writeHash() {
  const hash = format();
  if (location.hash !== hash) history.pushState(null, "", hash);
}

export function remember() {
  localStorage.setItem(LAST, format());
}
