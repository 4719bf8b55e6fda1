// What stands in the bar of every view: span, zone, live update, theme.

import { freshId, h } from "./dom.js";
import { SPAN_NAMES, change, span, spanName, state } from "./place.js";

const two = (value) => String(value).padStart(2, "0");

/** An instant as an input of type datetime-local writes it, in the chosen zone. */
function written(instant) {
  const date = new Date(instant);
  if (state.utc) return date.toISOString().slice(0, 16);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

const read = (text) => new Date(state.utc ? `${text}Z` : text);

function spanControl() {
  const id = freshId("span");
  const select = h(
    "select",
    { id },
    Object.entries(SPAN_NAMES).map(([value, name]) => h("option", { value }, name)),
  );
  const from = h("input", { type: "datetime-local", required: true, id: `${id}-from` });
  const to = h("input", { type: "datetime-local", required: true, id: `${id}-to` });
  const mistake = h("p", { class: "mistake", id: `${id}-mistake`, role: "alert" });
  for (const input of [from, to]) input.setAttribute("aria-describedby", mistake.id);
  const own = h(
    "form",
    { class: "own", hidden: true, "aria-label": "Own span", novalidate: true },
    h("label", { for: from.id }, "From"),
    from,
    h("label", { for: to.id }, "to"),
    to,
    h("button", { type: "submit", class: "main" }, "Show"),
    mistake,
  );
  select.addEventListener("change", () => {
    if (select.value !== "own") {
      change({ span: select.value, from: null, to: null });
      return;
    }
    const now = span();
    [from.value, to.value] = [written(now.from), written(now.to)];
    own.hidden = false;
    from.focus();
  });
  own.addEventListener("submit", (event) => {
    event.preventDefault();
    const [start, end] = [read(from.value), read(to.value)];
    mistake.textContent = mistakeIn(start, end);
    if (!mistake.textContent) {
      change({ span: null, from: start.toISOString(), to: end.toISOString() });
    }
  });
  function follow() {
    select.value = spanName();
    own.hidden = spanName() !== "own";
    if (!own.hidden) {
      const chosen = span();
      [from.value, to.value] = [written(chosen.from), written(chosen.to)];
    }
  }
  return {
    elements: [h("label", { for: id, class: "visually-hidden" }, "Span"), select, own],
    follow,
  };
}

function mistakeIn(start, end) {
  if (Number.isNaN(start.getTime()) || Number.isNaN(end.getTime())) {
    return "Give both, day and time.";
  }
  if (end <= start) return "The end has to be after the beginning.";
  return end - start > 31 * 86400_000 ? "A span is at most 31 days long." : "";
}

function toggle(label, pressed, onClick) {
  const button = h(
    "button",
    { type: "button", "aria-pressed": String(pressed), on: { click: onClick } },
    label,
  );
  return button;
}

function zoneControl() {
  const button = h("button", {
    type: "button",
    on: { click: () => change({ tz: state.utc ? "local" : null }) },
  });
  const follow = () => {
    button.textContent = state.utc ? "UTC" : "Local time";
    const other = state.utc ? "local time" : "UTC";
    button.setAttribute("aria-label", `${button.textContent}: show ${other} instead`);
  };
  return { elements: [button], follow };
}

function themeControl(onTheme) {
  const dark = () =>
    document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
  const button = h("button", { type: "button" });
  const follow = () => {
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `${button.textContent} theme`);
  };
  button.addEventListener("click", () => {
    const theme = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    follow();
    onTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    follow();
    onTheme();
  });
  return { elements: [button], follow };
}

/**
 * Fill the bar.
 * @param {{onTheme: function, onLive: function}} called after a change
 * @returns {{follow: function, live: function, refreshed: function}}
 */
export function fillControls(bar, { onTheme, onLive }) {
  const age = h("span", { class: "age", title: "When the figures were fetched last" });
  const live = toggle("Live", true, () => {
    const on = live.getAttribute("aria-pressed") !== "true";
    live.setAttribute("aria-pressed", String(on));
    onLive(on);
  });
  live.title = "Fetches new figures every 15 seconds";
  const parts = [
    spanControl(),
    zoneControl(),
    { elements: [age, live], follow: () => {} },
    themeControl(onTheme),
  ];
  bar.append(...parts.flatMap((part) => part.elements));
  return {
    follow: () => parts.forEach((part) => part.follow()),
    isLive: () => live.getAttribute("aria-pressed") === "true",
    refreshed: (text) => {
      age.textContent = text;
    },
  };
}
