// A newcomer's first hint: what this is and what to type, taken from the app's own commands.
import { h, iconButton } from "../dom.js";
import { changed, desk } from "../store.js";
import { firstCommand } from "./commands.js";

const KEY = "workspace.welcomed";

/** @param {string} channel @param {string} main the channel a newcomer lands in */
export const wantsWelcome = (channel, main) => channel === main && !localStorage.getItem(KEY);

/** The hint is not needed any more. */
export function dismissWelcome() {
  localStorage.setItem(KEY, "1");
  changed();
}

/** @param {(text: string) => void} type puts text into the message box */
export function welcome(type) {
  const here = desk();
  const command = firstCommand(here.commands);
  const start = command && [
    h(
      "button",
      { type: "button", class: "try", title: "Put it into the message box", on: { click: () => type(`${command} `) } },
      "Begin with ",
      h("code", null, command),
    ),
    h("span", { class: "welcome-what" }, here.commands[0].description),
  ];
  return h(
    "section",
    { class: "welcome", "aria-label": "Welcome" },
    h(
      "div",
      { class: "welcome-text" },
      h("h2", null, `Welcome, ${here.personName(here.me)}`),
      h(
        "p",
        null,
        "This workspace runs on your machine only. You can act as anybody in it: your name in the sidebar switches.",
      ),
      start,
    ),
    iconButton("close", "Dismiss the welcome", dismissWelcome),
  );
}
