// What a person does on this page: each function talks to the workspace and brings the state up to date.
import { follow, get, post, Refused } from "./api.js";
import { apply, closeView, put } from "./events.js";
import { forgetValues, valuesOf } from "./render/values.js";
import { remember, writeHash } from "./route.js";
import { changed, desk, Desk, state } from "./store.js";
import { complain, toast } from "./views/toasts.js";

const PAGE = 50;
const isOpen = (person) => (channel) =>
  person === state.me && state.place.channel === channel && !state.place.home && document.visibilityState === "visible";

/** Make a person's desk and keep it live. @param {string} person */
export async function ensureDesk(person) {
  const known = state.desks.get(person);
  if (known) return known;
  const made = new Desk(person);
  state.desks.set(person, made);
  await listen(made); // before reading: what happens while the page reads must not be missed
  await read(made);
  return made;
}

/** Hear of every change; resolves once the workspace listens, or cannot be reached. @param {Desk} made */
function listen(made) {
  const { me } = made;
  let greeted = false;
  return new Promise((resolve) => {
    follow(
      me,
      (event) => {
        made.heard += 1;
        apply(made, event, isOpen(me));
        if (event.type === "message" && isOpen(me)(event.channel)) markRead();
        if (event.type === "channel") lookAgain(made).catch((error) => complain(error, "Could not look again"));
        if (event.type === "changed" || event.type === "ephemeral_changed")
          settleMessage(event.channel, event.message.ts);
        if (event.type === "view_updated" || event.type === "home") settle(event.view?.id || "home");
        changed();
      },
      (what) => {
        made.online = what === "open";
        if (what === "open" && greeted) refresh(made).catch((error) => complain(error, "Could not catch up"));
        if (what === "open") greeted = true;
        resolve(undefined);
        changed();
      },
    );
  });
}

/** Read all that is small; again, if something happened while it was read. @param {Desk} made */
async function read(made) {
  for (let tries = 0, heard = -1; tries < 5 && heard !== made.heard; tries += 1) {
    heard = made.heard;
    const [workspace, log, open] = await Promise.all([
      get("workspace", { as: made.me }),
      get("notifications", { as: made.me }),
      get("views", { as: made.me }),
    ]);
    made.load(workspace);
    made.notifications = [...log.notifications].reverse();
    made.views = open.views;
  }
}

/** Channels came, went or changed. @param {Desk} made */
async function lookAgain(made) {
  made.load(await get("workspace", { as: made.me }));
  changed();
}

/** After a lost connection: read again what is on show; the rest is read when it is opened. @param {Desk} made */
async function refresh(made) {
  await read(made);
  made.histories.clear();
  made.threads.clear();
  if (made.me === state.me) await show();
}

/** Act as another person, in the same place where they can see it. @param {string} person */
export async function switchPerson(person) {
  const next = await ensureDesk(person);
  state.me = person;
  state.editing = "";
  const channel = next.channels.get(state.place.channel);
  if (!state.place.home && (!channel || !channel.member))
    state.place = { channel: firstChannel(next), thread: "", home: false };
  writeHash();
  await show();
}

/** The channel a newcomer should see: one in which the app is. @param {Desk} made */
export function firstChannel(made) {
  const mine = [...made.channels.values()].filter(
    (channel) => channel.member && !channel.archived && channel.type === "channel",
  );
  return (mine.find((channel) => channel.members.includes(made.app?.user)) || mine[0])?.id || "";
}

/** Load and show the place in `state.place`. */
export async function show() {
  const here = desk();
  const { channel, thread, home } = state.place;
  changed();
  remember();
  if (home) return openedHome();
  if (!channel) return undefined;
  const { unread = 0, read = "" } = here.channels.get(channel) || {};
  if (!here.histories.has(channel)) await load(here, channel);
  const first =
    unread &&
    read > "1" &&
    here.histories.get(channel).messages.find((message) => message.ts > read && message.user !== here.me);
  if (first) here.newFrom.set(channel, first.ts);
  else here.newFrom.delete(channel);
  changed();
  markRead();
  if (thread) await loadThread(here, channel, thread);
  return undefined;
}

async function load(here, channel) {
  const answer = await arriving(here, channel, () => get("history", { as: here.me, channel, limit: PAGE }));
  here.histories.set(channel, { messages: answer.messages, more: answer.has_more });
}

async function loadThread(here, channel, ts) {
  const key = `${channel}/${ts}`;
  const answer = await arriving(here, key, () => get("thread", { as: here.me, channel, ts }));
  here.threads.set(key, answer.messages);
  changed();
}

/** Read messages; what came or changed on the way is newer than the answer. */
async function arriving(here, key, ask) {
  const fresh = [];
  here.arriving.set(key, fresh);
  try {
    const answer = await ask();
    for (const message of fresh) put(answer.messages, message);
    return answer;
  } finally {
    here.arriving.delete(key);
  }
}

/** Read the messages before those on show. */
export async function loadOlder() {
  const here = desk();
  const { channel } = state.place;
  const history = here.histories.get(channel);
  if (!history || !history.more || !history.messages.length) return;
  const answer = await get("history", { as: here.me, channel, before: history.messages[0].ts, limit: PAGE });
  for (const message of answer.messages) put(history.messages, message);
  history.more = answer.has_more;
  changed();
}

/** @param {Partial<{channel: string, thread: string, home: boolean}>} place */
export function go(place) {
  state.place = { channel: place.channel || "", thread: place.thread || "", home: Boolean(place.home) };
  state.drawer = false;
  state.editing = "";
  writeHash();
  return show().catch((error) => complain(error, "Could not open this"));
}

export const openThread = (channel, ts) => go({ channel, thread: ts });
export const closeThread = () => go({ channel: state.place.channel });

/** @param {string} user */
export async function openDm(user) {
  try {
    const { channel } = await post("dm", { as: state.me, user });
    if (!desk().channels.has(channel)) desk().load(await get("workspace", { as: state.me }));
    await go({ channel });
  } catch (error) {
    complain(error, "Could not open the conversation");
  }
}

async function openedHome() {
  const here = desk();
  const answer = await post("home", { as: here.me });
  if (answer.view || here.home === undefined) here.home = answer.view || null;
  changed();
}

/** Everything in the open channel has been seen. */
export function markRead() {
  const here = desk();
  const channel = here?.channels.get(state.place.channel);
  if (!channel || document.visibilityState !== "visible" || state.place.home) return;
  if (!channel.latest || channel.read >= channel.latest) return;
  Object.assign(channel, { unread: 0, mentions: 0, read: channel.latest });
  post("read", { as: here.me, channel: channel.id, ts: channel.latest }).catch(() => undefined);
}

/** @param {string} channel @param {string} thread @param {string} text as typed @returns {Promise<boolean>} */
export async function send(channel, thread, text) {
  try {
    await post("message", { as: state.me, channel, text, thread_ts: thread || undefined });
    return true;
  } catch (error) {
    complain(error, "Not sent");
    return false;
  }
}

/** @returns {Promise<boolean>} whether the app took the command */
export async function runCommand(channel, thread, command, text) {
  try {
    await post("command", { as: state.me, channel, command, text, thread_ts: thread || undefined });
    return true;
  } catch (error) {
    if (error instanceof Refused && error.code === "dispatch_failed")
      toast(`${command} failed: ${error.message || NO_ANSWER}`, "error");
    else complain(error, command);
    return false;
  }
}

const NO_ANSWER = "the app did not respond within 3 seconds.";
/** A control stays busy a little after the app's answer, so that the change it makes is seen to follow the click. */
const LINGER_MS = 700;

function settle(prefix) {
  for (const key of state.busy.keys()) if (key.startsWith(prefix)) state.busy.delete(key);
}

const settleMessage = (channel, ts) => settle(`${channel}:${ts}|`);

async function whileBusy(key, doing, work) {
  if (state.busy.has(key)) return;
  const pressed = Date.now();
  state.busy.set(key, pressed);
  changed();
  const release = () => {
    if (state.busy.get(key) === pressed) state.busy.delete(key);
    changed();
  };
  try {
    await work();
    setTimeout(release, LINGER_MS);
  } catch (error) {
    release();
    if (error instanceof Refused && error.code === "dispatch_failed")
      toast(error.message || `No answer: ${NO_ANSWER}`, "error");
    else complain(error, doing);
  }
}

/**
 * Press a control of a message or a view.
 * @param {string} surface the surface's key, see `Surface`
 * @param {object} container @param {any} block @param {any} element @param {object} chosen @param {any[]} blocks
 */
export function act(surface, container, block, element, chosen, blocks) {
  const action = { ...chosen, block_id: block.block_id, action_id: element.action_id, type: element.type };
  return whileBusy(`${surface}|${block.block_id}|${element.action_id}`, "That did not work", () =>
    post("action", { as: state.me, container, action, state: valuesOf(surface).state(blocks) }),
  );
}

/** @param {string} callback @param {string} [channel] @param {string} [ts] */
export function runShortcut(callback, channel, ts) {
  return whileBusy(`shortcut|${callback}`, "The shortcut failed", () =>
    post("shortcut", { as: state.me, callback_id: callback, channel, ts }),
  );
}

export async function react(channel, message, name) {
  const mine = (message.reactions || []).some(
    (reaction) => reaction.name === name && reaction.users.includes(state.me),
  );
  await post("react", { as: state.me, channel, ts: message.ts, name, remove: mine }).catch((error) =>
    complain(error, "Could not react"),
  );
}

export async function edit(channel, ts, text) {
  await post("edit", { as: state.me, channel, ts, text }).catch((error) => complain(error, "Could not edit"));
}

export async function remove(channel, ts) {
  await post("delete", { as: state.me, channel, ts }).catch((error) => complain(error, "Could not delete"));
}

/**
 * Submit a modal. Resolves to the errors by block, empty when the app took it.
 * @param {any} view @returns {Promise<Record<string, string>>}
 */
export async function submitView(view) {
  const here = desk();
  try {
    const answer = await post("view/submit", {
      as: here.me,
      view_id: view.id,
      state: valuesOf(view.id).state(view.blocks),
    });
    if (answer.result === "closed") closeView(here, view.id);
    if (answer.result === "cleared") here.views = [];
    if (!here.views.includes(view)) forgetValues(view.id);
    changed();
    return {};
  } catch (error) {
    if (error instanceof Refused && error.body?.errors) return error.body.errors;
    if (error instanceof Refused && error.code === "dispatch_failed")
      return { "": error.message || `No answer: ${NO_ANSWER}` };
    complain(error, "Not submitted");
    return { "": "This was not submitted. Try again." };
  }
}

/** Close the top modal, or all of the stack. @param {boolean} all */
export async function dismissView(all) {
  const here = desk();
  const closing = [...here.views].reverse().slice(0, all ? undefined : 1);
  for (const view of closing) {
    closeView(here, view.id);
    forgetValues(view.id);
  }
  changed();
  for (const view of closing) await post("view/close", { as: here.me, view_id: view.id }).catch(() => undefined);
}
