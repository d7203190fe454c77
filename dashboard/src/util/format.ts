// Units, numbers, times and dates as people read them, in the language chosen. The only file that formats; it deliberately knows nothing of the server.

import { clocksChange } from "./instant.ts";
import { languageTag, t } from "./text.ts";

/** A figure with its unit apart, so that the two can be set in different sizes. */
export interface Figure {
  value: string;
  unit: string;
}

/** Stands where there is no value. */
export const nothing = "–";

const numbers = new Map<string, Intl.NumberFormat>();

function decimals(digits: 0 | 1 | 2 | 3): Intl.NumberFormat {
  const key = `${languageTag()}|${String(digits)}`;
  let format = numbers.get(key);
  if (!format) {
    format = new Intl.NumberFormat(languageTag(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
    numbers.set(key, format);
  }
  return format;
}

function fixed(value: number, digits: 0 | 1 | 2 | 3): string {
  // Negative zero and values that round to it read as plain zero; U+2212 is the minus that is as wide as a digit.
  const formatted = decimals(digits).format(value);
  const negative = formatted.startsWith("-") && /[1-9]/.test(formatted);
  return `${negative ? "\u2212" : ""}${formatted.replace(/^-/, "")}`;
}

// The limits between units lie where the smaller one would round up to the larger, so that 999.6 W never reads "1000 W".

/** Power from watts: 843 W, 3.42 kW, 1.250 MW. */
export function powerFigure(watts: number | null): Figure {
  if (watts === null) return { value: nothing, unit: "" };
  const size = Math.abs(watts);
  if (size < 999.5) return { value: fixed(watts, 0), unit: "W" };
  if (size < 999_995) return { value: fixed(watts / 1e3, 2), unit: "kW" };
  return { value: fixed(watts / 1e6, 3), unit: "MW" };
}

/** Energy from watt-hours: 870 Wh, 21.70 kWh, 412.3 kWh, 12.840 MWh. */
export function energyFigure(wattHours: number | null): Figure {
  if (wattHours === null) return { value: nothing, unit: "" };
  const size = Math.abs(wattHours);
  if (size < 999.5) return { value: fixed(wattHours, 0), unit: "Wh" };
  if (size < 99_995) return { value: fixed(wattHours / 1e3, 2), unit: "kWh" };
  if (size < 999_950) return { value: fixed(wattHours / 1e3, 1), unit: "kWh" };
  return { value: fixed(wattHours / 1e6, 3), unit: "MWh" };
}

/** Energy for each kilowatt of rated power, in kWh/kWp: 0.84, 3.42, 112.6. */
export function yieldFigure(kilowattHoursPerKilowatt: number | null): Figure {
  if (kilowattHoursPerKilowatt === null) return { value: nothing, unit: "" };
  return { value: fixed(kilowattHoursPerKilowatt, Math.abs(kilowattHoursPerKilowatt) < 99.995 ? 2 : 1), unit: "kWh/kWp" };
}

/** A remark of the gateway as a sentence: "heard every 10 s" becomes "Heard every 10 s." */
export function sentence(remark: string): string {
  const whole = remark.charAt(0).toUpperCase() + remark.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** A figure as one string, joined by a space that does not break. */
export function joined(figure: Figure): string {
  return figure.unit ? `${figure.value}\u00a0${figure.unit}` : figure.value;
}

export function power(watts: number | null): string {
  return joined(powerFigure(watts));
}

export function energy(wattHours: number | null): string {
  return joined(energyFigure(wattHours));
}

/** A meter's counter, always in kWh with every tenth of a watt-hour that it has, so that rows line up. */
export function counter(wattHours: number | null): string {
  return wattHours === null ? nothing : `${fixed(wattHours / 1e3, 3)}\u00a0kWh`;
}

/** An axis label for watts, on an axis whose largest value decides the unit. */
export function axisPower(watts: number, largest: number): string {
  if (largest < 1000) return `${fixed(watts, 0)}\u00a0W`;
  return `${fixed(watts / 1e3, watts % 1000 === 0 ? 0 : 1)}\u00a0kW`;
}

/** A ratio to one: 4.54:1. */
export function ratio(value: number): string {
  return `${fixed(value, value % 1 === 0 ? 0 : 2)}:1`;
}

export function percent(share: number): string {
  return `${fixed(share * 100, 0)}\u00a0%`;
}

/** A change as a signed share: +12 %, −3 %, ±0 %. */
export function change(share: number): string {
  const rounded = Math.round(share * 100);
  if (rounded === 0) return `±${percent(0)}`;
  return rounded > 0 ? `+${percent(share)}` : percent(share);
}

/** An exact decimal of an integer in thousandths or tenths, for a record's own units: never through a float. */
export function exact(value: bigint, fractionDigits: number, unit: string): string {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(fractionDigits + 1, "0");
  const whole = digits.slice(0, digits.length - fractionDigits);
  const fraction = fractionDigits > 0 ? `${decimalPoint()}${digits.slice(-fractionDigits)}` : "";
  return `${negative ? "\u2212" : ""}${whole}${fraction}${unit ? `\u00a0${unit}` : ""}`;
}

/** An angle from an integer in units of 10^-fractionDigits degrees, without zeros at its end: 52.4987°. */
export function degrees(value: number, fractionDigits: number): string {
  let digits = fractionDigits;
  let shortened = BigInt(value);
  for (; digits > 0 && shortened % 10n === 0n; digits -= 1) shortened /= 10n;
  return `${exact(shortened, digits, "")}°`;
}

function decimalPoint(): string {
  return decimals(1).formatToParts(0.5).find(({ type }) => type === "decimal")?.value ?? ".";
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter is slow and a chart asks for hundreds: they are kept by what they were made of. */
function formatter(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${languageTag()}|${zone}|${JSON.stringify(options)}`;
  const kept = formatters.get(key);
  if (kept) return kept;
  const made = new Intl.DateTimeFormat(languageTag(), { ...options, timeZone: zone });
  formatters.set(key, made);
  return made;
}

/** 14:05; `withZone`, for days on which the clocks change and a time may be there twice, 02:05 CET. */
export function hourMinute(ms: number, zone: string, withZone = false): string {
  return zoned(formatter(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms), ms, zone, withZone);
}

/** 14:05:20; `withZone` 02:05:20 CET. */
export function clock(ms: number, zone: string, withZone = false): string {
  return zoned(formatter(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(ms), ms, zone, withZone);
}

/** The zone's name after the time, in every language. */
function zoned(time: string, ms: number, zone: string, withZone: boolean): string {
  if (!withZone) return time;
  const name = formatter(zone, { timeZoneName: "short" }).formatToParts(ms).find(({ type }) => type === "timeZoneName")?.value;
  return name === undefined ? time : `${time} ${name}`;
}

/** English has no comma after the day of the week, whether a year follows or not; browsers put one there only with the year. */
function afterWeekday(date: string): string {
  return languageTag() === "en-GB" ? date.replace(/^(\w+),/, "$1") : date;
}

/** Sunday 22 November */
export function day(ms: number, zone: string): string {
  return afterWeekday(formatter(zone, { weekday: "long", day: "numeric", month: "long" }).format(ms));
}

/** 2026 */
export function year(ms: number, zone: string): string {
  return formatter(zone, { year: "numeric" }).format(ms);
}

/** November */
export function month(ms: number, zone: string): string {
  return formatter(zone, { month: "long" }).format(ms);
}

/** 14:05 on the same day, 21 Nov, 14:05 on another, with the year when that differs too. */
export function moment(ms: number, now: number, zone: string): string {
  const days = formatter(zone, { year: "numeric", month: "numeric", day: "numeric" });
  if (days.format(ms) === days.format(now)) return hourMinute(ms, zone);
  const years = formatter(zone, { year: "numeric" });
  const options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };
  if (years.format(ms) !== years.format(now)) options.year = "numeric";
  return `${formatter(zone, options).format(ms)}, ${hourMinute(ms, zone)}`;
}

/** 14:05:20 on the same day, 21 Nov, 14:05:20 on another. */
export function secondOf(ms: number, now: number, zone: string): string {
  const days = formatter(zone, { year: "numeric", month: "numeric", day: "numeric" });
  if (days.format(ms) === days.format(now)) return clock(ms, zone);
  return `${formatter(zone, { day: "numeric", month: "short" }).format(ms)}, ${clock(ms, zone)}`;
}

/** 22 Nov 2026, 14:05 */
export function dateTime(ms: number, zone: string): string {
  return formatter(zone, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);
}

/** 22 Nov 2026, 14:05:20 */
export function dateTimeSeconds(ms: number, zone: string): string {
  return formatter(zone, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" }).format(ms);
}

/** 2026-11-22 14:05:20.123, in UTC, as a record says it. */
export function utcStamp(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "");
}

/** 8 s, 4 min, 2 h 10 min, 3 d 4 h: the two largest units that matter. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return amount("seconds", seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return amount("minutes", minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return pair(amount("hours", hours), "minutes", minutes % 60);
  return pair(amount("days", Math.floor(hours / 24)), "hours", hours % 24);
}

type DurationUnit = "seconds" | "minutes" | "hours" | "days";

function amount(unit: DurationUnit, count: number): string {
  return t(`app.duration.${unit}`, { count }).replaceAll(" ", "\u00a0");
}

function pair(head: string, unit: DurationUnit, rest: number): string {
  return rest === 0 ? head : `${head}\u00a0${amount(unit, rest)}`;
}

/** A key's or meter's id as people compare it: its first 16 hex digits in fours. */
export function fingerprint(hex: string): string {
  return groups(hex.slice(0, 16), 4).join("\u00a0");
}

/** Cuts hex into groups of `size` digits. */
export function groups(hex: string, size: number): string[] {
  return hex.match(new RegExp(`.{1,${String(size)}}`, "g")) ?? [];
}

/** Voltage: 230.4 V. */
export function voltageFigure(volts: number | null): Figure {
  return volts === null ? { value: nothing, unit: "" } : { value: fixed(volts, 1), unit: "V" };
}

/** Reactive power from volt-amperes reactive: −112 var, 1.25 kvar. */
export function reactiveFigure(vars: number | null): Figure {
  if (vars === null) return { value: nothing, unit: "" };
  return Math.abs(vars) < 999.5 ? { value: fixed(vars, 0), unit: "var" } : { value: fixed(vars / 1e3, 2), unit: "kvar" };
}

/** Axis labels of one unit and as many decimals as round steps need; `prefixed` units are those that go to thousands. */
function axisLabel(value: number, largest: number, unit: string, prefixed: readonly string[]): string {
  const thousands = largest <= 0 ? 0 : Math.min(prefixed.length, Math.max(0, Math.floor(Math.log10(largest) / 3 + 1e-9)));
  const scaled = Number((value / 1000 ** thousands).toPrecision(9));
  const digits = ([0, 1, 2, 3] as const).find((places) => Number(scaled.toFixed(places)) === scaled) ?? 3;
  return `${fixed(scaled, digits)}\u00a0${thousands === 0 ? unit : (prefixed[thousands - 1] ?? unit)}`;
}

/** An axis label for watt-hours, on an axis whose largest value decides the unit. */
export function axisEnergy(wattHours: number, largest: number): string {
  return axisLabel(wattHours, largest, "Wh", ["kWh", "MWh"]);
}

export function axisVoltage(volts: number): string {
  return axisLabel(volts, 0, "V", []);
}

export function axisReactive(vars: number, largest: number): string {
  return axisLabel(vars, largest, "var", ["kvar"]);
}

/** 1,440 */
export function counted(value: number): string {
  return fixed(value, 0);
}

/** 28.5 °C */
export function temperature(celsius: number): string {
  return `${fixed(celsius, 1)}\u00a0°C`;
}

/** 148 kB */
export function byteSize(bytes: number): string {
  return bytes < 1_000_000 ? `${fixed(bytes / 1e3, 0)}\u00a0kB` : `${fixed(bytes / 1e6, 1)}\u00a0MB`;
}

/** −61 dBm */
export function signalStrength(decibelMilliwatts: number): string {
  return `${fixed(decibelMilliwatts, 0)}\u00a0dBm`;
}

/** 14:05, or 14:05:20 where the marks of an axis are closer than a minute. */
export function tickTime(ms: number, stepSeconds: number, zone: string): string {
  return stepSeconds < 60 ? clock(ms, zone) : hourMinute(ms, zone);
}

type CalendarSpan = "hour" | "day" | "week" | "month" | "year";

/**
 * A calendar period from `start` up to and without `end`: Sunday 25 October 2026, 19–25 October 2026, October 2026, 2026. An hour is Sun 25 Oct 2026,
 * 14:00–15:00, and Sun 25 Oct 2026, 02:00 CET on a day on which the clocks change.
 */
export function periodName(span: CalendarSpan, start: number, end: number, zone: string): string {
  switch (span) {
    case "hour": {
      const whole = formatter(zone, { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
      const begin = afterWeekday(whole.format(start));
      // A range whose ends read the same would be one time to Intl, and it writes the hours of others in other forms.
      return clocksChange(start, zone) ? zoned(begin, start, zone, true) : `${begin}–${hourMinute(end, zone)}`;
    }
    case "day":
      return afterWeekday(formatter(zone, { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(start));
    case "week":
      return formatter(zone, { day: "numeric", month: "short", year: "numeric" }).formatRange(start, end - 1);
    case "month":
      return formatter(zone, { month: "long", year: "numeric" }).format(start);
    case "year":
      return formatter(zone, { year: "numeric" }).format(start);
  }
}

/** The name of a bar under a chart of `span`, as short as it can be: 14:00, Mon, 19, Oct. */
export function barName(span: CalendarSpan, ms: number, zone: string): string {
  switch (span) {
    case "hour":
    case "day":
      return hourMinute(ms, zone);
    case "week":
      return formatter(zone, { weekday: "short" }).format(ms);
    case "month":
      return formatter(zone, { day: "numeric" }).format(ms);
    case "year":
      return formatter(zone, { month: "short" }).format(ms);
  }
}

/**
 * The whole name of a bar from `start` to `end`: 14:00–15:00, Monday 19 October, October 2026. `withZone`, for days on which the clocks change, hours are
 * told apart by their zone: 02:00 CET.
 */
export function barFullName(span: CalendarSpan, start: number, end: number, zone: string, withZone: boolean): string {
  switch (span) {
    case "hour":
    case "day":
      return withZone ? hourMinute(start, zone, true) : `${hourMinute(start, zone)}–${hourMinute(end, zone)}`;
    case "week":
    case "month":
      return day(start, zone);
    case "year":
      return formatter(zone, { month: "long", year: "numeric" }).format(start);
  }
}
