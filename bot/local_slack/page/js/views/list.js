// A scrolling list of messages. Keeps the nodes of messages that did not change, and keeps to the foot while it is there.
import { h } from "../dom.js";
import { author, renderMessage, stamp } from "../render/message.js";
import { dayKey, dayText } from "../time.js";
/** @typedef {import("../store.js").Message} Message */

const GROUP_SECONDS = 300;
const NEAR = 60;

/** Does a message continue the one above it? @param {Message|undefined} above @param {Message} message */
function continues(above, message) {
  if (!above || above.ephemeral || above.subtype !== message.subtype || dayKey(above.ts) !== dayKey(message.ts))
    return false;
  const [one, other] = [author(above), author(message)];
  return (
    !one.app && one.id === other.id && one.name === other.name && Number(message.ts) - Number(above.ts) < GROUP_SECONDS
  );
}

export class MessageList {
  /** @param {{label: string, inThread: boolean, onTop?: () => void}} options */
  constructor(options) {
    this.options = options;
    /** @type {Map<string, {node: HTMLElement, message: Message|null, stamp: string}>} */ this.rows = new Map();
    this.place = "";
    this.sticky = true;
    this.inner = h("div", { class: "list-inner" });
    this.node = h("div", { class: "list", role: "log", "aria-label": options.label, tabindex: "0" }, this.inner);
    this.node.addEventListener("scroll", () => {
      this.sticky = this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < NEAR;
      if (this.node.scrollTop < NEAR) options.onTop?.();
    });
    const watch = new ResizeObserver(() => this.sticky && this.toFoot());
    watch.observe(this.inner);
    watch.observe(this.node);
  }

  toFoot() {
    this.node.scrollTop = this.node.scrollHeight;
  }

  /** What stands where, as [key, message, make] triples. */
  plan(channel, messages, newFrom, lead) {
    const rows = [];
    if (lead) rows.push({ key: "lead", message: null, stamp: lead.stamp, make: lead.make });
    let above;
    const replies = messages.slice(1).filter((message) => !message.ephemeral).length;
    messages.forEach((message, at) => {
      if (!above || dayKey(above.ts) !== dayKey(message.ts))
        rows.push({
          key: `day ${dayKey(message.ts)}`,
          message: null,
          stamp: dayText(message.ts),
          make: () => h("div", { class: "day", role: "separator" }, h("span", null, dayText(message.ts))),
        });
      if (newFrom === message.ts)
        rows.push({
          key: "new",
          message: null,
          stamp: "",
          make: () => h("div", { class: "newline", role: "separator" }, h("span", null, "New")),
        });
      const compact = newFrom !== message.ts && continues(above, message) && !(this.options.inThread && at === 1);
      rows.push({
        key: message.ts,
        message,
        stamp: stamp(channel, message, compact),
        make: () => renderMessage(channel, message, { compact, inThread: this.options.inThread }),
      });
      if (this.options.inThread && at === 0 && replies)
        rows.push({
          key: "count",
          message: null,
          stamp: String(replies),
          make: () => h("div", { class: "count" }, h("span", null, replies === 1 ? "1 reply" : `${replies} replies`)),
        });
      above = message;
    });
    return rows;
  }

  /**
   * @param {string} place changes when another list is shown
   * @param {string} channel
   * @param {Message[]} messages
   * @param {{newFrom?: string, lead?: {stamp: string, make: () => HTMLElement}}} [extra]
   */
  update(place, channel, messages, extra = {}) {
    const moved = place !== this.place;
    if (moved) {
      this.place = place;
      this.rows.clear();
      this.inner.replaceChildren();
      this.sticky = true;
    }
    const fromFoot = this.node.scrollHeight - this.node.scrollTop;
    const top = this.inner.querySelector(".message");
    const rows = this.plan(channel, messages, extra.newFrom, extra.lead);
    const wanted = new Set(rows.map((row) => row.key));
    for (const [key, row] of this.rows) {
      if (wanted.has(key)) continue;
      row.node.remove();
      this.rows.delete(key);
    }
    let cursor = this.inner.firstElementChild;
    for (const row of rows) {
      const known = this.rows.get(row.key);
      let node = known?.node;
      if (!known || known.message !== row.message || known.stamp !== row.stamp) {
        node = row.make();
        if (known) {
          if (cursor === known.node) cursor = known.node.nextElementSibling;
          const focused = known.node.contains(document.activeElement);
          known.node.replaceWith(node);
          if (focused && !node.contains(document.activeElement)) node.focus({ preventScroll: true });
        } else if (!moved) node.classList.add("fresh");
        this.rows.set(row.key, { node, message: row.message, stamp: row.stamp });
      }
      if (cursor === node) cursor = cursor.nextElementSibling;
      else if (node.nextElementSibling !== cursor || !node.isConnected) this.inner.insertBefore(node, cursor);
    }
    if (this.sticky) this.toFoot();
    else if (top && this.inner.querySelector(".message") !== top)
      this.node.scrollTop = this.node.scrollHeight - fromFoot;
  }

  /** Move the keyboard's place among the messages. @param {number} step */
  step(step) {
    const all = [...this.inner.querySelectorAll(".message")];
    if (!all.length) return;
    const at = all.findIndex((node) => node.contains(document.activeElement));
    const next = at < 0 ? all.length - 1 : Math.max(0, Math.min(all.length - 1, at + step));
    all[next].focus();
    all[next].scrollIntoView({ block: "nearest" });
  }
}
