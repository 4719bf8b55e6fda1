// Numbers and times as people read them; money stays an exact decimal, never a binary fraction.

import { state } from "./place.js";

export const NOTHING = "–";
const counts = new Intl.NumberFormat("en-GB");
const decimals = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 2 });
const significant = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 4 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

const missing = (value) => value === null || value === undefined || value === "";

/** 12345 -> 12,345 */
export const count = (value) => (missing(value) ? NOTHING : counts.format(value));

/** 1234.5678 -> 1,234.57 */
export const number = (value) => (missing(value) ? NOTHING : decimals.format(Number(value)));

/** 2.5 -> 2.50 */
export const score = (value) => (missing(value) ? NOTHING : Number(value).toFixed(2));

/** A value of a rule: a decimal string of any scale, with its thousands grouped. */
export const measured = (value) => {
  if (missing(value)) return NOTHING;
  const text = String(value);
  return /^-?\d+\.\d{5,}$/.test(text) ? significant.format(Number(text)) : money(text);
};

/** 1234567 -> 1.23M */
export const compact = (value) => (missing(value) ? NOTHING : short.format(value));

/** 0.01234 -> 1.23 % */
export const ratio = (value) => {
  if (missing(value)) return NOTHING;
  const percent = Number(value) * 100;
  return `${percent.toFixed(Math.abs(percent) < 0.1 && percent !== 0 ? 3 : 2)} %`;
};

/** "1234567.80" -> 1,234,567.80, digit by digit. */
export const money = (value) => {
  if (missing(value)) return NOTHING;
  const [, sign, whole, fraction] = /^(-?)(\d+)(\.\d+)?$/.exec(String(value)) ?? [];
  if (whole === undefined) return String(value);
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${fraction ?? ""}`;
};

/** credit_card -> credit card */
export const words = (value) => (missing(value) ? NOTHING : String(value).replaceAll("_", " "));

/** 75 -> 1 min 15 s */
export const seconds = (value) => {
  if (missing(value)) return NOTHING;
  const whole = Number(value);
  if (whole < 10) return `${whole.toFixed(whole < 1 ? 2 : 1)} s`;
  if (whole < 90) return `${Math.round(whole)} s`;
  if (whole < 5400) return `${Math.floor(whole / 60)} min ${Math.round(whole % 60)} s`;
  return `${decimals.format(whole / 3600)} h`;
};

const pad = (value) => String(value).padStart(2, "0");

function parts(moment) {
  return state.utc
    ? [
        moment.getUTCFullYear(),
        moment.getUTCMonth() + 1,
        moment.getUTCDate(),
        moment.getUTCHours(),
        moment.getUTCMinutes(),
        moment.getUTCSeconds(),
      ]
    : [
        moment.getFullYear(),
        moment.getMonth() + 1,
        moment.getDate(),
        moment.getHours(),
        moment.getMinutes(),
        moment.getSeconds(),
      ];
}

/** 2026-11-25 13:05 in the chosen zone. */
export const time = (value, { withSeconds = false } = {}) => {
  if (missing(value)) return NOTHING;
  const [year, month, day, hour, minute, second] = parts(new Date(value));
  const clock = `${pad(hour)}:${pad(minute)}${withSeconds ? `:${pad(second)}` : ""}`;
  return `${year}-${pad(month)}-${pad(day)} ${clock}`;
};

export const timeWithSeconds = (value) => time(value, { withSeconds: true });

/** 13:05:09 in the chosen zone. */
export const clock = (value) => (missing(value) ? NOTHING : timeWithSeconds(value).slice(11));

/** The name of the chosen zone, for headings of columns. */
export const zone = () => (state.utc ? "UTC" : "local");

/** Add decimal strings exactly; the sum has the scale of the finest. */
export function sumOfDecimals(texts) {
  const scale = Math.max(0, ...texts.map((text) => text.split(".")[1]?.length ?? 0));
  const units = texts.reduce((sum, text) => {
    const [whole, fraction = ""] = text.split(".");
    return sum + BigInt(whole + fraction.padEnd(scale, "0"));
  }, 0n);
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  return `${units < 0n ? "-" : ""}${whole}${scale ? `.${digits.slice(-scale)}` : ""}`;
}
