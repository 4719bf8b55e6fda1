// Groups of alike payments, and payments that stand apart.

import { get, pages } from "../api.js";
import { bar, scatterChart } from "../chart.js";
import { h } from "../dom.js";
import * as filters from "../filters.js";
import * as format from "../format.js";
import { panel, source } from "../panel.js";
import { linkTo, span, state } from "../place.js";
import { csvLink, table } from "../table.js";

const TONES = ["accent", "series-2", "series-3", "series-4", "series-5", "series-failed"];
const MOST_PAGES = 3;

const toWindow = (row) =>
  h("a", { href: linkTo("windows", row.window_start) }, format.time(row.window_start));

const CLUSTER_COLUMNS = [
  { key: "window_start", label: "Window", kind: "time", node: toWindow },
  { key: "cluster", label: "Cluster", kind: "count" },
  { key: "payment_count", label: "Payments", kind: "count" },
  {
    key: "share",
    label: "Share of sample",
    className: "number",
    node: (row) => bar(Number(row.share), format.ratio(row.share)),
  },
  {
    key: "outlier_score",
    label: "Highest score",
    className: "number",
    node: (row) => format.score(row.outlier_score),
  },
  {
    key: "silhouette",
    label: "Silhouette",
    className: "number",
    node: (row) => format.score(row.silhouette),
  },
  { key: "centroid", label: "Middle", className: "long", node: (row) => middle(row.centroid) },
  { key: "algorithm", label: "Algorithm", kind: "words" },
  { key: "sample_size", label: "Sample", kind: "count" },
];

const OUTLIER_COLUMNS = [
  { key: "event_time", label: "Event time", kind: "seconds" },
  { key: "transaction_id", label: "Transaction", kind: "code" },
  { key: "score", label: "Score", className: "number", node: (row) => format.score(row.score) },
  { key: "amount", label: "Amount", kind: "money" },
  { key: "currency", label: "Currency" },
  { key: "payment_method", label: "Method", kind: "words" },
  { key: "payment_status", label: "Status", kind: "words" },
  { key: "cluster", label: "Cluster", kind: "count" },
  { key: "window_start", label: "Window", node: toWindow },
];

/** The middle of a cluster in a few words: its amounts, then what most of its payments are. */
function middle(centroid) {
  const amounts = (centroid?.amounts ?? [])
    .slice(0, 2)
    .map((each) => `${each.currency} ${format.money(each.median)}`);
  const categories = Object.values(centroid?.categories ?? {})
    .flatMap((values) => values.slice(0, 1))
    .filter((each) => each.value !== null && each.share > 0.5)
    .toSorted((one, other) => other.share - one.share)
    .slice(0, 3)
    .map((each) => `${format.words(each.value)} ${format.ratio(each.share)}`);
  return [...amounts, ...categories].join(", ") || format.NOTHING;
}

export function clustersView() {
  const currency = filters.several("currency", "Currency", []);
  const outliers = source(async (signal) => {
    const found = await pages("clusters/outliers", span(), MOST_PAGES, signal);
    found.items.forEach((row) => currency.offer(row.currency));
    return found;
  });
  const chosen = (row) => {
    const currencies = state.query.getAll("currency");
    return !currencies.length || currencies.includes(row.currency);
  };
  return {
    heading: "Clusters",
    filters: [currency],
    panels: [
      panel({
        title: "Payments that stand apart",
        from: async (round, signal) => {
          const found = await outliers(round, signal);
          return { ...found, items: found.items.filter(chosen) };
        },
        show: scatter,
        nothing: "No payment of this span was scored above 1.",
        tools: [csvLink("clusters/outliers", span, "payments that stand apart")],
        note: "a score of 1 is as far from the middle of its cluster as payments are on average",
      }),
      panel({
        title: "Clusters of windows",
        from: source((signal) =>
          get("clusters", { ...span(), limit: filters.rowsShown() }, signal),
        ),
        show: ({ items, next_cursor: next }) =>
          items.length
            ? [
                table({ caption: "Clusters of windows", columns: CLUSTER_COLUMNS, rows: items }),
                filters.moreRows(items, next),
              ]
            : [],
        nothing: "No window of this span had payments enough to be clustered.",
        tools: [csvLink("clusters", span, "clusters of windows")],
        note: "the largest of each window is 0",
      }),
    ],
  };
}

function scatter({ items, complete }) {
  const found = items.filter((row) => Number(row.amount) > 0);
  if (!found.length) return [];
  const clusters = [...new Set(found.map((row) => row.cluster))].toSorted((a, b) => a - b);
  const last = TONES.length - 1;
  const groups = clusters.slice(0, TONES.length).map((cluster, at) => ({
    label: at === last && clusters.length > TONES.length ? "further" : `cluster ${cluster}`,
    tone: TONES[at],
  }));
  const points = found.map((row) => ({
    x: Number(row.amount),
    y: Number(row.score),
    group: Math.min(clusters.indexOf(row.cluster), last),
    row,
  }));
  return [
    complete ? null : h("p", { class: "note" }, "The newest 3,000 payments that stand apart."),
    scatterChart({
      title: "Payments that stand apart, amount against score",
      points,
      groups,
      xLabel: "amount, in its own currency",
      yLabel: "outlier score",
      say: (row) =>
        [
          `${row.currency} ${format.money(row.amount)}`,
          `score ${format.score(row.score)}`,
          format.words(row.payment_method),
          row.transaction_id,
        ].join(", "),
      columns: OUTLIER_COLUMNS,
    }),
  ];
}
