// Charts by uPlot, each with a sentence and a table that say the same.

import { freshId, h } from "./dom.js";
import * as format from "./format.js";
import { PERIODS, state } from "./place.js";
import { moment, saveRows, table } from "./table.js";

const HEIGHT = 220;
const DAY = 86400;
// Windows begin every five minutes: finer ticks would name what does not exist.
const STEPS = [300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY, 2 * DAY, 7 * DAY];

/** What a colour of the style sheet is in the theme that is shown. */
function colour(name, opacity = 1) {
  const probe = h("span", {});
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g);
  probe.remove();
  return `rgb(${red} ${green} ${blue} / ${opacity})`;
}

const font = () => `12px ${getComputedStyle(document.body).fontFamily}`;

function axis(extra) {
  return {
    stroke: colour("muted"),
    font: font(),
    grid: { stroke: colour("grid"), width: 1 },
    ticks: { show: false },
    ...extra,
  };
}

function dateLabels(plot, splits, index, space, step) {
  let day = null;
  return splits.map((stamp) => {
    const text = format.time(stamp * 1000);
    const [date, clock] = text.split(" ");
    const isNew = date !== day;
    day = date;
    if (step >= DAY) return date.slice(5);
    return isNew ? `${clock}\n${date.slice(5)}` : clock;
  });
}

function mount(holder, options, data) {
  let plot = null;
  const draw = () => {
    plot?.destroy();
    plot = new uPlot(
      { ...options(), width: Math.max(holder.clientWidth, 120), height: HEIGHT },
      data,
      holder,
    );
  };
  let width = 0;
  const sizes = new ResizeObserver(() => {
    if (!holder.isConnected) {
      sizes.disconnect();
      plot?.destroy();
      return;
    }
    if (holder.clientWidth === width || holder.clientWidth === 0) return;
    width = holder.clientWidth;
    if (plot === null) draw();
    else plot.setSize({ width, height: HEIGHT });
  });
  sizes.observe(holder);
}

function legend(series, key) {
  const values = series.map(() => h("b", {}, ""));
  const list = h(
    "ul",
    { class: "legend", "aria-hidden": "true" },
    series.map((each, at) =>
      h(
        "li",
        {},
        h("span", { class: `swatch ${each.tone}${each.dashed ? " dashed" : ""}` }),
        each.label,
        " ",
        values[at],
      ),
    ),
  );
  return { list, values };
}

function figure({ title, sentence, legendList, holder, columns, rows, fileName }) {
  const id = freshId("chart");
  const details = h(
    "details",
    { class: "figures", "data-key": `figures ${title}` },
    h("summary", {}, `Figures of this chart (${format.count(rows.length)})`),
  );
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) {
      details.append(
        h(
          "p",
          { class: "tools" },
          saveRows(fileName, columns, () => rows),
        ),
        table({ caption: `Figures of ${title}`, columns, rows }),
      );
    }
  });
  holder.setAttribute("role", "img");
  holder.setAttribute("aria-labelledby", id);
  return h(
    "figure",
    {},
    h("figcaption", { id, class: "visually-hidden" }, `${title}. ${sentence}`),
    legendList,
    holder,
    details,
  );
}

/**
 * Values over time.
 * @param {string} title
 * @param {string[]} times instants, ascending
 * @param {{label, tone, values, dashed}[]} series values are numbers or null
 * @param {function} show a value in words
 */
export function timeChart({ title, times, series, show = format.number }) {
  const stamps = times.map((text) => Date.parse(text) / 1000);
  const data = [stamps, ...series.map((each) => each.values)];
  const { list, values } = legend(series);
  const holder = h("div", { class: "plot" });
  const options = () => ({
    padding: [8, 24, 0, 0],
    legend: { show: false },
    tzDate: (stamp) =>
      state.utc ? uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC") : new Date(stamp * 1000),
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    scales: { y: { range: (plot, low, high) => [Math.min(0, low), high > 0 ? high * 1.08 : 1] } },
    axes: [
      axis({ values: dateLabels, incrs: STEPS, space: 64, size: 40 }),
      axis({ values: (plot, splits) => splits.map((value) => show(value)), size: 62, space: 36 }),
    ],
    series: [
      {},
      ...series.map((each) => ({
        label: each.label,
        stroke: colour(each.tone),
        width: 1.75,
        dash: each.dashed ? [5, 4] : undefined,
        points: {
          show: stamps.length < 40,
          size: 5,
          filter: (plot, number, isShown) => (isShown ? null : aloneIn(each.values)),
        },
        spanGaps: false,
      })),
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const at = plot.cursor.idx;
          series.forEach((each, number) => {
            values[number].textContent =
              at === null || at === undefined ? "" : show(each.values[at] ?? null);
          });
        },
      ],
    },
  });
  mount(holder, options, data);
  const columns = [
    { key: "time", label: "Window", kind: "time" },
    ...series.map((each, number) => ({
      key: each.label,
      label: each.label,
      className: "number",
      node: (row) => show(row[each.label]),
    })),
  ];
  const rows = times
    .map((text, at) => ({
      time: text,
      ...Object.fromEntries(series.map((each) => [each.label, each.values[at]])),
    }))
    .reverse();
  return figure({
    title,
    sentence: sentenceOf(series, show),
    legendList: list,
    holder,
    columns,
    rows,
    fileName: fileNameOf(title),
  });
}

/**
 * The starts of all periods from the first time to the last. The API has no row of a period without
 * payments, and a line from neighbour to neighbour would hide that there were none.
 * @param {string[]} times instants, ascending
 * @param {string} period 5m, 1h or 1d
 */
export function everyTime(times, period) {
  const step = PERIODS[period] * 1000;
  return times.flatMap((text, at) => {
    const found = [text];
    const next = Date.parse(times[at + 1] ?? text);
    for (let stamp = Date.parse(text) + step; stamp < next; stamp += step) {
      found.push(new Date(stamp).toISOString().replace(".000Z", "Z"));
    }
    return found;
  });
}

/** Places of values between gaps: no line leads to them, so that each needs a point. */
export function aloneIn(values) {
  const known = (at) => values[at] !== null && values[at] !== undefined;
  return [...values.keys()].filter((at) => known(at) && !known(at - 1) && !known(at + 1));
}

function sentenceOf(series, show) {
  return series
    .map((each) => {
      const known = each.values.filter((value) => value !== null && value !== undefined);
      if (!known.length) return `${each.label}: no value`;
      const low = known.reduce((a, b) => Math.min(a, b));
      const high = known.reduce((a, b) => Math.max(a, b));
      return `${each.label}: ${show(low)} to ${show(high)}, last ${show(known.at(-1))}`;
    })
    .join("; ");
}

/**
 * Points by two numbers, the first on a logarithmic axis.
 * @param {{x, y, group, row}[]} points x above 0
 * @param {{label, tone}[]} groups
 */
export function scatterChart({ title, points, groups, xLabel, yLabel, say, columns }) {
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const data = [
    sorted.map((point) => Math.log10(point.x)),
    ...groups.map((_, number) => sorted.map((point) => (point.group === number ? point.y : null))),
  ];
  const { list } = legend(groups);
  const readout = h("p", { class: "readout", "aria-hidden": "true" }, "\u00a0");
  const holder = h("div", { class: "plot" });
  const options = () => ({
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 10 } },
    scales: {
      x: { time: false, range: (plot, low, high) => [Math.floor(low), Math.ceil(high + 1e-9)] },
      y: { range: (plot, low, high) => [0, high * 1.08] },
    },
    axes: [
      axis({
        label: xLabel,
        labelFont: font(),
        labelSize: 18,
        size: 28,
        incrs: [1, 2, 3],
        values: (plot, splits) => splits.map((power) => format.compact(10 ** power)),
      }),
      axis({ label: yLabel, labelFont: font(), labelSize: 18, size: 46 }),
    ],
    series: [
      {},
      ...groups.map((group) => ({
        label: group.label,
        stroke: colour(group.tone),
        paths: () => null,
        points: {
          show: true,
          size: 6,
          width: 1.5,
          stroke: colour(group.tone),
          fill: colour(group.tone, 0.4),
        },
      })),
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const at = plot.cursor.idx;
          const point = at === null || at === undefined ? undefined : sorted[at];
          readout.textContent = point ? say(point.row) : "\u00a0";
        },
      ],
    },
  });
  mount(holder, options, data);
  const highest = points.length ? points.reduce((a, b) => (a.y > b.y ? a : b)) : null;
  const element = figure({
    title,
    sentence: highest ? `${points.length} points; the highest: ${say(highest.row)}` : "no points",
    legendList: list,
    holder,
    columns,
    rows: sorted.map((point) => point.row).toSorted((a, b) => Number(b.score) - Number(a.score)),
    fileName: fileNameOf(title),
  });
  holder.after(readout);
  return element;
}

const fileNameOf = (title) => title.toLowerCase().replace(/[^a-z0-9]+/g, "-");

/** A share as a bar, for the eye only, and its number. */
export function bar(share, text) {
  const filled = h("span", {});
  filled.style.inlineSize = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return [
    h("span", { class: "share", "aria-hidden": "true" }, filled),
    h("span", { class: "beside" }, text),
  ];
}
