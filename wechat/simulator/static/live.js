/* The page's copy of the simulator's state, kept up by one stream of events. */

export const state = {};
const listeners = new Map();

/** Call `heard` with the data of every event of this kind. */
export function on(kind, heard) {
  listeners.set(kind, [...(listeners.get(kind) || []), heard]);
}

function tell(kind, data) {
  for (const heard of listeners.get(kind) || []) heard(data);
}

/** GET from the control API; null when that fails. */
export const get = (path) =>
  fetch(`/simulator/api${path}`).then(
    (answer) => answer.json(),
    () => null,
  );

/** POST JSON or a form to the control API; the answer, or null after telling `failed` why. */
export async function post(path, body = {}) {
  const form = body instanceof FormData;
  try {
    const answer = await fetch(`/simulator/api${path}`, {
      method: "POST",
      headers: form ? {} : { "Content-Type": "application/json" },
      body: form ? body : JSON.stringify(body),
    });
    const result = await answer.json();
    if (answer.ok) return result;
    tell("failed", { error: result.error, path });
  } catch (error) {
    tell("failed", { error: String(error), path });
  }
  return null;
}

/** Read the whole state. */
export async function load() {
  Object.assign(state, await (await fetch("/simulator/api/state")).json());
}

const apply = {
  message({ phone, message }) {
    const chat = state.chats[phone];
    if (chat.length && chat[chat.length - 1].n >= message.n) return false;
    chat.push(message);
    return true;
  },
  phone({ phone }) {
    Object.assign(phoneOf(phone.id), phone);
    state.chats[phone.id] = state.chats[phone.id].filter((message) => message.n > phone.cleared);
  },
  menu({ menu }) {
    state.menu = menu;
  },
  settings({ settings }) {
    state.settings = settings;
  },
  log({ entry }) {
    state.log = [...state.log.slice(-299), entry];
  },
  page() {},
  loading() {},
};

/** The phone with this id. */
export const phoneOf = (id) => state.phones.find((phone) => phone.id === id);

/** Follow the events from where `load` stands. */
export function listen() {
  const source = new EventSource(`/simulator/live?after=${state.feed}`);
  for (const [kind, change] of Object.entries(apply)) {
    source.addEventListener(kind, (event) => {
      const data = JSON.parse(event.data);
      if (change(data) !== false) tell(kind, data);
    });
  }
  source.addEventListener("reset", async () => {
    await load();
    tell("reset", {});
  });
  source.onopen = () => tell("online", {});
  source.onerror = () => tell("offline", {});
}
