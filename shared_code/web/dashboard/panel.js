// A part of a view that loads by itself and says honestly how that went.

import { announce, freshId, h, replaceKeepingPlace } from "./dom.js";
import { timeWithSeconds } from "./format.js";
import { state } from "./place.js";

/** Something that is loaded once a refresh, however many panels show it. */
export function source(load) {
  let current = { round: null, answer: null };
  return (round, signal) => {
    if (current.round !== round) current = { round, answer: load(signal) };
    return current.answer;
  };
}

/**
 * Make a panel.
 * @param {string} title its heading
 * @param {function} from a source: (round, signal) => Promise of data
 * @param {function} show data => nodes; an empty list means that there is nothing to show
 * @param {string|function} nothing what to say when there is nothing, or data => that
 * @param {Node[]} tools shown beside the heading
 * @param {string} width wide, half or third
 */
export function panel({ title, from, show, nothing, tools = [], width = "wide", note = null }) {
  const id = freshId("panel");
  const notice = h("div", { class: "notices" });
  const body = h("div", { class: "body" }, h("p", { class: "state" }, "Loading …"));
  const element = h(
    "section",
    { class: `panel ${width}`, "aria-labelledby": id, "aria-busy": "true" },
    h(
      "div",
      { class: "head" },
      h("h2", { id }, title),
      note ? h("p", { class: "note" }, note) : null,
      tools.length ? h("div", { class: "tools" }, tools) : null,
    ),
    notice,
    body,
  );
  let shown = null; // text of the data that is shown, so that what is unchanged stays untouched
  let data = null;
  let at = null;
  let asked = null; // filters and span that the data belongs to

  function render() {
    replaceKeepingPlace(body, nodesFor(data));
  }

  function nodesFor(found) {
    const nodes = [show(found)].flat(Infinity).filter(Boolean);
    if (nodes.length) return nodes;
    return [h("p", { class: "state" }, typeof nothing === "function" ? nothing(found) : nothing)];
  }

  async function refresh(round, signal) {
    element.setAttribute("aria-busy", "true");
    const asking = filters();
    try {
      const found = await from(round, signal);
      if (signal.aborted) return null;
      const text = JSON.stringify(found, (key, value) => (key === "as_of" ? undefined : value));
      data = found;
      at = new Date();
      asked = asking;
      if (text !== shown) render();
      shown = text;
      notice.replaceChildren();
      return null;
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) return null;
      showFailure(error);
      return error;
    } finally {
      if (!signal.aborted) element.setAttribute("aria-busy", "false");
    }
  }

  function showFailure(error) {
    const again = h(
      "button",
      {
        type: "button",
        on: { click: () => element.dispatchEvent(new Event("again", { bubbles: true })) },
      },
      "Try again",
    );
    const details = (error.errors ?? []).map((each) =>
      h("li", {}, h("code", {}, each.parameter), ` ${each.detail}`),
    );
    const stale = data !== null && asked === filters();
    const title = error.title ?? "This cannot be shown";
    if (error.title === undefined) console.error(error);
    replaceKeepingPlace(
      notice,
      h(
        "div",
        { class: `notice ${stale ? "stale" : "failed"}` },
        h("p", {}, h("strong", {}, title), ". ", error.detail ?? error.message),
        details.length ? h("ul", {}, details) : null,
        stale ? h("p", {}, `What stands below is as of ${timeWithSeconds(at)}.`) : null,
        h("p", {}, again),
      ),
    );
    if (!stale) {
      data = null;
      shown = null;
      body.replaceChildren();
    }
    announce(`${titleOf(element)}: ${title}`);
  }

  /** Show the same data again, for another zone or theme. */
  function again() {
    if (data !== null) render();
  }

  return { element, refresh, again };
}

function filters() {
  const query = new URLSearchParams(state.query);
  query.delete("tz");
  return String(query);
}

const titleOf = (element) => element.querySelector("h2").textContent;
