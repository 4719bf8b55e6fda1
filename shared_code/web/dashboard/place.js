// What is looked at: view, span, zone and filters. All of it stands in the address, so that a link
// shows others the same.

const SPANS = { "1h": 3600, "24h": 86400, "7d": 604800 };
const EVERYWHERE = ["span", "from", "to", "tz"];

export const SPAN_NAMES = {
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  own: "Own span",
};

/** How long a period is, in seconds. */
export const PERIODS = { "5m": 300, "1h": 3600, "1d": 86400 };

/** The place that the address names; `query` holds the filters of the view, too. */
export const state = { view: "overview", id: null, query: new URLSearchParams(), utc: true };

/** Take the place from the address. */
export function readPlace() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/");
  state.view = view || "overview";
  try {
    state.id = rest.length ? decodeURIComponent(rest.join("/")) : null;
  } catch {
    [state.view, state.id] = [path, null]; // percent signs that encode nothing name no view
  }
  state.query = new URLSearchParams(query);
  state.utc = state.query.get("tz") !== "local";
}

function address(view, id, query) {
  const text = String(query);
  return `#/${view}${id === null ? "" : `/${encodeURIComponent(id)}`}${text ? `?${text}` : ""}`;
}

/** Return the address of another view; span and zone stay. */
export function linkTo(view, id = null, filters = {}) {
  const query = new URLSearchParams();
  for (const name of EVERYWHERE) {
    if (state.query.has(name)) query.set(name, state.query.get(name));
  }
  for (const [name, value] of Object.entries(filters)) {
    for (const each of [value].flat()) {
      if (each !== null && each !== undefined) query.append(name, each);
    }
  }
  return address(view, id, query);
}

/**
 * Change filters, span or zone of the view; null takes one away. A new entry of the history is
 * made, so that Back undoes it.
 */
export function change(changes) {
  const query = new URLSearchParams(state.query);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const each of [value ?? []].flat()) query.append(name, each);
  }
  location.hash = address(state.view, state.id, query);
}

/** The name of the span that is looked at: 1h, 24h, 7d or own. */
export function spanName() {
  const name = state.query.get("span");
  if (state.query.has("from") && state.query.has("to")) return "own";
  return name in SPANS ? name : "24h";
}

/** The span as instants, `from` included and `to` not; a preset ends now. */
export function span() {
  if (spanName() === "own") {
    const [from, to] = [state.query.get("from"), state.query.get("to")].map(
      (text) => new Date(text),
    );
    if (!Number.isNaN(from.getTime()) && !Number.isNaN(to.getTime())) {
      return { from: from.toISOString(), to: to.toISOString() };
    }
  }
  const seconds = SPANS[spanName()] ?? SPANS["24h"];
  const now = Math.ceil(Date.now() / 1000) * 1000;
  return { from: new Date(now - seconds * 1000).toISOString(), to: new Date(now).toISOString() };
}

/** How long the span is, in seconds. */
export function spanSeconds() {
  const { from, to } = span();
  return (new Date(to) - new Date(from)) / 1000;
}

/** Whether a period of some length starts in a span; they start at whole multiples in UTC. */
export function startsWithin({ from, to }, period) {
  const step = PERIODS[period] * 1000;
  return Math.ceil(Date.parse(from) / step) * step < Date.parse(to);
}

/** Windows, hours or days: what a chart of the span can show one by one. */
export function fittingPeriod() {
  const seconds = spanSeconds();
  if (seconds <= SPANS["24h"]) return "5m";
  return seconds <= SPANS["7d"] * 2 ? "1h" : "1d";
}
