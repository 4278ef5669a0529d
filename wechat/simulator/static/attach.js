/* What the plus panel sends: a picture, a voice, a video, a place, an article. */

import { chooseImage } from "./album.js";
import { h } from "./dom.js";
import { post } from "./live.js";
import { t } from "./text.js";

const PLACES = [
  { zh: "北京儿童医院", en: "Beijing Children's Hospital", latitude: 39.9117, longitude: 116.3512 },
  { zh: "天安门广场", en: "Tian'anmen Square", latitude: 39.9055, longitude: 116.3976 },
];
const ARTICLE = {
  title: "孩子发烧怎么办",
  description: "什么时候在家观察，什么时候去医院",
  url: "https://example.org/fever",
};

/** Let a file be chosen: resolves to a form with it, or null. */
function chosen(accept) {
  return new Promise((resolve) => {
    const input = h("input", { type: "file", accept });
    input.onchange = () => {
      const form = new FormData();
      form.append("file", input.files[0]);
      resolve(form);
    };
    input.oncancel = () => resolve(null);
    input.click();
  });
}

/** Ask on the phone what exactly to send, and send it. `owner` is a phone of phone.js. */
export async function attach(owner, kind) {
  const path = `/phones/${owner.phone.id}/${kind}`;
  if (kind === "image") {
    const picture = await chooseImage(owner.screen);
    return picture && post(path, picture);
  }
  if (kind === "link") return post(path, ARTICLE);
  if (kind === "location") {
    const place = await choosePlace(owner);
    return place && post(path, place);
  }
  const choice = await owner.sheet(t(kind), [t(kind === "voice" ? "sampleVoice" : "sampleVideo"), t("chooseFile")]);
  if (choice === 0) return post(path, {});
  const file = choice === 1 && (await chosen(kind === "voice" ? ".amr,.mp3" : "video/mp4"));
  return file ? post(path, file) : null;
}

/** Choose one of a few places: what the control API takes, or null. */
export async function choosePlace(owner) {
  const names = PLACES.map((place) => place[t("code")]);
  const choice = await owner.sheet(t("location"), names);
  if (choice < 0) return null;
  const { latitude, longitude } = PLACES[choice];
  return { latitude, longitude, label: names[choice], name: names[choice] };
}
