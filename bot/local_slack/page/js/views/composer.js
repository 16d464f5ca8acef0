// The message box: sends on Enter, completes slash commands, people, channels and emoji.
import { runCommand, send } from "../actions.js";
import { fill, h, icon, iconButton } from "../dom.js";
import { emojiText, EMOJI } from "../render/emoji.js";
import { avatar } from "../render/avatar.js";
import { desk } from "../store.js";
import { suggest, usageOf } from "./commands.js";
import { dismissWelcome } from "./welcome.js";

const MAX = 8;

/** @typedef {{fill: string, from: number, lead: any, title: string, note: string, id?: string}} Item */

function peopleItems(word, from) {
  const here = desk();
  return [...here.people.values()]
    .filter((person) =>
      `${person.real_name} ${person.name}`
        .toLowerCase()
        .split(/\s+/)
        .some((part) => part.startsWith(word)),
    )
    .map((person) => ({
      fill: `@${person.name} `,
      from,
      lead: avatar({ id: person.id, name: here.personName(person.id), app: here.isApp(person.id), size: "small" }),
      title: here.personName(person.id),
      note: `@${person.name}`,
    }));
}

function channelItems(word, from) {
  return [...desk().channels.values()]
    .filter((channel) => channel.type === "channel" && !channel.archived && channel.name.startsWith(word))
    .map((channel) => ({
      fill: `#${channel.name} `,
      from,
      lead: icon("hash"),
      title: channel.name,
      note: channel.topic || "",
    }));
}

function emojiItems(word, from) {
  return [...EMOJI.keys()]
    .filter((name) => name.startsWith(word))
    .map((name) => ({
      fill: `:${name}: `,
      from,
      lead: h("span", { class: "emoji" }, emojiText(name)),
      title: `:${name}:`,
      note: "",
    }));
}

/** What can be completed before the caret. @param {string} text @returns {Item[]} */
function itemsFor(text) {
  if (text.startsWith("/"))
    return suggest(text, desk().commands).map((one) => ({
      fill: one.fill,
      from: 0,
      lead: icon("slash"),
      title: one.title,
      note: [one.args, one.note].filter(Boolean).join("  ·  "),
    }));
  const match = /(?:^|\s)([@#])([\w.-]*)$/.exec(text) || /(?:^|\s)(:)([a-z0-9_+-]{2,})$/.exec(text);
  if (!match) return [];
  const from = text.length - match[2].length - 1;
  const items = { "@": peopleItems, "#": channelItems, ":": emojiItems }[match[1]](match[2].toLowerCase(), from);
  return items.filter((item) => item.fill.trim() !== text.slice(from)).slice(0, MAX);
}

export class Composer {
  /** @param {{label: string, target: () => {channel: string, thread: string}}} options */
  constructor(options) {
    this.options = options;
    /** @type {Map<string, string>} place -> what was typed there */ this.drafts = new Map();
    this.place = "";
    /** Enter was pressed before there was a place to send to. */ this.early = false;
    /** @type {Item[]} */ this.items = [];
    this.at = 0;
    const listId = `complete-${options.label.replace(/\W/g, "")}`;
    this.field = h("textarea", {
      rows: 1,
      class: "composer-field",
      "aria-label": options.label,
      "aria-autocomplete": "list",
      "aria-controls": listId,
      spellcheck: "true",
    });
    this.menu = h("div", { class: "complete", role: "listbox", id: listId, "aria-label": "Suggestions", hidden: true });
    this.sendButton = iconButton("send", "Send", () => this.submit(), { class: "composer-send" });
    this.hint = h("span", { class: "composer-hint" });
    const insert = (text) => () => this.insert(text);
    this.node = h(
      "div",
      { class: "composer" },
      this.menu,
      h(
        "div",
        { class: "composer-box" },
        this.field,
        h(
          "div",
          { class: "composer-bar" },
          iconButton("slash", "Commands", () => this.set("/")),
          iconButton("at", "Mention somebody", insert("@")),
          iconButton("smile", "Emoji", insert(":sm")),
          this.hint,
          this.sendButton,
        ),
      ),
    );
    this.field.addEventListener("input", () => this.typed());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => this.complete([]));
    this.menu.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  /** Show the draft of this place. @param {string} place @param {string} placeholder @param {string} [closed] why nothing can be sent here */
  update(place, placeholder, closed) {
    this.field.placeholder = closed || placeholder;
    this.field.disabled = Boolean(closed);
    this.node.classList.toggle("closed", Boolean(closed));
    if (place === this.place) return;
    const early = this.place === "" && this.field.value !== "";
    if (this.place) this.drafts.set(this.place, this.field.value);
    this.place = place;
    // What somebody typed while the page was still loading belongs to the first place shown.
    if (early) {
      this.typed();
      if (this.early) this.submit();
      return;
    }
    this.field.value = this.drafts.get(place) || "";
    this.complete([]);
    this.resize();
  }

  /** @param {string} text */
  set(text) {
    this.field.value = text;
    this.field.focus();
    this.field.setSelectionRange(text.length, text.length);
    this.typed();
  }

  insert(text) {
    const { value, selectionStart: at } = this.field;
    const gap = at > 0 && !/\s/.test(value[at - 1]) ? " " : "";
    this.field.setRangeText(gap + text, at, at, "end");
    this.field.focus();
    this.typed();
  }

  resize() {
    this.field.style.setProperty("height", "auto");
    this.field.style.setProperty("height", `${Math.min(this.field.scrollHeight, 220)}px`);
    this.sendButton.classList.toggle("ready", this.field.value.trim() !== "");
    const usage = usageOf(this.field.value, desk()?.commands || []);
    fill(
      this.hint,
      usage
        ? h("code", null, usage)
        : [h("kbd", null, "Enter"), " sends, ", h("kbd", null, "Shift Enter"), " new line"],
    );
  }

  typed() {
    this.resize();
    this.complete(itemsFor(this.field.value.slice(0, this.field.selectionStart)));
  }

  complete(items) {
    this.items = items;
    this.at = 0;
    this.draw();
  }

  draw() {
    this.menu.hidden = !this.items.length;
    this.menu.replaceChildren(
      ...this.items.map((item, at) =>
        h(
          "div",
          {
            role: "option",
            class: `complete-item${at === this.at ? " active" : ""}`,
            "aria-selected": at === this.at ? "true" : "false",
            on: { click: () => this.take(item) },
          },
          h("span", { class: "complete-lead" }, item.lead),
          h("b", null, item.title),
          h("span", { class: "complete-note" }, item.note),
        ),
      ),
    );
    this.menu.querySelector(".active")?.scrollIntoView({ block: "nearest" });
  }

  take(item) {
    const caret = this.field.selectionStart;
    this.field.setRangeText(item.fill, item.from, caret, "end");
    this.field.focus();
    this.typed();
  }

  key(event) {
    if (event.isComposing) return;
    const item = this.items[this.at];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (item && step) {
      event.preventDefault();
      this.at = (this.at + step + this.items.length) % this.items.length;
      this.draw();
    } else if (item && event.key === "Escape") {
      event.stopPropagation();
      this.complete([]);
    } else if (item && (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !this.isWhole()))) {
      event.preventDefault();
      this.take(item);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    }
  }

  /** A slash command that can be sent as it stands, though more could be completed. */
  isWhole() {
    const text = this.field.value.trim();
    return (
      text.startsWith("/") && desk().commands.some((command) => text === command.command) && / $/.test(this.field.value)
    );
  }

  async submit() {
    const text = this.field.value.trim();
    this.early = !this.place;
    if (!text || this.early) return;
    const { channel, thread } = this.options.target();
    const place = this.place;
    this.field.value = "";
    this.drafts.delete(place);
    this.complete([]);
    this.resize();
    const [, command, rest] = /^(\/[\w-]+)\s*([\s\S]*)$/.exec(text) || [];
    const sent = command ? await this.command(channel, thread, command, rest) : await send(channel, thread, text);
    if (sent || this.field.value) return;
    if (this.place === place) this.set(text);
    else this.drafts.set(place, text);
  }

  async command(channel, thread, command, rest) {
    this.node.classList.add("waiting");
    try {
      const taken = await runCommand(channel, thread, command, rest);
      if (taken) dismissWelcome();
      return taken;
    } finally {
      this.node.classList.remove("waiting");
    }
  }
}
