// What to look at, why, and the payments behind it.

import { get } from "../api.js";
import { h } from "../dom.js";
import * as filters from "../filters.js";
import * as format from "../format.js";
import { panel, source } from "../panel.js";
import { linkTo, span, state } from "../place.js";
import { csvLink, moment, severity, table } from "../table.js";
import { SEVERITIES } from "../vocabularies.js";
import { evidenceNodes, inShort, namesPayments, subjectText } from "./evidence.js";
import { PAYMENT_COLUMNS } from "./payments.js";

const toAlert = (row, text) => h("a", { href: linkTo("alerts", row.alert_id) }, text);

export const ALERT_COLUMNS = [
  {
    key: "last_seen",
    label: "Last seen",
    kind: "time",
    node: (row) => toAlert(row, moment(row.last_seen)),
  },
  { key: "severity", label: "Severity", kind: "severity" },
  {
    key: "rule_id",
    label: "Rule or check",
    node: (row) => row.rule_id ?? format.words(row.kind),
  },
  {
    key: "subject",
    label: "About",
    className: "subject",
    node: (row) => subjectText(row.subject),
  },
];

const ALL_ALERT_COLUMNS = [
  ...ALERT_COLUMNS.slice(0, 2),
  { key: "kind", label: "Kind", kind: "words" },
  { key: "rule_id", label: "Rule" },
  ALERT_COLUMNS[3],
  { key: "outcome", label: "Outcome", kind: "words" },
  { key: "evidence", label: "Evidence", node: (row) => inShort(row.evidence) },
  { key: "state", label: "State", kind: "words" },
];

const STATES = [
  ["open", "open"],
  ["suppressed", "suppressed"],
  ["withdrawn", "withdrawn"],
  ["all", "all"],
];

export function alertsView() {
  const rule = filters.text("rule", "Rule", { list: true, size: 26 });
  const query = () => ({
    ...span(),
    severity: state.query.getAll("severity"),
    ...Object.fromEntries(
      ["state", "rule", "kind", "subject"].map((name) => [name, state.query.get(name)]),
    ),
  });
  const kind = filters.text("kind", "Kind", { list: true, size: 14 });
  return {
    heading: "Alerts",
    filters: [
      filters.several("severity", "Severity", SEVERITIES),
      filters.choice("state", "State", STATES),
      kind,
      rule,
      filters.text("subject", "Subject"),
    ],
    panels: [
      panel({
        title: "Alerts, the newest first",
        from: source((signal) => get("alerts", { ...query(), limit: filters.rowsShown() }, signal)),
        show: ({ items, next_cursor: next }) => {
          rule.offer([...new Set(items.map((each) => each.rule_id).filter(Boolean))].toSorted());
          kind.offer([...new Set(items.map((each) => each.kind))].toSorted());
          return items.length
            ? [
                table({
                  caption: "Alerts, the newest first",
                  columns: ALL_ALERT_COLUMNS,
                  rows: items,
                }),
                filters.moreRows(items, next),
              ]
            : [];
        },
        nothing: "No alert of this kind was seen in this span.",
        tools: [csvLink("alerts", query, "alerts")],
      }),
    ],
  };
}

export function alertView(id) {
  const path = `alerts/${encodeURIComponent(id)}`;
  const alert = source((signal) => get(path, {}, signal));
  const payments = source((signal) => get(`${path}/payments`, { limit: 1000 }, signal));
  return {
    heading: "Alert",
    intro: h("p", { class: "back" }, h("a", { href: linkTo("alerts") }, "All alerts")),
    filters: [],
    panels: [
      panel({
        title: "What was found",
        from: alert,
        show: found,
        nothing: "There is no such alert.",
      }),
      panel({
        title: "Payments that its evidence names",
        from: async (round, signal) => {
          const [{ evidence }, { items }] = await Promise.all([
            alert(round, signal),
            payments(round, signal),
          ]);
          return { items, areNamed: namesPayments(evidence) };
        },
        show: ({ items }) =>
          items.length
            ? table({
                caption: "Payments that its evidence names",
                columns: PAYMENT_COLUMNS,
                rows: items,
              })
            : [],
        nothing: ({ areNamed }) =>
          areNamed
            ? "The payments that its evidence names are not kept any more."
            : "Its evidence names no single payments.",
        tools: [csvLink(`${path}/payments`, () => ({}), "payments of this alert")],
      }),
    ],
  };
}

function fact(label, value) {
  return h("div", {}, h("dt", {}, label), h("dd", {}, value ?? format.NOTHING));
}

function found(alert) {
  return [
    h(
      "dl",
      { class: "facts" },
      fact("Severity", severity(alert.severity)),
      fact("State", format.words(alert.state)),
      fact("Kind", format.words(alert.kind)),
      fact(
        "Rule",
        alert.rule_id
          ? h("a", { href: linkTo("metrics", null, { rule: alert.rule_id }) }, alert.rule_id)
          : null,
      ),
      fact(
        "Rule set",
        alert.rule_set_version
          ? h("a", { href: linkTo("rules", alert.rule_set_version) }, alert.rule_set_version)
          : null,
      ),
      fact("About", subjectText(alert.subject)),
      fact("Outcome", format.words(alert.outcome)),
      fact(
        "Window",
        alert.window_start
          ? h("a", { href: linkTo("windows", alert.window_start) }, moment(alert.window_start))
          : null,
      ),
      fact("First seen", moment(alert.first_seen, format.timeWithSeconds)),
      fact("Last seen", moment(alert.last_seen, format.timeWithSeconds)),
      fact("Raised", moment(alert.raised_at, format.timeWithSeconds)),
    ),
    h("h3", {}, "Evidence"),
    evidenceNodes(alert.evidence),
  ];
}
