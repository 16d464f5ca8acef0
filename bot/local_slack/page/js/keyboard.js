// Keys that work everywhere on the page.
import { changed, state } from "./store.js";
import { closePopover, popoverIsOpen } from "./views/popover.js";
import { openSwitcher } from "./views/switcher.js";
import { closeSide } from "./views/thread.js";

const typing = (target) =>
  target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable);
const covered = () => document.querySelector(".layer:not([hidden])") !== null;

function escape() {
  if (popoverIsOpen()) closePopover();
  else if (state.drawer) {
    state.drawer = false;
    changed();
  } else closeSide();
}

/** @param {{list: any, composer: any}} main @param {{list: any, composer: any}} side */
export function mountKeyboard(main, side) {
  const current = () => (document.getElementById("side").contains(document.activeElement) ? side : main);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openSwitcher();
    } else if (covered()) return;
    else if (event.key === "Escape") escape();
    else if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "j" || event.key === "k") current().list.step(event.key === "j" ? 1 : -1);
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest(".list")) {
      event.preventDefault();
      current().list.step(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && event.target.classList.contains("message"))
      event.target.querySelector("[aria-label='Reply in thread'], .button")?.click();
    else if (event.key === "/") {
      event.preventDefault();
      current().composer.set("/");
    }
  });
}
