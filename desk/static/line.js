// The line looks again every few seconds, and at once when the live channel says so; what somebody fills in stays.
(() => {
  "use strict";
  const place = document.querySelector("[data-line]");
  if (!place || place.dataset.looks) return;
  place.dataset.looks = "1";
  let touched = false;
  let busy = false;
  let again = false; // asked while an answer was on its way, which may be older

  let looked = Date.now();

  const count = () => {
    for (const one of place.querySelectorAll("[data-left]")) {
      const left = Math.max(0, Number(one.dataset.left) - Math.floor((Date.now() - looked) / 1000));
      one.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    }
  };

  const look = async () => {
    if (touched || document.hidden || place.contains(document.activeElement)) return;
    if (busy) return void (again = true);
    busy = true;
    try {
      const answer = await fetch(place.dataset.line, { cache: "no-store", redirect: "manual" });
      if (!answer.ok) return;
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-line]");
      if (!next || touched || place.contains(document.activeElement)) return;
      const open = [...place.querySelectorAll("details")].map((one) => one.open);
      place.innerHTML = next.innerHTML;
      looked = Date.now();
      if (next.dataset.state === place.dataset.state) place.querySelectorAll("details").forEach((one, n) => (one.open = Boolean(open[n])));
      else place.dataset.state = next.dataset.state; // another state asks for other things: what it opens is open
      count();
    } catch {
      // no network: the next look may have one
    } finally {
      busy = false;
    }
    if (again) {
      again = false;
      await look();
    }
  };

  // A form that changes this part alone is sent without loading the page anew: a call goes on, and what is half written.
  place.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-quiet]");
    if (!form) return;
    event.preventDefault();
    const button = event.submitter;
    if (button) button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form, button) });
      if (!answer.ok || new URL(answer.url).pathname !== location.pathname) return void location.reload();
      touched = false;
      document.activeElement?.blur();
      await look();
    } catch {
      form.querySelector("[role=alert]").hidden = false;
    } finally {
      if (button) button.disabled = false;
    }
  });
  place.addEventListener("input", () => (touched = true));
  setInterval(count, 1000);
  document.addEventListener("visibilitychange", look);
  place.addEventListener("focusout", () => setTimeout(look));
  window.addEventListener("load", () => {
    if (window.Live) window.Live.listen("/live/line", look);
    setInterval(look, window.Live ? 20000 : 4000);
  });
  count();
})();
