// Filters of a view; each stands in the address and follows it.

import { freshId, h } from "./dom.js";
import { words } from "./format.js";
import { change, state } from "./place.js";

/** Pick one of several by a select; the first is what stands when nothing is chosen. */
export function choice(name, label, options) {
  const id = freshId("filter");
  const select = h(
    "select",
    {
      id,
      on: { change: () => change({ [name]: select.selectedIndex === 0 ? null : select.value }) },
    },
    options.map(([value, text]) => h("option", { value }, text)),
  );
  const follow = () => {
    select.value = state.query.get(name) ?? options[0][0];
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  };
  follow();
  return { element: h("div", { class: "filter" }, h("label", { for: id }, label), select), follow };
}

/** Pick any number by checkboxes in a disclosure. */
export function several(name, label, options) {
  const summary = h("summary", {});
  const boxes = new Map();
  const list = h("div", { class: "options" });
  const menu = h(
    "details",
    {
      class: "menu",
      on: {
        keydown: (event) => {
          if (event.key !== "Escape" || !menu.open) return;
          menu.open = false;
          summary.focus();
        },
        focusout: (event) => {
          if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
        },
      },
    },
    summary,
    h("fieldset", {}, h("legend", { class: "visually-hidden" }, label), list),
  );
  const clear = h(
    "button",
    { type: "button", class: "quiet", on: { click: () => change({ [name]: null }) } },
    "All",
  );
  list.append(clear);

  function offer(value) {
    if (boxes.has(value)) return;
    const box = h("input", {
      type: "checkbox",
      value,
      on: {
        change: () => {
          const chosen = [...boxes].filter(([, each]) => each.checked).map(([each]) => each);
          change({ [name]: chosen });
        },
      },
    });
    boxes.set(value, box);
    clear.before(h("label", {}, box, words(value)));
  }

  function follow() {
    const chosen = state.query.getAll(name);
    chosen.forEach(offer);
    for (const [value, box] of boxes) box.checked = chosen.includes(value);
    const shown = chosen.length > 2 ? `${chosen.length} chosen` : chosen.map(words).join(", ");
    summary.replaceChildren(h("span", { class: "label" }, label), ` ${shown || "all"}`);
  }
  options.forEach(offer);
  follow();
  return { element: h("div", { class: "filter" }, menu), follow, offer };
}

/** Type a value; it counts when it is left or Enter is pressed. */
export function text(name, label, { list = null, size = 18 } = {}) {
  const id = freshId("filter");
  const options = list ? h("datalist", { id: `${id}-list` }) : null;
  const input = h("input", {
    id,
    size,
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    list: list ? `${id}-list` : null,
    on: { change: () => change({ [name]: input.value.trim() || null }) },
  });
  const follow = () => {
    input.value = state.query.get(name) ?? "";
  };
  const offer = (values) =>
    options?.replaceChildren(...values.map((value) => h("option", { value })));
  follow();
  return {
    element: h("div", { class: "filter" }, h("label", { for: id }, label), input, options),
    follow,
    offer,
  };
}

const STEP = 400;
const MOST = 1000;

/** Say how many rows are shown, and offer more while there are some. */
export function moreRows(items, next) {
  const said = h("p", { class: "more" }, `${items.length} ${items.length === 1 ? "row" : "rows"}`);
  if (next === null) return said;
  if (items.length >= MOST) {
    said.append(" are shown, and there are more: narrow the span or the filters.");
    return said;
  }
  const rows = Math.min(items.length + STEP, MOST);
  said.append(
    " are shown. ",
    h(
      "button",
      {
        type: "button",
        "data-key": "more rows",
        on: { click: () => change({ rows: String(rows) }) },
      },
      `Show ${rows}`,
    ),
  );
  return said;
}

/** How many rows the address asks for. */
export const rowsShown = () => Math.min(Number(state.query.get("rows")) || 200, MOST);
