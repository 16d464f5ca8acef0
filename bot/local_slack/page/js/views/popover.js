// A small panel anchored to a button: menus, pickers and the emoji table. One at a time; a sheet on a phone.
import { h } from "../dom.js";

let open = null;

/** Close the open popover, giving focus back to its button. */
export function closePopover() {
  if (!open) return;
  const { panel, anchor, release } = open;
  open = null;
  release();
  panel.remove();
  anchor.setAttribute("aria-expanded", "false");
  if (anchor.isConnected) anchor.focus({ preventScroll: true });
}

export const popoverIsOpen = () => open !== null;

function place(panel, anchor) {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = window.innerHeight - box.bottom > height + 12 || box.top < height + 12;
  const left = Math.max(8, Math.min(box.left, window.innerWidth - width - 8));
  const top = below ? Math.min(box.bottom + 6, window.innerHeight - height - 8) : box.top - height - 6;
  panel.style.setProperty("left", `${left}px`);
  panel.style.setProperty("top", `${Math.max(8, top)}px`);
}

/**
 * @param {HTMLElement} anchor
 * @param {HTMLElement} content
 * @param {string} [className]
 */
export function openPopover(anchor, content, className = "") {
  const again = open && open.anchor === anchor;
  closePopover();
  if (again) return;
  const panel = h("div", { class: `popover ${className}` }, content);
  document.getElementById("layers").append(panel);
  panel.style.setProperty("--anchor-width", `${Math.round(anchor.getBoundingClientRect().width)}px`);
  const outside = (event) => {
    if (!panel.contains(event.target) && !anchor.contains(event.target)) closePopover();
  };
  const escape = (event) => {
    if (event.key !== "Escape" && event.key !== "Tab") return;
    if (event.key === "Escape") event.stopPropagation();
    closePopover();
  };
  document.addEventListener("pointerdown", outside, true);
  panel.addEventListener("keydown", escape);
  open = {
    panel,
    anchor,
    release: () => document.removeEventListener("pointerdown", outside, true),
  };
  anchor.setAttribute("aria-expanded", "true");
  place(panel, anchor);
}

/**
 * A menu of choices under a button.
 * @param {HTMLElement} anchor
 * @param {{label: string, hint?: string, danger?: boolean, icon?: Node, run: () => void}[]} items
 * @param {string} [title]
 */
export function openMenu(anchor, items, title) {
  const list = h(
    "div",
    { role: "menu", class: "menu", "aria-label": title || "Menu" },
    title && h("div", { class: "menu-title" }, title),
  );
  for (const item of items) {
    const run = () => {
      closePopover();
      item.run();
    };
    list.append(
      h(
        "button",
        { type: "button", role: "menuitem", class: `menu-item${item.danger ? " danger" : ""}`, on: { click: run } },
        item.icon,
        h("span", { class: "menu-label" }, item.label, item.hint && h("small", null, item.hint)),
      ),
    );
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...list.querySelectorAll(".menu-item")];
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  });
  openPopover(anchor, list);
  list.querySelector(".menu-item")?.focus();
}
