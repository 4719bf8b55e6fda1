// What was refused, why, and what is left of it once it is masked.

import { get } from "../api.js";
import { bar } from "../chart.js";
import { h } from "../dom.js";
import * as filters from "../filters.js";
import * as format from "../format.js";
import { panel, source } from "../panel.js";
import { linkTo, span, state } from "../place.js";
import { csvLink, table } from "../table.js";

const EVENT_COLUMNS = [
  { key: "rejected_at", label: "Rejected", kind: "seconds" },
  { key: "reason", label: "Reason", kind: "words" },
  { key: "detail", label: "Detail", className: "long" },
  { key: "sequence_number", label: "Message, event", node: place },
  { key: "masked_body", label: "Body, masked", node: body },
];

/** Hub, partition and sequence number of the message, and the place of the event in it. */
function place(row) {
  return `${row.event_hub}/${row.partition_id} ${row.sequence_number}, ${row.event_index}`;
}

function body(row) {
  if (!row.masked_body) return "empty";
  const length = `${format.count(row.masked_body.length)} characters`;
  return h(
    "details",
    { class: "body-text", "data-key": `body ${place(row)}` },
    h("summary", { "aria-label": `${length}, body of ${place(row)}` }, length),
    h("pre", {}, row.masked_body),
  );
}

export function rejectedView() {
  const reason = filters.several("reason", "Reason", []);
  const query = () => ({ ...span(), reason: state.query.getAll("reason") });
  return {
    heading: "Rejected events",
    filters: [reason],
    panels: [
      panel({
        title: "By reason",
        from: source((signal) => get("rejected/reasons", { ...span(), limit: 1000 }, signal)),
        show: ({ items }) => {
          items.forEach((row) => reason.offer(row.reason));
          return items.length ? byReason(items) : [];
        },
        nothing: "No event was rejected in this span.",
        tools: [csvLink("rejected/reasons", span, "rejected events by reason")],
        width: "third",
      }),
      panel({
        title: "Events, the newest first",
        from: source((signal) =>
          get("rejected", { ...query(), limit: filters.rowsShown() }, signal),
        ),
        show: ({ items, next_cursor: next }) =>
          items.length
            ? [
                table({
                  caption: "Rejected events, the newest first",
                  columns: EVENT_COLUMNS,
                  rows: items,
                }),
                filters.moreRows(items, next),
              ]
            : [],
        nothing: "No event was rejected for this reason in this span.",
        tools: [csvLink("rejected", query, "rejected events")],
        width: "rest",
        note: "of texts and numbers only their kind is left",
      }),
    ],
  };
}

function byReason(items) {
  const most = Math.max(...items.map((row) => row.count));
  const columns = [
    {
      key: "reason",
      label: "Reason",
      node: (row) =>
        h(
          "a",
          { href: linkTo("rejected", null, { reason: row.reason }) },
          format.words(row.reason),
        ),
    },
    {
      key: "count",
      label: "Events",
      className: "number",
      node: (row) => bar(row.count / most, format.count(row.count)),
    },
  ];
  return table({ caption: "Rejected events by reason", columns, rows: items });
}
