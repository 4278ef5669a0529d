/* Messages that are no text and no card: voice, video, places, articles, music, mini programs, coupons. */

import { h, icons } from "./dom.js";
import { t } from "./text.js";

function voice(message) {
  const seconds = Math.max(1, Math.round(message.seconds || 1));
  const play = () => message.mime === "audio/mpeg" && new Audio(message.url).play().catch(() => {});
  return h(
    "button",
    { type: "button", class: "bubble voice", style: `width: ${64 + Math.min(seconds, 60) * 2.4}px`, onclick: play },
    h("i", { html: icons.voice }),
    h("span", { "aria-label": `${t("voiceIs")} ${seconds}` }, `${seconds}″`),
  );
}

function video(message) {
  const playable = message.mime && h("video", { src: message.url, poster: message.thumb || null, preload: "none" });
  const play = () => playable.play().catch(() => {});
  const words = message.title ? h("strong", {}, message.title) : null;
  const more = message.description ? h("small", {}, message.description) : null;
  return h(
    "button",
    { type: "button", class: "video", "aria-label": t(message.short ? "shortVideoIs" : "videoIs"), onclick: play },
    h("span", { class: "frame" }, playable, h("i", { class: "play", html: icons.play })),
    words,
    more,
  );
}

const location = (message) =>
  h(
    "div",
    { class: "place" },
    h("strong", {}, message.label || t("locationIs")),
    h("small", {}, `${message.latitude}, ${message.longitude}`),
    h("span", { class: "map", html: icons.pin, "aria-hidden": "true" }),
  );

/** A line of words with a small picture, and what it is beneath. */
function shared(kind, title, words, picture, open) {
  return h(
    "button",
    { type: "button", class: "shared", onclick: open },
    h("strong", {}, title),
    h(
      "span",
      {},
      h("small", {}, words),
      picture ? h("img", { src: picture, alt: "" }) : h("i", { html: icons.link }),
    ),
    kind ? h("em", {}, kind.replace(/[[\]]/g, "")) : null,
  );
}

export const attachments = {
  voice,
  video,
  location,
  link: (message, act) => shared("", message.title, message.description, "", () => act.open(message.url)),
  music: (message) => {
    const play = () => message.url && new Audio(message.url).play().catch(() => {});
    return shared(t("musicIs"), message.title || t("musicIs"), message.description, message.thumb, play);
  },
  miniprogram: (message) => shared(t("miniProgramIs"), message.title, message.path, message.thumb, () => {}),
  card: (message) => shared(t("couponIs"), message.title, "", "", () => {}),
};

const NAMES = {
  image: "imageIs",
  voice: "voiceIs",
  video: "videoIs",
  location: "locationIs",
  link: "linkCard",
  music: "musicIs",
  miniprogram: "miniProgramIs",
  card: "couponIs",
};

/** Such a message in one line. */
export const inOneLine = (message) =>
  `[${t(NAMES[message.type])}]`.replace("[[", "[").replace("]]", "]") +
  (message.title || message.label ? ` ${message.title || message.label}` : "");
