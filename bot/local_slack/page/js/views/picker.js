// A select as Slack shows it: a button that opens a list with descriptions, a filter for long lists, one or several picks.
import { h, icon } from "../dom.js";
import { closePopover, openPopover } from "./popover.js";

/** @typedef {{key: string, label: string, hint?: string, group?: string, raw: any}} Choice */

const FILTER_FROM = 8;

function list(choices, picked, multi, onPick) {
  const box = h("div", { class: "picker", role: "presentation" });
  const options = h("div", {
    role: "listbox",
    class: "picker-options",
    "aria-multiselectable": multi ? "true" : null,
    tabindex: "-1",
  });
  const filter =
    choices.length > FILTER_FROM
      ? h("input", { class: "picker-filter", type: "text", placeholder: "Filter", "aria-label": "Filter the choices" })
      : null;
  let at = Math.max(
    0,
    choices.findIndex((choice) => picked.includes(choice.key)),
  );
  let shown = choices;

  const draw = () => {
    let group = "";
    options.replaceChildren();
    shown.forEach((choice, index) => {
      if (choice.group && choice.group !== group) options.append(h("div", { class: "picker-group" }, choice.group));
      group = choice.group || "";
      const isOn = picked.includes(choice.key);
      options.append(
        h(
          "div",
          {
            role: "option",
            class: `picker-option${index === at ? " active" : ""}`,
            "aria-selected": isOn ? "true" : "false",
            on: { click: () => pick(choice) },
          },
          h("span", { class: "menu-label" }, choice.label, choice.hint && h("small", null, choice.hint)),
          isOn && icon("check"),
        ),
      );
    });
    if (!shown.length) options.append(h("div", { class: "picker-none" }, "Nothing matches"));
    options.querySelector(".active")?.scrollIntoView({ block: "nearest" });
  };
  const pick = (choice) => {
    if (!multi) {
      closePopover();
      onPick([choice]);
      return;
    }
    const kept = picked.includes(choice.key) ? picked.filter((key) => key !== choice.key) : [...picked, choice.key];
    picked.splice(0, picked.length, ...kept);
    onPick(choices.filter((other) => kept.includes(other.key)));
    at = shown.indexOf(choice); // the list stays where the person is
    draw();
  };
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      at = (at + step + shown.length) % shown.length;
      draw();
    } else if (event.key === "Enter" && shown[at]) pick(shown[at]);
    else return;
    event.preventDefault();
  });
  filter?.addEventListener("input", () => {
    const words = filter.value.toLowerCase();
    shown = choices.filter((choice) => `${choice.label} ${choice.hint || ""}`.toLowerCase().includes(words));
    at = 0;
    draw();
  });
  draw();
  if (filter) box.append(filter);
  box.append(options);
  return { box, focus: () => (filter || options).focus() };
}

/**
 * @param {{label: string, placeholder: string, choices: Choice[], picked: string[], multi?: boolean, invalid?: boolean,
 *   describedBy?: string, onPick: (choices: Choice[]) => void}} options
 */
export function picker(options) {
  let picked = [...options.picked];
  const text = h("span", { class: "picker-text" });
  const button = h(
    "button",
    {
      type: "button",
      class: "select",
      role: "combobox",
      "aria-haspopup": "listbox",
      "aria-expanded": "false",
      "aria-label": options.label,
      "aria-invalid": options.invalid ? "true" : null,
      "aria-describedby": options.describedBy,
    },
    text,
    icon("down"),
  );
  const show = () => {
    const chosen = options.choices.filter((choice) => picked.includes(choice.key));
    text.classList.toggle("placeholder", !chosen.length);
    text.replaceChildren(
      ...(options.multi && chosen.length
        ? chosen.map((choice) => h("span", { class: "chip" }, choice.label))
        : [chosen[0]?.label || options.placeholder]),
    );
  };
  button.addEventListener("click", () => {
    const { box, focus } = list(options.choices, [...picked], Boolean(options.multi), (chosen) => {
      picked = chosen.map((choice) => choice.key);
      show();
      options.onPick(chosen);
    });
    openPopover(button, box, "popover-picker");
    if (box.isConnected) focus();
  });
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    button.click();
  });
  show();
  return button;
}
