// The chat beside the call: what is written comes at once, what is sent is kept until it has arrived.
"use strict";

(() => {
  const box = document.getElementById("chat");
  if (!box) return;
  const { base, stream, after, token, failed, read: readMark, doctor, picture: pictureText } = box.dataset;
  const list = box.querySelector(".chat__lines");
  const form = box.querySelector("form");
  const empty = box.querySelector(".chat__empty");
  let key = "";
  let failedText = null; // sent, and not known whether it arrived

  function newKey() {
    const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  const make = (tag, name, text) => {
    const made = document.createElement(tag);
    made.className = name;
    if (text) made.textContent = text;
    return made;
  };

  function show({ at, data }) {
    if (list.querySelector(`[data-id="${data.id}"]`)) return;
    const line = make("li", `chat__line${data.mine ? " chat__line--mine" : ""}`);
    line.dataset.id = data.id;
    if (!data.mine) line.append(make("span", "chat__who", data.who));
    const bubble = make("div", "chat__bubble");
    if (data.picture) {
      const link = document.createElement("a");
      const image = document.createElement("img");
      link.href = `${base}/messages/${data.id}/picture`;
      image.src = `${link.href}?small=1`;
      image.alt = pictureText;
      image.addEventListener("load", down);
      link.append(image);
      bubble.append(link);
    }
    if (data.text) bubble.append(make("p", "", data.text));
    line.append(bubble, make("span", "chat__at", new Date(at).toLocaleString("zh-CN", { ...(box.dataset.days ? { month: "numeric", day: "numeric" } : {}), hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai" })));
    list.append(line);
    empty.hidden = true;
    down();
  }

  function down() { list.scrollTop = list.scrollHeight; }

  let unread = box.querySelector(".chat__line:not(.chat__line--mine)") !== null;
  function seen() {
    if (!unread || document.hidden) return;
    unread = false;
    Live.post(`${base}/messages/read`, token, {}).catch(() => { unread = true; });
  }

  function onEvent(event) {
    if (event.kind === "message") {
      show(event);
      if (!event.data.mine) { unread = true; seen(); }
    } else if (event.kind === "read" && event.by !== box.dataset.me) {
      for (const line of list.querySelectorAll(".chat__line--mine:not([data-read])")) {
        line.dataset.read = "";
        line.querySelector(".chat__at").append(` · ${readMark}`);
      }
    } else if (event.kind === "over" && form) {
      form.hidden = empty.hidden = true;
    }
  }

  async function send(event) {
    event.preventDefault();
    const button = form.querySelector("button");
    const problem = form.querySelector(".chat__problem");
    const body = new FormData(form);
    const [text, files] = [form.text.value, form.picture.files];
    if (button.disabled || (!text.trim() && !files.length)) return form.text.focus();
    if (text !== failedText) key = newKey();
    body.set("key", key);
    form.reset();
    chosen();
    problem.hidden = button.disabled = true;
    if (doctor) form.text.focus();
    try {
      const { ok, said } = await Live.post(form.action, token, body);
      if (!ok) throw new Error(said.message || failed);
      failedText = null;
      const left = form.querySelector(".chat__left");
      if (left && said.left !== null) left.textContent = left.dataset.left.replace("{count}", said.left);
    } catch (error) { // what was typed comes back; sent again as it is, it has the same key and is there once
      failedText = text;
      form.text.value = [text, form.text.value].filter(Boolean).join("\n");
      if (!form.picture.files.length) form.picture.files = files;
      chosen();
      problem.textContent = error instanceof TypeError ? failed : error.message;
      problem.hidden = false;
    }
    button.disabled = false;
  }

  function chosen() {
    const [file] = form.picture.files;
    form.querySelector(".chat__file").textContent = file ? file.name : "";
  }

  if (form) {
    form.addEventListener("submit", send);
    form.picture.addEventListener("change", chosen);
    form.text.addEventListener("keydown", (event) => {
      if (doctor && event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
    });
  }
  document.addEventListener("visibilitychange", seen);
  down();
  seen();
  if (form) chosen(); // a picture that was chosen before this script ran
  if (form) Live.listen(stream, onEvent, { after, poll: `${base}/events` });
})();
