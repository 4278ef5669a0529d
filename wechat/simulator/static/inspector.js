/* The list of what was asked and pushed, both ways, with bodies and verdicts. */

import { h, iconButton } from "./dom.js";
import { Faults } from "./faults.js";
import { post, state } from "./live.js";
import { t } from "./text.js";

const ARROWS = { in: "→", out: "←", page: "◎" };

/** A body with line breaks a person can read. */
function pretty(text) {
  if (!text) return "";
  if (text.startsWith("<xml>")) return text.replace(/<!\[CDATA\[|\]\]>/g, "").replace(/></g, ">\n<");
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function line(entry) {
  const good =
    /^(ok|config:ok|code given|asks)/.test(entry.verdict) ||
    (entry.direction === "page" && entry.status < 400 && !/^\d|config:/.test(entry.verdict));
  const head = h(
    "summary",
    {},
    h("span", { class: `arrow ${entry.direction}`, "aria-hidden": "true" }, ARROWS[entry.direction]),
    h("span", { class: "what" }, entry.event || `${entry.method} ${entry.path.split(/[? ]/)[0]}`),
    entry.phone ? h("span", { class: "on" }, entry.phone) : null,
    h("span", { class: good ? "verdict" : "verdict bad" }, entry.verdict),
    h("span", { class: "ms" }, entry.ms === undefined ? "" : `${entry.ms} ms`),
  );
  const parts = [
    h(
      "code",
      {},
      `${entry.time.slice(11, 23)}  ${entry.method} ${entry.path}${entry.status ? `  ${entry.status}` : ""}`,
    ),
  ];
  for (const side of ["request", "response"]) {
    if (entry[side]) parts.push(h("h4", {}, t(side)), h("pre", {}, pretty(entry[side])));
  }
  return h("details", { class: "entry", "data-testid": "log-entry" }, head, ...parts);
}

/** The panel; `act` has toast(text), reset(), close(). */
export class Inspector {
  constructor(act) {
    this.list = h("div", { class: "entries" });
    this.faults = new Faults(act);
    const verify = async () => {
      const told = await post("/verify-url");
      if (told) act.toast(told.verdict === "ok" ? "✓ ok" : told.verdict);
    };
    const tools = h(
      "div",
      { class: "tools" },
      h("button", { type: "button", "data-testid": "verify-url", onclick: verify }, t("verify")),
      h("button", { type: "button", "data-testid": "reset", onclick: act.reset }, t("reset")),
    );
    this.element = h(
      "aside",
      { class: "inspector", "aria-label": t("inspector"), "data-testid": "inspector" },
      h("header", {}, h("h2", {}, t("inspector")), tools, iconButton("close", t("close"), act.close)),
      this.faults.element,
      this.list,
    );
    this.draw();
  }

  draw() {
    this.list.replaceChildren(...state.log.slice().reverse().map(line));
    if (!state.log.length) this.list.append(h("p", { class: "empty" }, t("nothingYet")));
  }

  add(entry) {
    this.list.querySelector(".empty")?.remove();
    this.list.prepend(line(entry));
    while (this.list.childElementCount > 300) this.list.lastChild.remove();
  }
}
