// What this side sends in the call is recorded in pieces of a few seconds, which go to the clinic one after the other
// and are tried again until they have arrived. At the desk: whether everybody's recording goes on.
"use strict";

window.Recording = (() => {
  const box = document.getElementById("call");
  const mark = box?.querySelector("[data-part=recorded]");
  if (!mark) return null;
  const { base, token, me, doctor } = box.dataset;
  const say = JSON.parse(mark.dataset.texts);
  const problem = box.querySelector("[data-part=unrecorded]");
  const SLICE = 4000; // milliseconds of a piece
  const MOST = 200; // pieces that wait for the network: thirteen minutes
  const SILENCE = 12000; // milliseconds without a piece that arrived, after which nothing is recorded
  const BITS = { videoBitsPerSecond: 250000, audioBitsPerSecond: 32000 };
  const TYPES = {
    video: ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"],
    audio: ["audio/webm;codecs=opus", "audio/webm", "audio/mp4"],
  };
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  // --- to the clinic: in order, one at a time

  const queue = [];
  let sending = null;
  let arrived = 0; // when the clinic last had something of the recording that goes on
  let refused = false;

  function put(path, body, type) {
    queue.push({ path, body, type });
    if (queue.length > MOST) queue.splice(1, 1); // the first may be on its way
    sending ||= empty().finally(() => { sending = null; });
  }

  const post = ({ path, body, type }, options = {}) => fetch(`${base}/recordings/${path()}`, {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRFToken": token, "Content-Type": type },
    body: body(),
    redirect: "error",
    ...options,
  });

  async function empty() {
    for (let tries = 0; queue.length;) {
      const one = queue[0];
      const status = await post(one).then((answer) => answer.status, () => 0);
      if (status && status < 500 && status !== 429 && status !== 408) {
        if (queue[0] === one) queue.shift();
        tries = 0;
        refused = status >= 400;
        if (!refused) arrived = performance.now();
      } else await pause(Math.min(500 * (tries += 1), 5000));
    }
  }

  // --- one recording: until camera or microphone change

  function begin(tracks) {
    const id = crypto.randomUUID();
    const since = performance.now();
    const age = () => Math.round(performance.now() - since);
    const one = { since, pieces: 0, failed: "", stop() {}, over: null };
    let why = tracks.length ? "over" : "nothing";
    one.over = { path: () => `${id}/over`, body: () => JSON.stringify({ why, pieces: one.pieces, age: age() }), type: "application/json" };
    const over = () => put(one.over.path, one.over.body, one.over.type);
    const fails = (how) => { one.failed = why = how; over(); };
    if (!tracks.length) return over(), one;
    const type = TYPES[tracks.some((track) => track.kind === "video") ? "video" : "audio"]
      .find((name) => window.MediaRecorder?.isTypeSupported(name));
    if (!type) return fails("unsupported"), one;
    try {
      const recorder = new MediaRecorder(new MediaStream(tracks), { mimeType: type, ...BITS });
      recorder.ondataavailable = ({ data }) => {
        if (!data.size) return;
        const n = one.pieces;
        one.pieces += 1;
        put(() => `${id}/${n}?age=${age()}`, () => data, type);
      };
      recorder.onerror = () => { one.failed = why = "broken"; };
      recorder.onstop = () => { over(); if (one.failed) again(one); };
      recorder.start(SLICE);
      one.stop = () => { if (recorder.state !== "inactive") recorder.stop(); };
    } catch (error) {
      console.warn(error);
      fails("broken");
    }
    return one;
  }

  let going = null; // the recording that goes on
  let own = null; // what it is of
  let breaks = 0;

  function again(broken) { // a recorder that failed is begun anew, three times
    breaks += 1;
    if (breaks <= 3) setTimeout(() => { if (going === broken) going = begin(own.tracks); }, 1000);
  }

  box.addEventListener("own", ({ detail }) => {
    const same = own?.joined === detail.joined && String(own.tracks.map(({ id }) => id)) === String(detail.tracks.map(({ id }) => id));
    if (same) return;
    own = detail;
    going?.stop();
    if (!going) arrived = performance.now(); // a call begins
    going = own.joined ? begin(own.tracks) : null;
    box.toggleAttribute("data-recorded", Boolean(going));
    shown();
  });

  window.addEventListener("pagehide", () => { // what the browser has of the last seconds is lost
    if (going) post(going.over, { keepalive: true }).catch(() => {});
  });

  // --- what is shown

  const wall = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" });
  const bad = new Map(); // by account: since when, and how often it was so when the desk asked
  let told = "";

  function failing() { // this side's own recording
    if (!going || !own.tracks.length) return false;
    return Boolean(going.failed) || refused || performance.now() - Math.max(arrived, 0) > SILENCE;
  }

  function shown() {
    const lines = [];
    if (failing()) {
      if (!told) told = wall.format(new Date());
      lines.push(going.failed === "unsupported" ? say.cannot : say.own.replace("{time}", told));
    } else told = "";
    for (const [account, { since, times }] of bad) {
      if (times > 1 && !(account === me && told)) lines.push(say.other.replace("{time}", since).replace("{name}", name(account)));
    }
    const text = lines.join("\n");
    if (problem.textContent !== text) problem.textContent = text; // said aloud once
    problem.hidden = !text;
  }

  const name = (account) => JSON.parse(box.dataset.people)[account] || "";

  async function ask() { // at the desk: of everybody in the call
    const answer = await fetch(`${base}/recordings/standing`, { headers: { Accept: "application/json" }, redirect: "error" });
    if (!answer.ok) return;
    const found = await answer.json();
    const there = own?.joined ? [me, ...window.Call.peers()] : [];
    for (const account of bad.keys()) if (!there.includes(account)) bad.delete(account);
    for (const account of there) {
      const stands = found[account];
      if (stands?.ok) bad.delete(account);
      else bad.set(account, { since: stands?.since || bad.get(account)?.since || wall.format(new Date()), times: (bad.get(account)?.times || 0) + 1 });
    }
  }

  setInterval(async () => {
    if (doctor && own?.joined) await ask().catch(() => {});
    shown();
  }, 4000);

  // Resolves when everything has arrived, at the latest after five seconds: the page may be left then.
  const finished = async () => {
    await pause(200); // the last piece comes a moment after the end
    await Promise.race([sending, pause(5000)]);
  };
  return { finished };
})();
