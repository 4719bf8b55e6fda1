// Which rules were in force when, and what changed between them.

import { get } from "../api.js";
import { h } from "../dom.js";
import * as filters from "../filters.js";
import * as format from "../format.js";
import { panel, source } from "../panel.js";
import { linkTo, state } from "../place.js";
import { csvLink, moment, saveRows, severity, table } from "../table.js";
import { CHANGE_COLUMNS, changeRows, changes } from "./rule_changes.js";

const role = (row) =>
  row.is_active
    ? h("strong", { class: "role" }, "active")
    : row.is_shadow
      ? h("span", { class: "role" }, "shadow")
      : format.NOTHING;

function activations(row) {
  if (!row.activations.length) return "never";
  return h(
    "ul",
    { class: "plain" },
    row.activations.map((each) =>
      h(
        "li",
        {},
        moment(each.activated_at),
        ` ${each.role} by ${each.activated_by}`,
        each.reason ? `: ${each.reason}` : "",
      ),
    ),
  );
}

const RULE_SET_COLUMNS = [
  {
    key: "version",
    label: "Version",
    node: ({ version }) =>
      version === null ? format.NOTHING : h("a", { href: linkTo("rules", version) }, version),
  },
  { key: "is_active", label: "Role", node: role },
  { key: "verdict", label: "Verdict", kind: "words" },
  { key: "received_at", label: "Received", kind: "seconds" },
  { key: "source", label: "From", className: "long" },
  { key: "activations", label: "In force since", node: activations },
  {
    key: "sha256",
    label: "SHA-256",
    node: (row) => h("code", { title: row.sha256 }, row.sha256.slice(0, 12)),
  },
];

const RULE_COLUMNS = [
  {
    key: "id",
    label: "Rule",
    node: (row) => h("a", { href: linkTo("metrics", null, { rule: row.id }) }, row.id),
  },
  { key: "scope", label: "Scope", kind: "words" },
  {
    key: "severity",
    label: "Severity",
    node: (row) => (row.severity ? severity(row.severity) : format.NOTHING),
  },
  { key: "category", label: "Category", kind: "words" },
  { key: "enabled", label: "Runs", node: (row) => (row.enabled === false ? "no" : "yes") },
  { key: "description", label: "Description", className: "long" },
];

const ALL_TIME = () => ({ limit: 1000 });

/** Versions of a history, newest first; a document that was refused has none. */
const versionsOf = (items) => items.map((each) => each.version).filter((each) => each !== null);

/** The version that was accepted before another; null if none was. */
export function versionBefore(items, version) {
  const versions = versionsOf(items);
  return versions[versions.indexOf(version) + 1] ?? null;
}

export function rulesView() {
  return {
    heading: "Rules",
    filters: [],
    panels: [
      panel({
        title: "History",
        from: source((signal) => get("rules", ALL_TIME(), signal)),
        show: ({ items }) =>
          items.length
            ? table({ caption: "Versions of the rules", columns: RULE_SET_COLUMNS, rows: items })
            : [],
        nothing: "No rules were uploaded yet.",
        tools: [csvLink("rules", () => ({}), "versions of the rules")],
        note: "a version opens its rules and what it changed",
      }),
    ],
  };
}

export function ruleSetView(version) {
  const path = `rules/${encodeURIComponent(version)}`;
  const against = filters.choice("against", "Compared with", [["", "the version before"]]);
  const offered = new Set();
  const listed = { changes: [], rules: [] };
  const select = against.element.querySelector("select");
  const history = source((signal) => get("rules", ALL_TIME(), signal));

  async function difference(round, signal) {
    const { items } = await history(round, signal);
    for (const other of versionsOf(items).filter((each) => each !== version)) {
      if (!offered.has(other)) select.append(h("option", { value: other }, other));
      offered.add(other);
    }
    against.follow();
    const other = state.query.get("against") ?? versionBefore(items, version);
    if (other === null) return { other };
    const found = await get(
      `rules/${encodeURIComponent(other)}/diff/${encodeURIComponent(version)}`,
      {},
      signal,
    );
    return { other, found };
  }

  return {
    heading: `Rules ${version}`,
    intro: h("p", { class: "back" }, h("a", { href: linkTo("rules") }, "All versions")),
    filters: [against],
    panels: [
      panel({
        title: "What changed in meaning",
        from: difference,
        show: ({ other, found }) => {
          listed.changes = found ? changeRows(found) : [];
          return found ? changes(other, version, found) : [];
        },
        nothing: "There is no version before it.",
        tools: [saveRows("changes-in-meaning", CHANGE_COLUMNS, () => listed.changes)],
      }),
      panel({
        title: "Rules of this version",
        from: source((signal) => get(path, {}, signal)),
        show: (found) => {
          listed.rules = found.rules ?? [];
          return document_(found);
        },
        nothing: "It holds no rules.",
        tools: [saveRows(`rules-${version}`, RULE_COLUMNS, () => listed.rules)],
      }),
    ],
  };
}

function document_(found) {
  const rules = found.rules ?? [];
  return [
    found.description ? h("p", {}, found.description) : null,
    rules.length
      ? table({ caption: "Rules of this version", columns: RULE_COLUMNS, rows: rules })
      : null,
    h(
      "details",
      { class: "figures", "data-key": "document" },
      h("summary", {}, "The whole document"),
      h(
        "pre",
        { tabindex: "0", role: "region", "aria-label": "The whole document" },
        JSON.stringify(found, null, 2),
      ),
    ),
  ];
}
