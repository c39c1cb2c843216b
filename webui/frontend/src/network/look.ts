/** How each mark and line looks in the present view: colour, what stands back, what is named. */
import type { EdgeDisplayData, NodeDisplayData } from "sigma/types";
import { bubbleKey, type Model } from "./model";
import type { Palette } from "./palette";
import type { Seen } from "./view";

type NodeLook = Partial<NodeDisplayData> & { borderColor?: string; borderSize?: number };

const FEW = 12;

/** What is selected, as the marks and the line that stand for it here. */
interface Chosen {
  mark: string;
  line: string;
  near: Set<string>;
}

export class Look {
  #chosen: Chosen = { mark: "", line: "", near: new Set() };
  #byKind = false;
  #gaps = true;

  constructor(
    public model: Model,
    public palette: Palette,
    view: Seen,
  ) {
    this.update(view);
  }

  /** Work out once per view what each of the many calls below asks. */
  update(view: Seen): void {
    this.#byKind = view.get("colour") === "kind";
    this.#gaps = view.get("gaps") !== "0";
    this.#chosen = this.#select(view);
  }

  get chosen(): string[] {
    return this.#chosen.line ? [...this.#chosen.near] : this.#chosen.mark ? [this.#chosen.mark] : [];
  }

  #select(view: Seen): Chosen {
    const { graph } = this.model;
    const [one, other] = view.get("tie").split(" ");
    const line = one && other ? this.model.line(one, other) : view.get("gap") ? this.model.gapLine(view.get("gap")) : undefined;
    if (line) return { mark: "", line, near: new Set(graph.extremities(line)) };
    const mark = view.get("selected") || (view.get("bubble") ? bubbleKey(Number(view.get("bubble"))) : "");
    if (!mark || !graph.hasNode(mark)) return { mark: "", line: "", near: new Set() };
    return { mark, line: "", near: new Set([mark, ...graph.neighbors(mark)]) };
  }

  node(key: string): NodeLook {
    const mark = this.model.marks.get(key);
    if (!mark) return {};
    const { near } = this.#chosen;
    const { colour, ring } = this.palette.mark(this.#byKind ? mark.kind : mark.community);
    if (near.size > 0 && !near.has(key)) return { color: this.palette.faint, borderColor: this.palette.paper, borderSize: 0.15, label: "", zIndex: 0 };
    const chosen = this.#chosen.mark === key;
    if (mark.bubble) return this.#bubble(colour, ring, chosen);
    return {
      color: ring ? this.palette.paper : colour,
      borderColor: ring ? colour : this.palette.paper,
      borderSize: ring ? 0.4 : 0.15,
      zIndex: chosen ? 3 : near.has(key) ? 2 : 1,
      highlighted: chosen,
      forceLabel: near.size ? near.size <= FEW || chosen : this.model.hubs.has(key),
    };
  }

  /** A community drawn as one: a disc of its colour, or pale with a rim; by kind it has no colour of its own. */
  #bubble(colour: string, ring: boolean, chosen: boolean): NodeLook {
    const plain = this.#byKind || ring;
    return {
      color: plain ? this.palette.faint : colour,
      borderColor: this.#byKind ? this.palette.tie : ring ? colour : this.palette.paper,
      borderSize: ring ? 0.1 : 0.05,
      zIndex: chosen ? 3 : 1,
      highlighted: chosen,
    };
  }

  edge(key: string, data: Record<string, unknown>): Partial<EdgeDisplayData> {
    const gap = key.startsWith("gap:");
    if (gap && !this.#gaps) return { hidden: true };
    const { mark, line, near } = this.#chosen;
    const touched = line ? line === key : mark ? this.model.graph.extremities(key).includes(mark) : false;
    const back = near.size > 0 && !touched;
    const width = gap ? 2 : Math.min(6, 0.7 + Math.sqrt(Number(data["weight"] ?? 1)) * 0.6);
    if (back) return { type: gap ? "dashed" : "line", color: this.palette.faint, size: width * 0.6, hidden: gap, zIndex: 0 };
    if (gap) return { type: "dashed", color: this.palette.suggested, size: touched ? 3 : width, zIndex: touched ? 3 : 2 };
    return { type: "line", color: touched ? this.palette.tieStrong : this.palette.tie, size: width, zIndex: touched ? 2 : 1 };
  }
}
