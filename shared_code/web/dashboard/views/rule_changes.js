// What changes in meaning between two versions of the rules, as `rules diff` tells it.

import { h } from "../dom.js";
import { table } from "../table.js";

export const CHANGE_COLUMNS = [
  { key: "rule", label: "Rule or list" },
  { key: "where", label: "Where", kind: "code" },
  { key: "before", label: "Before", className: "long" },
  { key: "after", label: "After", className: "long" },
];

/** The changes as rows of one table. */
export const changeRows = (found) => [
  ...found.added.map((each) => ({
    rule: each.rule_id,
    where: "rule",
    before: null,
    after: `new, ${each.scope}`,
  })),
  ...found.removed.map((each) => ({
    rule: each.rule_id,
    where: "rule",
    before: each.scope,
    after: "removed",
  })),
  ...found.changed.flatMap((each) =>
    each.changes.map((change) => ({ rule: each.rule_id, ...change })),
  ),
  ...found.shared.flatMap((each) =>
    each.changes.map((change) => ({
      rule: `${each.name} (used by ${each.used_by.join(", ")})`,
      ...change,
    })),
  ),
];

export function changes(older, newer, found) {
  const listed = changeRows(found);
  const caption = `From ${older} to ${newer}`;
  const counted = `${listed.length} ${listed.length === 1 ? "change" : "changes"} in meaning`;
  return [
    h("p", { class: "note" }, `${caption}: ${counted}. ${found.advice ?? ""}`),
    listed.length ? table({ caption, columns: CHANGE_COLUMNS, rows: listed }) : null,
  ];
}
