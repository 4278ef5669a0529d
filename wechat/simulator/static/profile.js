/* The account's page on a phone: follow it or leave it, and what the simulator lets you set for this phone. */

import { h } from "./dom.js";
import { post, state } from "./live.js";
import { agreements } from "./notices.js";
import { t } from "./text.js";

function row(label, value) {
  return h("div", { class: "cell" }, h("span", {}, label), h("em", {}, value));
}

function toggle(label, on, name, change) {
  const box = h("input", {
    type: "checkbox",
    role: "switch",
    "data-testid": `switch-${name}`,
    onchange: () => change(box.checked),
  });
  box.checked = on;
  return h("label", { class: "cell" }, h("span", {}, label), box);
}

/** The screen's parts for a phone of phone.js. */
export function profile(owner) {
  const { phone } = owner,
    account = state.account;
  const set = (values) => post(`/phones/${phone.id}`, values);
  const title = h(
    "div",
    { class: "who" },
    h("img", { src: "/mmhead/account.svg", alt: "" }),
    h("div", {}, h("h1", {}, account.name), h("p", {}, t("serviceAccount"))),
  );
  const deed = phone.following
    ? h(
        "div",
        { class: "deeds" },
        h(
          "button",
          { type: "button", class: "go", "data-testid": "message", onclick: () => owner.go("chat") },
          t("message"),
        ),
        h(
          "button",
          { type: "button", class: "leave", "data-testid": "unfollow", onclick: () => owner.unfollow() },
          t("unfollow"),
        ),
      )
    : h(
        "div",
        { class: "deeds" },
        h(
          "button",
          { type: "button", class: "go", "data-testid": "follow", onclick: () => owner.follow() },
          t("follow"),
        ),
      );
  const receive = phone.following
    ? toggle(t("receive"), !phone.blocked, "receive", (on) => set({ blocked: !on }))
    : null;
  return [
    owner.top("", () => owner.go("home"), null, { class: "top bare" }),
    h(
      "div",
      { class: "sheetless" },
      title,
      deed,
      h("div", { class: "cells" }, row(t("account"), account.id), row("AppID", account.appid), receive),
      agreements(phone),
      h("h3", {}, t("simulated")),
      h(
        "div",
        { class: "cells" },
        toggle(t("snapshot"), phone.snapshot, "snapshot", (on) => set({ snapshot: on })),
        toggle(t("undeliverable"), phone.delivery !== "success", "undeliverable", (on) =>
          set({ delivery: on ? "system failed" : "success" }),
        ),
      ),
    ),
  ];
}
