// Builds DOM nodes. Text only ever becomes text nodes: nothing on this page parses message text as HTML.

/**
 * @typedef {Node|string|number|false|null|undefined|Child[]} Child
 */

/**
 * Make an element. `on` takes listeners, `data` dataset entries, `vars` CSS custom properties;
 * `true` sets an empty attribute, `false`, `null` and `undefined` leave it out.
 * @param {string} tag
 * @param {Record<string, any>|null} [props]
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "vars") for (const [key, css] of Object.entries(value)) node.style.setProperty(key, css);
    else if (name === "class") node.className = value;
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  add(node, children);
  return node;
}

/** Append children of any nesting to a node. @param {Node} node @param {Child} children */
export function add(node, children) {
  if (Array.isArray(children)) for (const child of children) add(node, child);
  else if (children instanceof Node) node.appendChild(children);
  else if (children !== false && children !== null && children !== undefined)
    node.appendChild(document.createTextNode(String(children)));
}

/** Swap a node's children. @param {Element} node @param {...Child} children */
export function fill(node, ...children) {
  node.replaceChildren();
  add(node, children);
}

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  hash: "M6 2.5 4.5 13.5M11.5 2.5 10 13.5M2.5 5.5h11M2 10.5h11",
  home: "M2.5 7.5 8 2.8l5.5 4.7V13a.5.5 0 0 1-.5.5H9.8V9.8H6.2v3.7H3a.5.5 0 0 1-.5-.5z",
  bell: "M8 2a4 4 0 0 0-4 4v2.6L2.8 11.2h10.4L12 8.6V6a4 4 0 0 0-4-4zM6.6 13.4a1.5 1.5 0 0 0 2.8 0",
  pulse: "M1.5 8.5h3L6.3 3l3.2 10 1.9-4.5h3.1",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  menu: "M2 4h12M2 8h12M2 12h12",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  send: "M2 13.5 14.5 8 2 2.5 3.6 8zM3.6 8h6",
  thread: "M2.5 3h11v7.5H8L4.8 13v-2.5H2.5zM5 6h6M5 8h4",
  smile: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5.5 9.3a2.8 2.8 0 0 0 5 0M6 6.3h.01M10 6.3h.01",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.8 10.8 14 14",
  moon: "M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  check: "M3 8.5 6.5 12 13 4.5",
  down: "M4 6l4 4 4-4",
  slash: "M10.5 2.5l-5 11",
  at: "M10.5 8a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zm0 0v1.2a1.8 1.8 0 0 0 3.5 0V8a6 6 0 1 0-2.4 4.8",
  file: "M4 1.8h5L12.5 5v9.2H4zM9 1.8V5h3.5",
  plus: "M8 3v10M3 8h10",
  back: "M10 3 5 8l5 5",
};

/** A 16-pixel line icon. @param {keyof PATHS} name @returns {SVGElement} */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows only an icon, named for screen readers and on hover. */
export function iconButton(name, label, onClick, extra = {}) {
  return h(
    "button",
    {
      type: "button",
      class: `icon-button ${extra.class || ""}`,
      "aria-label": label,
      title: label,
      ...extra.attrs,
      on: { click: onClick },
    },
    icon(name),
    extra.badge,
  );
}
