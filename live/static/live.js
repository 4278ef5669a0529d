// What happens, as it happens: a stream that comes back by itself and misses nothing; polling when there is none.
"use strict";

window.Live = (() => {
  const PATIENCE = 40000; // milliseconds without a byte after which a stream is dead (a beat comes every 15 s)
  const POLL = 3000;
  const FAILS = 3; // streams that failed in a row, after which is polled
  const AGAIN = 5; // polls between two tries for a stream
  const channels = new Map();

  class Channel {
    constructor(path, after, poll) {
      Object.assign(this, { path, after, poll, fails: 0, over: false, handlers: new Set(), heard: Date.now() });
      this.wake = () => {};
      this.run();
      document.addEventListener("visibilitychange", () => {
        if (document.hidden) return;
        if (Date.now() - this.heard > PATIENCE / 2) this.abort?.abort(); // the phone was locked: don't trust it
        this.wake();
      });
      window.addEventListener("online", () => this.wake());
    }

    async run() {
      for (let round = 0; !this.over; round += 1) {
        const polling = this.fails >= FAILS;
        if (!polling || round % AGAIN === 0) await this.stream().catch(() => {});
        if (this.over) return;
        this.fails += 1;
        if (this.fails >= FAILS) await this.ask().catch(() => {});
        if (!this.over) await this.pause(this.fails >= FAILS ? POLL : 500 * this.fails);
      }
    }

    pause(milliseconds) {
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.wake = () => { clearTimeout(timer); resolve(); };
      });
    }

    async stream() {
      const url = new URL(this.path, location.href);
      const { origin, home } = JSON.parse(document.querySelector("[data-live]")?.dataset.live || "{}");
      if (origin && location.host === home) url.host = new URL(origin).host;
      if (this.poll) url.searchParams.set("after", this.after);
      this.abort = new AbortController();
      this.heard = Date.now();
      const watch = setInterval(() => { if (Date.now() - this.heard > PATIENCE) this.abort.abort(); }, 2000);
      try {
        const answer = await fetch(url, { credentials: "include", signal: this.abort.signal, cache: "no-store" });
        if (answer.status === 401 || answer.status === 403 || answer.status === 404) return this.end("gone");
        if (!answer.ok) return;
        await this.read(answer.body.getReader());
      } finally {
        clearInterval(watch);
        this.abort.abort();
      }
    }

    async read(reader) {
      const decoder = new TextDecoder();
      for (let rest = ""; ; ) {
        const { done, value } = await reader.read();
        if (done) return;
        this.heard = Date.now();
        this.fails = 0;
        const frames = (rest + decoder.decode(value, { stream: true })).split("\n\n");
        rest = frames.pop();
        for (const frame of frames) this.take(frame);
      }
    }

    take(frame) {
      const fields = Object.fromEntries(frame.split("\n").map((line) => {
        const colon = line.indexOf(": ");
        return [line.slice(0, colon), line.slice(colon + 2)];
      }));
      if (!fields.event || fields.event === "beat") return;
      if (fields.event === "over") this.end("over");
      else if (fields.id) this.tell(JSON.parse(fields.data));
      else this.told({ kind: fields.event, data: JSON.parse(fields.data) });
    }

    async ask() {
      if (!this.poll) return this.told({ kind: "line", data: {} }); // nothing to ask: the page looks for itself
      const answer = await fetch(`${this.poll}?after=${this.after}`, { headers: { Accept: "application/json" }, redirect: "error" });
      if (answer.status === 401 || answer.status === 403 || answer.status === 404) return this.end("gone");
      if (!answer.ok) return;
      const { events, over } = await answer.json();
      events.forEach((event) => this.tell(event));
      if (over && !events.length) this.end("over");
    }

    tell(event) {
      if (event.n <= this.after) return;
      this.after = event.n;
      this.told(event);
    }

    told(event) {
      for (const handler of this.handlers) {
        try { handler(event); } catch (error) { console.error(error); }
      }
    }

    end(kind) {
      if (this.over) return;
      this.over = true;
      this.told({ kind, data: {} });
    }
  }

  // onEvent gets {n, kind, at, by, to, data}; kinds "over" and "gone" are the last, and have no n.
  // Parts of one page that listen to one path share its stream.
  function listen(path, onEvent, { after = 0, poll = null } = {}) {
    if (!channels.has(path)) channels.set(path, new Channel(path, Number(after), poll));
    channels.get(path).handlers.add(onEvent);
  }

  async function post(url, token, body, options = {}) {
    const json = !(body instanceof FormData);
    const answer = await fetch(url, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": token, ...(json ? { "Content-Type": "application/json" } : {}) },
      body: json ? JSON.stringify(body) : body,
      redirect: "error",
      ...options,
    });
    const said = await answer.json().catch(() => ({}));
    return { ok: answer.ok, status: answer.status, said };
  }

  return { listen, post };
})();
