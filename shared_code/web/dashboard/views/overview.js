// How the pipeline is, and what the payments do.

import { get, pages } from "../api.js";
import { everyTime, timeChart } from "../chart.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { panel, source } from "../panel.js";
import { fittingPeriod, linkTo, span } from "../place.js";
import { csvLink, moment, severity, table } from "../table.js";
import { SEVERITIES } from "../vocabularies.js";
import { ALERT_COLUMNS } from "./alerts.js";
import { TOP_COLUMNS } from "./metrics.js";

const SHOWN = 8;
const SLOW_SECONDS = 60;

export function overviewView() {
  const throughput = source(throughputOfSpan);
  const throughputQuery = () => ({ ...span(), period: fittingPeriod() });
  return {
    heading: "Overview",
    filters: [],
    panels: [
      panel({
        title: "Now",
        from: source((signal) => get("summary", {}, signal)),
        show: tiles,
        nothing: "Nothing was stored yet.",
      }),
      panel({
        title: "Payments",
        from: throughput,
        show: paymentsChart,
        nothing: "No payment has an event time in this span.",
        tools: [csvLink("throughput", throughputQuery, "throughput")],
        width: "half",
      }),
      panel({
        title: "Failure and decline",
        from: throughput,
        show: ratioChart,
        nothing: "No payment has an event time in this span.",
        width: "half",
        note: "failed of failed and completed; failed and cancelled of all",
      }),
      panel({
        title: "Newest open alerts",
        from: source((signal) => get("alerts", { ...span(), limit: SHOWN }, signal)),
        show: ({ items }) =>
          items.length
            ? [
                table({ caption: "Newest open alerts", columns: ALERT_COLUMNS, rows: items }),
                all("alerts", "All alerts"),
              ]
            : [],
        nothing: "No alert is open in this span.",
        tools: [csvLink("alerts", span, "open alerts")],
        width: "half",
      }),
      panel({
        title: "Rules that match most",
        from: source((signal) => get("metrics/top", { ...span(), limit: SHOWN }, signal)),
        show: ({ items }) =>
          items.length
            ? [
                table({ caption: "Rules that match most", columns: TOP_COLUMNS, rows: items }),
                all("metrics", "All rule metrics"),
              ]
            : [],
        nothing: "No rule was judged in this span.",
        tools: [csvLink("metrics/top", span, "rules that match most")],
        width: "half",
      }),
    ],
  };
}

const all = (view, text) => h("p", { class: "more" }, h("a", { href: linkTo(view) }, text));

async function throughputOfSpan(signal) {
  const period = fittingPeriod();
  const found = await pages("throughput", { ...span(), period }, 9, signal);
  const known = new Map(found.items.toReversed().map((each) => [each.window_start, each]));
  const times = everyTime([...known.keys()], period);
  return { rows: times.map((each) => known.get(each) ?? noneAt(each)), period };
}

const noneAt = (start) => ({
  window_start: start,
  payment_count: 0,
  failed_count: 0,
  cancelled_count: 0,
  failure_ratio: null,
  decline_ratio: null,
});

function tile(label, value, note, tone = null) {
  return h(
    "div",
    { class: tone ? `tile ${tone}` : "tile" },
    h("dt", {}, label),
    h(
      "dd",
      {},
      h("span", { class: "figure" }, value),
      note ? h("span", { class: "note" }, note) : null,
    ),
  );
}

function tiles(now) {
  const lag = now.lag_seconds ?? {};
  const alerts = SEVERITIES.filter((name) => now.open_alerts[name]);
  const active = now.active_rule_set;
  const shadow = now.shadow_rule_set;
  return h(
    "dl",
    { class: "tiles" },
    tile("Throughput", `${format.number(now.payments_per_second)} /s`, [
      "last stored ",
      moment(now.last_stored_at, format.timeWithSeconds),
    ]),
    tile(
      "Lag, median",
      format.seconds(lag.p50),
      `at most ${format.seconds(lag.max)}, newest 1,000 payments`,
      lag.p50 > SLOW_SECONDS ? "warn" : null,
    ),
    tile(
      "Open alerts",
      format.count(Object.values(now.open_alerts).reduce((sum, each) => sum + each, 0)),
      alerts.map((name) => [
        h("span", { class: "whole" }, severity(name), ` ${format.count(now.open_alerts[name])}`),
        " ",
      ]),
    ),
    tile(
      "Rejected, last hour",
      h("a", { href: linkTo("rejected") }, format.count(now.rejected_last_hour)),
      "events kept with their reason",
    ),
    tile("Windows to close", format.count(now.open_windows), [
      now.open_windows ? ["oldest ", moment(now.oldest_open_window)] : "all that ended are closed",
    ]),
    tile(
      "Active rules",
      active ? h("a", { href: linkTo("rules", active.version) }, active.version) : format.NOTHING,
      active
        ? ["since ", moment(active.activated_at), shadow ? `; shadow ${shadow.version}` : ""]
        : "none was activated",
    ),
    tile(
      "Days prepared ahead",
      format.count(now.days_ahead),
      "partitions for payments to come",
      now.days_ahead < 1 ? "warn" : null,
    ),
  );
}

function paymentsChart({ rows, period }) {
  if (!rows.length) return [];
  return timeChart({
    title: `Payments per ${PERIOD_NAMES[period]}`,
    times: rows.map((each) => each.window_start),
    series: [
      { label: "All", tone: "accent", values: rows.map((each) => each.payment_count) },
      { label: "Failed", tone: "series-failed", values: rows.map((each) => each.failed_count) },
      {
        label: "Cancelled",
        tone: "series-cancelled",
        values: rows.map((each) => each.cancelled_count),
      },
    ],
    show: format.compact,
  });
}

const PERIOD_NAMES = { "5m": "five minutes", "1h": "hour", "1d": "day" };

const share = (value) => (value === null || value === undefined ? null : Number(value));

function ratioChart({ rows }) {
  if (!rows.length) return [];
  return timeChart({
    title: "Failure and decline ratio",
    times: rows.map((each) => each.window_start),
    series: [
      {
        label: "Failure",
        tone: "series-failed",
        values: rows.map((each) => share(each.failure_ratio)),
      },
      {
        label: "Decline",
        tone: "accent",
        values: rows.map((each) => share(each.decline_ratio)),
        dashed: true,
      },
    ],
    show: format.ratio,
  });
}
