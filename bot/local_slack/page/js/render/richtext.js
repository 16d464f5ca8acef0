// Slack's rich_text blocks as DOM nodes.
import { h } from "../dom.js";
import { broadcast, channelMention, date, emoji, link, userMention } from "./mrkdwn.js";

function wear(node, style = {}) {
  let worn = node;
  if (style.code) worn = h("code", null, worn);
  if (style.bold) worn = h("strong", null, worn);
  if (style.italic) worn = h("em", null, worn);
  if (style.strike) worn = h("s", null, worn);
  if (style.underline) worn = h("u", null, worn);
  return worn;
}

function part(element) {
  switch (element.type) {
    case "text":
      return wear(element.text, element.style);
    case "link":
      return wear(link(element.url, element.text || element.url), element.style);
    case "user":
      return userMention(element.user_id);
    case "channel":
      return channelMention(element.channel_id);
    case "emoji":
      return emoji(element.name);
    case "broadcast":
      return broadcast(element.range);
    case "usergroup":
      return broadcast("group");
    case "date":
      return date(String(element.timestamp), element.format || "{date} at {time}", element.url, element.fallback);
    case "color":
      return h("code", null, element.value);
    default:
      return null;
  }
}

const parts = (elements) => (elements || []).map(part);

function block(element) {
  switch (element.type) {
    case "rich_text_section":
      return h("p", { class: "lines" }, parts(element.elements));
    case "rich_text_preformatted":
      return h("pre", null, parts(element.elements));
    case "rich_text_quote":
      return h("blockquote", null, parts(element.elements));
    case "rich_text_list": {
      const ordered = element.style === "ordered";
      const items = element.elements.map((item) => h("li", null, parts(item.elements)));
      return h(
        ordered ? "ol" : "ul",
        {
          class: "rich-list",
          start: ordered && element.offset ? element.offset + 1 : null,
          vars: { "--indent": String(element.indent || 0) },
        },
        items,
      );
    }
    default:
      return null;
  }
}

/** @param {{elements: any[]}} richText */
export const richText = (richText) => h("div", { class: "rich" }, (richText.elements || []).map(block));
