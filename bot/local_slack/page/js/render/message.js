// One message: who, when, what, and what can be done with it.
import { act, edit, openThread, react, remove, runShortcut } from "../actions.js";
import { h, icon, iconButton } from "../dom.js";
import { desk, state, changed } from "../store.js";
import { agoText, fullText, timeText } from "../time.js";
import { ask } from "../views/dialog.js";
import { openMenu, openPopover, closePopover } from "../views/popover.js";
import { avatar } from "./avatar.js";
import { renderBlocks } from "./blocks.js";
import { emojiText, QUICK } from "./emoji.js";
import { renderFiles } from "./files.js";
import { asTyped, mrkdwn, oneLine } from "./mrkdwn.js";
import { valuesOf } from "./values.js";
/** @typedef {import("../store.js").Message} Message */

const SYSTEM = new Set([
  "channel_join",
  "channel_leave",
  "channel_topic",
  "channel_purpose",
  "channel_name",
  "channel_archive",
  "channel_unarchive",
  "pinned_item",
]);

/** Who a message is from. @param {Message} message */
export function author(message) {
  const here = desk();
  const id = message.user || message.bot_id || "";
  const app = Boolean(message.bot_id) || here.isApp(message.user);
  const name =
    message.username || (here.people.has(id) ? here.personName(id) : app ? here.app?.name || "App" : id || "Unknown");
  return { id, name, app };
}

/** Whether a message calls the acting person. An app's small print names people, it does not call them. */
function calls(message, who) {
  const sections = who.app ? (message.blocks || []).filter((block) => block.type === "section") : [];
  const words = sections.length ? sections.map((block) => block.text?.text || "") : [message.text || ""];
  return words.some((text) => text.includes(`<@${state.me}>`));
}

const keyOf = (channel, message) => `${channel}:${message.ts}`;

/** What a message looks like depends on these and nothing else. @param {Message} message */
export const stamp = (channel, message, compact) =>
  [
    compact,
    state.editing === message.ts,
    state.me,
    desk().people.size,
    [...state.busy.keys()].filter((key) => key.startsWith(`${keyOf(channel, message)}|`)).join(),
  ].join("~");

function body(channel, message) {
  if (message.subtype === "tombstone") return h("div", { class: "lines faint" }, "This message was deleted.");
  const fromApp = Boolean(message.bot_id) || desk().isApp(message.user);
  if (fromApp && message.blocks?.length) {
    const key = keyOf(channel, message);
    const container = { type: "message", channel, ts: message.ts };
    const surface = {
      key,
      values: valuesOf(key),
      act: (block, element, chosen) => act(key, container, block, element, chosen, message.blocks),
    };
    return h("div", { class: "blocks" }, renderBlocks(surface, message.blocks));
  }
  return message.text ? h("div", { class: "mrkdwn" }, mrkdwn(message.text), message.edited && editedMark()) : null;
}

const editedMark = () => h("span", { class: "edited" }, " (edited)");

function editor(channel, message) {
  const before = asTyped(message.text || "");
  const field = h("textarea", { class: "field", rows: 3, "aria-label": "Edit your message", value: before });
  const done = () => {
    state.editing = "";
    changed();
  };
  const save = () => {
    const kept = field.value.trim();
    if (kept && kept !== before) edit(channel, message.ts, kept);
    done();
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      done();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  });
  queueMicrotask(() => requestAnimationFrame(() => field.focus()));
  return h(
    "div",
    { class: "editor" },
    field,
    h(
      "div",
      { class: "editor-foot" },
      h("button", { type: "button", class: "button", on: { click: done } }, "Cancel"),
      h("button", { type: "button", class: "button button-primary", on: { click: save } }, "Save"),
    ),
  );
}

function reactions(channel, message) {
  if (!message.reactions?.length) return null;
  return h(
    "div",
    { class: "reactions" },
    message.reactions.map((reaction) => {
      const mine = reaction.users.includes(state.me);
      const names = reaction.users.map((id) => desk().personName(id)).join(", ");
      return h(
        "button",
        {
          type: "button",
          class: `reaction${mine ? " mine" : ""}`,
          "aria-pressed": mine ? "true" : "false",
          title: `${names} reacted with :${reaction.name}:`,
          on: { click: () => react(channel, message, reaction.name) },
        },
        h("span", { class: "emoji" }, emojiText(reaction.name)),
        h("span", null, reaction.count ?? reaction.users.length),
      );
    }),
  );
}

function replies(channel, message) {
  const count = message.reply_count || 0;
  if (!count || (message.thread_ts && message.thread_ts !== message.ts)) return null;
  const here = desk();
  const faces = (message.reply_users || [])
    .slice(0, 4)
    .map((id) => avatar({ id, name: here.personName(id), app: here.isApp(id), size: "small" }));
  return h(
    "button",
    { type: "button", class: "replies", on: { click: () => openThread(channel, message.ts) } },
    faces,
    h("b", null, `${count} ${count === 1 ? "reply" : "replies"}`),
    message.latest_reply && h("span", { class: "faint" }, `last reply ${agoText(message.latest_reply)}`),
  );
}

/** @param {HTMLElement} anchor */
function openReactions(anchor, channel, message) {
  const table = h(
    "div",
    { class: "emoji-table", role: "menu", "aria-label": "React" },
    QUICK.map((name) =>
      h(
        "button",
        {
          type: "button",
          role: "menuitem",
          "aria-label": name,
          title: `:${name}:`,
          on: {
            click: () => {
              closePopover();
              react(channel, message, name);
            },
          },
        },
        emojiText(name),
      ),
    ),
  );
  openPopover(anchor, table);
  table.querySelector("button").focus();
}

function menuItems(channel, message) {
  const here = desk();
  const items = here.shortcuts
    .filter((shortcut) => shortcut.type === "message")
    .map((shortcut) => ({
      label: shortcut.name,
      hint: here.app?.name,
      run: () => runShortcut(shortcut.callback_id, channel, message.ts),
    }));
  items.push({ label: "Copy text", hint: "", run: () => navigator.clipboard.writeText(oneLine(message.text || "")) });
  if (message.user === state.me && !message.bot_id) {
    items.push({
      label: "Edit message",
      hint: "",
      run: () => {
        state.editing = message.ts;
        changed();
      },
    });
    items.push({
      label: "Delete message",
      hint: "",
      danger: true,
      run: async () => {
        if (
          await ask({
            title: "Delete message",
            text: "It is gone for everyone.",
            confirm: "Delete",
            deny: "Cancel",
            danger: true,
          })
        )
          await remove(channel, message.ts);
      },
    });
  }
  return items;
}

function tools(channel, message, inThread) {
  if (message.ephemeral || message.subtype === "tombstone") return null;
  const thread = () => openThread(channel, message.thread_ts || message.ts);
  const more = iconButton("more", "More actions", () => openMenu(more, menuItems(channel, message)), {
    attrs: { "aria-haspopup": "menu" },
  });
  const smile = iconButton("smile", "Add a reaction", () => openReactions(smile, channel, message), {
    attrs: { "aria-haspopup": "menu" },
  });
  return h("div", { class: "tools" }, smile, !inThread && iconButton("thread", "Reply in thread", thread), more);
}

/** @param {string} channel @param {Message} message @param {{compact: boolean, inThread: boolean}} how */
export function renderMessage(channel, message, how) {
  const who = author(message);
  const time = h("time", { title: fullText(message.ts) }, timeText(message.ts));
  if (message.subtype && SYSTEM.has(message.subtype))
    return h(
      "div",
      { class: "message system", data: { ts: message.ts } },
      h("div", { class: "gutter" }),
      h("div", { class: "content" }, h("span", { class: "mrkdwn" }, mrkdwn(message.text || "")), " ", time),
    );
  const compact = how.compact && !message.ephemeral;
  const mentioned = calls(message, who) && who.id !== state.me;
  const classes = [
    "message",
    compact && "compact",
    message.ephemeral && "ephemeral",
    mentioned && "mentioned",
    state.editing === message.ts && "editing",
  ]
    .filter(Boolean)
    .join(" ");
  return h(
    "div",
    {
      class: classes,
      role: "article",
      tabindex: "-1",
      "aria-label": `${who.name}, ${timeText(message.ts)}`,
      data: { ts: message.ts },
    },
    h("div", { class: "gutter" }, compact ? time : avatar(who)),
    h(
      "div",
      { class: "content" },
      message.ephemeral && h("div", { class: "only-you" }, icon("eye"), "Only visible to you"),
      !compact &&
        h(
          "div",
          { class: "byline" },
          h("b", { class: "author" }, who.name),
          who.app && h("span", { class: "tag" }, "App"),
          time,
        ),
      state.editing === message.ts ? editor(channel, message) : body(channel, message),
      message.files?.length ? renderFiles(message.files) : null,
      reactions(channel, message),
      !how.inThread && replies(channel, message),
    ),
    tools(channel, message, how.inThread),
  );
}
