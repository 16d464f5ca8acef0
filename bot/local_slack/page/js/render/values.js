// What a person has put into the stateful elements of one message or view, in the shape of Slack's `state.values`.

const INITIAL = {
  plain_text_input: (element) => ({ value: element.initial_value ?? null }),
  email_text_input: (element) => ({ value: element.initial_value ?? null }),
  url_text_input: (element) => ({ value: element.initial_value ?? null }),
  number_input: (element) => ({ value: element.initial_value ?? null }),
  static_select: (element) => ({ selected_option: element.initial_option ?? null }),
  radio_buttons: (element) => ({ selected_option: element.initial_option ?? null }),
  checkboxes: (element) => ({ selected_options: element.initial_options ?? [] }),
  multi_static_select: (element) => ({ selected_options: element.initial_options ?? [] }),
  users_select: (element) => ({ selected_user: element.initial_user ?? null }),
  multi_users_select: (element) => ({ selected_users: element.initial_users ?? [] }),
  channels_select: (element) => ({ selected_channel: element.initial_channel ?? null }),
  conversations_select: (element) => ({ selected_conversation: element.initial_conversation ?? null }),
  datepicker: (element) => ({ selected_date: element.initial_date ?? null }),
  timepicker: (element) => ({ selected_time: element.initial_time ?? null }),
};

/** The element kinds that a person can fill in. */
const isStateful = (element) => element.type in INITIAL;

/** @param {any} block @returns {any[]} the interactive elements of one block */
function elementsOf(block) {
  if (block.type === "input") return [block.element];
  if (block.type === "section" && block.accessory) return [block.accessory];
  return block.type === "actions" ? block.elements : [];
}

/** One surface's values; survives re-rendering, keeps what is typed where block and action stay the same. */
export class Values {
  constructor() {
    /** @type {Map<string, any>} */ this.held = new Map();
  }

  /** @param {string} blockId @param {any} element */
  get(blockId, element) {
    const key = `${blockId}|${element.action_id}`;
    if (!this.held.has(key)) this.held.set(key, { type: element.type, ...INITIAL[element.type](element) });
    return this.held.get(key);
  }

  /** @param {string} blockId @param {any} element @param {object} value */
  set(blockId, element, value) {
    this.held.set(`${blockId}|${element.action_id}`, { type: element.type, ...value });
  }

  /** Slack's `state`, for the blocks that are on show. @param {any[]} blocks */
  state(blocks) {
    const values = {};
    for (const block of blocks) {
      for (const element of elementsOf(block)) {
        if (!isStateful(element)) continue;
        (values[block.block_id] ||= {})[element.action_id] = this.get(block.block_id, element);
      }
    }
    return { values };
  }
}

/** @type {Map<string, Values>} */
const surfaces = new Map();

/** The values of a message ("channel:ts") or a view (its id). @param {string} key */
export function valuesOf(key) {
  if (!surfaces.has(key)) surfaces.set(key, new Values());
  return surfaces.get(key);
}

/** @param {string} key */
export const forgetValues = (key) => surfaces.delete(key);
