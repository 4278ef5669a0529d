// The call over a LiveKit server: one connection to it instead of one to each other person. To call.js its people look
// like peers, so the page, its fall-backs and its recording are the same. Never tried with a real LiveKit.
"use strict";

window.LiveKitCall = class {
  // ``page``: enter() for fresh parameters, figure(account) for a place on the page, peers (by account), own tracks, and
  // what happens: waiting(), connecting(), connected(), lost(), left(), unreachable(), elsewhere(), tap().
  constructor(page) {
    Object.assign(this, { page, room: { disconnect() {} }, over: false, sent: { audio: null, video: null }, work: Promise.resolve() });
    this.connect();
  }

  async connect() {
    if (!window.LivekitClient) return this.page.unreachable(); // it did not load
    const { Room, RoomEvent, DisconnectReason } = LivekitClient;
    const room = this.room = new Room({ publishDefaults: { videoCodec: "vp8", simulcast: false }, stopLocalTrackOnUnpublish: false });
    const { page } = this;
    room.on(RoomEvent.ParticipantConnected, (participant) => this.add(participant));
    room.on(RoomEvent.ParticipantDisconnected, ({ identity }) => this.remove(identity));
    room.on(RoomEvent.TrackSubscribed, (track, _, participant) => this.add(participant).take(track));
    room.on(RoomEvent.TrackUnsubscribed, (track, _, participant) => page.peers.get(participant.identity)?.lose(track));
    room.on(RoomEvent.Reconnecting, () => this.reach("connecting", page.lost));
    room.on(RoomEvent.Reconnected, () => this.reach("connected", page.peers.size ? page.connected : page.waiting));
    room.on(RoomEvent.Disconnected, (reason) => this.ended(room, reason === DisconnectReason.DUPLICATE_IDENTITY));
    try {
      const { url, token } = await page.enter();
      if (this.over) return;
      page.connecting();
      await room.connect(url, token);
    } catch (error) {
      console.warn(error);
      return this.ended(room, false);
    }
    if (this.over) return room.disconnect();
    for (const participant of room.remoteParticipants.values()) this.add(participant);
    if (!page.peers.size) page.waiting();
    for (const kind of ["audio", "video"]) this.publish(kind, page.own[kind]);
  }

  reach(name, say) {
    for (const peer of this.page.peers.values()) peer.pc.connectionState = name;
    say();
  }

  add({ identity }) {
    const { page } = this;
    if (!page.peers.has(identity)) page.peers.set(identity, new LiveKitPerson(identity, page));
    page.connected();
    return page.peers.get(identity);
  }

  remove(account) {
    this.page.peers.get(account)?.close();
    if (this.page.peers.delete(account) && !this.page.peers.size) this.page.left();
  }

  // One after the other: each is said to the server and waited for. What fails is tried again with the next connection.
  publish(kind, track) {
    this.work = this.work.then(async () => {
      const before = this.sent[kind];
      if (before === track || this.over || this.room.state !== "connected") return;
      const here = this.room.localParticipant;
      this.sent[kind] = null;
      if (before) await here.unpublishTrack(before, false);
      if (!track) return;
      await here.publishTrack(track, { source: kind === "video" ? "camera" : "microphone" });
      this.sent[kind] = track;
    }).catch((error) => console.warn(error));
  }

  ended(room, elsewhere) { // put out, or not reached: anew with a fresh token, while this side is in the call
    if (this.over || room !== this.room) return;
    this.room = { state: "disconnected", disconnect() {} };
    this.sent = { audio: null, video: null };
    for (const account of [...this.page.peers.keys()]) this.remove(account);
    if (elsewhere) return this.page.elsewhere();
    this.page.unreachable();
    setTimeout(() => { if (!this.over) this.connect(); }, 3000);
  }

  leave() {
    this.over = true;
    this.room.disconnect(false);
  }
};

class LiveKitPerson {
  constructor(account, page) {
    Object.assign(this, { account, page, ...page.figure(account), tracks: new Set(), media: new MediaStream(), worked: true });
    this.video.srcObject = this.media;
    this.pc = { connectionState: "connected", getStats: () => this.stats() };
    this.dark();
  }

  take(track) {
    this.tracks.add(track);
    this.media.addTrack(track.mediaStreamTrack);
    this.dark();
    this.play();
  }

  lose(track) {
    this.tracks.delete(track);
    this.media.removeTrack(track.mediaStreamTrack);
    this.dark();
  }

  dark() {
    this.frame.classList.toggle("call__dark", !this.media.getVideoTracks().length);
  }

  play() {
    this.video.play().catch(({ name }) => { if (name === "NotAllowedError") this.page.tap(); }); // iPhones want a tap
  }

  async stats() { // of all tracks, as one connection counts them
    const reports = await Promise.all([...this.tracks].map((track) => track.getRTCStatsReport()));
    return new Map(reports.flatMap((report) => [...(report || [])]));
  }

  tell() { /* LiveKit says itself what is sent */ }

  track() { /* is published once for all */ }

  close() { this.frame.remove(); }
}
