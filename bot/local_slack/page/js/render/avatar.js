// A person's picture: initials on a colour of their own; the app gets a sign.
import { h } from "../dom.js";

const HUES = 8;

function hueOf(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 9973;
  return sum % HUES;
}

/** @param {string} name */
const initials = (name) => {
  const words = name.trim().split(/\s+/);
  return (
    [...words]
      .slice(0, 2)
      .map((word) => [...word][0] || "")
      .join("")
      .toUpperCase() || "?"
  );
};

/** @param {{id: string, name: string, app?: boolean, size?: "small"|"large"}} who */
export function avatar(who) {
  return h(
    "span",
    {
      class: `avatar avatar-${who.size || "normal"} ${who.app ? "avatar-app" : `hue-${hueOf(who.id)}`}`,
      "aria-hidden": "true",
    },
    initials(who.name),
  );
}
