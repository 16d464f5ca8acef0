// The left column: who acts, where one can go, and what waits there.
import { go, switchPerson } from "../actions.js";
import { fill, h, icon, iconButton } from "../dom.js";
import { avatar } from "../render/avatar.js";
import { changed, desk, onRender, state } from "../store.js";
import { openMenu } from "./popover.js";
import { toggleScheme, isDark } from "./scheme.js";
import { openSwitcher } from "./switcher.js";
import { complain } from "./toasts.js";

/** @typedef {import("../store.js").Channel} Channel */

function personMenu(anchor) {
  const here = desk();
  const items = [...here.people.values()]
    .filter((person) => !person.is_bot)
    .map((person) => {
      const waiting = state.desks.get(person.id)?.badge() || 0;
      const notes = [
        person.id === state.me && "acting now",
        person.is_guest && "guest",
        waiting && `${waiting} waiting`,
      ].filter(Boolean);
      return {
        label: here.personName(person.id),
        hint: notes.join(" · "),
        icon: avatar({ id: person.id, name: here.personName(person.id) }),
        run: () => switchPerson(person.id).catch((error) => complain(error, "Could not switch")),
      };
    });
  openMenu(anchor, items, "Act as");
}

function head() {
  const here = desk();
  const me = here.personName(here.me);
  const others = [...state.desks.values()]
    .filter((other) => other.me !== state.me)
    .reduce((sum, other) => sum + other.badge(), 0);
  const who = h(
    "button",
    {
      type: "button",
      class: "acting",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": `Acting as ${me}. Switch person`,
      on: { click: () => personMenu(who) },
    },
    avatar({ id: here.me, name: me }),
    h("span", { class: "acting-text" }, h("b", null, me), h("small", null, "acting as")),
    others > 0 && h("span", { class: "badge badge-quiet", title: "waiting for the others" }, others),
    icon("down"),
  );
  return h(
    "div",
    { class: "side-head" },
    h(
      "div",
      { class: "team" },
      h("span", { class: "team-mark", "aria-hidden": "true" }, [...here.team.name][0] || "W"),
      h("b", null, here.team.name),
      iconButton(
        "close",
        "Close the channel list",
        () => {
          state.drawer = false;
          changed();
        },
        { class: "drawer-close" },
      ),
    ),
    who,
  );
}

/** @param {{on: boolean, lead: any, name: string, count?: number, strong?: boolean, run: () => void, label?: string}} row */
function item(row) {
  return h(
    "button",
    {
      type: "button",
      class: `nav${row.on ? " on" : ""}${row.strong ? " strong" : ""}`,
      "aria-current": row.on ? "page" : null,
      "aria-label": row.label,
      on: { click: row.run },
    },
    row.lead,
    h("span", { class: "nav-name" }, row.name),
    row.count ? h("span", { class: "badge" }, row.count) : null,
  );
}

/** @param {Channel} channel */
function channelRow(channel) {
  const here = desk();
  const isIm = channel.type === "im";
  const name = here.channelName(channel);
  const count = isIm ? channel.unread : channel.mentions;
  const lead = isIm ? avatar({ id: channel.user, name, app: here.isApp(channel.user), size: "small" }) : icon("hash");
  const unread = channel.unread ? `, ${channel.unread} unread` : "";
  return item({
    on: !state.place.home && state.place.channel === channel.id,
    lead,
    name,
    count,
    strong: channel.unread > 0,
    run: () => go({ channel: channel.id }),
    label: `${isIm ? "Conversation with" : "Channel"} ${name}${unread}`,
  });
}

function sections() {
  const here = desk();
  const all = [...here.channels.values()].filter((channel) => !channel.archived || channel.id === state.place.channel);
  const channels = all.filter((channel) => channel.type === "channel" && channel.member);
  const direct = all.filter((channel) => channel.type === "im" && !here.isApp(channel.user));
  const appIm = all.find((channel) => channel.type === "im" && here.isApp(channel.user));
  return [
    h("h2", null, "Channels"),
    channels.map(channelRow),
    here.app && [
      h("h2", null, "App"),
      item({ on: state.place.home, lead: icon("home"), name: `${here.app.name} home`, run: () => go({ home: true }) }),
      appIm && channelRow(appIm),
    ],
    h("h2", null, "Direct messages"),
    direct.map(channelRow),
    h(
      "button",
      { type: "button", class: "nav nav-add", on: { click: openSwitcher } },
      icon("plus"),
      h("span", { class: "nav-name" }, "New conversation"),
    ),
  ];
}

function foot() {
  const here = desk();
  const toggle = (panel) => () => {
    state.panel = state.panel === panel ? "" : panel;
    state.drawer = false;
    changed();
  };
  const dark = isDark();
  const unseen = here.notifications.length - here.noticed;
  return h(
    "div",
    { class: "side-foot" },
    iconButton("bell", "Notifications", toggle("notifications"), {
      class: state.panel === "notifications" ? "on" : "",
      badge: unseen > 0 ? h("span", { class: "foot-count" }, unseen) : null,
    }),
    iconButton("pulse", "Traffic between app and workspace", toggle("traffic"), {
      class: state.panel === "traffic" ? "on" : "",
    }),
    iconButton("search", "Go to… (Ctrl K)", openSwitcher),
    iconButton(dark ? "sun" : "moon", dark ? "Light colours" : "Dark colours", toggleScheme),
  );
}

/** @param {HTMLElement} node */
export function mountSidebar(node) {
  let shown = "";
  onRender(() => {
    const here = desk();
    if (!here?.ready) return;
    if (state.panel === "notifications") here.noticed = here.notifications.length;
    document.getElementById("app").classList.toggle("drawer-open", state.drawer);
    document.getElementById("scrim").hidden = !state.drawer;
    const waiting = [...state.desks.values()].map((other) => [other.me, other.badge()]);
    const stamp = JSON.stringify([
      state.me,
      state.place,
      state.panel,
      here.team,
      here.app,
      [...here.channels.values()],
      [...here.people.values()],
      here.notifications.length,
      here.noticed,
      waiting,
      isDark(),
    ]);
    if (stamp === shown) return;
    shown = stamp;
    const label = node.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    const at = node.querySelector(".side-body")?.scrollTop || 0;
    fill(node, head(), h("nav", { class: "side-body", "aria-label": "Places" }, sections()), foot());
    node.querySelector(".side-body").scrollTop = at;
    if (label)
      [...node.querySelectorAll("[aria-label]")].find((other) => other.getAttribute("aria-label") === label)?.focus();
    document.title = `${here.badge() ? `(${here.badge()}) ` : ""}${here.team.name}`;
  });
}
