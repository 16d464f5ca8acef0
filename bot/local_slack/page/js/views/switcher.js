// Ctrl K: go to a channel, a person or the Home tab, and find global shortcuts, by typing a few letters.
import { go, openDm, runShortcut, switchPerson } from "../actions.js";
import { h, icon } from "../dom.js";
import { avatar } from "../render/avatar.js";
import { desk, state } from "../store.js";
import { trapFocus } from "./dialog.js";

/** @typedef {{lead: any, name: string, note: string, run: () => void}} Target */

/** @returns {Target[]} */
function targets() {
  const here = desk();
  const face = (person) =>
    avatar({ id: person.id, name: here.personName(person.id), app: here.isApp(person.id), size: "small" });
  const people = [...here.people.values()];
  return [
    ...[...here.channels.values()]
      .filter((channel) => channel.type === "channel" && channel.member)
      .map((channel) => ({
        lead: icon("hash"),
        name: channel.name,
        note: channel.archived ? "archived" : channel.unread ? `${channel.unread} unread` : "channel",
        run: () => go({ channel: channel.id }),
      })),
    ...(here.app
      ? [{ lead: icon("home"), name: `${here.app.name} home`, note: "Home tab", run: () => go({ home: true }) }]
      : []),
    ...people
      .filter((person) => person.id !== here.me)
      .map((person) => ({
        lead: face(person),
        name: here.personName(person.id),
        note: "direct message",
        run: () => openDm(person.id),
      })),
    ...here.shortcuts
      .filter((shortcut) => shortcut.type === "global")
      .map((shortcut) => ({
        lead: icon("slash"),
        name: shortcut.name,
        note: `shortcut of ${here.app?.name}`,
        run: () => runShortcut(shortcut.callback_id),
      })),
    ...people
      .filter((person) => !person.is_bot && person.id !== state.me)
      .map((person) => ({
        lead: face(person),
        name: `Act as ${here.personName(person.id)}`,
        note: "switch person",
        run: () => switchPerson(person.id),
      })),
  ];
}

export function openSwitcher() {
  if (document.querySelector(".switcher")) return;
  const before = document.activeElement;
  const all = targets();
  let shown = all;
  let at = 0;
  const field = h("input", {
    class: "switcher-field",
    type: "text",
    placeholder: "Go to a channel or person…",
    "aria-label": "Go to",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "switcher-list",
  });
  const list = h("div", { class: "switcher-list", role: "listbox", id: "switcher-list" });
  const box = h(
    "div",
    { class: "switcher", role: "dialog", "aria-modal": "true", "aria-label": "Go to" },
    h("div", { class: "switcher-head" }, icon("search"), field),
    list,
  );
  const layer = h(
    "div",
    { class: "layer layer-top", on: { pointerdown: (event) => event.target === layer && close() } },
    box,
  );
  const close = () => {
    layer.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  };
  const take = (target) => {
    close();
    target.run();
  };
  const draw = () => {
    list.replaceChildren(
      ...shown.map((target, index) =>
        h(
          "div",
          {
            role: "option",
            class: `picker-option${index === at ? " active" : ""}`,
            "aria-selected": index === at ? "true" : "false",
            on: { click: () => take(target) },
          },
          h("span", { class: "complete-lead" }, target.lead),
          h("span", { class: "menu-label" }, target.name),
          h("small", { class: "faint" }, target.note),
        ),
      ),
    );
    if (!shown.length) list.append(h("div", { class: "picker-none" }, "Nobody and nothing by that name"));
    list.querySelector(".active")?.scrollIntoView({ block: "nearest" });
  };
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    shown = all.filter((target) => words.every((word) => target.name.toLowerCase().includes(word.replace(/^#/, ""))));
    at = 0;
    draw();
  });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      at = (at + step + shown.length) % shown.length;
      draw();
    } else if (event.key === "Enter" && shown[at]) take(shown[at]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  trapFocus(box);
  draw();
  document.getElementById("layers").append(layer);
  field.focus();
}
