/* The panel of what goes wrong on demand: faults, tokens, quotas, keys, and saved states. */

import { h, iconButton } from "./dom.js";
import { get, post, state } from "./live.js";
import { t } from "./text.js";

const KINDS = {
  api: ["slow", "errcode", "status", "down", "dropped"],
  pay: ["slow", "error", "status", "down", "dropped", "signature", "skew"],
  push: ["duplicate", "reordered", "dropped", "signature", "skew"],
  notify: ["duplicate", "reordered", "dropped", "signature", "skew"],
};
const VALUES = { slow: "6", errcode: "-1", status: "502", error: "SYSTEM_ERROR", reordered: "1", skew: "600" };
const number = (text) => (text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : text.trim() || null);

const label = (name, control) => h("label", {}, h("span", {}, t(name)), control);

/** The panel; `act` has toast(text). */
export class Faults {
  constructor(act) {
    this.act = act;
    this.list = h("ul", { class: "faults-now", "data-testid": "faults" });
    this.saved = h("select", { "data-testid": "state-choice", "aria-label": t("savedStates") });
    this.element = h(
      "details",
      { class: "faults", "data-testid": "faults-panel" },
      h("summary", {}, t("faults")),
      this.form(),
      this.list,
      this.deeds(),
      this.states(),
    );
    this.draw();
    this.read(get("/states"));
  }

  form() {
    const options = (names, prefix) => names.map((name) => h("option", { value: name }, t(`${prefix}_${name}`)));
    const on = h("select", { "data-testid": "fault-on", onchange: () => kinds() }, ...options(Object.keys(KINDS), "on"));
    const what = h("select", { "data-testid": "fault-what", onchange: () => suggest() });
    const match = h("input", { "data-testid": "fault-match", placeholder: t("any") });
    this.match = match;
    const value = h("input", { "data-testid": "fault-value" });
    const times = h("input", { type: "number", min: "-1", value: "1", "data-testid": "fault-times" });
    const suggest = () => {
      value.value = VALUES[what.value] || "";
      value.disabled = !(what.value in VALUES);
    };
    const kinds = () => {
      what.replaceChildren(...options(KINDS[on.value], "what"));
      suggest();
    };
    kinds();
    const add = (event) => {
      event.preventDefault();
      const fault = { on: on.value, what: what.value, match: match.value.trim(), times: Number(times.value) || 1 };
      this.set([...state.settings.faults, { ...fault, value: number(value.value) }]);
    };
    const submit = h("button", { type: "submit", "data-testid": "fault-add" }, t("addFault"));
    const fields = [label("where", on), label("what", what), label("match", match), label("value", value)];
    return h("form", { onsubmit: add }, ...fields, label("times", times), submit);
  }

  deeds() {
    const deed = (name, path, told, body = () => ({})) =>
      h(
        "button",
        {
          type: "button",
          "data-testid": name,
          onclick: async () => (await post(path, body())) && this.act.toast(told),
        },
        t(name),
      );
    return h(
      "div",
      { class: "tools" },
      deed("killTokens", "/tokens/kill", "✓"),
      deed("rotateCertificate", "/pay/rotate", "✓"),
      deed("useUp", "/quotas/use-up", "✓", () => ({ path: this.match.value.trim() })),
    );
  }

  states() {
    const name = h("input", { placeholder: t("stateName"), "data-testid": "state-name", "aria-label": t("stateName") });
    const save = async () => name.value.trim() && this.read(post(`/states/${encodeURIComponent(name.value.trim())}/save`));
    const load = () => this.saved.value && post(`/states/${encodeURIComponent(this.saved.value)}/load`);
    return h(
      "div",
      { class: "tools states" },
      name,
      h("button", { type: "button", "data-testid": "state-save", onclick: save }, t("saveState")),
      this.saved,
      h("button", { type: "button", "data-testid": "state-load", onclick: load }, t("loadState")),
    );
  }

  async read(asked) {
    const names = (await asked)?.states || [];
    this.saved.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
  }

  set(faults) {
    return post("/settings", { faults });
  }

  draw() {
    const rows = state.settings.faults.map((fault, index) => {
      const words = [t(`on_${fault.on}`), fault.match, t(`what_${fault.what}`), fault.value ?? ""].filter(Boolean);
      const times = (fault.times ?? 1) < 0 ? "∞" : `× ${fault.times ?? 1}`;
      const remove = () => this.set(state.settings.faults.filter((_, other) => other !== index));
      return h("li", {}, h("span", {}, words.join(" · ")), h("b", {}, times), iconButton("close", t("remove"), remove));
    });
    this.list.replaceChildren(...rows);
    this.element.classList.toggle("active", rows.length > 0);
  }
}
