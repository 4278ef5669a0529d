/* Elements without ceremony. */

/** An element with attributes, listeners (onclick: fn) and children (nodes, text, arrays; null is skipped). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "html") element.innerHTML = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const stroke = (d) =>
  `<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${d}</svg>`;

export const icons = {
  back: stroke('<path d="M15 4.500 7.500 12l7.500 7.500"/>'),
  close: stroke('<path d="M5.500 5.500l13 13M18.500 5.500l-13 13"/>'),
  more: '<svg viewBox="0 0 24 24" fill="currentColor" aria-hidden="true"><circle cx="5" cy="12" r="1.800"/><circle cx="12" cy="12" r="1.800"/><circle cx="19" cy="12" r="1.800"/></svg>',
  keyboard: stroke(
    '<circle cx="12" cy="12" r="10"/><path d="M7.200 9.500h.01M10.400 9.500h.01M13.600 9.500h.01M16.800 9.500h.01M7.200 12.500h.01M10.400 12.500h.01M13.600 12.500h.01M16.800 12.500h.01M9 15.500h6"/>',
  ),
  list: stroke('<circle cx="12" cy="12" r="10"/><path d="M8 9h8M8 12h8M8 15h8"/>'),
  plus: stroke('<circle cx="12" cy="12" r="10"/><path d="M12 7.500v9M7.500 12h9"/>'),
  picture: stroke(
    '<rect x="3.500" y="4.500" width="17" height="15" rx="2"/><circle cx="9" cy="10" r="1.600"/><path d="M4 17l5-4 3.500 3 3-2.500 4.500 4"/>',
  ),
  scan: stroke(
    '<path d="M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M3 12h18"/>',
  ),
  voice: stroke('<path d="M7 9.500v5M11 7v10M15 9.500v5M19 11v2M3.500 11v2"/>'),
  play: '<svg viewBox="0 0 24 24" fill="currentColor" aria-hidden="true"><path d="M8 5.500v13l11-6.500z"/></svg>',
  film: stroke('<rect x="3" y="6" width="12.500" height="12" rx="2"/><path d="M15.500 11l5.500-3v8l-5.500-3"/>'),
  pin: stroke('<path d="M12 21c4-4.500 6.500-7.700 6.500-11a6.500 6.500 0 1 0-13 0c0 3.300 2.500 6.500 6.500 11z"/><circle cx="12" cy="10" r="2.300"/>'),
  link: stroke('<path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.700-5.700L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.700 5.700L12 17"/>'),
  chevron: stroke('<path d="M9 5l7 7-7 7"/>'),
  battery:
    '<svg viewBox="0 0 26 12" width="24" height="11" aria-hidden="true"><rect x=".5" y=".5" width="22" height="11" rx="3" fill="none" stroke="currentColor" opacity=".5"/><rect x="2" y="2" width="17" height="8" rx="1.600" fill="currentColor"/><path d="M24 4v4c1-.3 1.500-1.100 1.500-2S25 4.300 24 4z" fill="currentColor" opacity=".5"/></svg>',
  signal:
    '<svg viewBox="0 0 18 12" width="17" height="11" fill="currentColor" aria-hidden="true"><rect y="8" width="3" height="4" rx=".8"/><rect x="5" y="5.500" width="3" height="6.500" rx=".8"/><rect x="10" y="3" width="3" height="9" rx=".8"/><rect x="15" width="3" height="12" rx=".8"/></svg>',
};

/** A button that is only an icon. */
export function iconButton(icon, label, onclick, attributes = {}) {
  return h("button", {
    type: "button",
    class: "icon",
    "aria-label": label,
    title: label,
    html: icons[icon],
    onclick,
    ...attributes,
  });
}
