/* The sheet from below: a question and its choices. */

import { h } from "./dom.js";
import { t } from "./text.js";

/** Ask on `screen` with a sheet from below: resolves to the number of the choice, or -1. */
export function sheet(screen, title, choices, danger = false) {
  return new Promise((resolve) => {
    const finish = (choice) => {
      cover.remove();
      resolve(choice);
    };
    const items = choices.map((words, number) =>
      h(
        "button",
        {
          type: "button",
          class: danger ? "danger" : "",
          "data-testid": `sheet-${number}`,
          onclick: () => finish(number),
        },
        words,
      ),
    );
    const inner = h(
      "div",
      { class: "actions" },
      h("p", {}, title),
      ...items,
      h(
        "button",
        { type: "button", class: "cancel", "data-testid": "sheet-cancel", onclick: () => finish(-1) },
        choices.length ? t("cancel") : t("ok"),
      ),
    );
    const cover = h(
      "div",
      { class: "backdrop", role: "dialog", onclick: (event) => event.target === cover && finish(-1) },
      inner,
    );
    screen.append(cover);
  });
}
