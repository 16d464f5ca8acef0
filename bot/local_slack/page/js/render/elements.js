// Block Kit's interactive elements. A surface says what happens: see `Surface`.
import { h, icon } from "../dom.js";
import { desk, state } from "../store.js";
import { ask } from "../views/dialog.js";
import { openMenu } from "../views/popover.js";
import { picker } from "../views/picker.js";
import { withEmoji } from "./emoji.js";
import { oneLine, safeUrl, textObject } from "./mrkdwn.js";

/**
 * Where elements stand: a message, a modal or the Home tab.
 * @typedef {{key: string, values: import("./values.js").Values, errors?: Record<string, string>,
 *   act: (block: any, element: any, chosen: object) => Promise<void>}} Surface
 */

/** A text object as a string, for labels and native fields. */
const wordsOf = (object) => (object ? (object.type === "mrkdwn" ? oneLine(object.text) : withEmoji(object.text)) : "");

/** @param {Surface} surface */
const controlKey = (surface, block, element) => `${surface.key}|${block.block_id}|${element.action_id}`;

async function confirmed(element) {
  const words = element.confirm;
  if (!words) return true;
  return ask({
    title: textObject(words.title),
    text: textObject(words.text),
    confirm: wordsOf(words.confirm) || "Yes",
    deny: wordsOf(words.deny) || "Cancel",
    danger: words.style === "danger",
  });
}

function button(surface, block, element) {
  const busy = state.busy.has(controlKey(surface, block, element));
  const style = element.style ? ` button-${element.style}` : "";
  const props = {
    class: `button${style}${busy ? " busy" : ""}`,
    "aria-label": element.accessibility_label,
    data: { action: element.action_id, block: block.block_id },
  };
  const press = async () => {
    if (await confirmed(element)) await surface.act(block, element, { value: element.value });
  };
  const url = element.url && safeUrl(element.url);
  if (url)
    return h(
      "a",
      { ...props, href: url, target: "_blank", rel: "noopener noreferrer", on: { click: press } },
      textObject(element.text),
    );
  return h(
    "button",
    { ...props, type: "button", disabled: busy, "aria-busy": busy ? "true" : null, on: { click: press } },
    h("span", { class: "button-text" }, textObject(element.text)),
  );
}

function overflow(surface, block, element) {
  const choose = (option) => async () => {
    if (!(await confirmed(element))) return;
    if (option.url && safeUrl(option.url)) window.open(option.url, "_blank", "noopener");
    await surface.act(block, element, { selected_option: option });
  };
  const items = element.options.map((option) => ({
    label: wordsOf(option.text),
    hint: wordsOf(option.description),
    run: choose(option),
  }));
  const busy = state.busy.has(controlKey(surface, block, element));
  const node = h(
    "button",
    {
      type: "button",
      class: `button button-icon${busy ? " busy" : ""}`,
      disabled: busy,
      "aria-label": "More actions",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
    },
    icon("more"),
  );
  node.addEventListener("click", () => openMenu(node, items));
  return node;
}

const optionChoice = (group) => (option) => ({
  key: option.value,
  label: wordsOf(option.text),
  hint: wordsOf(option.description),
  group,
  raw: option,
});
const personChoice = (person) => ({
  key: person.id,
  label: person.real_name || person.name,
  hint: `@${person.name}`,
  raw: person.id,
});
const channelChoice = (channel) => ({ key: channel.id, label: `#${channel.name}`, raw: channel.id });

function choicesOf(element) {
  if (element.type.includes("static_select")) {
    if (element.option_groups)
      return element.option_groups.flatMap((group) => group.options.map(optionChoice(wordsOf(group.label))));
    return element.options.map(optionChoice(""));
  }
  const here = desk();
  if (element.type.includes("users_select"))
    return [...here.people.values()].filter((person) => !person.is_bot).map(personChoice);
  return [...here.channels.values()]
    .filter((channel) => channel.type === "channel" && !channel.archived)
    .map(channelChoice);
}

/** The name under which an element's pick travels. */
const FIELD = {
  static_select: "selected_option",
  users_select: "selected_user",
  channels_select: "selected_channel",
  conversations_select: "selected_conversation",
  multi_static_select: "selected_options",
  multi_users_select: "selected_users",
};

function select(surface, block, element, label) {
  const multi = element.type.startsWith("multi_");
  const field = FIELD[element.type];
  const held = surface.values.get(block.block_id, element)[field];
  const keys = (multi ? held : held ? [held] : []).map((one) => (typeof one === "string" ? one : one.value));
  const placeholder = wordsOf(element.placeholder) || (multi ? "Choose some" : "Choose one");
  return picker({
    label: label || placeholder,
    placeholder,
    choices: choicesOf(element),
    picked: keys,
    multi,
    ...wiring(surface, block),
    onPick: async (chosen) => {
      const value = multi ? chosen.map((choice) => choice.raw) : chosen[0].raw;
      if (!(await confirmed(element))) return;
      surface.values.set(block.block_id, element, { [field]: value });
      await tell(surface, block, element);
    },
  });
}

/** Inputs are silent unless they ask to be heard; sections and actions always tell. */
async function tell(surface, block, element) {
  if (block.type !== "input" || block.dispatch_action)
    await surface.act(block, element, surface.values.get(block.block_id, element));
}

const wiring = (surface, block) => ({
  invalid: Boolean(surface.errors?.[block.block_id]),
  describedBy: block.type === "input" ? `note-${block.block_id}` : undefined,
});

function checks(surface, block, element, label) {
  const many = element.type === "checkboxes";
  const group = `${surface.key}-${block.block_id}-${element.action_id}`;
  const isOn = (option) => {
    const held = surface.values.get(block.block_id, element);
    return many
      ? held.selected_options.some((one) => one.value === option.value)
      : held.selected_option?.value === option.value;
  };
  const boxes = element.options.map((option) => {
    const box = h("input", { type: many ? "checkbox" : "radio", name: group });
    box.checked = isOn(option);
    box.addEventListener("change", () => {
      const on = element.options.filter((_, at) => boxes[at].querySelector("input").checked);
      surface.values.set(block.block_id, element, many ? { selected_options: on } : { selected_option: on[0] || null });
      tell(surface, block, element);
    });
    return h(
      "label",
      { class: "check" },
      box,
      h("span", null, textObject(option.text), option.description && h("small", null, textObject(option.description))),
    );
  });
  return h("div", { class: "checks", role: many ? "group" : "radiogroup", "aria-label": label || null }, boxes);
}

function typed(surface, block, element, label) {
  const { invalid, describedBy } = wiring(surface, block);
  const kind = { email_text_input: "email", url_text_input: "url", number_input: "text" }[element.type] || "text";
  const field = h(element.multiline ? "textarea" : "input", {
    class: "field",
    type: element.multiline ? null : kind,
    inputmode: element.type === "number_input" ? "decimal" : null,
    placeholder: wordsOf(element.placeholder),
    rows: element.multiline ? 5 : null,
    maxlength: element.max_length,
    "aria-label": label,
    "aria-invalid": invalid ? "true" : null,
    "aria-describedby": describedBy,
    "data-autofocus": element.focus_on_load ? "" : null,
    value: surface.values.get(block.block_id, element).value || "",
  });
  field.addEventListener("input", () => surface.values.set(block.block_id, element, { value: field.value || null }));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && block.dispatch_action && !element.multiline) tell(surface, block, element);
  });
  return field;
}

function moment(surface, block, element, label) {
  const name = element.type === "datepicker" ? "selected_date" : "selected_time";
  const { invalid, describedBy } = wiring(surface, block);
  const field = h("input", {
    class: "field field-short",
    type: element.type === "datepicker" ? "date" : "time",
    "aria-label": label || wordsOf(element.placeholder) || name,
    "aria-invalid": invalid ? "true" : null,
    "aria-describedby": describedBy,
    value: surface.values.get(block.block_id, element)[name] || "",
  });
  field.addEventListener("change", () => {
    surface.values.set(block.block_id, element, { [name]: field.value || null });
    tell(surface, block, element);
  });
  return field;
}

const MAKERS = {
  button,
  overflow,
  checkboxes: checks,
  radio_buttons: checks,
  static_select: select,
  users_select: select,
  channels_select: select,
  conversations_select: select,
  multi_static_select: select,
  multi_users_select: select,
  plain_text_input: typed,
  email_text_input: typed,
  url_text_input: typed,
  number_input: typed,
  datepicker: moment,
  timepicker: moment,
};

/** @param {Surface} surface @param {any} block @param {any} element @param {string} [label] @returns {Node|null} */
export function interactive(surface, block, element, label) {
  const hidden = element.visible_to_user_ids && !element.visible_to_user_ids.includes(state.me);
  if (hidden) return null;
  const make = MAKERS[element.type];
  return make
    ? make(surface, block, element, label)
    : h("span", { class: "unknown" }, `${element.type} cannot be shown here`);
}
