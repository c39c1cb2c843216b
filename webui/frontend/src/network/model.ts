/** The network in memory: the graph that is drawn, and the questions that panel and filters ask of it. */
import Graph from "graphology";
import { holds } from "../dom";
import type { GapTie, NetworkData, Organisation, Tie } from "./data";
import type { Selection, View } from "./view";

export interface Neighbour {
  organisation: Organisation;
  tie: Tie;
}

const SMALLEST = 3.5;
const HUBS = 14;
const ALL_NAMED = 30;

/** Joins the server's lists; the graph's edges are named `tie:N` and `gap:N` after their place in the lists. */
export class Model {
  readonly graph = new Graph({ type: "undirected", multi: true });
  readonly byId: Map<string, Organisation>;
  readonly kinds: string[];
  readonly hubs: Set<string>;
  /** Gaps between two that have no tie yet: only these are drawn, since a dash means "suggested". */
  readonly suggested: number;
  readonly #communities: Map<number, string>;

  constructor(readonly data: NetworkData) {
    this.byId = new Map(data.organisations.map((each) => [each.id, each]));
    this.kinds = byCount(data.organisations.map((each) => each.kind));
    this.hubs = hubs(data.organisations);
    this.#communities = new Map(data.communities.map((each) => [each.id, each.label]));
    const drawn = data.organisations.filter((each) => each.drawn);
    const most = Math.max(1, ...drawn.map((each) => each.degree));
    const largest = drawn.length > 150 ? 11 : 15;
    for (const { id, label, x, y, degree } of drawn)
      this.graph.mergeNode(id, { label, x, y, size: SMALLEST + (largest - SMALLEST) * Math.sqrt(degree / most) });
    this.#join(data.ties, "tie");
    const tied = new Set(data.ties.map(pairKey));
    this.#join(data.gaps, "gap", tied);
    this.suggested = data.gaps.filter((gap) => !tied.has(pairKey(gap))).length;
  }

  #join(pairs: (Tie | GapTie)[], type: "tie" | "gap", without = new Set<string>()): void {
    pairs.forEach((pair, i) => {
      const { source, target } = pair;
      if (this.graph.hasNode(source) && this.graph.hasNode(target) && source !== target && !without.has(pairKey(pair)))
        this.graph.addEdgeWithKey(`${type}:${i}`, source, target);
    });
  }

  tie(selected: Selection): Tie | undefined {
    return selected.type === "tie" ? this.data.ties.find((tie) => joins(tie, selected)) : undefined;
  }

  gap(selected: Selection): GapTie | undefined {
    return selected.type === "gap" ? this.data.gaps.find((gap) => joins(gap, selected)) : undefined;
  }

  neighbours(id: string): Neighbour[] {
    return this.data.ties
      .filter((tie) => tie.source === id || tie.target === id)
      .map((tie) => ({ tie, organisation: this.byId.get(tie.source === id ? tie.target : tie.source) }))
      .filter((each): each is Neighbour => each.organisation !== undefined)
      .sort((a, b) => b.tie.weight - a.tie.weight || a.organisation.label.localeCompare(b.organisation.label));
  }

  gapsOf(id: string): GapTie[] {
    return this.data.gaps.filter((gap) => gap.source === id || gap.target === id);
  }

  label(id: string): string {
    return this.byId.get(id)?.label ?? id;
  }

  /** Tell whether a gap is about a tie that exists (a weak point) and not about a missing one. */
  isTied(gap: GapTie): boolean {
    return this.data.ties.some((tie) => joins(tie, gap));
  }

  communityLabel(id: number): string {
    return this.#communities.get(id) ?? "on its own";
  }

  /** The place of a community among the colours; one that the server does not list has none. */
  communityPlace(id: number): number {
    return this.#communities.has(id) ? id : -1;
  }
}

/** Tell whether an organisation passes the filters of the view. */
export function passes(view: View, organisation: Organisation): boolean {
  return (
    (!view.kind || organisation.kind === view.kind) &&
    (!view.community || String(organisation.community) === view.community) &&
    (!view.find || holds(`${organisation.label} ${organisation.region ?? ""}`, view.find))
  );
}

/** Tell whether two pairs name the same two organisations, whichever comes first. */
export function joins(a: { source: string; target: string }, b: { source: string; target: string }): boolean {
  return (a.source === b.source && a.target === b.target) || (a.source === b.target && a.target === b.source);
}

function pairKey({ source, target }: { source: string; target: string }): string {
  return source < target ? `${source} ${target}` : `${target} ${source}`;
}

/** Everybody in a small picture, else the best-joined of each community: enough names to know where one is. */
function hubs(organisations: Organisation[]): Set<string> {
  const drawn = organisations.filter((each) => each.drawn);
  if (drawn.length <= ALL_NAMED) return new Set(drawn.map((each) => each.id));
  const best = new Map<number, Organisation>();
  for (const each of organisations)
    if (each.degree > (best.get(each.community)?.degree ?? 0)) best.set(each.community, each);
  return new Set([...best.values()].sort((a, b) => b.degree - a.degree).slice(0, HUBS).map((each) => each.id));
}

function byCount(words: string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([word]) => word);
}
