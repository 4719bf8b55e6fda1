// The one way to the figures: GET requests to the JSON API of the same host.

import { h } from "./dom.js";

const BASE = new URL("../v1/", import.meta.url);
const KEY = "functionKey";
const MOST_ROWS = 1000;
const MOST_CSV_PAGES = 100;

/** What the API refused or failed to do, in its own words where it has any (RFC 9457). */
export class Problem extends Error {
  constructor(title, detail, { status = null, errors = [] } = {}) {
    super(detail ? `${title}: ${detail}` : title);
    Object.assign(this, { title, detail, status, errors });
  }
}

function urlOf(path, query) {
  const url = new URL(path.replace(/^\//, ""), BASE);
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value ?? []].flat()) url.searchParams.append(name, each);
  }
  return url;
}

async function problemOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.includes("json")) {
    const { title, detail, errors } = await response.json();
    return new Problem(title ?? response.statusText, detail, { status: response.status, errors });
  }
  const meaning = {
    401: "The API asks for a key",
    403: "You may not read this",
    404: "The API has no such address",
    503: "The service is not available",
  }[response.status];
  const title = meaning ?? "The API failed";
  return new Problem(title, `It answered with status ${response.status}.`, {
    status: response.status,
  });
}

async function request(path, query, { signal, asksForKey = true } = {}) {
  const key = sessionStorage.getItem(KEY);
  let response;
  try {
    response = await fetch(urlOf(path, query), {
      signal,
      redirect: "manual", // to where people sign in, which is another host and no JSON
      headers: key ? { "x-functions-key": key } : {},
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The API cannot be reached", "The network or the service is down.");
  }
  if (response.ok) return response;
  if (response.type === "opaqueredirect") {
    throw new Problem("You are signed out", "Reload the page to sign in again.");
  }
  if (response.status === 401 && asksForKey && (await giveKey(key))) {
    return request(path, query, { signal, asksForKey: false });
  }
  throw await problemOf(response);
}

/** Return what the API answers. */
export async function get(path, query = {}, signal = undefined) {
  const response = await request(path, query, { signal });
  return response.json();
}

/**
 * Return the items of several pages.
 * @returns {{items: object[], complete: boolean}} complete tells whether none is left
 */
export async function pages(path, query, mostPages, signal) {
  const items = [];
  let cursor = null;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await get(path, { ...query, limit: MOST_ROWS, cursor }, signal);
    items.push(...answer.items);
    cursor = answer.next_cursor;
    if (cursor === null) break;
  }
  return { items, complete: cursor === null };
}

/** The address of a table's first rows as CSV, for links. */
export const csvAddress = (path, query) =>
  urlOf(path, { ...query, limit: MOST_ROWS, format: "csv" });

/**
 * Return all rows as CSV text, page behind page, with the name for its file.
 * @returns {{name: string, text: string, complete: boolean}}
 */
export async function csv(path, query) {
  let asked = { ...query, limit: MOST_ROWS, format: "csv" };
  let name = null;
  let text = "";
  for (let page = 0; asked !== null && page < MOST_CSV_PAGES; page += 1) {
    const response = await request(path, asked);
    const disposition = response.headers.get("Content-Disposition") ?? "";
    name ??= /filename="?([^";]+)"?/.exec(disposition)?.[1] ?? `${path.replaceAll("/", "-")}.csv`;
    const rows = await response.text();
    text += text === "" ? rows : rows.slice(rows.indexOf("\n") + 1); // the header stands once
    const next = /<\?([^>]*)>; *rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
    asked = next === undefined ? null : queryOf(new URLSearchParams(next));
  }
  return { name, text, complete: asked === null };
}

function queryOf(parameters) {
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((key) => [key, parameters.getAll(key)]),
  );
}

let asking = null;
let declined = false;

/** Let the key be asked for again, after the user has declined to give one. */
export function askAgain() {
  declined = false;
}

/**
 * Ask for a function key once, however many requests were refused, and keep it for this tab only.
 * @param {string|null} refused the key that did not open the API
 * @returns {Promise<boolean>} whether there is another key to try
 */
async function giveKey(refused) {
  if (sessionStorage.getItem(KEY) !== refused) return true;
  if (declined) return false;
  asking ??= askForKey(refused !== null).finally(() => {
    asking = null;
  });
  return asking;
}

function askForKey(again) {
  const input = h("input", {
    type: "password",
    id: "key",
    autocomplete: "off",
    required: true,
    "aria-describedby": "key-meaning",
  });
  const dialog = h(
    "dialog",
    { "aria-labelledby": "key-title" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "key-title" }, "A key opens the figures"),
      h(
        "p",
        { id: "key-meaning" },
        again ? "The API did not take that key. " : "",
        "Enter a function key of this app. This tab keeps it until it is closed, ",
        "and sends it to no one else. Who signs in to this app reloads the page instead.",
      ),
      h("label", { for: "key" }, "Function key"),
      input,
      h(
        "p",
        { class: "buttons" },
        h(
          "button",
          { type: "button", class: "quiet", on: { click: () => dialog.close("") } },
          "Cancel",
        ),
        h("button", { type: "submit", class: "main" }, "Open"),
      ),
    ),
  );
  const form = dialog.firstElementChild;
  form.addEventListener("submit", (event) => {
    event.preventDefault(); // the policy lets no form be sent anywhere, not even into a dialog
    dialog.close(input.value);
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue;
      dialog.remove();
      if (given) sessionStorage.setItem(KEY, given);
      declined = !given;
      resolve(Boolean(given));
    });
  });
}
