// File cards with a preview of text.
import { h, icon } from "../dom.js";
import { codeView, isDiff } from "./diff.js";

const PREVIEW_BYTES = 400_000;
const TEXT = /\.(txt|diff|patch|md|json|toml|ya?ml|log|py|js|ts|css|html|sh|rs|go|java|c|h|csv|ini|cfg)$/i;
const PICTURE = /\.(png|jpe?g|gif|webp)$/i;

const sizeText = (size) =>
  size < 1024
    ? `${size} bytes`
    : size < 1024 * 1024
      ? `${(size / 1024).toFixed(1)} kB`
      : `${(size / 1024 / 1024).toFixed(1)} MB`;

/** Only the workspace's own files are read into the page. */
const ownUrl = (url) => {
  const target = new URL(url, location.href);
  return target.origin === location.origin ? target.href : "";
};

/** Added and removed lines of a diff. */
function tally(text) {
  let added = 0;
  let removed = 0;
  for (const line of text.split("\n")) {
    if (/^\+(?!\+\+ )/.test(line)) added += 1;
    else if (/^-(?!-- )/.test(line)) removed += 1;
  }
  return h(
    "span",
    { class: "tally" },
    h("span", { class: "tally-added" }, `+${added}`),
    " ",
    h("span", { class: "tally-removed" }, `−${removed}`),
  );
}

async function preview(card, note, name, url) {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`the file answered ${response.status}`);
  const text = await response.text();
  const diff = isDiff(name, text);
  if (diff) note.append(" · ", tally(text));
  card.append(codeView(text, diff));
}

/** @param {any} file */
function fileCard(file) {
  const name = file.name || file.title || "file";
  const url = ownUrl(file.url || file.url_private || file.permalink || "");
  const size = file.size || 0;
  const note = h("small", null, sizeText(size));
  const card = h(
    "div",
    { class: "file" },
    h(
      "a",
      { class: "file-head", href: url || null, target: "_blank", rel: "noopener" },
      h("span", { class: "file-icon" }, icon("file")),
      h("span", { class: "file-name" }, h("b", null, file.title || name), note),
    ),
  );
  if (url && PICTURE.test(name))
    card.append(h("img", { class: "picture", src: url, alt: file.title || name, loading: "lazy" }));
  else if (url && TEXT.test(name) && size <= PREVIEW_BYTES)
    preview(card, note, name, url).catch(() => note.append(" · no preview"));
  return card;
}

/** @param {any[]} files */
export const renderFiles = (files) => h("div", { class: "files" }, files.map(fileCard));
