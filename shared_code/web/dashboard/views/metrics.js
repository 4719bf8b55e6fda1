// What rules find: how often, and their values over time.

import { get, pages } from "../api.js";
import { bar, everyTime, timeChart } from "../chart.js";
import { h } from "../dom.js";
import * as filters from "../filters.js";
import * as format from "../format.js";
import { panel, source } from "../panel.js";
import { linkTo, span, state } from "../place.js";
import { csvLink, table } from "../table.js";
import { subjectText } from "./evidence.js";

const MOST_SERIES = 5;
const TONES = ["accent", "series-2", "series-3", "series-4", "series-5"];
const MOST_PAGES = 5;

const toRule = (row) =>
  h("a", { href: linkTo("metrics", null, { rule: row.rule_id }) }, row.rule_id);

export const TOP_COLUMNS = [
  { key: "rule_id", label: "Rule", node: toRule },
  { key: "severity", label: "Severity", kind: "severity" },
  { key: "match_count", label: "Matches", kind: "count" },
  { key: "match_rate", label: "Rate", kind: "ratio" },
  { key: "indeterminate_count", label: "Not judged", kind: "count" },
];

const ALL_TOP_COLUMNS = [
  TOP_COLUMNS[0],
  { key: "metric_name", label: "Metric", kind: "code" },
  { key: "category", label: "Category", kind: "words" },
  TOP_COLUMNS[1],
  TOP_COLUMNS[2],
  { key: "payment_count", label: "Payments", kind: "count" },
  {
    key: "match_rate",
    label: "Rate",
    className: "number",
    node: (row) => bar(Number(row.match_rate ?? 0), format.ratio(row.match_rate)),
  },
  TOP_COLUMNS[4],
];

const VALUE_COLUMNS = [
  { key: "window_start", label: "Window", kind: "time" },
  { key: "rule_id", label: "Rule", node: toRule },
  { key: "scope", label: "Scope", kind: "words" },
  { key: "dimensions", label: "Of", node: (row) => subjectText(row.dimensions) },
  { key: "value", label: "Value", kind: "measured" },
  { key: "payment_count", label: "Payments", kind: "count" },
  { key: "outcome", label: "Outcome", kind: "words" },
  { key: "reason", label: "Reason" },
  { key: "exceeded", label: "Alert", kind: "yes" },
  { key: "rule_set_version", label: "Rules" },
];

export function metricsView() {
  const rule = filters.text("rule", "Rule", { list: true, size: 26 });
  const category = filters.text("category", "Category", { list: true });
  const scope = filters.choice("scope", "Scope", [
    ["", "all"],
    ...["window", "velocity", "sequence", "score"].map((name) => [name, name]),
  ]);
  const topQuery = () => ({ ...span(), category: state.query.get("category") });
  const valueQuery = () => ({
    ...topQuery(),
    rule: state.query.getAll("rule"),
    scope: state.query.get("scope"),
  });
  const values = source((signal) => pages("metrics", valueQuery(), MOST_PAGES, signal));
  return {
    heading: "Rule metrics",
    filters: [rule, category, scope],
    panels: [
      panel({
        title: "How often rules match",
        from: source((signal) => get("metrics/top", { ...topQuery(), limit: 1000 }, signal)),
        show: ({ items }) => {
          rule.offer(items.map((each) => each.rule_id).toSorted());
          category.offer([...new Set(items.map((each) => each.category))].toSorted());
          return items.length
            ? table({ caption: "How often rules match", columns: ALL_TOP_COLUMNS, rows: items })
            : [];
        },
        nothing: "No rule was judged in this span.",
        tools: [csvLink("metrics/top", topQuery, "how often rules match")],
      }),
      panel({
        title: "Values over time",
        from: values,
        show: overTime,
        nothing: "No rule of windows, velocity, sequences or scores has a value in this span.",
      }),
      panel({
        title: "Values of windows",
        from: source((signal) => get("metrics", { ...valueQuery(), limit: 200 }, signal)),
        show: ({ items, next_cursor: next }) =>
          items.length
            ? [
                table({ caption: "Values of windows", columns: VALUE_COLUMNS, rows: items }),
                next ? h("p", { class: "more" }, "The newest 200 rows; the CSV has all.") : null,
              ]
            : [],
        nothing: "No rule of windows, velocity, sequences or scores has a value in this span.",
        tools: [csvLink("metrics", valueQuery, "values of windows")],
      }),
    ],
  };
}

/** The rule with values in most windows, of the fewest groups: it makes the best first picture. */
function mostTold(items) {
  const told = [...Map.groupBy(items, (each) => each.rule_id)].map(([ruleId, rows]) => {
    const windows = new Set(rows.map((each) => each.window_start)).size;
    return { ruleId, windows, groups: rows.length / windows };
  });
  told.sort((a, b) => b.windows - a.windows || a.groups - b.groups);
  return told[0]?.ruleId;
}

function overTime({ items, complete }) {
  const ruleId = state.query.get("rule") ?? mostTold(items);
  const rows = items.filter((each) => each.rule_id === ruleId && each.value !== null);
  if (!rows.length) return [];
  const bySubject = Map.groupBy(rows, (each) => subjectText(each.dimensions));
  const largest = [...bySubject]
    .toSorted((a, b) => b[1].length - a[1].length)
    .slice(0, MOST_SERIES);
  const starts = [...new Set(rows.map((each) => each.window_start))].toSorted();
  const times = everyTime(starts, "5m");
  const series = largest.map(([label, found], at) => {
    const values = new Map(found.map((each) => [each.window_start, Number(each.value)]));
    return { label, tone: TONES[at], values: times.map((each) => values.get(each) ?? null) };
  });
  const notes = [
    state.query.get("rule") ? null : "pick a rule to see another one",
    bySubject.size > MOST_SERIES
      ? `the ${MOST_SERIES} of ${bySubject.size} with most windows`
      : null,
    complete ? null : "of the first 5,000 values; narrow the span for all",
  ].filter(Boolean);
  return [
    h("p", { class: "note" }, h("code", {}, ruleId), notes.length ? ` (${notes.join("; ")})` : ""),
    timeChart({ title: `Values of ${ruleId}`, times, series, show: format.number }),
  ];
}
