// Starts the page: reads the place from the address, makes the parts, keeps them live.
import { ensureDesk, firstChannel, go, markRead, openDm, show, switchPerson } from "./actions.js";
import { get, Refused } from "./api.js";
import { fill, h } from "./dom.js";
import { mountKeyboard } from "./keyboard.js";
import { lastPlace, readHash, writeHash } from "./route.js";
import { changed, desk, state } from "./store.js";
import { mountChannel } from "./views/channel.js";
import { mountModal } from "./views/modal.js";
import { applyScheme } from "./views/scheme.js";
import { mountSidebar } from "./views/sidebar.js";
import { mountThread } from "./views/thread.js";
import { complain } from "./views/toasts.js";

/** Others are followed too, so that what waits for them shows; not more than these, however many there are. */
const FOLLOWED = 6;

async function begin() {
  const { people, me } = await get("workspace");
  const members = people.filter((person) => !person.is_bot);
  const wanted = location.hash.length > 1 ? { ...readHash(), me: readHash().me || lastPlace().me } : lastPlace();
  state.me = members.some((person) => person.id === wanted.me) ? wanted.me : me;
  const here = await ensureDesk(state.me);
  const channel = here.channels.has(wanted.channel) ? wanted.channel : firstChannel(here);
  state.place = { channel, thread: channel === wanted.channel ? wanted.thread : "", home: wanted.home };
  writeHash();
  await show();
  for (const person of members.slice(0, FOLLOWED)) await ensureDesk(person.id);
}

async function followAddress() {
  const wanted = readHash();
  if (wanted.me && wanted.me !== state.me) {
    state.place = wanted;
    await switchPerson(wanted.me);
  } else await go(wanted);
}

function followMentions(event) {
  const mention = event.target.closest?.("button.mention");
  if (mention?.dataset.channel && desk().channels.has(mention.dataset.channel))
    go({ channel: mention.dataset.channel });
  else if (mention?.dataset.user && mention.dataset.user !== state.me && desk().people.has(mention.dataset.user))
    openDm(mention.dataset.user);
}

function start() {
  applyScheme();
  mountSidebar(document.getElementById("sidebar"));
  const main = mountChannel(document.getElementById("main"));
  const side = mountThread(document.getElementById("side"));
  mountModal(document.getElementById("layers"));
  mountKeyboard(main, side);
  document.getElementById("scrim").addEventListener("click", () => {
    state.drawer = false;
    changed();
  });
  document.querySelector("[data-skip]").addEventListener("click", (event) => {
    event.preventDefault();
    main.composer.field.focus();
  });
  document.addEventListener("click", followMentions);
  document.addEventListener("visibilitychange", () => {
    markRead();
    changed();
  });
  window.addEventListener("popstate", () => followAddress().catch((error) => complain(error, "Could not go there")));
  begin().catch((error) => {
    const words = error instanceof Refused ? error.message : "The page could not start.";
    fill(
      document.getElementById("app"),
      h("div", { class: "empty empty-page" }, h("h2", null, "This workspace did not answer"), h("p", null, words)),
    );
    console.error(error);
  });
}

start();
