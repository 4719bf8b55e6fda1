// One window of five minutes: its revisions, and its payments.

import { get } from "../api.js";
import { h } from "../dom.js";
import * as filters from "../filters.js";
import * as format from "../format.js";
import { panel, source } from "../panel.js";
import { linkTo, state } from "../place.js";
import { csvLink, table } from "../table.js";
import { METHODS, STATUSES } from "../vocabularies.js";
import { PAYMENT_COLUMNS } from "./payments.js";

const REVISION_COLUMNS = [
  { key: "revision", label: "Revision" },
  { key: "computed_at", label: "Computed", kind: "seconds" },
  { key: "final_at", label: "Final from", kind: "seconds" },
  { key: "payment_count", label: "Payments", kind: "count" },
  {
    key: "rule_set_version",
    label: "Rules",
    node: ({ rule_set_version: version }) =>
      version ? h("a", { href: linkTo("rules", version) }, version) : format.NOTHING,
  },
  { key: "changed", label: "Groups that it changed", kind: "count" },
];

const GROUP_COLUMNS = [
  { key: "payment_method", label: "Method", kind: "words" },
  { key: "currency", label: "Currency" },
  { key: "payment_status", label: "Status", kind: "words" },
  { key: "payment_count", label: "Payments", kind: "count" },
  { key: "more", label: "More by", kind: "count" },
  { key: "amount_sum", label: "Sum", kind: "money" },
  { key: "before", label: "Sum before", kind: "money" },
  { key: "amount_p50", label: "p50", kind: "money" },
  { key: "amount_p95", label: "p95", kind: "money" },
  { key: "amount_p99", label: "p99", kind: "money" },
];

export function windowView(start) {
  const path = `windows/${encodeURIComponent(start)}`;
  const currency = filters.several("currency", "Currency", []);
  const query = () =>
    Object.fromEntries(
      ["method", "currency", "status"].map((name) => [name, state.query.getAll(name)]),
    );
  return {
    heading: `Window ${start.replace("T", " ").replace(/:00(\.0+)?Z$/, " UTC")}`,
    intro: h("p", { class: "back" }, h("a", { href: linkTo("windows") }, "All windows")),
    filters: [
      filters.several("method", "Method", METHODS),
      currency,
      filters.several("status", "Status", STATUSES),
    ],
    panels: [
      panel({
        title: "Revisions",
        from: source((signal) => get(`${path}/revisions`, { limit: 1000 }, signal)),
        show: revisions,
        nothing: "The window has not been closed yet.",
        tools: [csvLink(`${path}/revisions`, () => ({}), "revisions of this window")],
        note: "late payments make a new one; the highest stands",
      }),
      panel({
        title: "Payments",
        from: source((signal) =>
          get(`${path}/payments`, { ...query(), limit: filters.rowsShown() }, signal),
        ),
        show: ({ items, next_cursor: next }) => {
          items.forEach((row) => currency.offer(row.currency));
          return items.length
            ? [
                table({
                  caption: "Payments of this window",
                  columns: PAYMENT_COLUMNS,
                  rows: items,
                }),
                filters.moreRows(items, next),
              ]
            : [];
        },
        nothing: "No payment of these groups lies in this window.",
        tools: [csvLink(`${path}/payments`, query, "payments of this window")],
      }),
    ],
  };
}

const nameOf = (group) => `${group.payment_method} ${group.currency} ${group.payment_status}`;

/** What a revision changed against the one before it. */
function changedGroups(revision, before) {
  const known = new Map((before?.groups ?? []).map((group) => [nameOf(group), group]));
  return revision.groups.flatMap((group) => {
    const old = known.get(nameOf(group));
    if (old && old.payment_count === group.payment_count && old.amount_sum === group.amount_sum)
      return [];
    return [
      {
        ...group,
        more: group.payment_count - (old?.payment_count ?? 0),
        before: old?.amount_sum ?? null,
      },
    ];
  });
}

function revisions({ items }) {
  if (!items.length) return [];
  const rows = items.map((revision, at) => {
    const groups = changedGroups(revision, items[at + 1]);
    return { ...revision, groups, changed: groups.length };
  });
  return [
    table({ caption: "Revisions of this window", columns: REVISION_COLUMNS, rows }),
    rows.map((row) =>
      h(
        "details",
        { class: "figures", "data-key": `revision ${row.revision}` },
        h(
          "summary",
          {},
          `What revision ${row.revision} ${row.revision === 1 ? "counted" : "changed"}`,
        ),
        row.groups.length
          ? table({
              caption: `Groups of revision ${row.revision}`,
              columns: GROUP_COLUMNS,
              rows: row.groups,
            })
          : h("p", { class: "state" }, "No sum changed."),
      ),
    ),
  ];
}
