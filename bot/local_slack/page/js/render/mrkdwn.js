// Slack's mrkdwn as DOM nodes. Input is in Slack's wire form: & < > escaped, mentions and links in <…>.
import { h } from "../dom.js";
import { desk } from "../store.js";
import { dateFormat, fullText } from "../time.js";
import { EMOJI, emojiText } from "./emoji.js";

/** @param {string} text */
const unescape = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

/** Only these can be followed from here; anything else stays text. @param {string} url */
export const safeUrl = (url) => (/^(https?:\/\/|mailto:)/i.test(url) ? url : "");

/** @param {string} url @param {any} label */
export function link(url, label) {
  const safe = safeUrl(url);
  return safe ? h("a", { href: safe, target: "_blank", rel: "noopener noreferrer" }, label) : h("span", null, label);
}

/** @param {string} id */
export function userMention(id) {
  const here = desk();
  const me = here.me === id;
  return h(
    "button",
    { type: "button", class: `mention${me ? " mention-me" : ""}`, data: { user: id } },
    `@${here.personName(id)}`,
  );
}

/** @param {string} id @param {string} [label] */
export function channelMention(id, label) {
  const channel = desk().channels.get(id);
  return h(
    "button",
    { type: "button", class: "mention", data: { channel: id } },
    `#${channel ? channel.name : label || id}`,
  );
}

/** @param {string} name */
export const broadcast = (name) => h("span", { class: "mention mention-me" }, `@${name}`);

/** @param {string} name */
export function emoji(name) {
  return EMOJI.has(name.replace(/::skin-tone-\d$/, ""))
    ? h("span", { class: "emoji", role: "img", "aria-label": name, title: `:${name}:` }, emojiText(name))
    : `:${name}:`;
}

/** @param {string} seconds @param {string} format @param {string} [url] @param {string} [fallback] */
export function date(seconds, format, url, fallback) {
  const text = Number.isFinite(Number(seconds)) ? dateFormat(seconds, format) : fallback || "";
  const node = h("time", { title: Number.isFinite(Number(seconds)) ? fullText(seconds) : "" }, text);
  return url ? link(url, node) : node;
}

function entity(body) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? "" : unescape(body.slice(bar + 1));
  if (/^@[UW]\w*$/.test(target)) return userMention(target.slice(1));
  if (/^#[CGD]\w*$/.test(target)) return channelMention(target.slice(1), label);
  if (/^!(here|channel|everyone)$/.test(target)) return broadcast(target.slice(1));
  if (target.startsWith("!date^")) {
    const [, seconds, format, url] = target.split("^");
    return date(seconds, format || "", url, label);
  }
  if (target.startsWith("!subteam^")) return broadcast(label.replace(/^@/, "") || "group");
  const url = safeUrl(unescape(target));
  if (url) return link(url, label || url.replace(/^mailto:/, ""));
  return unescape(`<${body}>`);
}

const EDGE = "[\\s.,;:!?()\\[\\]{}'\"“”‘’—–/·|*_~-]";
const styled = (mark) => `(?<=^|${EDGE})\\${mark}(?=\\S)(?:[^\\n\\${mark}]*[^\\s\\${mark}])\\${mark}(?=$|${EDGE}|&)`;
const INLINE = new RegExp(
  [
    "(?<code>`[^`\\n]+`)",
    "(?<entity><[^<>\\n]+>)",
    `(?<bold>${styled("*")})`,
    `(?<italic>${styled("_")})`,
    `(?<strike>${styled("~")})`,
    ":(?<emoji>[a-z0-9_+'-]+(?:::skin-tone-\\d)?):",
    "(?<url>https?:\\/\\/[^\\s<>|]*[^\\s<>|.,;:!?)'\"])",
  ].join("|"),
  "g",
);

/** One run of text without fences or quotes. @param {string} text @returns {any[]} */
export function inline(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) nodes.push(unescape(text.slice(from, match.index)));
    from = match.index + match[0].length;
    const { code, entity: body, bold, italic, strike, emoji: name, url } = match.groups;
    if (code) nodes.push(h("code", null, unescape(code.slice(1, -1))));
    else if (body) nodes.push(entity(body.slice(1, -1)));
    else if (bold) nodes.push(h("strong", null, inline(bold.slice(1, -1))));
    else if (italic) nodes.push(h("em", null, inline(italic.slice(1, -1))));
    else if (strike) nodes.push(h("s", null, inline(strike.slice(1, -1))));
    else if (name) nodes.push(emoji(name));
    else nodes.push(link(unescape(url), unescape(url)));
  }
  if (from < text.length) nodes.push(unescape(text.slice(from)));
  return nodes;
}

const QUOTE = /^(?:&gt;|>) ?/;
const BULLET = /^(\s*)([•◦▪]|-(?= )|\d{1,3}[.)](?= )) */;

/** Lines outside fences: quotes and bullets become blocks, the rest flows with its line breaks. */
function lines(text) {
  const nodes = [];
  let plain = [];
  let quote = [];
  const flush = () => {
    if (plain.length) nodes.push(h("span", { class: "lines" }, inline(plain.join("\n"))));
    if (quote.length) nodes.push(h("blockquote", null, inline(quote.join("\n"))));
    plain = [];
    quote = [];
  };
  for (const line of text.split("\n")) {
    const bullet = BULLET.exec(line);
    if (QUOTE.test(line)) {
      if (plain.length) flush();
      quote.push(line.replace(QUOTE, ""));
    } else if (bullet) {
      flush();
      const deep = bullet[1].length > 1 ? " bullet-deep" : "";
      nodes.push(
        h(
          "span",
          { class: `bullet${deep}` },
          h("span", { class: "bullet-mark" }, bullet[2]),
          h("span", null, inline(line.slice(bullet[0].length))),
        ),
      );
    } else {
      if (quote.length) flush();
      plain.push(line);
    }
  }
  flush();
  return nodes;
}

/** A whole mrkdwn text. @param {string} text @returns {any[]} */
export function mrkdwn(text) {
  const nodes = [];
  const parts = text.split(/```/);
  parts.forEach((part, at) => {
    const unclosed = at === parts.length - 1 && at % 2 === 1;
    if (at % 2 === 1 && !unclosed) nodes.push(h("pre", null, unescape(part.replace(/^\n|\n$/g, ""))));
    else {
      const body = (unclosed ? "```" : "") + (at > 0 && !unclosed ? part.replace(/^\n/, "") : part);
      const trimmed = at < parts.length - 1 ? body.replace(/\n$/, "") : body;
      if (trimmed) nodes.push(...lines(trimmed));
    }
  });
  return nodes;
}

/** A Block Kit text object. @param {{type: string, text: string, emoji?: boolean}|undefined} object */
export function textObject(object) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text) : plain(object.text);
}

/** Plain text: emoji shortcodes only. @param {string} text */
export function plain(text) {
  return text.split(/(:[a-z0-9_+'-]+:)/).map((part) => (/^:[^:]+:$/.test(part) ? emoji(part.slice(1, -1)) : part));
}

/** A person's message as they would type it again. @param {string} text */
export function asTyped(text) {
  const here = desk();
  return unescape(
    text
      .replace(/<@(\w+)>/g, (_, id) => `@${here.people.get(id)?.name || id}`)
      .replace(/<#(\w+)>/g, (_, id) => `#${here.channels.get(id)?.name || id}`)
      .replace(/<!(here|channel|everyone)>/g, "@$1")
      .replace(/<(https?:[^|>]+)(?:\|[^>]*)?>/g, "$1"),
  );
}

/** A message's text on one line, for lists and previews. @param {string} text */
export function oneLine(text) {
  const here = desk();
  return unescape(
    text
      .replace(/<@(\w+)(?:\|[^>]*)?>/g, (_, id) => `@${here.personName(id)}`)
      .replace(/<!date\^[^|>]*\|([^>]*)>/g, "$1")
      .replace(/<[^|>]*\|([^>]*)>/g, "$1")
      .replace(/<([^>]*)>/g, "$1")
      .replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI.get(name) || whole)
      .replace(/[*_~`]/g, "")
      .replace(/\s+/g, " "),
  ).trim();
}
