/* Messages as WeChat shows them. */

import { attachments, inOneLine } from "./attachments.js";
import { h, icons } from "./dom.js";
import { t, when } from "./text.js";

const PAUSE = 5 * 60 * 1000; // a time stands above a message that comes so long after the one before
const LINK = /<a\s[^>]*?href=(["'])(.*?)\1[^>]*>([\s\S]*?)<\/a>|https?:\/\/[\w\-./?%&=#~:@+,;!*$]+/gi;

/** Text with its links; `tap(url, words)` is called when one is touched. */
function linked(text, tap) {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(LINK)) {
    const url = match[2] ?? match[0],
      words = match[3] ?? match[0];
    parts.push(text.slice(last, match.index));
    parts.push(
      h(
        "a",
        {
          href: url,
          onclick: (event) => {
            event.preventDefault();
            tap(url, words);
          },
        },
        words,
      ),
    );
    last = match.index + match[0].length;
  }
  return [...parts, text.slice(last)];
}

const kinds = {
  ...attachments,
  text: (message, act) => h("div", { class: "bubble" }, ...linked(message.text, act.link)),
  image: (message) =>
    h("div", { class: "picture" }, h("img", { src: message.url, alt: t("imageIs"), loading: "lazy" })),
  news: (message, act) =>
    h("div", { class: "news" }, ...message.articles.map((article, index) => newsItem(article, index, act))),
  template: (message, act) => card(message, act),
  notice: (message) => h("div", { class: "notice", "data-testid": "notice" }, t("fault") || message.text),
};

function newsItem(article, index, act) {
  const cover = article.picture && h("img", { src: act.picture(article.picture), alt: "", loading: "lazy" });
  const words = [
    h("strong", {}, article.title),
    article.description && index === 0 ? h("span", {}, article.description) : null,
  ];
  const open = () => article.url && act.open(article.url);
  return h(
    "button",
    { type: "button", class: index ? "row" : "lead", "data-testid": "news", onclick: open },
    cover || null,
    h("div", {}, ...words),
  );
}

function card(message, act) {
  const rows = message.rows.map((row) => h("div", { class: "pair" }, h("dt", {}, row.label), h("dd", {}, row.value)));
  const body = [h("h3", {}, message.title), h("dl", {}, ...rows)];
  const facts = { class: "card", "data-testid": "card", "data-template": message.template_id, "data-n": message.n };
  if (!message.url) return h("div", facts, ...body);
  const foot = h("div", { class: "foot" }, t("details"), h("i", { html: icons.chevron }));
  return h("button", { type: "button", ...facts, onclick: () => act.open(message.url) }, ...body, foot);
}

/** One message as a row of the chat, with its time above when `before` is long ago. */
export function messageRow(message, before, phone, act) {
  const wide = ["template", "news", "notice"].includes(message.type);
  const mine = message.from === "me";
  const head = h("img", { class: "head", src: `/mmhead/${mine ? phone.id : "account"}.svg`, alt: "" });
  const body = (kinds[message.type] || kinds.notice)(message, act);
  const late = !before || new Date(message.time) - new Date(before.time) > PAUSE;
  const row = h(
    "div",
    {
      class: `message ${mine ? "mine" : "theirs"} ${wide ? "wide" : ""}`,
      "data-testid": `message-${message.type}`,
      "data-from": message.from,
    },
    ...(wide ? [body] : mine ? [body, head] : [head, body]),
  );
  return [late ? h("time", { class: "when", datetime: message.time }, when(message.time)) : null, row];
}

/** A message in one line, for lists and banners. */
export function preview(message) {
  if (!message) return "";
  if (message.type === "text" || message.type === "notice")
    return message.text.replace(/<[^>]*>/g, "").replace(/\s+/g, " ");
  if (message.type === "image" || attachments[message.type]) return inOneLine(message);
  return message.type === "news" ? `${t("linkCard")} ${message.articles[0].title}` : message.title;
}
