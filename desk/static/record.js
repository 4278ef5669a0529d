// The record without reloading the page, so that a call goes on: every button sends the form, the part that comes back
// takes its place; what is typed is saved by itself; a diagnosis is found while it is typed; keys as the page says.
(() => {
  "use strict";
  const { Typed } = window;
  const PAUSE = 1200; // milliseconds without a key after which what is typed is saved
  let timer = 0, sending = Promise.resolve(), dirty = false;
  const part = () => document.getElementById("record");
  const form = () => document.getElementById("record-form");
  const say = (unsaved) => { const line = document.getElementById("record-unsaved"); if (line) line.hidden = !unsaved; };

  // One after the other: an answer brings the version that the next one must name.
  const inTurn = (send) => (sending = sending.then(send, send));

  async function post(target, body, kind) {
    const answer = await fetch(target, { method: "POST", body, headers: { "X-Part": kind } });
    if (answer.redirected || !(answer.headers.get("X-Part") || answer.headers.get("Content-Type").includes("json"))) throw new Error("not ours");
    return answer;
  }

  async function autosave() {
    const here = form();
    if (!here || !dirty || part().hasAttribute("data-conflict")) return;
    dirty = false;
    const body = new FormData(here), sent = new FormData(here);
    body.set("do", "autosave");
    try {
      const answer = await post(here.action, body, "autosave");
      if (answer.ok) {
        const saved = await answer.json();
        here.elements.version.value = saved.version;
        document.getElementById("record-saved").textContent = "✓ " + saved.saved;
        oppose(saved.against);
      } else replace(await answer.text(), sent);
      say(false);
    } catch { dirty = true; say(true); later(5000); }
  }

  // What the family told and the text denies, beside its field.
  function oppose(against) {
    for (const line of document.querySelectorAll("[data-against]")) {
      const told = against[line.dataset.against] || "";
      line.hidden = !told;
      line.querySelector("strong").textContent = told;
    }
    document.getElementById("record-against").hidden = !Object.keys(against).length;
  }

  function later(after = PAUSE) { clearTimeout(timer); timer = setTimeout(() => inTurn(autosave), after); }

  // `sent` is the form when it was sent: what was typed or ticked since then stays, and is saved.
  function replace(html, sent, was, to) {
    const open = [...part().querySelectorAll("details")].map((found) => found.open);
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const fresh = holder.content.getElementById("record");
    if (!fresh) throw new Error("not ours");
    const here = Typed.place(part());
    if (Typed.keep(form(), sent, fresh.querySelector("#record-form"))) { dirty = true; later(); }
    part().replaceWith(fresh);
    const details = [...fresh.querySelectorAll("details")];
    if (details.length === open.length) details.forEach((found, n) => { found.open = open[n]; });
    if (Typed.focus(fresh, here, was, fresh.querySelector(".record__problem") ? "" : to)) return;
    fresh.querySelector("[role=alert]:not([hidden])")?.scrollIntoView({ block: "center" });
  }

  async function send(target, body, sent, was, to) {
    clearTimeout(timer);
    dirty = false;
    try {
      if (form() && body.has("version") && !part().hasAttribute("data-conflict")) body.set("version", form().elements.version.value);
      const answer = await post(target, body, "part");
      if (answer.headers.get("X-Part") === "signed") return void location.reload();
      replace(await answer.text(), sent, was, to);
    } catch { dirty = true; say(true); later(5000); }
  }

  document.addEventListener("submit", (event) => {
    const here = event.target, button = event.submitter;
    if (!here.closest("#record")) return;
    event.preventDefault();
    if (button?.dataset.sent) return; // tapped twice
    if (button) button.dataset.sent = "yes";
    const body = new FormData(here, button), sent = form() && new FormData(form());
    const back = { add: "#record-query", find: "#record-query", outcome: `input[name=outcome]:checked` }[(body.get("do") || "").split(":")[0]];
    const was = Typed.selector(document.activeElement) || Typed.selector(button);
    inTurn(() => send(here.action, body, sent, was, back || was).finally(() => { if (button) delete button.dataset.sent; }));
  });

  document.addEventListener("click", (event) => {
    if (event.target.id !== "record-against") return;
    event.preventDefault();
    const line = document.querySelector("[data-against]:not([hidden])");
    if (line) document.getElementById(`record-${line.dataset.against}`).focus();
  });

  document.addEventListener("input", (event) => {
    if (!event.target.closest("#record-form")) return;
    if (event.target.id === "record-query") return void find(event.target);
    expand(event.target);
    dirty = true;
    later();
  });

  document.addEventListener("change", (event) => {
    if (event.target.name !== "outcome" || !form()) return;
    const body = new FormData(form()), sent = new FormData(form());
    body.set("do", "outcome");
    inTurn(() => send(form().action, body, sent, Typed.selector(event.target), "input[name=outcome]:checked"));
  });

  let asked = 0;
  async function find(input) {
    const mine = ++asked, list = document.getElementById("record-found");
    if (!input.value.trim()) return void list.replaceChildren();
    const answer = await fetch(`/desk/icd10?q=${encodeURIComponent(input.value)}`).catch(() => null);
    if (mine !== asked || !answer || !answer.ok) return;
    list.replaceChildren(...(await answer.json()).map((entry) => {
      const button = document.createElement("button");
      button.name = "do"; button.value = `add:${entry.code}`; button.textContent = `${entry.code} ${entry.zh || entry.en}`;
      return button;
    }));
  }

  // ;code and a space: the phrase of this field, else of any.
  function expand(box) {
    if (box.tagName !== "TEXTAREA") return;
    const at = box.selectionStart, typed = /;([A-Za-z0-9]{1,12})\s$/.exec(box.value.slice(0, at));
    if (!typed) return;
    const all = [...document.querySelectorAll(`[data-phrase="${typed[1].toLowerCase()}"]`)];
    const found = all.find((one) => one.dataset.field === box.name) || all[0];
    if (found) box.setRangeText(found.dataset.text, at - typed[0].length, at, "end");
  }

  document.addEventListener("keydown", (event) => {
    if (!form()) return;
    const press = (selector) => { const found = part().querySelector(selector); if (found) { event.preventDefault(); found.click(); } };
    if ((event.ctrlKey || event.metaKey) && event.key === "s") press(".record__sign [value=save]");
    else if ((event.ctrlKey || event.metaKey) && event.key === "Enter") press("[value=sign]");
    else if (event.altKey && /^Digit[1-9]$/.test(event.code)) press(`.chips--first button:nth-of-type(${event.code.slice(5)})`);
    else if (event.altKey && event.code === "KeyD") { const query = document.getElementById("record-query"); if (query) { event.preventDefault(); query.focus(); } }
    else if (event.key === "Enter" && event.target.id === "record-query") press(part().querySelector("#record-found button") ? "#record-found button" : "[value=find]");
    else if (/^Arrow(Down|Up)$/.test(event.key) && (event.target.id === "record-query" || event.target.closest("#record-found"))) {
      const all = [document.getElementById("record-query"), ...document.querySelectorAll("#record-found button")];
      const next = all[all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) { event.preventDefault(); next.focus(); }
    }
  });

  // What was typed or chosen before this script ran is taken up now.
  if (form()) {
    const chosen = form().querySelector("input[name=outcome]:checked");
    if ([...form().querySelectorAll("textarea")].some((box) => box.value !== box.defaultValue)) { dirty = true; later(); }
    if (chosen && !chosen.defaultChecked) chosen.dispatchEvent(new Event("change", { bubbles: true }));
  }

  window.addEventListener("beforeunload", (event) => { if (dirty && form()) event.preventDefault(); });
})();
