// The prescription without reloading the page, so that a call goes on: every button sends the form and the part that
// comes back takes its place; a changed figure is checked at once; and when the record changes, so do the findings.
(() => {
  "use strict";
  const { Typed } = window;
  let sending = Promise.resolve();
  const part = () => document.getElementById("rx");
  const form = () => document.getElementById("rx-form");
  const all = () => (form() ? new FormData(form()) : null);
  const inTurn = (send) => (sending = sending.then(send, send)); // an answer brings the version that the next one names

  // `sent` is the form when it was sent. What was typed since then stays, is sent in its turn, and keeps the focus.
  function replace(html, sent, was, to) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const fresh = holder.content.getElementById("rx");
    if (!fresh) throw new Error("not ours");
    const typed = Typed.keep(form(), sent, fresh.querySelector("#rx-form")), here = Typed.place(part());
    const open = [...part().querySelectorAll("form details")].map((found) => found.open);
    part().replaceWith(fresh);
    [...fresh.querySelectorAll("form details")].forEach((found, n) => { if (open[n]) found.open = true; });
    Typed.focus(fresh, here, was, to);
    const said = fresh.querySelector(".rx__problem");
    if (said) said.scrollIntoView({ block: "center" });
    if (typed) save();
  }

  const save = () => inTurn(() => {
    if (!form()) return undefined;
    const sent = all(), body = all();
    body.set("do", "save");
    const was = Typed.selector(document.activeElement);
    return send(form().action, body, sent, was, was);
  });

  async function send(target, body, sent, was, to) {
    try {
      if (form() && body.has("version")) body.set("version", form().elements.version.value);
      const answer = await fetch(target, { method: "POST", body, headers: { "X-Part": "part" } });
      if (answer.redirected || !(answer.headers.get("Content-Type") || "").includes("html")) throw new Error("not ours");
      replace(await answer.text(), sent, was, to);
    } catch {
      const line = document.getElementById("rx-unsaved");
      if (line) line.hidden = false;
    }
  }

  document.addEventListener("submit", (event) => {
    const here = event.target;
    if (!here.closest("#rx")) return;
    event.preventDefault();
    const button = event.submitter;
    if (button?.dataset.sent) return; // tapped twice
    if (button) button.dataset.sent = "yes";
    const body = new FormData(here, button), sent = all();
    const did = (body.get("do") || "").split(":")[0];
    const was = Typed.selector(document.activeElement), to = { find: "#rx-found button", group: "#rx-found button" }[did] || was;
    inTurn(() => send(here.action, body, sent, was, to).finally(() => { if (button) delete button.dataset.sent; }));
  });

  document.addEventListener("change", (event) => {
    if (!event.target.closest("#rx-form") || ["query", "template"].includes(event.target.name)) return;
    setTimeout(save); // where the focus goes next is known only after this event
  });

  // Enter in the search box finds; Enter elsewhere only checks.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.id !== "rx-query") return;
    event.preventDefault();
    part().querySelector("[value=find]").click();
  });

  // The record's diagnosis decides over doses: when its part was replaced, this one is asked for anew.
  const record = document.getElementById("record");
  if (record) new MutationObserver((changes) => {
    if (!changes.some((change) => [...change.addedNodes].some((node) => node.id === "record"))) return;
    if (!part().dataset.part || part().contains(document.activeElement)) return;
    inTurn(async () => {
      const sent = all();
      const answer = await fetch(part().dataset.part, { headers: { "X-Part": "part" } }).catch(() => null);
      if (answer && answer.ok && !answer.redirected) replace(await answer.text(), sent);
    });
  }).observe(record.parentNode, { childList: true });
})();
