// Payments, as drill-downs list them.

import { h } from "../dom.js";
import * as format from "../format.js";

function card(row) {
  if (!row.card_last4) return format.NOTHING;
  return `${row.card_brand ?? ""} ${row.card_bin ?? ""}…${row.card_last4}`.trim();
}

const route = (row) =>
  [row.customer_country, row.merchant_country ?? row.counterparty_country]
    .map((country) => country ?? format.NOTHING)
    .join(" → ");

export const PAYMENT_COLUMNS = [
  { key: "event_time", label: "Event time", kind: "seconds" },
  { key: "transaction_id", label: "Transaction", kind: "code" },
  { key: "payment_status", label: "Status", kind: "words" },
  { key: "payment_method", label: "Method", kind: "words" },
  { key: "amount", label: "Amount", kind: "money" },
  { key: "currency", label: "Currency" },
  { key: "customer_id", label: "Customer", kind: "code" },
  {
    key: "merchant_name",
    label: "Merchant",
    className: "long",
    node: (row) => row.merchant_name ?? row.merchant_id ?? row.counterparty_id ?? format.NOTHING,
  },
  { key: "customer_country", label: "Countries", node: route },
  { key: "channel", label: "Channel", kind: "words" },
  { key: "card_last4", label: "Card", node: (row) => card(row) },
  {
    key: "quality_flags",
    label: "Quality",
    node: (row) =>
      row.quality_flags?.length
        ? h("span", {}, row.quality_flags.map(format.words).join(", "))
        : format.NOTHING,
  },
];
