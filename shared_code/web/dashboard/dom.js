// Elements are made by name and text alone: whatever is stored stays text.

/**
 * Make an element.
 * @param {string} name of the element
 * @param {object} attributes by name; `on` holds listeners; null, undefined and false are left out
 * @param {...(Node|string|number|null|Array)} children texts become text nodes
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) {
        element.addEventListener(event, listener);
      }
    } else {
      element.setAttribute(key, value === true ? "" : String(value));
    }
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined),
  );
  return element;
}

let numbered = 0;

/** Return an id that no other element has. */
export function freshId(prefix) {
  numbered += 1;
  return `${prefix}-${numbered}`;
}

/** Tell users of screen readers; the text is not shown. */
export function announce(text) {
  document.getElementById("announcements").textContent = text;
}

/**
 * Replace the children of an element, and leave the user where they were: the focus, the
 * disclosures that are open and how far tables are scrolled come back by their `data-key`. Where
 * what had the focus is gone, what was around it gets it.
 */
export function replaceKeepingPlace(element, ...children) {
  const focused = element.contains(document.activeElement)
    ? keysAround(document.activeElement)
    : [];
  const open = new Set();
  const scrolled = new Map();
  for (const keyed of element.querySelectorAll("[data-key]")) {
    if (keyed.open) open.add(keyed.dataset.key);
    if (keyed.scrollLeft || keyed.scrollTop) {
      scrolled.set(keyed.dataset.key, [keyed.scrollLeft, keyed.scrollTop]);
    }
  }
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  for (const keyed of element.querySelectorAll("details[data-key]")) {
    if (!open.has(keyed.dataset.key)) continue;
    keyed.open = true;
    // Some are filled when they are opened, and the browser tells of that only later.
    keyed.dispatchEvent(new Event("toggle"));
  }
  const found = new Map();
  for (const keyed of element.querySelectorAll("[data-key]")) {
    const { key } = keyed.dataset;
    found.set(key, keyed);
    if (scrolled.has(key)) [keyed.scrollLeft, keyed.scrollTop] = scrolled.get(key);
  }
  const kept = found.get(focused.find((key) => found.has(key)));
  (kept?.matches("details") ? kept.firstElementChild : kept)?.focus({ preventScroll: true });
}

/** The keys of an element and of all around it, from the inside out. */
function keysAround(element) {
  const keys = [];
  for (let at = element; at !== null; at = at.parentElement) {
    if (at.dataset.key !== undefined) keys.push(at.dataset.key);
  }
  return keys;
}
