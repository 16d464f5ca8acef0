// The right pane: one thread, or the notification log, or the traffic between app and workspace.
import { closeThread } from "../actions.js";
import { fill, h, iconButton } from "../dom.js";
import { changed, desk, onRender, state } from "../store.js";
import { Composer } from "./composer.js";
import { MessageList } from "./list.js";
import { notificationsPanel } from "./notifications.js";
import { trafficPanel } from "./traffic.js";

/** Close whatever stands at the right. @returns {boolean} whether something did */
export function closeSide() {
  if (state.panel) {
    state.panel = "";
    changed();
    return true;
  }
  if (!state.place.thread) return false;
  closeThread();
  return true;
}

const PANELS = {
  notifications: { title: "Notifications", ...notificationsPanel() },
  traffic: { title: "Traffic", ...trafficPanel() },
};

/** @param {HTMLElement} node @returns {{list: MessageList, composer: Composer}} */
export function mountThread(node) {
  const title = h("div", { class: "pane-title" });
  const header = h(
    "header",
    { class: "pane-head" },
    iconButton("back", "Back to the channel", closeSide, { class: "side-back" }),
    title,
    iconButton("close", "Close (Esc)", closeSide, { class: "side-close" }),
  );
  const list = new MessageList({ label: "Thread", inThread: true });
  const composer = new Composer({
    label: "Reply",
    target: () => ({ channel: state.place.channel, thread: state.place.thread }),
  });
  const panel = h("div", { class: "panel" });
  node.append(header, list.node, composer.node, panel);

  let shownPanel = "";
  const drawPanel = () => {
    const { node: content, title: name, update } = PANELS[state.panel];
    if (shownPanel !== state.panel) {
      fill(panel, content);
      fill(title, h("h1", null, name));
    }
    update(shownPanel !== state.panel);
    shownPanel = state.panel;
    node.setAttribute("aria-label", name);
  };

  const drawThread = () => {
    const here = desk();
    const channel = here.channels.get(state.place.channel);
    shownPanel = "";
    fill(
      title,
      h("h1", null, "Thread"),
      channel && h("span", { class: "topic" }, channel.type === "im" ? here.channelName(channel) : `#${channel.name}`),
    );
    node.setAttribute("aria-label", "Thread");
    const place = `${here.me}/${state.place.channel}/${state.place.thread}`;
    const parent = here.histories
      .get(state.place.channel)
      ?.messages.find((message) => message.ts === state.place.thread);
    const messages = here.threads.get(`${state.place.channel}/${state.place.thread}`) || (parent ? [parent] : []);
    list.update(place, state.place.channel, messages);
    composer.update(place, "Reply…", channel?.archived ? "This channel is archived." : "");
  };

  onRender(() => {
    const here = desk();
    if (!here?.ready) return;
    const open = Boolean(state.panel || (state.place.thread && !state.place.home));
    node.hidden = !open;
    document.getElementById("app").classList.toggle("side-open", open);
    if (!open) {
      shownPanel = "";
      return;
    }
    panel.hidden = !state.panel;
    list.node.hidden = Boolean(state.panel);
    composer.node.hidden = Boolean(state.panel);
    if (state.panel) drawPanel();
    else drawThread();
  });
  return { list, composer };
}
