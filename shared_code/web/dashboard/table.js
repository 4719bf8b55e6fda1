// Real tables, dense and readable by machine and ear, each with its rows as CSV.

import { announce, h } from "./dom.js";
import * as format from "./format.js";
import { csv, csvAddress } from "./api.js";

const KINDS = {
  text: {
    show: (value) => (value === null || value === "" ? format.NOTHING : (value ?? format.NOTHING)),
  },
  words: { show: format.words },
  code: { show: (value) => (value ? h("code", {}, value) : format.NOTHING) },
  time: { show: format.time, className: "time" },
  seconds: { show: format.timeWithSeconds, className: "time" },
  count: { show: format.count, className: "number" },
  money: { show: format.money, className: "number" },
  measured: { show: format.measured, className: "number" },
  ratio: { show: format.ratio, className: "number" },
  severity: { show: (value) => severity(value) },
  yes: { show: (value) => (value ? "yes" : "no") },
};

/** A severity in words, with a colour for the eye only. */
export const severity = (name) => h("span", { class: `severity ${name}` }, name);

/** A time, readable by machine. */
export const moment = (value, show = format.time) =>
  value ? h("time", { datetime: value, title: value }, show(value)) : format.NOTHING;

function cell(column, row, isFirst) {
  const kind = KINDS[column.kind ?? "text"];
  const value = row[column.key];
  let content = column.node ? column.node(row) : kind.show(value);
  if (!column.node && ["time", "seconds"].includes(column.kind)) content = moment(value, kind.show);
  const attributes = { class: column.className ?? kind.className ?? null };
  return isFirst ? h("th", { scope: "row", ...attributes }, content) : h("td", attributes, content);
}

/** Give links of a row a key by table, row and address, so that the focus finds them again. */
function nameLinks(cells, key, taken) {
  for (const link of cells.flatMap((each) => [...each.querySelectorAll("a[href]")])) {
    const name = [key, cells[0].textContent, link.getAttribute("href")].join(" ");
    const times = (taken.get(name) ?? 0) + 1;
    taken.set(name, times);
    link.dataset.key = times === 1 ? name : `${name} ${times}`;
  }
}

/**
 * Make a table.
 * @param {string} caption what it lists; also names the region that scrolls
 * @param {{key, label, kind, node, className}[]} columns
 * @param {object[]} rows
 * @param {boolean} quiet the caption is for screen readers only, as where a heading says the same
 */
export function table({ caption, columns, rows, quiet = true, key = caption }) {
  const heads = columns.map((column) => {
    const numeric = column.className ?? KINDS[column.kind ?? "text"].className ?? null;
    const isTime = ["time", "seconds"].includes(column.kind);
    const label = isTime ? `${column.label} (${format.zone()})` : column.label;
    return h("th", { scope: "col", class: numeric }, label);
  });
  const taken = new Map();
  return h(
    "div",
    { class: "scroller", role: "region", tabindex: "0", "aria-label": caption, "data-key": key },
    h(
      "table",
      {},
      h("caption", { class: quiet ? "visually-hidden" : null }, caption),
      h("thead", {}, h("tr", {}, heads)),
      h(
        "tbody",
        {},
        rows.map((row) => {
          const cells = columns.map((column, at) => cell(column, row, at === 0));
          nameLinks(cells, key, taken);
          return h("tr", {}, cells);
        }),
      ),
    ),
  );
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  h("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}

/**
 * A link to the rows of a list as CSV. The request carries the key, which a plain link could not.
 * @param {function} query () => what to ask for now
 */
export function csvLink(path, query, what) {
  const failure = h("span", { class: "failed", role: "alert" });
  const link = h(
    "a",
    {
      class: "csv",
      href: csvAddress(path, query()),
      download: true,
      "aria-label": `Download ${what} as CSV`,
      on: {
        click: async (event) => {
          event.preventDefault();
          link.href = csvAddress(path, query());
          failure.remove();
          try {
            const file = await csv(path, query());
            save(file.name, file.text);
            announce(
              file.complete ? `${file.name} downloaded` : `${file.name} has the first 100,000 rows`,
            );
          } catch (error) {
            failure.textContent = `${error.message} `;
            link.before(failure);
          }
        },
      },
    },
    "CSV",
  );
  return link;
}

// A spreadsheet takes what begins so for a formula; a number is none.
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?\d+(\.\d+)?$/;

function csvField(value) {
  let text = value === null || value === undefined ? "" : String(value);
  if (typeof value === "object" && value !== null) text = JSON.stringify(value);
  if (FORMULA.test(text) && !NUMBER.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A button that saves rows() which were put together here, such as the points of a chart. */
export function saveRows(name, columns, rows) {
  return h(
    "button",
    {
      type: "button",
      class: "csv",
      "data-key": `csv ${name}`,
      "aria-label": `Download ${name} as CSV`,
      on: {
        click: () => {
          const lines = [
            columns.map((column) => column.key),
            ...rows().map((row) => columns.map((column) => row[column.key])),
          ];
          save(`${name}.csv`, lines.map((line) => `${line.map(csvField).join(",")}\r\n`).join(""));
          announce(`${name}.csv downloaded`);
        },
      },
    },
    "CSV",
  );
}
