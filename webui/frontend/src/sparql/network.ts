/** The answer as a network: the picture of the network page over the ties of the answer, with a list beside it. */
import { t, tn } from "../i18n";
import { forceCenter, forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY, type SimulationNodeDatum } from "d3-force";
import "../styles/network.css";
import { el } from "../dom";
import type { Scene } from "../network/data";
import { Model } from "../network/model";
import { markClass } from "../network/palette";
import type { Seen } from "../network/view";
import { THEME_CHANGED } from "../theme";
import { type Answer, type Cell, type Term } from "./answer";
import { tieColumns } from "./fit";
import type { Names } from "./names";

const MOST_THINGS = 400;
const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const OTHER = t("without a class");

/** The things and ties that are drawn, ready to be listed. */
interface Data {
  things: { id: string; label: string; kind: string; degree: number }[];
  ties: { source: string; target: string; weight: number; kinds: string[] }[];
  kinds: string[];
}

interface Found {
  things: Map<string, Term>;
  kinds: Map<string, string>;
  ties: { source: string; target: string; relation: Cell }[];
}

/** Draw the network and its list; where the browser has no WebGL, the list alone. */
export async function drawNetwork(host: HTMLElement, answer: Answer, names: Names): Promise<void> {
  const found = collect(answer);
  const kept = most(found);
  const ties = found.ties.filter((tie) => kept.has(tie.source) && kept.has(tie.target));
  await names.learn([...[...kept].map((id) => found.things.get(id)), ...ties.map((tie) => tie.relation), ...[...found.kinds.values()].map(uri)]);
  const data = dataOf(found, kept, ties, names);
  const summary = summarise(found, kept, data);
  const stage = el("div", { class: "picture-canvas", role: "img", "aria-label": `${t("Picture:")} ${summary} ${t("The list beside it holds the same.")}` });
  const side = el("div", { class: "panel", role: "region", "aria-label": t("Things in the network"), tabindex: "0" });
  const tools = el("div", { class: "camera" });
  host.replaceChildren(
    el("p", { class: "view-summary" }, summary),
    el(
      "div",
      { class: "picture answer-network" },
      el("div", { class: "picture-stage" }, el("div", { class: "picture-tools", role: "group", "aria-label": t("How the picture shows the network") }, legend(data), tools), el("div", { class: "picture-field" }, stage)),
      side,
    ),
  );
  const select = await picture(host, stage, tools, data, (id) => list(side, data, found, names, id, select));
  list(side, data, found, names, null, select);
}

function uri(value: string): Term {
  return { type: "uri", value };
}

/** Read the ties; in a CONSTRUCT a class colours its thing instead of joining all things of one class. */
function collect(answer: Answer): Found {
  const ends = tieColumns(answer)!;
  const found: Found = { things: new Map(), kinds: new Map(), ties: [] };
  for (const row of answer.rows) {
    const [source, target, relation] = [row[ends.source], row[ends.target], row[ends.relation] ?? null];
    if (!source) continue;
    found.things.set(source.value, source);
    if (!target || (answer.form === "triples" && target.type === "literal")) continue;
    if (answer.form === "triples" && relation?.value === TYPE) {
      found.kinds.set(source.value, target.value);
      continue;
    }
    found.things.set(target.value, target);
    if (source.value !== target.value) found.ties.push({ source: source.value, target: target.value, relation });
  }
  return found;
}

/** The best joined things, as many as a picture can show. */
function most(found: Found): Set<string> {
  const degree = new Map<string, number>();
  for (const tie of found.ties) for (const id of [tie.source, tie.target]) degree.set(id, (degree.get(id) ?? 0) + 1);
  const ids = [...found.things.keys()].sort((a, b) => (degree.get(b) ?? 0) - (degree.get(a) ?? 0));
  return new Set(ids.slice(0, MOST_THINGS));
}

function dataOf(found: Found, kept: Set<string>, ties: Found["ties"], names: Names): Data {
  const joined = new Map<string, Data["ties"][number]>();
  for (const { source, target, relation } of ties) {
    const key = source < target ? `${source} ${target}` : `${target} ${source}`;
    const tie = joined.get(key) ?? { source, target, weight: 0, kinds: [] };
    const word = names.text(relation);
    tie.weight += 1;
    if (word && !tie.kinds.includes(word)) tie.kinds.push(word);
    joined.set(key, tie);
  }
  const pairs = [...joined.values()];
  const degree = new Map<string, number>();
  for (const { source, target } of pairs) for (const id of [source, target]) degree.set(id, (degree.get(id) ?? 0) + 1);
  const things = [...kept].map((id) => {
    const kind = found.kinds.get(id);
    return { id, label: names.text(found.things.get(id)!), kind: kind ? names.text(uri(kind)) : OTHER, degree: degree.get(id) ?? 0 };
  });
  return { things, ties: pairs, kinds: byCount(things.map((each) => each.kind)) };
}

function byCount(words: string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([word]) => word);
}

/** What the picture of the network page draws. */
function sceneOf({ things, ties, kinds }: Data): Scene {
  const places = layout(things.map(({ id }) => id), ties);
  const at = new Map(things.map(({ id }, i) => [id, i]));
  const degrees = things.map(({ degree }) => degree);
  return {
    version: null,
    query: "",
    kinds,
    organisations: {
      id: things.map(({ id }) => id),
      label: things.map(({ label }) => label),
      kind: things.map(({ kind }) => kinds.indexOf(kind)),
      community: things.map(() => 0),
      degree: degrees,
      size: degrees,
      x: things.map(({ id }) => places.get(id)!.x),
      y: things.map(({ id }) => places.get(id)!.y),
    },
    bubbles: [],
    lines: {
      a: ties.map(({ source }) => at.get(source)!),
      b: ties.map(({ target }) => at.get(target)!),
      ties: ties.map(() => 1),
      weight: ties.map(({ weight }) => weight),
    },
    gaps: [],
    summary: "",
    late: false,
  };
}

type Node = SimulationNodeDatum & { id: string };

/** Place the things by springs; the same answer gives the same picture. */
function layout(ids: string[], ties: Data["ties"]): Map<string, { x: number; y: number }> {
  const nodes: Node[] = ids.map((id) => ({ id }));
  const links = ties.map(({ source, target }) => ({ source, target }));
  forceSimulation(nodes)
    .force("link", forceLink<Node, { source: string; target: string }>(links).id(({ id }) => id).distance(46))
    .force("charge", forceManyBody().strength(-140).distanceMax(500))
    .force("apart", forceCollide(14))
    .force("centre", forceCenter(0, 0))
    .force("x", forceX(0).strength(0.06))
    .force("y", forceY(0).strength(0.09))
    .stop()
    .tick(ids.length > 200 ? 150 : 260);
  return new Map(nodes.map(({ id, x, y }) => [id, { x: x ?? 0, y: -(y ?? 0) }]));
}

function summarise(found: Found, kept: Set<string>, data: Data): string {
  const best = [...data.things].sort((a, b) => b.degree - a.degree)[0];
  const joined = best?.degree ? ` ${t("Best joined: {name} ({ties}).", { name: best.label, ties: tn("{n} tie", "{n} ties", best.degree) })}` : "";
  const less = kept.size < found.things.size ? ` ${t("The {kept} best joined of {all} things are drawn; the table has all.", { kept: kept.size, all: found.things.size })}` : "";
  return `${tn("{n} thing", "{n} things", kept.size)}, ${tn("{n} tie", "{n} ties", data.ties.length)}.${joined}${less}`;
}

function legend(data: Data): HTMLElement {
  const kinds = data.kinds.slice(0, 8);
  if (kinds.length < 2) return el("span", { class: "soft" }, t("Size: number of ties"));
  return el("span", { class: "legend" }, ...kinds.map((kind, i) => el("span", { class: "tight" }, el("span", { class: markClass(i), "aria-hidden": "true" }), ` ${kind}`)));
}

/** Start the picture, and return what selects a thing in it; without WebGL that only turns the list. */
async function picture(host: HTMLElement, stage: HTMLElement, tools: HTMLElement, data: Data, turned: (id: string | null) => void): Promise<(id: string | null) => void> {
  const canvas = document.createElement("canvas");
  if (!(canvas.getContext("webgl2") ?? canvas.getContext("webgl"))) {
    host.querySelector(".picture")?.classList.add("bare");
    return turned;
  }
  const { Picture } = await import("../network/picture");
  const values: Record<string, string> = { colour: "kind" };
  const view: Seen = { get: (name) => values[name] ?? "", camera: null };
  const select = (id: string | null) => {
    values["selected"] = id ?? "";
    drawn.show(view);
    turned(id);
  };
  const model = new Model(sceneOf(data));
  const drawn = new Picture(stage, model, view, {
    mark: select,
    line: (key) => select(model.graph.source(key)),
    nothing: () => select(null),
    move: () => undefined,
  });
  document.addEventListener(THEME_CHANGED, () => drawn.show(view, true));
  const button = (label: string, sign: string, act: () => void) => el("button", { type: "button", class: "icon", "aria-label": label, title: label, click: act }, sign);
  tools.append(
    button(t("Zoom in"), "+", () => drawn.zoom(1 / 1.6)),
    button(t("Zoom out"), "−", () => drawn.zoom(1.6)),
    button(t("Show the whole network"), "⤢", () => drawn.reset()),
  );
  return select;
}

/** All things by their ties, or one thing with those that it is joined to. */
function list(side: HTMLElement, data: Data, found: Found, names: Names, id: string | null, select: (id: string | null) => void): void {
  const row = (label: string, aside: string, to: string) =>
    el("li", {}, el("button", { type: "button", class: "row", click: () => select(to) }, el("span", { class: "name" }, label), el("span", { class: "aside" }, aside)));
  if (!id) {
    const sorted = [...data.things].sort((a, b) => b.degree - a.degree || a.label.localeCompare(b.label));
    side.replaceChildren(el("h3", {}, t("Things by number of ties")), el("ul", { class: "plain" }, ...sorted.map((each) => row(each.label, String(each.degree), each.id))));
    return;
  }
  const labels = new Map(data.things.map((each) => [each.id, each.label]));
  const label = labels.get(id) ?? id;
  const href = names.href(found.things.get(id)!);
  const heading = el("h3", { tabindex: "-1" }, href ? el("a", { href }, label) : label);
  side.replaceChildren(
    el("button", { type: "button", class: "plain back", click: () => select(null) }, t("← All things")),
    heading,
    el("ul", { class: "plain" }, ...neighbours(data, id).map((each) => row(labels.get(each.id) ?? each.id, each.kinds, each.id))),
  );
  heading.focus({ preventScroll: true });
}

/** What a thing is joined to, by which relations; the strongest first. */
function neighbours({ ties }: Data, id: string): { id: string; kinds: string }[] {
  return ties
    .filter(({ source, target }) => source === id || target === id)
    .sort((a, b) => b.weight - a.weight)
    .map(({ source, target, kinds }) => ({ id: source === id ? target : source, kinds: kinds.join(", ") }));
}
