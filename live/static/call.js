// The call: sound and picture from browser to browser (WebRTC, perfect negotiation), for as many as sit in the room; over
// a LiveKit server where the clinic has one (livekit.js).
// Signals go out by POST and come in over the live channel. Each account is in the call once: the newest page wins.
"use strict";

(() => {
  const box = document.getElementById("call");
  if (!box) return;
  const { base, stream, after, token, me, doctor } = box.dataset;
  let on = "on" in box.dataset;
  const say = JSON.parse(box.dataset.texts);
  const part = (name) => box.querySelector(`[data-part=${name}]`);
  const button = (name) => box.querySelector(`[data-do=${name}]`);
  const KEPT = `call:${base}`; // that this page was in the call, over a reload
  const id = Math.random().toString(36).slice(2);
  const peers = new Map(); // by account
  const own = { audio: null, video: null, facing: "user", muted: false };
  let joined = false;
  let given = null; // what the clinic said is needed to join
  let room = null; // the call at a LiveKit server
  let until = 0; // when what it said ends
  let fallen = { weak: 0, step: 0 }; // how far the call has fallen back (quality.js)
  let lock = null;

  const state = (text, name = "") => {
    part("say").textContent = text;
    box.dataset.state = name;
  };

  // --- signals: sent one after the other, tried again until they have arrived or are worthless

  let tail = Promise.resolve();
  function send(to, signal) {
    const body = { to, signal: { from: id, ...signal } };
    tail = tail.then(async () => {
      for (let tries = 0; tries < 20 && joined; tries += 1) {
        try {
          const { status } = await Live.post(`${base}/signals`, token, body);
          if (status < 500 && status !== 429) return;
        } catch { /* no network just now */ }
        await new Promise((resolve) => setTimeout(resolve, 500 + 250 * tries));
      }
    });
    return tail;
  }

  async function enter() {
    if (Date.now() < until) return given;
    const answer = await fetch(`${base}/call/servers`, { headers: { Accept: "application/json" }, redirect: "error" });
    if (!answer.ok) throw new Error(say.closed);
    given = await answer.json();
    until = Date.now() + (given.seconds ? given.seconds * 500 : 3600000);
    return given;
  }

  function figure(account) { // a place on the page for one other person
    const frame = document.createElement("figure");
    const video = document.createElement("video");
    Object.assign(video, { autoplay: true, playsInline: true });
    const name = document.createElement("figcaption");
    name.textContent = JSON.parse(box.dataset.people)[account] || "";
    frame.append(video, name);
    part("others").append(frame);
    return { frame, video };
  }

  // --- one other person

  class Peer {
    constructor(account, other, offers) {
      Object.assign(this, { account, other, offers, polite: me < account, worked: false, waiting: [], restarts: 0 });
      Object.assign(this, figure(account));
      this.open();
      this.patience = setTimeout(() => this.again(), 20000);
    }

    open() {
      this.media = new MediaStream();
      this.video.srcObject = this.media;
      const pc = new RTCPeerConnection({ iceServers: given.servers });
      Object.assign(this, { pc, making: false, ignoring: false, candidates: [] });
      pc.ontrack = ({ track }) => {
        this.media.addTrack(track);
        this.play();
      };
      pc.onicecandidate = ({ candidate }) => {
        this.candidates.push(candidate);
        if (this.candidates.length === 1) setTimeout(() => {
          if (this.pc === pc) send(this.account, { type: "candidates", for: this.other, candidates: this.candidates.splice(0) });
        }, 80);
      };
      pc.onnegotiationneeded = async () => {
        if (!this.offers && !this.worked) return; // who came last answers
        try {
          this.making = true;
          await pc.setLocalDescription();
          send(this.account, { type: "description", for: this.other, description: pc.localDescription });
        } catch (error) { console.warn(error); } finally { this.making = false; }
      };
      pc.onconnectionstatechange = () => this.changed();
      if (this.offers) {
        for (const kind of ["audio", "video"]) this.adopt(pc.addTransceiver(kind, { direction: "sendrecv" }), kind);
      }
    }

    adopt(transceiver, kind) {
      transceiver.direction = "sendrecv";
      transceiver.sender.replaceTrack(own[kind]);
      const known = kind === "video" && transceiver.setCodecPreferences && RTCRtpReceiver.getCapabilities?.("video")?.codecs;
      if (known) { // every phone can VP8; some old ones can't encode H.264
        const first = known.filter((codec) => codec.mimeType === "video/VP8");
        transceiver.setCodecPreferences([...first, ...known.filter((codec) => codec.mimeType !== "video/VP8")]);
      }
    }

    async description(description) {
      const clash = description.type === "offer" && (this.making || this.pc.signalingState !== "stable");
      this.ignoring = clash && !this.polite;
      if (this.ignoring) return;
      if (clash && !this.worked) { // both began at once: this side begins anew, as the one who answers
        this.pc.close();
        this.offers = false;
        this.open();
      }
      const { pc } = this;
      await pc.setRemoteDescription(description);
      if (description.type === "offer") {
        if (!this.offers) {
          for (const transceiver of pc.getTransceivers()) this.adopt(transceiver, transceiver.receiver.track.kind);
        }
        await pc.setLocalDescription();
        send(this.account, { type: "description", for: this.other, description: pc.localDescription });
      }
      for (const candidate of this.waiting.splice(0)) await this.candidate(candidate);
    }

    async candidate(candidate) {
      if (!this.pc.remoteDescription) return this.waiting.push(candidate);
      try {
        await this.pc.addIceCandidate(candidate ?? undefined);
      } catch (error) {
        if (!this.ignoring) console.warn(error);
      }
    }

    changed() {
      const now = this.pc.connectionState;
      clearTimeout(this.patience);
      if (now === "connected") {
        this.worked = true;
        this.restarts = 0;
        this.tell();
        state(own.video ? "" : say.sound, "connected");
      } else if (now === "disconnected") {
        state(say.lost, "lost");
        this.patience = setTimeout(() => this.restart(), 3000);
      } else if (now === "failed") {
        this.restart();
      } else {
        this.patience = setTimeout(() => this.again(), 20000);
      }
    }

    async restart() { // a new way for the same call; three times, then a new call
      this.restarts += 1;
      if (this.restarts > 3) return this.again();
      state(say.lost, "lost");
      await enter().then(() => this.pc.setConfiguration({ iceServers: given.servers })).catch(() => {});
      this.pc.restartIce();
      this.patience = setTimeout(() => this.restart(), 8000);
    }

    again() { // everything anew; meanwhile there is the chat
      this.close();
      peers.delete(this.account);
      state(say.text, "text");
      if (joined) setTimeout(() => joined && !peers.has(this.account) && send(null, { type: "hello" }), 3000);
    }

    play() {
      this.video.play().catch(() => { part("tap").hidden = false; }); // iPhones want a tap before sound
    }

    tell() { // whether there is a picture: a browser doesn't notice that none comes any more
      send(this.account, { type: "picture", for: this.other, on: Boolean(own.video) });
    }

    track(kind, track) {
      for (const transceiver of this.pc.getTransceivers()) {
        if (transceiver.receiver.track.kind === kind) transceiver.sender.replaceTrack(track);
      }
    }

    close() {
      clearTimeout(this.patience);
      this.pc.onconnectionstatechange = null;
      this.pc.close();
      this.frame.remove();
    }
  }

  // --- own sound and picture

  async function get(kind, constraints) {
    const media = await navigator.mediaDevices.getUserMedia({ [kind]: constraints });
    const [track] = media.getTracks();
    const before = own[kind];
    own[kind] = track;
    if (kind === "audio") track.enabled = !own.muted;
    publish(kind, track);
    before?.stop();
    if (kind === "video") showOwn(new MediaStream([track]));
    track.onended = () => { if (own[kind] === track) drop(kind); }; // pulled out, or taken by another program
    shown();
  }

  function publish(kind, track) {
    for (const peer of peers.values()) peer.track(kind, track);
    room?.publish(kind, track);
  }

  function drop(kind) {
    own[kind]?.stop();
    own[kind] = null;
    publish(kind, null);
    if (kind === "video") showOwn(null);
    shown();
  }

  function showOwn(picture) {
    part("mine").srcObject = picture;
    for (const peer of peers.values()) if (peer.worked) peer.tell();
  }

  const camera = () => get("video", { facingMode: own.facing, width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { max: 24 } });
  const microphone = () => get("audio", { echoCancellation: true, noiseSuppression: true });

  // What this side sends, for whoever records it (recording.js).
  const announce = () => box.dispatchEvent(new CustomEvent("own", { detail: { joined, tracks: [own.audio, own.video].filter(Boolean) } }));

  function shown() {
    announce();
    part("mine").hidden = !own.video;
    part("mine").classList.toggle("call__mirror", own.facing === "user");
    button("camera").setAttribute("aria-pressed", String(!own.video));
    button("mute").setAttribute("aria-pressed", String(own.muted || !own.audio));
  }

  async function devices() {
    const found = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    for (const kind of ["video", "audio"]) {
      const choice = part(kind);
      const these = found.filter((device) => device.kind === `${kind}input`);
      if (!choice) { if (kind === "video") button("flip").hidden = these.length < 2; continue; }
      choice.parentElement.hidden = these.length < 2;
      choice.replaceChildren(...these.map((device) => new Option(device.label, device.deviceId, false, device.label === own[kind]?.label)));
    }
  }

  // --- in and out

  async function join(wanted) {
    if (joined) return;
    part("help").hidden = true;
    state(say.opening, "opening");
    try {
      await enter();
    } catch (error) {
      return state(error instanceof TypeError ? say.offline : error.message, "");
    }
    const refused = await open(wanted);
    joined = true;
    announce();
    sessionStorage.setItem(KEPT, wanted);
    part("ask").hidden = true;
    part("stage").hidden = part("tools").hidden = false;
    state(refused ? say.refused : say.waiting, "waiting");
    if (refused) part("help").hidden = false;
    if (given.kind === "livekit") room = new LiveKitCall(hosted);
    send(null, { type: "hello" }); // also rings on the other side
    devices();
    lock = await navigator.wakeLock?.request("screen").catch(() => null);
  }

  const hosted = { // the page as livekit.js sees it
    peers, own, figure,
    enter: () => { until = 0; return enter(); }, // a fresh token each time
    waiting: () => { if (part("help").hidden) state(say.waiting, "waiting"); },
    connecting: () => { if (part("help").hidden) state(say.connecting, "connecting"); },
    connected: () => state(own.video ? "" : say.sound, "connected"),
    lost: () => state(say.lost, "lost"),
    left: () => state(say.left, "waiting"),
    unreachable: () => state(say.text, "text"),
    elsewhere: () => stop(say.elsewhere),
    tap: () => { part("tap").hidden = false; },
  };

  async function open(wanted) { // whether sound was refused; without a camera there is sound, without both one sees and hears
    if (!navigator.mediaDevices?.getUserMedia) return wanted !== "none";
    if (wanted === "video") await camera().catch(() => {});
    if (wanted === "none") return false;
    return microphone().then(() => false, () => true);
  }

  function leave(text) {
    if (joined) Live.post(`${base}/signals`, token, { to: null, signal: { from: id, type: "bye" } }, { keepalive: true }).catch(() => {});
    stop(text);
  }

  function stop(text) {
    joined = false;
    sessionStorage.removeItem(KEPT);
    room?.leave();
    room = null;
    for (const peer of peers.values()) peer.close();
    peers.clear();
    drop("video");
    drop("audio");
    lock?.release().catch(() => {});
    part("ask").hidden = !on;
    for (const name of ["stage", "tools", "tap", "quality"]) part(name).hidden = true;
    state(text, "");
  }

  // --- what comes

  let order = Promise.resolve();
  function signal({ by, data: { signal: it } }) {
    if (by === me) {
      if (it.type === "hello" && it.from !== id && joined) stop(say.elsewhere);
      return;
    }
    if (!joined) {
      if (it.type === "hello" && on) ring();
      return;
    }
    if (it.for && it.for !== id) return; // for a page of ours that is no more
    if (given.kind === "livekit") { // who is there, and what they send, LiveKit says
      if (it.type === "sound") weaken(false);
      return;
    }
    order = order.then(() => take(by, it)).catch((error) => console.warn(error));
  }

  async function take(by, it) {
    let peer = peers.get(by);
    if (it.type === "bye") {
      if (peer?.other === it.from) drop_(by);
    } else if (it.type === "hello" || !peer || peer.other !== it.from) {
      if (it.type === "hello" && peer?.other === it.from && peer.worked && peer.pc.connectionState === "connected") return;
      if (it.type !== "hello" && it.type !== "description") return;
      if (it.type === "description" && it.description.type !== "offer") return;
      peer?.close();
      await enter().catch(() => {});
      peer = new Peer(by, it.from, it.type === "hello");
      peers.set(by, peer);
      state(say.connecting, "connecting");
    }
    if (it.type === "description") await peer.description(it.description);
    if (it.type === "candidates") for (const candidate of it.candidates) await peer.candidate(candidate);
    if (it.type === "picture") peer.frame.classList.toggle("call__dark", !it.on);
    if (it.type === "sound") weaken(false);
  }

  function drop_(account) {
    peers.get(account).close();
    peers.delete(account);
    if (!peers.size) state(say.left, "waiting");
  }

  function ring() {
    state(say.calling, "calling");
    navigator.vibrate?.([300, 200, 300]);
  }

  // --- how good it is; too weak for long: sound alone, then writing

  function weaken(tell) {
    if (tell) for (const [account, peer] of peers) send(account, { type: "sound", for: peer.other });
    fallen = { weak: 0, step: Math.max(fallen.step, 1) };
    if (!own.video) return;
    drop("video");
    state(say.weak, "connected");
  }

  async function measure() {
    const levels = [];
    for (const peer of peers.values()) {
      if (peer.pc.connectionState !== "connected") continue;
      const now = CallQuality.read(await peer.pc.getStats());
      levels.push(CallQuality.level(peer.before || now, now));
      peer.before = now;
    }
    const worst = Math.min(3, ...levels);
    const bars = part("quality");
    bars.hidden = !levels.length;
    bars.dataset.level = worst;
    bars.querySelector("span").textContent = say.quality[worst - 1];
    const { deed, ...now } = levels.length ? CallQuality.next(fallen, worst) : { deed: "", weak: 0, step: fallen.step };
    fallen = now;
    if (deed === "sound") weaken(true);
    else if (deed === "text") state(say.text, "text");
    else if (deed === "back") state(own.video ? "" : say.sound, "connected");
  }

  // --- joins

  function up() { // the picture was turned on again by hand
    fallen = { weak: 0, step: 0 };
    if (box.dataset.state === "connected") state("", "connected");
  }

  const deeds = {
    video: () => join("video"),
    sound: () => join("sound"),
    none: () => join("none"),
    leave: () => leave(say.hung),
    mute: async () => {
      own.muted = own.audio ? !own.muted : false;
      if (own.audio) own.audio.enabled = !own.muted; else await microphone().catch(() => { part("help").hidden = false; });
      shown();
    },
    camera: () => (own.video ? drop("video") : camera().then(up, () => state(say.noCamera, box.dataset.state))),
    flip: () => {
      own.facing = own.facing === "user" ? "environment" : "user";
      own.video?.stop(); // a phone opens one camera at a time
      return camera().catch(() => state(say.noCamera, box.dataset.state));
    },
    tap: () => {
      part("tap").hidden = true;
      for (const peer of peers.values()) peer.play();
    },
  };
  box.addEventListener("click", (event) => {
    const wanted = event.target.closest("[data-do]")?.dataset.do;
    if (wanted) deeds[wanted]();
  });
  for (const one of box.querySelectorAll("[data-do]")) one.disabled = false; // before that nothing would have happened
  box.addEventListener("change", (event) => {
    const kind = event.target.dataset.part;
    if (kind === "video" || kind === "audio") get(kind, { deviceId: { exact: event.target.value } }).catch(() => {});
  });
  box.querySelector("[data-phone]")?.addEventListener("click", () => {
    Live.post(`${base}/phoned`, token, {}, { keepalive: true }).catch(() => {});
  });
  window.addEventListener("pagehide", () => {
    if (!joined) return;
    const kept = sessionStorage.getItem(KEPT);
    leave("");
    sessionStorage.setItem(KEPT, kept); // a reload goes on where it was
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  window.Call = { peers: () => [...peers.values()].filter(({ pc }) => pc.connectionState === "connected").map(({ account }) => account) };

  function begun() { // the family has joined: the doctor's page, where something may be half written, is not loaded anew
    on = true;
    box.hidden = part("ask").hidden = false;
    setInterval(measure, 2000);
  }

  function written() { // it goes on in writing: no call any more
    on = false;
    stop(say.written);
    box.hidden = Boolean(doctor);
    if (!doctor) location.reload();
  }

  Live.listen(stream, (event) => {
    if (event.kind === "signal") signal(event);
    else if (event.kind === "status" && !doctor && event.data.status !== box.dataset.status && !joined) location.reload();
    else if (event.kind === "status" && doctor && event.data.status === "in-progress" && !on) begun();
    else if (event.kind === "written") written();
    else if (event.kind === "over" || event.kind === "gone") {
      stop(say.over);
      part("ask").hidden = true;
      if (!doctor && event.kind === "over") Promise.resolve(window.Recording?.finished()).then(() => location.reload());
    }
  }, { after, poll: `${base}/events` });
  if (on) {
    setInterval(measure, 2000);
    const kept = sessionStorage.getItem(KEPT);
    if (kept) join(kept);
  }
})();
