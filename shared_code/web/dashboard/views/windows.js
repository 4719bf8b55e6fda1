// Payments and amounts by window; amounts are never added up across currencies.

import { get, pages } from "../api.js";
import { everyTime, timeChart } from "../chart.js";
import { h } from "../dom.js";
import * as filters from "../filters.js";
import * as format from "../format.js";
import { panel, source } from "../panel.js";
import { fittingPeriod, linkTo, span, startsWithin, state } from "../place.js";
import { csvLink, saveRows, table } from "../table.js";
import { METHODS, STATUSES } from "../vocabularies.js";

const MOST_PAGES = 5;
const STATUS_TONES = {
  completed: "accent",
  failed: "series-failed",
  pending: "series-3",
  cancelled: "series-cancelled",
  refunded: "series-4",
};

const WINDOW_COLUMNS = [
  {
    key: "window_start",
    label: "Window",
    kind: "time",
    node: (row) =>
      row.revision === undefined || period() !== "5m"
        ? format.time(row.window_start)
        : h("a", { href: linkTo("windows", row.window_start) }, format.time(row.window_start)),
  },
  { key: "payment_method", label: "Method", kind: "words" },
  { key: "currency", label: "Currency" },
  { key: "payment_status", label: "Status", kind: "words" },
  {
    key: "payment_count",
    label: "Payments",
    className: "number",
    node: (row) => (period() === "5m" ? toPayments(row) : format.count(row.payment_count)),
  },
  { key: "amount_sum", label: "Sum", kind: "money" },
  { key: "amount_min", label: "Least", kind: "money" },
  { key: "amount_avg", label: "Mean", kind: "money" },
  { key: "amount_p50", label: "p50", kind: "money" },
  { key: "amount_p95", label: "p95", kind: "money" },
  { key: "amount_p99", label: "p99", kind: "money" },
  { key: "amount_max", label: "Most", kind: "money" },
  { key: "distinct_customers", label: "Customers", kind: "count" },
  { key: "distinct_merchants", label: "Merchants", kind: "count" },
  { key: "revision", label: "Revision", kind: "count" },
  { key: "is_final", label: "Final", kind: "yes" },
];

/** The address of the payments that a group counts. */
function toPayments(row) {
  const { payment_method: method, currency, payment_status: status } = row;
  const address = linkTo("windows", row.window_start, { method, currency, status });
  return h(
    "a",
    { href: address, "aria-label": `${format.count(row.payment_count)} payments` },
    format.count(row.payment_count),
  );
}

const PERIOD_NAMES = { "5m": "window", "1h": "hour", "1d": "day" };

const period = () => state.query.get("period") ?? fittingPeriod();

export function windowsView() {
  const currency = filters.several("currency", "Currency", []);
  const query = () => ({
    ...span(),
    period: period(),
    ...Object.fromEntries(
      ["method", "currency", "status"].map((name) => [name, state.query.getAll(name)]),
    ),
  });
  const all = source(async (signal) => {
    const asked = query();
    const found = await pages("windows", asked, MOST_PAGES, signal);
    found.items.forEach((row) => currency.offer(row.currency));
    return { ...found, period: asked.period };
  });
  const nothing = () =>
    startsWithin(span(), period())
      ? "No payment of these groups has an event time in this span."
      : `No ${PERIOD_NAMES[period()]} starts in this span: choose a longer one.`;
  return {
    heading: "Windows",
    filters: [
      filters.choice("period", "Period", [
        ["", "fitting the span"],
        ["5m", "5 minutes"],
        ["1h", "hours"],
        ["1d", "days"],
      ]),
      filters.several("method", "Method", METHODS),
      currency,
      filters.several("status", "Status", STATUSES),
    ],
    panels: [
      panel({ title: "Payments by status", from: all, show: byStatus, nothing, width: "half" }),
      panel({
        title: "Percentiles of amounts",
        from: all,
        show: percentiles,
        nothing,
        width: "half",
      }),
      panel({
        title: "Amounts by currency",
        from: all,
        show: byCurrency,
        nothing,
        tools: [saveRows("amounts-by-currency", CURRENCY_COLUMNS, () => sums)],
      }),
      panel({
        title: "Windows by method, currency and status",
        from: source((signal) =>
          get("windows", { ...query(), limit: filters.rowsShown() }, signal),
        ),
        show: ({ items, next_cursor: next }) =>
          items.length
            ? [
                table({
                  caption: "Windows by method, currency and status",
                  columns: WINDOW_COLUMNS,
                  rows: items,
                }),
                filters.moreRows(items, next),
              ]
            : [],
        nothing,
        tools: [csvLink("windows", query, "windows")],
        note: "a window opens its revisions, a count its payments",
      }),
    ],
  };
}

const timesOf = (items, period) =>
  everyTime([...new Set(items.map((each) => each.window_start))].toSorted(), period);

const cut = ({ complete }) =>
  complete
    ? null
    : h("p", { class: "note" }, "Of the newest 5,000 groups: filter, or choose hours, to see all.");

function byStatus(found) {
  if (!found.items.length) return [];
  const times = timesOf(found.items, found.period);
  const series = Object.entries(STATUS_TONES).flatMap(([status, tone]) => {
    const counts = new Map();
    for (const row of found.items) {
      if (row.payment_status !== status) continue;
      counts.set(row.window_start, (counts.get(row.window_start) ?? 0) + row.payment_count);
    }
    const values = times.map((each) => counts.get(each) ?? 0);
    return counts.size ? [{ label: format.words(status), tone, values }] : [];
  });
  return [
    cut(found),
    timeChart({ title: "Payments by status", times, series, show: format.compact }),
  ];
}

const groupName = (row) => [row.payment_method, row.currency, row.payment_status].join(" ");

function percentiles(found) {
  const closed = found.items.filter((row) => row.amount_p50 !== null);
  if (!closed.length) {
    return found.items.length
      ? [h("p", { class: "state" }, "No window of this span is closed yet.")]
      : [];
  }
  const groups = [...Map.groupBy(closed, groupName)].toSorted((a, b) => paid(b[1]) - paid(a[1]));
  const holder = h("div", {});
  const select = h(
    "select",
    {
      id: "percentile-group",
      "data-key": "percentile group",
      on: {
        change: () => {
          chosenGroup = select.value;
          draw();
        },
      },
    },
    groups.map(([name]) => h("option", { value: name }, name.replaceAll("_", " "))),
  );
  select.value = groups.some(([name]) => name === chosenGroup) ? chosenGroup : groups[0][0];
  function draw() {
    const rows = new Map(
      groups.find(([name]) => name === select.value)[1].map((row) => [row.window_start, row]),
    );
    const times = timesOf([...rows.values()], found.period);
    const series = [
      ["p50", "accent", false],
      ["p95", "series-3", false],
      ["p99", "series-failed", true],
    ].map(([label, tone, dashed]) => ({
      label,
      tone,
      dashed,
      values: times.map((each) => amountOf(rows.get(each), `amount_${label}`)),
    }));
    const title = `Percentiles, ${select.value.replaceAll("_", " ")}`;
    holder.replaceChildren(timeChart({ title, times, series, show: format.compact }));
  }
  draw();
  return [
    h("div", { class: "filter inline" }, h("label", { for: "percentile-group" }, "Group"), select),
    holder,
  ];
}

const amountOf = (row, name) => (row === undefined ? null : Number(row[name]));

let chosenGroup = null;

const paid = (rows) => rows.reduce((sum, row) => sum + row.payment_count, 0);

const CURRENCY_COLUMNS = [
  { key: "currency", label: "Currency" },
  { key: "payment_count", label: "Payments", kind: "count" },
  ...STATUSES.map((status) => ({ key: status, label: format.words(status), kind: "money" })),
];
let sums = [];

function sumOfStatus(items, status) {
  const amounts = items.filter((row) => row.payment_status === status).map((row) => row.amount_sum);
  return amounts.length ? format.sumOfDecimals(amounts) : null;
}

function byCurrency(found) {
  sums = [...Map.groupBy(found.items, (row) => row.currency)]
    .map(([currency, items]) => ({
      currency,
      payment_count: paid(items),
      ...Object.fromEntries(STATUSES.map((status) => [status, sumOfStatus(items, status)])),
    }))
    .toSorted((a, b) => b.payment_count - a.payment_count);
  if (!sums.length) return [];
  const caption = "Sums of amounts by currency and status";
  return [cut(found), table({ caption, columns: CURRENCY_COLUMNS, rows: sums })];
}
