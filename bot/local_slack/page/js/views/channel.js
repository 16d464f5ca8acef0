// The middle pane: a conversation, or the app's Home tab.
import { firstChannel, go, loadOlder } from "../actions.js";
import { fill, h, icon, iconButton } from "../dom.js";
import { avatar } from "../render/avatar.js";
import { changed, desk, onRender, state } from "../store.js";
import { Composer } from "./composer.js";
import { mountHome } from "./home.js";
import { MessageList } from "./list.js";
import { wantsWelcome, welcome } from "./welcome.js";

/** @typedef {import("../store.js").Channel} Channel */

const openDrawer = () => {
  state.drawer = true;
  changed();
};

const menuButton = () => iconButton("menu", "Channels", openDrawer, { class: "drawer-open-button" });

function title(channel) {
  const here = desk();
  const name = here.channelName(channel);
  if (channel.type === "channel")
    return [icon("hash"), h("h1", null, name), channel.topic && h("span", { class: "topic" }, channel.topic)];
  const app = here.isApp(channel.user);
  return [
    avatar({ id: channel.user, name, app, size: "small" }),
    h("h1", null, name),
    app && h("span", { class: "tag" }, "App"),
  ];
}

/** The app's conversation and its Home tab belong together. */
function appTabs(onHome) {
  const here = desk();
  const im = [...here.channels.values()].find((channel) => channel.type === "im" && here.isApp(channel.user));
  if (!im) return null;
  return h(
    "div",
    { class: "tabs", role: "tablist" },
    h(
      "button",
      {
        type: "button",
        role: "tab",
        "aria-selected": onHome ? "true" : "false",
        on: { click: () => go({ home: true }) },
      },
      "Home",
    ),
    h(
      "button",
      {
        type: "button",
        role: "tab",
        "aria-selected": onHome ? "false" : "true",
        on: { click: () => go({ channel: im.id }) },
      },
      "Messages",
    ),
  );
}

function beginning(channel) {
  const here = desk();
  const name = here.channelName(channel);
  const words =
    channel.type === "im" ? `This is your conversation with ${name}.` : `This is the very beginning of #${name}.`;
  return h(
    "div",
    { class: "beginning" },
    h(
      "span",
      { class: "beginning-mark" },
      channel.type === "im"
        ? avatar({ id: channel.user, name, app: here.isApp(channel.user), size: "large" })
        : icon("hash"),
    ),
    h("h2", null, channel.type === "im" ? name : `#${name}`),
    h("p", null, words, channel.topic ? ` ${channel.topic}` : ""),
  );
}

/** @param {HTMLElement} node @returns {{list: MessageList, composer: Composer}} */
export function mountChannel(node) {
  const header = h("header", { class: "pane-head" });
  const list = new MessageList({ label: "Messages", inThread: false, onTop: loadOlder });
  const hint = h("div", { class: "welcome-slot" });
  const composer = new Composer({ label: "Message", target: () => ({ channel: state.place.channel, thread: "" }) });
  const lost = h(
    "div",
    { class: "lost", role: "status", hidden: true },
    h("span", { class: "spinner" }),
    "Connection lost. Trying again…",
  );
  const home = h("div", { class: "home", hidden: true });
  node.append(header, lost, list.node, home, hint, composer.node);
  const drawHome = mountHome(home);

  let shown = "";
  const drawHeader = (channel) => {
    const here = desk();
    const stamp = JSON.stringify([state.me, state.place.home, channel, here.channels.size, here.people.size, here.app]);
    if (stamp === shown) return;
    shown = stamp;
    if (state.place.home)
      fill(
        header,
        menuButton(),
        avatar({ id: here.app?.user || "app", name: here.app?.name || "App", app: true, size: "small" }),
        h("h1", null, here.app?.name || "App"),
        h("span", { class: "tag" }, "App"),
        appTabs(true),
      );
    else if (channel)
      fill(header, menuButton(), title(channel), channel.type === "im" && here.isApp(channel.user) && appTabs(false));
  };

  let hinted = "";
  const drawHint = (channel) => {
    const here = desk();
    const wanted = channel && wantsWelcome(channel.id, firstChannel(here)) ? here.me : "";
    if (wanted === hinted) return;
    hinted = wanted;
    fill(hint, wanted && welcome((text) => composer.set(text)));
  };

  onRender(() => {
    const here = desk();
    if (!here?.ready) return;
    const channel = state.place.home ? undefined : here.channels.get(state.place.channel);
    lost.hidden = here.online;
    drawHeader(channel);
    drawHint(channel);
    home.hidden = !state.place.home;
    list.node.hidden = state.place.home;
    composer.node.hidden = state.place.home || !channel;
    if (state.place.home) drawHome();
    if (!channel) return;
    const history = here.histories.get(channel.id);
    const place = `${here.me}/${channel.id}`;
    const name = here.channelName(channel);
    composer.update(
      place,
      `Message ${channel.type === "im" ? name : `#${name}`}`,
      channel.archived ? "This channel is archived." : "",
    );
    const lead = history && !history.more ? { stamp: name + channel.topic, make: () => beginning(channel) } : undefined;
    list.update(place, channel.id, history ? history.messages : [], { newFrom: here.newFrom.get(channel.id), lead });
  });
  return { list, composer };
}
