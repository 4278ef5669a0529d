/* One phone: its status bar, WeChat's screens, the web view over them, sheets and banners. */

import { chooseImage, scan } from "./album.js";
import { attach, choosePlace } from "./attach.js";
import { cashier } from "./cashier.js";
import { messageRow, preview } from "./chat.js";
import { h, icons, iconButton } from "./dom.js";
import { Footer } from "./footer.js";
import { post, state } from "./live.js";
import { askForNotices } from "./notices.js";
import { profile } from "./profile.js";
import { sheet } from "./sheet.js";
import { clock, nameOf, t, when } from "./text.js";
import { pictureUrl, WebView } from "./webview.js";

const BANNER = 5000,
  TOAST = 1800,
  ACCOUNT_CODE = /^http:\/\/weixin\.qq\.com\/q\//;

export class Phone {
  constructor(phone) {
    this.phone = phone;
    this.unread = 0;
    this.chat = h("div", { class: "messages", role: "log", "aria-live": "polite", "data-testid": "chat" });
    this.footer = new Footer({
      tap: (button, path) => this.tap(button, path),
      text: (content) => this.write(content),
      attach: (kind) => attach(this, kind),
    });
    this.view = h("div", { class: "view" });
    this.web = new WebView(phone, {
      scan: () => scan(this.screen, (text) => this.toast(text)),
      subscribe: (templates) => askForNotices(this, templates),
      pay: (params, page) => cashier(this, params, page),
      sheet: (...asked) => this.sheet(...asked),
      toast: (text) => this.toast(text),
      handle: (result) => this.scanned(result),
      closed: () => this.back(),
    });
    this.clock = h("span", { class: "clock" });
    this.screen = h("div", { class: "screen" }, this.view, this.web.element);
    const status = h(
      "div",
      { class: "status", "aria-hidden": "true" },
      this.clock,
      h("span", { class: "island" }),
      h("span", { class: "radio", html: icons.signal + icons.battery }),
    );
    this.element = h(
      "section",
      {
        class: `phone ${phone.platform}`,
        "data-testid": `phone-${phone.id}`,
        "data-phone": phone.id,
        "aria-label": nameOf(phone),
      },
      (this.device = h("div", { class: "device" }, status, this.screen)),
    );
    this.tick();
    this.go(phone.following ? "chat" : "profile");
  }

  tick() {
    this.clock.textContent = clock(Date.now());
  }

  get messages() {
    return state.chats[this.phone.id];
  }

  /** Show a screen: home, chat or profile. */
  go(screen) {
    this.where = screen;
    this.element.dataset.screen = screen;
    this.view.className = `view ${screen}`;
    if (screen === "chat") this.drawChat();
    else this.view.replaceChildren(...(screen === "home" ? this.home() : profile(this)));
  }

  top(title, back, more, attributes = {}) {
    const left = h("div", { class: "side" }, back && iconButton("back", t("back"), back, { "data-testid": "up" }));
    const right = h(
      "div",
      { class: "side end" },
      more && iconButton("more", t("more"), more, { "data-testid": "profile" }),
    );
    return h("header", { class: "top", ...attributes }, left, h("h2", {}, title), right);
  }

  home() {
    const last = this.messages.at(-1),
      following = this.phone.following;
    const badge = this.unread && following ? h("b", { class: "badge" }, String(Math.min(this.unread, 99))) : null;
    const row = h(
      "button",
      {
        type: "button",
        class: "talk",
        "data-testid": "conversation",
        onclick: () => this.go(following ? "chat" : "profile"),
      },
      h("span", { class: "face" }, h("img", { src: "/mmhead/account.svg", alt: "" }), badge),
      h(
        "span",
        { class: "words" },
        h("strong", {}, state.account.name),
        h("small", {}, following ? preview(last) : t("notFollowed")),
      ),
      last && following ? h("time", {}, when(last.time)) : null,
    );
    const me = h(
      "div",
      { class: "me" },
      h("img", { src: `/mmhead/${this.phone.id}.svg`, alt: "" }),
      nameOf(this.phone),
    );
    const scanner = h(
      "button",
      { type: "button", class: "talk", "data-testid": "scan", onclick: () => this.scan() },
      h("span", { class: "face scan", html: icons.scan }),
      h("span", { class: "words" }, h("strong", {}, t("scan"))),
    );
    return [this.top(t("wechat")), h("div", { class: "talks" }, row, scanner), me];
  }

  drawChat() {
    this.unread = 0;
    this.chat.replaceChildren();
    this.messages.forEach((message, index) => this.append(message, this.messages[index - 1]));
    this.footer.draw(this.phone.menu);
    this.chat.onclick = () => this.footer.show(-1);
    this.view.replaceChildren(
      this.top(
        state.account.name,
        () => this.go("home"),
        () => this.go("profile"),
      ),
      this.chat,
      this.footer.element,
    );
    this.toEnd();
  }

  append(message, before) {
    const act = {
      open: (url) => this.web.open(url),
      link: (url, words) => this.link(url, words),
      picture: (url) => pictureUrl(this.phone, url),
    };
    this.chat.append(...messageRow(message, before, this.phone, act).filter(Boolean));
  }

  toEnd() {
    const end = () => {
      this.chat.scrollTop = this.chat.scrollHeight;
    };
    end();
    requestAnimationFrame(end);
    for (const image of this.chat.querySelectorAll("img")) image.addEventListener("load", end, { once: true });
  }

  /** A message came or went out. */
  heard(message) {
    if (this.where === "chat") {
      this.append(message, this.messages.at(-2));
      this.toEnd();
    } else if (this.where === "home") this.go("home");
    if (message.from !== "me" && (this.where !== "chat" || this.web.isOpen)) this.announce(message);
  }

  announce(message) {
    if (this.where !== "chat") this.unread += 1;
    if (this.where === "home") this.go("home");
    this.device.querySelector(".banner")?.remove();
    const banner = h(
      "button",
      {
        type: "button",
        class: "banner",
        "data-testid": "banner",
        onclick: () => {
          banner.remove();
          if (this.web.isOpen) this.web.close();
          this.go("chat");
        },
      },
      h("img", { src: "/mmhead/account.svg", alt: "" }),
      h("span", {}, preview(message)),
    );
    this.device.append(banner);
    setTimeout(() => banner.remove(), BANNER);
  }

  /** The phone's own facts changed (followed, blocked, snapshot). */
  changed() {
    const gone = !this.phone.following && this.where === "chat";
    if (gone) this.go("profile");
    else if (this.where === "chat" && !this.chat.isConnected) this.go("chat");
    else if (this.where === "chat") this.menuChanged();
    else if (this.where !== "chat") this.go(this.where);
  }

  /** The menu was published or deleted, or another one is meant for this phone. */
  menuChanged() {
    if (JSON.stringify(this.phone.menu) === this.footer.drawn) return;
    this.footer.draw(this.phone.menu);
  }

  back() {
    if (this.where === "chat") this.toEnd();
  }

  async follow() {
    const told = post(`/phones/${this.phone.id}/follow`);
    this.phone.following = true;
    this.go("chat");
    await told;
  }

  async unfollow() {
    if ((await this.sheet(t("unfollowAsk"), [t("unfollow")], true)) !== 0) return;
    await post(`/phones/${this.phone.id}/unfollow`);
  }

  write(content, menu = "") {
    return post(`/phones/${this.phone.id}/text`, { content, menu });
  }

  link(url, words) {
    const parts = new URL(url, state.backend);
    if (parts.protocol !== "weixin:") return this.web.open(parts.href);
    return this.write(parts.searchParams.get("msgmenucontent") || words, parts.searchParams.get("msgmenuid") || "");
  }

  async tap(button, entry) {
    if (button.type === "view") {
      this.web.open(button.url);
      return post(`/phones/${this.phone.id}/tap`, { entry });
    }
    if (button.type === "click") return post(`/phones/${this.phone.id}/tap`, { entry });
    if (!button.type.startsWith("scancode")) return this.choose(button, entry);
    const found = await scan(this.screen, (text) => this.toast(text));
    if (!found) return null;
    if (button.type === "scancode_push") this.scanned(found.result);
    else this.toast(t("waiting"), 60000);
    await post(`/phones/${this.phone.id}/tap`, { entry, ...found });
    return this.screen.querySelector(".toast")?.remove();
  }

  /** A menu entry that takes a picture or a place, or leads where the simulator has nothing to show. */
  async choose(button, entry) {
    const pictures = button.type.startsWith("pic_");
    if (!pictures && button.type !== "location_select") {
      this.toast(t("notHere"));
      return button.type === "miniprogram" && post(`/phones/${this.phone.id}/tap`, { entry });
    }
    const found = pictures ? await chooseImage(this.screen) : await choosePlace(this);
    if (found instanceof FormData) found.append("entry", entry);
    return found && post(`/phones/${this.phone.id}/tap`, found instanceof FormData ? found : { entry, ...found });
  }

  /** What WeChat does itself with a scanned text: opens an address, shows anything else. */
  async scanned(result) {
    if (ACCOUNT_CODE.test(result)) return this.enter(result);
    if (/^https?:\/\//.test(result)) this.web.open(result);
    else this.sheet(`${t("scanned")}\n${result}`, []);
    return null;
  }

  /** Scan with the phone's own scanner, outside any menu. */
  async scan() {
    const found = await scan(this.screen, (text) => this.toast(text));
    if (found) await this.scanned(found.result);
  }

  /** A scanned code of the account: a follower lands in the chat, anyone else is asked to follow. */
  async enter(result) {
    if (!this.phone.following && (await this.sheet(state.account.name, [t("follow")])) !== 0) return;
    const told = post(`/phones/${this.phone.id}/scan-code`, { result });
    if (this.web.isOpen) this.web.close();
    if (await told) this.go("chat");
  }

  toast(text, length = TOAST) {
    this.screen.querySelector(".toast")?.remove();
    const toast = h("div", { class: "toast", role: "status" }, text);
    this.screen.append(toast);
    setTimeout(() => toast.remove(), length);
  }

  /** Ask with a sheet from below: resolves to the number of the choice, or -1. */
  sheet(title, choices, danger = false) {
    return sheet(this.screen, title, choices, danger);
  }
}
