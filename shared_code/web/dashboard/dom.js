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
 * disclosures that are open and how far tables are scrolled come back by their `data-key`.
 */
export function replaceKeepingPlace(element, ...children) {
  const focused = element.contains(document.activeElement)
    ? document.activeElement.closest("[data-key]")?.dataset.key
    : undefined;
  const open = new Set();
  const scrolled = new Map();
  for (const keyed of element.querySelectorAll("[data-key]")) {
    if (keyed.open) open.add(keyed.dataset.key);
    if (keyed.scrollLeft || keyed.scrollTop) {
      scrolled.set(keyed.dataset.key, [keyed.scrollLeft, keyed.scrollTop]);
    }
  }
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  for (const keyed of element.querySelectorAll("[data-key]")) {
    const { key } = keyed.dataset;
    if (open.has(key)) keyed.open = true;
    if (scrolled.has(key)) [keyed.scrollLeft, keyed.scrollTop] = scrolled.get(key);
    if (key === focused) (keyed.matches("details") ? keyed.firstElementChild : keyed).focus();
  }
}
