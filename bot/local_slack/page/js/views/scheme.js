// Light or dark: the system's wish until the person says otherwise.
import { changed } from "../store.js";

const KEY = "workspace.scheme";
const system = matchMedia("(prefers-color-scheme: dark)");

const chosen = () => localStorage.getItem(KEY) || (system.matches ? "dark" : "light");

export const isDark = () => chosen() === "dark";

export function applyScheme() {
  document.documentElement.dataset.scheme = chosen();
  changed();
}

export function toggleScheme() {
  localStorage.setItem(KEY, isDark() ? "light" : "dark");
  applyScheme();
}

system.addEventListener("change", applyScheme);
