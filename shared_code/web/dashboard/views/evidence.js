// Evidence of alerts: whatever structure it has, shown as text.

import { h } from "../dom.js";
import * as format from "../format.js";
import { moment, table } from "../table.js";

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
const NUMBER = /^-?\d+(\.\d+)?$/;
// Of a payment, the last of these stands first.
const FIRST = ["currency", "amount", "payment_status", "transaction_id", "event_time"];
const IN_SHORT = ["value", "operator", "threshold", "reason"];

/** {"customer.id": "c1"}, as it is or as JSON -> customer c1 */
export function subjectText(subject) {
  let named = subject;
  if (typeof subject === "string" && subject.startsWith("{")) {
    try {
      named = JSON.parse(subject);
    } catch {
      return subject; // a subject may begin with a brace and be no JSON
    }
  }
  if (named === null || typeof named !== "object") return String(subject ?? format.NOTHING);
  const { transaction_id: transaction, payment_status: status, ...rest } = named;
  const pairs = Object.entries(rest).map(
    ([name, value]) => `${who(name)} ${value ?? format.NOTHING}`,
  );
  if (transaction !== undefined)
    pairs.unshift(`payment ${transaction}${status ? `, ${status}` : ""}`);
  else if (status !== undefined) pairs.push(`status ${status}`);
  return pairs.join(", ") || "all payments";
}

const who = (name) => format.words(name.replace(/[._](id|fingerprint)$/, "")).replaceAll(".", " ");

const SIGNS = { gte: "≥", gt: ">", lte: "≤", lt: "<", eq: "=", ne: "≠" };

/** The heart of the evidence in one line. */
export function inShort(evidence) {
  const { value, operator, threshold } = evidence ?? {};
  if (value !== undefined && threshold !== undefined) {
    const sign = SIGNS[operator] ?? operator ?? "/";
    return `${format.measured(value)} ${sign} ${format.measured(threshold)}`;
  }
  const simple = Object.entries(evidence ?? {}).filter(([, each]) => typeof each !== "object");
  const said = simple.slice(0, 3).map(([name, each]) => `${format.words(name)} ${each}`);
  return said.join(", ") || format.NOTHING;
}

function valueNode(value, name = "") {
  if (value === null || value === undefined) return format.NOTHING;
  if (name === "operator") return SIGNS[value] ?? value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" && INSTANT.test(value))
    return moment(value, format.timeWithSeconds);
  return NUMBER.test(value) ? format.measured(value) : String(value);
}

/** All of the evidence: single values as a list, lists of objects as tables. */
export function evidenceNodes(evidence, title = "Evidence") {
  const simple = [];
  const nested = [];
  for (const [name, value] of Object.entries(evidence ?? {})) {
    const isNested = value !== null && typeof value === "object";
    if (!isNested) simple.push([name, value]);
    else if (Object.keys(value).length) nested.push([name, Array.isArray(value) ? value : [value]]);
  }
  simple.sort(([a], [b]) => order(a) - order(b));
  return [
    simple.length
      ? h(
          "dl",
          { class: "facts" },
          simple.map(([name, value]) =>
            h("div", {}, h("dt", {}, format.words(name)), h("dd", {}, valueNode(value, name))),
          ),
        )
      : null,
    nested.map(([name, values]) => listNodes(`${title}: ${format.words(name)}`, name, values)),
  ];
}

const NAMES_OF_PAYMENT = ["transaction_id", "event_time", "payment_status"];

/** Whether the evidence names single payments, wherever its rule has put them. */
export function namesPayments(evidence) {
  if (evidence === null || typeof evidence !== "object") return false;
  return (
    NAMES_OF_PAYMENT.every((name) => typeof evidence[name] === "string") ||
    Object.values(evidence).some(namesPayments)
  );
}

const order = (name) => (IN_SHORT.includes(name) ? IN_SHORT.indexOf(name) : IN_SHORT.length);

function listNodes(caption, name, values) {
  const key = `evidence ${name}`;
  const summary = h("summary", {}, `${format.words(name)} (${format.count(values.length)})`);
  if (values.every((each) => each === null || typeof each !== "object")) {
    const codes = values.map((each) => h("code", {}, each ?? "null"));
    return disclosure(key, summary, h("p", { class: "values" }, codes));
  }
  const keys = [...new Set(values.flatMap((each) => Object.keys(each ?? {})))];
  keys.sort((a, b) => FIRST.indexOf(b) - FIRST.indexOf(a));
  const columns = keys.map((each) => ({
    key: each,
    label: format.words(each),
    className: values.every((row) => NUMBER.test(row?.[each])) ? "number" : null,
    node: (row) => cellNode(row?.[each], each),
  }));
  const rows = values.map((each) => each ?? {});
  return disclosure(key, summary, table({ caption, columns, rows }));
}

const disclosure = (key, ...nodes) => h("details", { class: "figures", "data-key": key }, ...nodes);

function cellNode(value, name) {
  return value !== null && typeof value === "object"
    ? h("code", {}, JSON.stringify(value))
    : valueNode(value, name);
}
