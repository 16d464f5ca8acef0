// The workspace's act-as-a-person API over HTTP. Every call names the person it acts as.

/** A refusal by the workspace, in its own words. */
export class Refused extends Error {
  /** @param {string} code @param {string} message @param {any} body */
  constructor(code, message, body) {
    super(message || code);
    this.code = code;
    this.body = body;
  }
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Refused("offline", "The workspace cannot be reached. Is it still running?", null);
  }
  const body = await response.json().catch(() => ({ ok: false, error: `http_${response.status}` }));
  if (body.ok) return body;
  throw new Refused(body.error || `http_${response.status}`, body.message, body);
}

/** @param {string} name @param {Record<string, string|number|undefined>} query */
export function get(name, query = {}) {
  const given = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, String(value)]);
  return call(`/person/${name}?${new URLSearchParams(given)}`, {});
}

/** @param {string} name @param {object} body */
export function post(name, body) {
  return call(`/person/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/**
 * Follow a person's events. Reconnects by itself, slower each time; `onState` hears "open" and "lost".
 * @param {string} person
 * @param {(event: any) => void} onEvent
 * @param {(state: "open"|"lost") => void} onState
 */
export function follow(person, onEvent, onState) {
  let wait = 250;
  const connect = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/person/events?as=${encodeURIComponent(person)}`);
    socket.onmessage = (frame) => {
      const event = JSON.parse(frame.data);
      if (event.type === "hello") {
        wait = 250;
        onState("open");
      } else onEvent(event);
    };
    socket.onclose = () => {
      onState("lost");
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, 5000);
    };
  };
  connect();
}
