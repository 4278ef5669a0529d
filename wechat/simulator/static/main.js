/* The page: which phones are shown, the language, the list of requests. */

import { h } from "./dom.js";
import { Inspector } from "./inspector.js";
import { listen, load, on, phoneOf, post, state } from "./live.js";
import { Phone } from "./phone.js";
import { nameOf, setLanguage, t } from "./text.js";

const boot = JSON.parse(document.getElementById("boot").textContent);
const DEFAULT = ["li-na", "doctor-01"],
  DOCTORS = 2,
  KEPT = ["menu", "conditional", "last_menu", "tags", "last_tag", "settings", "tokens", "forced", "ticket"];
const narrow = matchMedia("(max-width: 759px)");
const phones = new Map();
let shown = [],
  current = null,
  inspector = null;

const stage = h("main", { class: "stage" });
const bar = h("nav", { class: "bar" });
const offline = h("div", { class: "offline", role: "status", hidden: true });

function remember() {
  localStorage.setItem("phones", JSON.stringify(shown));
}

function choose() {
  if (boot.only) return [boot.only];
  const asked = new URLSearchParams(location.search).get("phones");
  let wanted = asked ? asked.split(",") : [];
  try {
    wanted = wanted.length ? wanted : JSON.parse(localStorage.getItem("phones")) || DEFAULT;
  } catch {
    wanted = DEFAULT;
  }
  wanted = wanted.filter(phoneOf);
  return wanted.length ? wanted : [state.phones[0].id];
}

/** Put the shown phones on the stage; those that stay keep their screen. */
function arrange() {
  for (const [id, phone] of phones) {
    if (shown.includes(id)) continue;
    phone.element.remove();
    phones.delete(id);
  }
  for (const id of shown) {
    if (!phones.has(id)) phones.set(id, new Phone(phoneOf(id)));
    const { element } = phones.get(id);
    if (!element.isConnected) stage.append(element);
    element.classList.toggle("current", id === current);
  }
  drawBar();
}

function toggle(id) {
  if (narrow.matches) {
    if (!shown.includes(id)) shown = [...shown, id];
    current = id;
  } else if (shown.includes(id)) {
    if (shown.length === 1) return;
    shown = shown.filter((other) => other !== id);
    if (current === id) [current] = shown;
  } else {
    shown = [...shown, id];
    current = id;
  }
  remember();
  arrange();
  phones.get(id)?.element.scrollIntoView({ behavior: "smooth", inline: "center", block: "nearest" });
}

function chip(phone) {
  const on = narrow.matches ? phone.id === current : shown.includes(phone.id);
  return h(
    "button",
    {
      type: "button",
      class: "chip",
      "aria-pressed": String(on),
      "data-testid": `pick-${phone.id}`,
      onclick: () => toggle(phone.id),
    },
    h("img", { src: `/mmhead/${phone.id}.svg`, alt: "" }),
    h("span", {}, nameOf(phone)),
    phone.waiting ? h("b", { class: "dot" }) : null,
  );
}

function drawBar() {
  const plain = (phone, index, all) =>
    phone.role !== "doctor" ||
    shown.includes(phone.id) ||
    all.filter((p) => p.role === "doctor").indexOf(phone) < DOCTORS;
  const open = bar.querySelector("details")?.open;
  const first = state.phones.filter(plain),
    rest = state.phones.filter((phone) => !first.includes(phone));
  const more = rest.length
    ? h(
        "details",
        { class: "more", open },
        h("summary", { "data-testid": "more-doctors" }, `${t("moreDoctors")} (${rest.length})`),
        h("div", {}, ...rest.map(chip)),
      )
    : null;
  const other = state.settings.language === "zh" ? ["en", "EN"] : ["zh", "中文"];
  bar.replaceChildren(
    h("h1", {}, h("img", { src: "/mmhead/account.svg", alt: "" }), t("simulator")),
    h("div", { class: "chips", role: "group", "aria-label": t("people") }, ...first.map(chip)),
    ...(more ? [more] : []),
    h(
      "button",
      {
        type: "button",
        class: "tool",
        "data-testid": "language",
        lang: other[0],
        onclick: () => post("/settings", { language: other[0] }),
      },
      other[1],
    ),
    h(
      "button",
      {
        type: "button",
        class: "tool",
        "data-testid": "inspect",
        "aria-pressed": String(Boolean(inspector)),
        "aria-label": t("inspector"),
        onclick: inspect,
      },
      h("span", { class: "long" }, t("inspector")),
      h("span", { class: "short", "aria-hidden": "true" }, "⇅"),
    ),
  );
}

function inspect() {
  if (inspector) {
    inspector.element.remove();
    inspector = null;
  } else {
    inspector = new Inspector({ toast, reset, close: inspect });
    document.body.append(inspector.element);
  }
  document.body.classList.toggle("inspecting", Boolean(inspector));
  drawBar();
}

function toast(text) {
  const element = h("div", { class: "page-toast", role: "status" }, text);
  document.body.append(element);
  setTimeout(() => element.remove(), 3000);
}

function reset() {
  if (confirm(t("resetAsk"))) post("/reset", { keep: KEPT });
}

function rebuild() {
  for (const phone of phones.values()) phone.element.remove();
  phones.clear();
  shown = choose();
  current = shown.includes(current) ? current : shown[0];
  inspector?.draw();
  inspector?.faults.draw();
  arrange();
}

function wire() {
  on("message", ({ phone, message }) => {
    phones.get(phone)?.heard(message);
    phoneOf(phone).waiting = message.from !== "me" && !(phones.has(phone) && (!narrow.matches || phone === current));
    drawBar();
  });
  on("phone", ({ phone }) => phones.get(phone.id)?.changed());
  on("menu", () => phones.forEach((phone) => phone.menuChanged()));
  on("page", (page) => phones.get(page.phone)?.web.shown(page));
  on("loading", ({ phone }) => phones.get(phone)?.web.loading());
  on("log", ({ entry }) => inspector?.add(entry));
  on("reset", rebuild);
  on("settings", ({ settings }) => {
    if (settings.language !== boot.language) location.reload();
    inspector?.faults.draw();
  });
  on("failed", ({ error }) => toast(`${t("failed")}: ${error}`));
  on("online", () => {
    offline.hidden = true;
  });
  on("offline", () => {
    offline.hidden = false;
    offline.textContent = t("offline");
  });
  addEventListener("message", (event) => phones.forEach((phone) => phone.web.heard(event)));
  narrow.addEventListener("change", arrange);
  setInterval(() => phones.forEach((phone) => phone.tick()), 10000);
}

setLanguage(boot.language);
await load();
document.title = `${t("simulator")} · ${state.account.name}`;
document.body.append(...(boot.only ? [stage] : [bar, stage]), offline);
shown = choose();
[current] = shown;
arrange();
wire();
listen();
document.body.dataset.ready = "yes";
