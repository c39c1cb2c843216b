/** How each organisation and tie looks in the present view: colour, size, name, what stands back. */
import type { EdgeDisplayData, NodeDisplayData } from "sigma/types";
import { joins, passes, type Model } from "./model";
import type { Palette } from "./palette";
import type { View } from "./view";

type NodeLook = Partial<NodeDisplayData> & { borderColor?: string; borderSize?: number };

const FEW = 12;

export class Look {
  #passing = new Set<string>();
  #near = new Set<string>();
  #filtered = false;
  #view: View;

  constructor(
    readonly model: Model,
    public palette: Palette,
    view: View,
  ) {
    this.#view = view;
    this.update(view);
  }

  /** Work out once per view what each of the many calls below asks. */
  update(view: View): void {
    this.#view = view;
    this.#filtered = Boolean(view.kind || view.community || view.find);
    this.#passing = new Set(
      this.model.data.organisations.filter((each) => passes(view, each)).map((each) => each.id),
    );
    this.#near = new Set(this.#ends());
  }

  #ends(): string[] {
    const selected = this.#view.selected;
    if (!selected) return [];
    if (selected.type !== "organisation") return [selected.source, selected.target];
    if (!this.model.graph.hasNode(selected.id)) return [];
    const gaps = this.#view.gaps ? this.model.gapsOf(selected.id).flatMap((gap) => [gap.source, gap.target]) : [];
    const tied = this.model.neighbours(selected.id).map((each) => each.organisation.id);
    return [selected.id, ...tied, ...gaps];
  }

  node(id: string): NodeLook {
    const organisation = this.model.byId.get(id);
    if (!organisation) return {};
    const { colour, ring } = this.palette.mark(
      this.#view.colour === "kind" ? this.model.kinds.indexOf(organisation.kind) : this.model.communityPlace(organisation.community),
    );
    const back = (this.#filtered && !this.#passing.has(id)) || (this.#near.size > 0 && !this.#near.has(id));
    if (back) return { color: this.palette.faint, borderColor: this.palette.paper, borderSize: 0.15, label: "", zIndex: 0 };
    const selected = this.#view.selected;
    const chosen = selected?.type === "organisation" && selected.id === id;
    return {
      color: ring ? this.palette.paper : colour,
      borderColor: ring ? colour : this.palette.paper,
      borderSize: ring ? 0.4 : 0.15,
      zIndex: chosen ? 3 : this.#near.has(id) ? 2 : 1,
      highlighted: chosen,
      forceLabel: this.#named(id),
    };
  }

  #named(id: string): boolean {
    if (this.#near.size) return this.#near.size <= FEW || id === [...this.#near][0];
    if (this.#filtered) return this.#passing.size <= FEW;
    return this.model.hubs.has(id);
  }

  edge(key: string): Partial<EdgeDisplayData> {
    const [type, place] = key.split(":");
    const gap = type === "gap";
    const pair = gap ? this.model.data.gaps[Number(place)] : this.model.data.ties[Number(place)];
    if (!pair || (gap && !this.#view.gaps)) return { hidden: true };
    const selected = this.#view.selected;
    const touched =
      selected?.type === "organisation"
        ? pair.source === selected.id || pair.target === selected.id
        : selected !== null && joins(pair, selected);
    const back =
      (this.#filtered && !(this.#passing.has(pair.source) && this.#passing.has(pair.target))) || (selected && !touched);
    const width = gap ? 2 : Math.min(5, 0.9 + Math.sqrt("weight" in pair ? pair.weight : 1) * 0.6);
    if (back) return { type: gap ? "dashed" : "line", color: this.palette.faint, size: gap ? 1 : width * 0.6, hidden: gap, zIndex: 0 };
    if (gap) return { type: "dashed", color: this.palette.suggested, size: touched ? 3 : width, zIndex: touched ? 3 : 2 };
    return { type: "line", color: touched ? this.palette.tieStrong : this.palette.tie, size: width, zIndex: touched ? 2 : 1 };
  }
}
