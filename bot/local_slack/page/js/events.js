// Applies what the workspace pushes to a desk. Pure bookkeeping: no DOM and no network.
/** @typedef {import("./store.js").Desk} Desk */
/** @typedef {import("./store.js").Message} Message */

/** Put a message into a list ordered by ts, replacing the same ts. @param {Message[]} list @param {Message} message */
export function put(list, message) {
  const at = list.findIndex((other) => other.ts === message.ts);
  if (at >= 0) {
    list[at] = message;
    return;
  }
  let end = list.length;
  while (end > 0 && list[end - 1].ts > message.ts) end -= 1;
  list.splice(end, 0, message);
}

const isReply = (message) => Boolean(message.thread_ts && message.thread_ts !== message.ts);

/** Every list in which this message has a place, those still being read included. @param {Desk} desk */
function lists(desk, channel, message) {
  const thread = `${channel}/${isReply(message) ? message.thread_ts : message.ts}`;
  const found = [desk.threads.get(thread), desk.arriving.get(thread)];
  if (!isReply(message) || message.subtype === "thread_broadcast")
    found.push(desk.histories.get(channel)?.messages, desk.arriving.get(channel));
  return found.filter(Boolean);
}

function added(desk, channelId, message, isOpen) {
  for (const list of lists(desk, channelId, message)) put(list, message);
  const channel = desk.channels.get(channelId);
  if (!channel || message.ephemeral) return;
  channel.latest = message.ts;
  if (!isReply(message) && message.user !== desk.me && !isOpen(channelId)) channel.unread += 1;
}

function notified(desk, notification, isOpen) {
  desk.notifications = [notification, ...desk.notifications];
  const channel = desk.channels.get(notification.channel);
  if (channel && !isOpen(notification.channel)) channel.mentions += 1;
}

function removed(desk, channelId, ts) {
  const drop = (list) => {
    const at = list.findIndex((message) => message.ts === ts);
    if (at >= 0) list.splice(at, 1);
  };
  const history = desk.histories.get(channelId);
  if (history) drop(history.messages);
  for (const [key, list] of desk.threads) if (key.startsWith(`${channelId}/`)) drop(list);
}

function viewChanged(desk, view) {
  if (desk.views.some((other) => other.id === view.id))
    desk.views = desk.views.map((other) => (other.id === view.id ? view : other));
}

/** Take a modal off the stack. @param {Desk} desk @param {string} viewId */
export function closeView(desk, viewId) {
  desk.views = desk.views.filter((view) => view.id !== viewId);
}

/**
 * @param {Desk} desk
 * @param {any} event
 * @param {(channel: string) => boolean} isOpen whether the person is looking at this channel
 */
export function apply(desk, event, isOpen) {
  switch (event.type) {
    case "message":
    case "ephemeral":
      added(
        desk,
        event.channel,
        event.type === "ephemeral" ? { ...event.message, ephemeral: true } : event.message,
        isOpen,
      );
      break;
    case "changed":
    case "ephemeral_changed": {
      const message = event.type === "ephemeral_changed" ? { ...event.message, ephemeral: true } : event.message;
      for (const list of lists(desk, event.channel, message)) put(list, message);
      break;
    }
    case "deleted":
      removed(desk, event.channel, event.ts);
      break;
    case "view_opened":
      desk.views = [...desk.views.filter((view) => view.id !== event.view.id), event.view];
      break;
    case "view_updated":
      viewChanged(desk, event.view);
      break;
    case "view_closed":
      closeView(desk, event.view.id);
      break;
    case "home":
      desk.home = event.view;
      break;
    case "read": {
      const channel = desk.channels.get(event.channel);
      if (channel && event.ts >= (channel.latest || ""))
        Object.assign(channel, { unread: 0, mentions: 0, read: event.ts });
      break;
    }
    case "people":
      for (const person of event.people || []) desk.people.set(person.id, person);
      break;
    case "notification":
      notified(desk, event.notification, isOpen);
      break;
    default: // "channel" asks for a new look at the workspace; a newer workspace may say more than this page understands
  }
}
