// The notification log: each moment at which a real client would have called this person's attention.
import { go } from "../actions.js";
import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { oneLine } from "../render/mrkdwn.js";
import { desk, state } from "../store.js";
import { agoText, fullText } from "../time.js";
import { complain } from "./toasts.js";

const KINDS = { dm: "Direct message", mention: "Mention", thread_reply: "Reply in a thread you follow" };

function place(note) {
  const here = desk();
  const channel = here.channels.get(note.channel);
  if (!channel) return "";
  return channel.type === "im" ? here.channelName(channel) : `#${channel.name}`;
}

/** Show the message, in its thread if it is a reply: the log does not say, the thread's messages do. */
async function open(note) {
  state.panel = "";
  await go({ channel: note.channel });
  if (desk().find(note.channel, note.ts)) return;
  const { messages } = await get("thread", { as: state.me, channel: note.channel, ts: note.ts });
  await go({ channel: note.channel, thread: messages[0].thread_ts || note.ts });
}

const row = (note) =>
  h(
    "button",
    {
      type: "button",
      class: "note",
      on: { click: () => open(note).catch((error) => complain(error, "Could not open this")) },
    },
    h(
      "span",
      { class: "note-head" },
      h("b", null, KINDS[note.kind] || note.kind),
      h("time", { class: "faint", title: fullText(note.at) }, agoText(note.at)),
    ),
    h("span", { class: "note-text" }, named(note.text || "")),
    h("span", { class: "faint" }, place(note)),
  );

/** The log keeps ids for people; readers want names. */
const named = (text) => oneLine(text.replace(/(^|\s)@([UW][A-Z0-9]{6,})/g, "$1<@$2>"));

/** @returns {{node: HTMLElement, update: () => void}} */
export function notificationsPanel() {
  const node = h("div", { class: "notes" });
  let shown = "";
  const update = () => {
    const here = desk();
    const stamp = `${here.me}/${here.notifications.length}`;
    if (stamp === shown) return;
    shown = stamp;
    const count = here.notifications.length;
    const times = count === 1 ? "once" : `${count} times`;
    fill(
      node,
      h(
        "div",
        { class: "panel-lead" },
        h("strong", { class: "big" }, count),
        h(
          "p",
          null,
          count
            ? `${here.personName(here.me)} would have been pinged ${times}. Edits never ping.`
            : `${here.personName(here.me)} would not have been pinged. Edits never ping.`,
        ),
      ),
      here.notifications.map(row),
    );
  };
  return { node, update };
}
