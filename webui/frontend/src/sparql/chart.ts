/** The answer as a chart: bars, a line or points, drawn as SVG from two columns that a person can choose. */
import { t, tn } from "../i18n";
import { el } from "../dom";
import { numberOf, type Answer, type Cell, type Column } from "./answer";
import type { Names } from "./names";
import { svg } from "./svg";

export type Shape = "bar" | "line" | "scatter";

export interface Choice {
  shape: Shape;
  x: string;
  y: string;
}

interface Point {
  x: number;
  y: number;
  name: string;
}

const WIDEST = 960;
const MOST_BARS = 40;
const MOST_POINTS = 5000;
const SHAPES: Record<Shape, string> = { bar: t("Bars"), line: t("Line"), scatter: t("Points") };

/** Say why an answer has no chart; empty where it has one. */
export function unfitChart(answer: Answer): string {
  if (!answer.rows.length) return t("There is no row to draw.");
  if (!answer.columns.some(({ kind }) => kind === "number"))
    return t("A chart needs a column of numbers, such as (COUNT(*) AS ?count), best beside one of names or dates.");
  return "";
}

/** Draw the chart and the fields that choose what it shows; `chosen` hears of another choice. */
export async function drawChart(host: HTMLElement, answer: Answer, names: Names, wanted: Partial<Choice>, chosen: (choice: Choice) => void): Promise<void> {
  let choice = fitting(answer.columns, wanted);
  const figure = el("figure", { class: "chart" });
  const tools = el("div", { class: "view-tools", role: "group", "aria-label": t("What the chart shows") });
  const draw = async () => {
    const [x, y] = [place(answer, choice.x), place(answer, choice.y)];
    const rows = answer.rows.slice(0, choice.shape === "bar" ? MOST_BARS * 4 : MOST_POINTS);
    await names.learn(rows.map((row) => row[x]));
    show(figure, answer, names, choice, x, y);
  };
  const pick = (part: Partial<Choice>) => {
    choice = fitting(answer.columns, { ...choice, ...part });
    fill();
    chosen(choice);
    void draw();
  };
  const fill = () => {
    const numbers = answer.columns.filter(({ kind }) => kind === "number");
    const across = choice.shape === "bar" ? answer.columns : answer.columns.filter(isMeasured);
    const shapes = (Object.keys(SHAPES) as Shape[]).filter((shape) => shape === "bar" || answer.columns.filter(isMeasured).length > 1);
    const focused = (document.activeElement as HTMLElement | null)?.dataset["choose"];
    tools.replaceChildren(
      select(t("Shape"), "shape", shapes, choice.shape, (shape) => SHAPES[shape as Shape], (shape) => pick({ shape: shape as Shape })),
      select(choice.shape === "bar" ? t("One bar for each") : t("Across"), "x", across.map(({ name }) => name), choice.x, String, (x) => pick({ x })),
      select(choice.shape === "bar" ? t("Length") : t("Upwards"), "y", numbers.map(({ name }) => name), choice.y, String, (y) => pick({ y })),
    );
    if (focused) tools.querySelector<HTMLElement>(`[data-choose="${focused}"]`)?.focus();
  };
  fill();
  host.replaceChildren(tools, figure);
  await draw();
}

function select(label: string, key: string, options: string[], value: string, words: (option: string) => string, take: (option: string) => void): HTMLElement {
  const field = el("select", { "data-choose": key, change: () => take(field.value) }, ...options.map((option) => el("option", { value: option }, words(option))));
  field.value = value;
  return el("label", {}, label, field);
}

const isMeasured = ({ kind }: Column) => kind === "number" || kind === "date";

/** Complete a choice by the kinds of the columns: dates make a line, two numbers points, all else bars. */
export function fitting(columns: Column[], wanted: Partial<Choice>): Choice {
  const has = (name: string | undefined, fits: (column: Column) => boolean) => columns.find((column) => column.name === name && fits(column))?.name;
  const isNumber = ({ kind }: Column) => kind === "number";
  const numbers = columns.filter(isNumber);
  const y = has(wanted.y, isNumber) ?? numbers.at(-1)?.name ?? "";
  const others = columns.filter(({ name }) => name !== y);
  const date = others.find(({ kind }) => kind === "date");
  const word = others.find(({ name }) => /label|name/i.test(name)) ?? others.find(({ kind }) => kind === "text" || kind === "thing");
  const guess: Shape = date ? "line" : word || numbers.length < 2 ? "bar" : "scatter";
  const measured = others.filter(isMeasured);
  const shape = wanted.shape && (wanted.shape === "bar" || measured.length) ? wanted.shape : wanted.shape ? "bar" : guess;
  const natural = shape === "bar" ? (word ?? date ?? others[0])?.name : (shape === "line" ? (date ?? measured[0]) : measured[0])?.name;
  const x = has(wanted.x, (column) => column.name !== y && (shape === "bar" || isMeasured(column))) ?? natural ?? y;
  return { shape, x, y };
}

function place(answer: Answer, name: string): number {
  return answer.columns.findIndex((column) => column.name === name);
}

function show(figure: HTMLElement, answer: Answer, names: Names, choice: Choice, x: number, y: number): void {
  const usable = answer.rows.filter((row) => Number.isFinite(numberOf(row[y])));
  const most = choice.shape === "bar" ? MOST_BARS : MOST_POINTS;
  const text = (cell: Cell | undefined) => names.text(cell) || t("no value");
  const points = usable.slice(0, most).map((row) => ({ x: numberOf(row[x]), y: numberOf(row[y]), name: text(row[x]) }));
  const drawn = choice.shape === "bar" ? points : points.filter((point) => Number.isFinite(point.x));
  if (!drawn.length) {
    figure.replaceChildren(el("figcaption", {}, t("These two columns have no row with a value in both.")));
    return;
  }
  const summary = summarise(drawn, choice, usable.length, answer.columns[x]?.kind === "date");
  const width = Math.max(320, Math.min(WIDEST, figure.clientWidth || WIDEST));
  const picture = choice.shape === "bar" ? bars(drawn, width) : field(drawn, choice, answer.columns[x]?.kind === "date", width);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", summary);
  figure.replaceChildren(el("figcaption", {}, summary), picture);
}

function summarise(points: Point[], { shape, x, y }: Choice, all: number, dated: boolean): string {
  const sorted = [...points].sort((a, b) => a.y - b.y);
  const [low, high] = [sorted[0]!, sorted.at(-1)!];
  const at = (point: Point) => (shape === "bar" ? point.name : dated ? day(point.x) : number(point.x));
  const part = points.length < all ? ` The first ${points.length} of ${all.toLocaleString("en")} are drawn; the table has all.` : "";
  const what = shape === "bar" ? tn("{n} bar", "{n} bars", points.length) : shape === "line" ? tn("A line through {n} point", "A line through {n} points", points.length) : tn("{n} point", "{n} points", points.length);
  return `${what}: ${y} by ${x}. Highest ${number(high.y)} (${at(high)}), lowest ${number(low.y)} (${at(low)}).${part}`;
}

const BAR = 22;
const LETTER = 7.2;

function bars(points: Point[], width: number): SVGSVGElement {
  const [low, high] = [Math.min(0, ...points.map(({ y }) => y)), Math.max(0, ...points.map(({ y }) => y))];
  const letters = Math.min(Math.max(...points.map(({ name }) => name.length)), Math.floor((width * 0.42) / LETTER));
  const [left, right] = [16 + letters * LETTER, 56];
  const scale = (value: number) => left + ((value - low) / (high - low || 1)) * (width - left - right);
  const rows = points.flatMap((point, i) => {
    const top = i * BAR + 4;
    const [from, to] = [Math.min(scale(0), scale(point.y)), Math.max(scale(0), scale(point.y))];
    return [
      svg("text", { x: left - 8, y: top + 12, "text-anchor": "end", class: "name" }, short(point.name, letters), svg("title", {}, point.name)),
      svg("rect", { x: from, y: top, width: Math.max(1, to - from), height: BAR - 6, class: "mark" }, svg("title", {}, `${point.name}: ${number(point.y)}`)),
      svg("text", { x: to + 6, y: top + 12, class: "value" }, number(point.y)),
    ];
  });
  const zero = svg("line", { x1: scale(0), x2: scale(0), y1: 0, y2: points.length * BAR, class: "axis" });
  return svg("svg", { viewBox: `0 0 ${width} ${points.length * BAR + 4}`, class: "bars" }, ...rows, zero);
}

function field(points: Point[], { shape, x, y }: Choice, dated: boolean, width: number): SVGSVGElement {
  const [height, left, bottom, right] = [Math.min(380, width * 0.75), 64, 44, 36];
  const xs = nice(points.map((point) => point.x), dated, false, width < 560 ? 3 : 5);
  const ys = nice(points.map((point) => point.y), false, shape === "line");
  const across = (value: number) => left + ((value - xs.low) / (xs.high - xs.low || 1)) * (width - left - right);
  const up = (value: number) => height - bottom - ((value - ys.low) / (ys.high - ys.low || 1)) * (height - bottom - 24);
  const grid = ys.ticks.flatMap((tick) => [
    svg("line", { x1: left, x2: width - right, y1: up(tick), y2: up(tick), class: "grid" }),
    svg("text", { x: left - 8, y: up(tick) + 4, "text-anchor": "end", class: "value" }, number(tick)),
  ]);
  const foot = xs.ticks.map((tick) => svg("text", { x: across(tick), y: height - bottom + 18, "text-anchor": "middle", class: "value" }, dated ? day(tick, xs.high - xs.low) : number(tick)));
  const sorted = [...points].sort((a, b) => a.x - b.x);
  const path = sorted.map((point, i) => `${i ? "L" : "M"}${across(point.x).toFixed(1)} ${up(point.y).toFixed(1)}`).join("");
  const marks = sorted.map((point) =>
    svg("circle", { cx: across(point.x), cy: up(point.y), r: shape === "line" ? 3 : 4, class: "mark" }, svg("title", {}, `${dated ? day(point.x) : number(point.x)}: ${number(point.y)}`)),
  );
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: shape },
    ...grid,
    svg("line", { x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, class: "axis" }),
    ...foot,
    svg("text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle", class: "name" }, x.replaceAll("_", " ")),
    svg("text", { x: left - 8, y: 12, class: "name" }, y.replaceAll("_", " ")),
    shape === "line" ? svg("path", { d: path, class: "line" }) : null,
    ...marks,
  );
}

/** A range with round ends and about `steps` marks; `zero` lets it begin at nought. */
function nice(values: number[], dated: boolean, zero: boolean, steps = 5): { low: number; high: number; ticks: number[] } {
  let [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)] as const, [Infinity, -Infinity] as const);
  if (zero) low = Math.min(0, low);
  if (low === high) [low, high] = [low - (dated ? 864e5 * 30 : 1), high + (dated ? 864e5 * 30 : 1)];
  if (dated) return { low, high, ticks: Array.from({ length: steps + 1 }, (_, i) => low + ((high - low) * i) / steps) };
  const rough = (high - low) / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
  const [first, last] = [Math.floor(low / step), Math.ceil(high / step)];
  return { low: first * step, high: last * step, ticks: Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step) };
}

function number(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 3, ...(Math.abs(value) >= 1e7 && { notation: "compact" as const }) });
}

function day(value: number, span = 0): string {
  const text = new Date(value).toISOString();
  return span > 864e5 * 365 * 6 ? text.slice(0, 4) : span > 864e5 * 200 ? text.slice(0, 7) : text.slice(0, 10);
}

function short(name: string, most: number): string {
  return name.length > most ? `${name.slice(0, most - 1).trimEnd()}…` : name;
}
