/* One-time notices: a page asks for them, and the account's page takes them back. */

import { h } from "./dom.js";
import { post } from "./live.js";
import { t } from "./text.js";

/** A page asks: all of its templates are allowed, or none. `owner` is a phone of phone.js. */
export async function askForNotices(owner, templates) {
  const path = `/phones/${owner.phone.id}/subscribe`;
  const asked = await post(path, { templates });
  if (!asked) return { errMsg: "subscribe:fail, no template", errCode: "20001" };
  const words = Object.values(asked.titles).map((title) => `· ${title}`);
  const choice = await owner.sheet([t("subscribeAsk"), ...words].join("\n"), [t("allow"), t("decline")]);
  if (choice < 0) return { errMsg: "subscribe:ok", choice: "cancel" };
  const answer = choice === 0 ? "accept" : "reject";
  await post(path, { templates: Object.fromEntries(templates.map((id) => [id, answer])) });
  return { errMsg: "subscribe:ok", choice: answer };
}

/** What this person agreed to, each with a switch that takes it back; null when there is nothing. */
export function agreements(phone) {
  if (!phone.notices.length) return null;
  const rows = phone.notices.map(({ template, title, left }) =>
    h(
      "div",
      { class: "cell" },
      h("span", {}, left < 0 ? title : `${title} × ${left}`),
      h(
        "button",
        {
          type: "button",
          class: "take-back",
          "data-testid": `refuse-${template}`,
          onclick: () => post(`/phones/${phone.id}/refuse`, { template }),
        },
        t("decline"),
      ),
    ),
  );
  return [h("h3", {}, t("notices")), h("div", { class: "cells" }, ...rows)];
}
