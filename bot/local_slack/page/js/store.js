// What the page knows: one `Desk` per acting person, kept live, so that switching person or channel shows at once.

/**
 * @typedef {{ts: string, type?: string, subtype?: string, user?: string, bot_id?: string, username?: string, text?: string,
 *   blocks?: any[], thread_ts?: string, reply_count?: number, reply_users?: string[], latest_reply?: string,
 *   reactions?: {name: string, users: string[], count: number}[], files?: any[], edited?: any, ephemeral?: boolean}} Message
 * @typedef {{id: string, name: string, type: "channel"|"im", user?: string, member: boolean, members: string[], topic?: string,
 *   archived: boolean, unread: number, mentions: number, read: string, latest?: string}} Channel
 * @typedef {{id: string, name: string, real_name: string, tz?: string, is_bot: boolean, is_guest: boolean, color?: string}} Person
 */

/** One acting person's view of the workspace. */
export class Desk {
  /** @param {string} me */
  constructor(me) {
    this.me = me;
    this.ready = false;
    this.online = true;
    this.team = { id: "", name: "Workspace" };
    /** @type {any} */ this.app = null;
    /** @type {Map<string, Person>} */ this.people = new Map();
    /** @type {Map<string, Channel>} */ this.channels = new Map();
    /** @type {any[]} */ this.commands = [];
    /** @type {any[]} */ this.shortcuts = [];
    /** @type {Map<string, {messages: Message[], more: boolean}>} */ this.histories = new Map();
    /** @type {Map<string, Message[]>} key: channel/ts */ this.threads = new Map();
    /** @type {Map<string, Message[]>} what came while a list was being read; key: channel or channel/ts */
    this.arriving = new Map();
    /** how many events have come */ this.heard = 0;
    /** @type {any[]} open modals, the top one last */ this.views = [];
    /** @type {any} */ this.home = undefined;
    /** @type {any[]} newest first */ this.notifications = [];
    /** how many of them the log has shown */ this.noticed = 0;
    /** @type {Map<string, string>} channel -> first unread ts when it was opened */ this.newFrom = new Map();
  }

  /** @param {any} body the answer of GET /person/workspace */
  load(body) {
    this.team = body.team;
    this.app = body.app;
    this.people = new Map(body.people.map((person) => [person.id, person]));
    this.channels = new Map(body.channels.map((channel) => [channel.id, channel]));
    this.commands = body.commands;
    this.shortcuts = body.shortcuts;
    this.ready = true;
  }

  /** @param {string|undefined} id */
  personName(id) {
    const person = id && this.people.get(id);
    return person ? person.real_name || person.name : id || "Unknown";
  }

  /** @param {Channel} channel */
  channelName(channel) {
    return channel.type === "im" ? this.personName(channel.user) : channel.name;
  }

  /** Is this person the app's bot user? @param {string|undefined} id */
  isApp(id) {
    return Boolean(this.app && id && id === this.app.user);
  }

  /** How many things ask for this person's eye, over all channels. */
  badge() {
    let count = 0;
    for (const channel of this.channels.values()) count += channel.type === "im" ? channel.unread : channel.mentions;
    return count;
  }

  /** A top-level message that has been read. @param {string} channel @param {string} ts */
  find(channel, ts) {
    return this.histories.get(channel)?.messages.find((message) => message.ts === ts);
  }
}

/** The page's state that belongs to no person in particular. */
export const state = {
  /** @type {Map<string, Desk>} */ desks: new Map(),
  me: "",
  /** @type {{channel: string, thread: string, home: boolean}} */ place: { channel: "", thread: "", home: false },
  /** @type {""|"notifications"|"traffic"} */ panel: "",
  drawer: false,
  /** @type {Map<string, number>} control key -> when it was pressed */ busy: new Map(),
  /** @type {string} ts of the message being edited */ editing: "",
};

/** The acting person's desk. */
export function desk() {
  return state.desks.get(state.me);
}

const renderers = [];
let scheduled = false;

/** Register a function that brings its part of the page up to date. @param {() => void} render */
export function onRender(render) {
  renderers.push(render);
}

/** Ask for one render of everything in the next frame; cheap, since each part compares before it touches the page. */
export function changed() {
  if (scheduled) return;
  scheduled = true;
  const run = () => {
    scheduled = false;
    for (const render of renderers) render();
  };
  if (document.hidden) setTimeout(run, 16);
  else requestAnimationFrame(run);
}
