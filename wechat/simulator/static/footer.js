/* The bottom of the chat: the account's menu, or the line to write in. */

import { h, icons, iconButton } from "./dom.js";
import { t } from "./text.js";

const PANEL = [
  ["image", "picture"],
  ["voice", "voice"],
  ["video", "film"],
  ["shortvideo", "film"],
  ["location", "pin"],
  ["link", "link"],
];

/** The footer over a menu (or none); `act` has tap(button, path), text(content), attach(kind). */
export class Footer {
  constructor(act) {
    this.act = act;
    this.writing = false;
    this.open = -1;
    this.element = h("footer", { class: "chat-foot" });
  }

  /** Draw it for this menu. */
  draw(menu) {
    this.menu = menu;
    this.drawn = JSON.stringify(menu);
    const draft = this.input ? this.input.value : "";
    this.input = null;
    const top = menu ? menu.button : [];
    this.open = -1;
    this.element.replaceChildren(
      ...(top.length && !this.writing ? this.menuBar(top) : this.inputBar(top.length > 0, draft)),
    );
  }

  toggle() {
    this.writing = !this.writing;
    this.draw(this.menu);
    if (this.input) this.input.focus();
  }

  menuBar(top) {
    const bar = h(
      "div",
      { class: "menu-bar" },
      iconButton("keyboard", t("showKeyboard"), () => this.toggle(), { "data-testid": "menu-toggle" }),
    );
    this.popups = top.map((button, index) => this.popup(button, index));
    top.forEach((button, index) => {
      const subs = button.sub_button.length > 0;
      const facts = {
        type: "button",
        class: "menu-item",
        "data-testid": `menu-${index}`,
        "aria-expanded": subs ? "false" : null,
      };
      const touch = () =>
        subs ? this.show(this.open === index ? -1 : index) : (this.show(-1), this.act.tap(button, String(index)));
      bar.append(
        h(
          "div",
          { class: "menu-slot" },
          this.popups[index],
          h(
            "button",
            { ...facts, onclick: touch },
            subs ? h("i", { class: "lines", "aria-hidden": "true" }) : null,
            h("span", {}, button.name),
          ),
        ),
      );
    });
    return [bar];
  }

  popup(button, index) {
    if (!button.sub_button.length) return null;
    const items = button.sub_button.map((sub, number) =>
      h(
        "button",
        {
          type: "button",
          "data-testid": `submenu-${index}-${number}`,
          onclick: () => {
            this.show(-1);
            this.act.tap(sub, `${index}/${number}`);
          },
        },
        sub.name,
      ),
    );
    return h("div", { class: "submenu", hidden: true }, ...items);
  }

  /** Show one sub-menu, or none with -1. */
  show(index) {
    this.open = index;
    (this.popups || []).forEach((popup, number) => {
      if (!popup) return;
      popup.hidden = number !== index;
      popup.nextSibling.setAttribute("aria-expanded", String(number === index));
    });
  }

  inputBar(hasMenu, draft) {
    const panel = h(
      "div",
      { class: "plus-panel", hidden: true },
      ...PANEL.map(([kind, icon]) =>
        h(
          "button",
          { type: "button", "data-testid": `plus-${kind}`, onclick: () => this.act.attach(kind) },
          h("i", { html: icons[icon] }),
          t(kind === "image" ? "picture" : kind),
        ),
      ),
    );
    const plus = iconButton(
      "plus",
      t("more"),
      () => {
        panel.hidden = !panel.hidden;
      },
      { "data-testid": "plus" },
    );
    const send = h("button", { type: "submit", class: "send", "data-testid": "send", hidden: true }, t("send"));
    this.input = h("input", {
      type: "text",
      maxlength: 600,
      autocomplete: "off",
      enterkeyhint: "send",
      "aria-label": t("showKeyboard"),
      "data-testid": "message-input",
    });
    const fit = () => {
      send.hidden = !this.input.value.trim();
      plus.hidden = !send.hidden;
    };
    this.input.value = draft;
    this.input.addEventListener("input", fit);
    fit();
    const submit = (event) => {
      event.preventDefault();
      const text = this.input.value.trim();
      this.input.value = "";
      fit();
      if (text) this.act.text(text);
    };
    const toMenu = hasMenu
      ? iconButton("list", t("showMenu"), () => this.toggle(), { "data-testid": "menu-toggle" })
      : null;
    return [h("form", { class: "input-bar", onsubmit: submit }, toMenu, this.input, plus, send), panel];
  }
}
