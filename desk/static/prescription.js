// The prescription without reloading the page, so that a call goes on: every button sends the form and the part that
// comes back takes its place; a changed figure is checked at once; and when the record changes, so do the findings.
(() => {
  "use strict";
  let sending = Promise.resolve();
  const part = () => document.getElementById("rx");
  const inTurn = (send) => (sending = sending.then(send, send)); // an answer brings the version that the next one names

  function replace(html, focus) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const fresh = holder.content.getElementById("rx");
    if (!fresh) throw new Error("not ours");
    const open = [...part().querySelectorAll("form details")].map((found) => found.open);
    part().replaceWith(fresh);
    [...fresh.querySelectorAll("form details")].forEach((found, n) => { if (open[n]) found.open = true; });
    const next = fresh.querySelector("[aria-invalid]") || (focus && fresh.querySelector(focus));
    if (next) next.focus();
    const said = fresh.querySelector(".rx__problem");
    if (said) said.scrollIntoView({ block: "center" });
  }

  async function send(target, body, focus) {
    try {
      const form = document.getElementById("rx-form");
      if (form && body.has("version")) body.set("version", form.elements.version.value);
      const answer = await fetch(target, { method: "POST", body, headers: { "X-Part": "part" } });
      if (answer.redirected || !(answer.headers.get("Content-Type") || "").includes("html")) throw new Error("not ours");
      replace(await answer.text(), focus);
    } catch {
      const line = document.getElementById("rx-unsaved");
      if (line) line.hidden = false;
    }
  }

  const same = (element) => (element && element.id ? `#${element.id}` : element && element.name ? `[name="${CSS.escape(element.name)}"]` : "");

  document.addEventListener("submit", (event) => {
    const here = event.target;
    if (!here.closest("#rx")) return;
    event.preventDefault();
    const body = new FormData(here, event.submitter);
    const did = (body.get("do") || "").split(":")[0];
    const focus = { find: "#rx-found button", group: "#rx-found button" }[did] || same(document.activeElement);
    inTurn(() => send(here.action, body, focus));
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest("#rx-form");
    if (!form || ["query", "template"].includes(event.target.name)) return;
    // Where the focus goes next is known only after this event.
    setTimeout(() => {
      const body = new FormData(form);
      body.set("do", "save");
      inTurn(() => send(form.action, body, same(document.activeElement)));
    });
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
      const answer = await fetch(part().dataset.part, { headers: { "X-Part": "part" } }).catch(() => null);
      if (answer && answer.ok && !answer.redirected) replace(await answer.text());
    });
  }).observe(record.parentNode, { childList: true });
})();
