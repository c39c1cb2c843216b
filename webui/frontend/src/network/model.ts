/** A scene in memory as the graph that is drawn; its marks are named as the address names them. */
import Graph from "graphology";
import type { Bubble, GapLine, Scene } from "./data";

const SMALLEST = 3.5;
const HUBS = 14;
const ALL_NAMED = 30;
const MANY = 150;
const THOUSANDS = 3000;

export const bubbleKey = (id: number) => `community:${id}`;

export interface Mark {
  key: string;
  label: string;
  community: number;
  kind: number;
  bubble: Bubble | null;
}

export class Model {
  readonly graph = new Graph({ type: "undirected", multi: true });
  readonly marks = new Map<string, Mark>();
  readonly hubs: Set<string>;
  readonly gaps = new Map<string, GapLine>();
  readonly #keys: (mark: number) => string;

  constructor(readonly scene: Scene) {
    const { organisations, bubbles } = scene;
    this.#keys = (mark) => (mark >= 0 ? organisations.id[mark]! : bubbleKey(bubbles[-1 - mark]!.id));
    const most = Math.max(1e-9, ...maximum(organisations.size));
    const count = organisations.id.length;
    const largest = count > THOUSANDS ? 6 : count > MANY ? 10 : 15;
    const smallest = count > THOUSANDS ? 1.5 : SMALLEST;
    for (let i = 0; i < count; i++) {
      const key = organisations.id[i]!;
      this.marks.set(key, { key, label: organisations.label[i]!, community: organisations.community[i]!, kind: organisations.kind[i]!, bubble: null });
      const size = smallest + (largest - smallest) * Math.sqrt(Math.max(0, organisations.size[i]!) / most);
      this.graph.addNode(key, { label: organisations.label[i], x: organisations.x[i], y: organisations.y[i], size });
    }
    const biggest = Math.max(1, ...bubbles.map((each) => each.size));
    for (const bubble of bubbles) {
      const key = bubbleKey(bubble.id);
      const label = `${bubble.label} (${bubble.size})`;
      this.marks.set(key, { key, label, community: bubble.id, kind: -1, bubble });
      this.graph.addNode(key, { label, x: bubble.x, y: bubble.y, size: 7 + 26 * Math.sqrt(bubble.size / biggest), radius: bubble.radius, bubble: true });
    }
    this.#join(scene);
    this.hubs = this.#named();
  }

  #join({ lines, gaps }: Scene): void {
    for (let i = 0; i < lines.a.length; i++)
      this.graph.addEdgeWithKey(`tie:${i}`, this.#keys(lines.a[i]!), this.#keys(lines.b[i]!), { weight: lines.weight[i], ties: lines.ties[i] });
    gaps.forEach((gap, i) => {
      this.gaps.set(`gap:${i}`, gap);
      this.graph.addEdgeWithKey(`gap:${i}`, this.#keys(gap.a), this.#keys(gap.b), { type: "dashed" });
    });
  }

  /** Everybody in a small picture, else the best-joined of each community: enough names to know where one is. */
  #named(): Set<string> {
    const { organisations, bubbles } = this.scene;
    const bubbleKeys = bubbles.slice(0, ALL_NAMED).map((each) => bubbleKey(each.id));
    if (organisations.id.length <= ALL_NAMED) return new Set([...organisations.id, ...bubbleKeys]);
    const best = new Map<number, number>();
    organisations.id.forEach((_, i) => {
      const held = best.get(organisations.community[i]!);
      if (held === undefined || organisations.degree[i]! > organisations.degree[held]!) best.set(organisations.community[i]!, i);
    });
    const hubs = [...best.values()].sort((a, b) => organisations.degree[b]! - organisations.degree[a]!).slice(0, HUBS);
    return new Set([...hubs.map((i) => organisations.id[i]!), ...bubbleKeys]);
  }

  /** The width and the height of the picture in the unit of the places. */
  get span(): [number, number] {
    const ends = { x: [Infinity, -Infinity], y: [Infinity, -Infinity] };
    this.graph.forEachNode((_, { x, y }) => {
      ends.x = [Math.min(ends.x[0]!, x), Math.max(ends.x[1]!, x)];
      ends.y = [Math.min(ends.y[0]!, y), Math.max(ends.y[1]!, y)];
    });
    return [Math.max(1e-6, ends.x[1]! - ends.x[0]!), Math.max(1e-6, ends.y[1]! - ends.y[0]!)];
  }

  /** The line between two marks, whichever comes first. */
  line(one: string, other: string): string | undefined {
    if (!this.graph.hasNode(one) || !this.graph.hasNode(other)) return undefined;
    return this.graph.edges(one, other).find((key) => key.startsWith("tie:"));
  }

  gapLine(key: string): string | undefined {
    return [...this.gaps].find(([, gap]) => gap.gap === key)?.[0];
  }
}

/** Spreading many thousands of numbers into a call would run out of stack. */
function maximum(values: number[]): number[] {
  return [values.reduce((most, value) => Math.max(most, value), 0)];
}
