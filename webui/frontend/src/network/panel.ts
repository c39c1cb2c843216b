/** The panel beside the picture: the whole, an organisation, the evidence of a tie, or a suggestion. */
import { el, type Child } from "../dom";
import type { GapTie, Organisation, Tie } from "./data";
import type { Model } from "./model";
import { markClass } from "./palette";
import type { Selection, View } from "./view";

export interface PanelEvents {
  select: (selected: Selection | null) => void;
  community: (id: string) => void;
  kind: (kind: string) => void;
}

export class Panel {
  constructor(
    readonly root: HTMLElement,
    readonly status: HTMLElement,
    readonly model: Model,
    readonly events: PanelEvents,
  ) {}

  /** Write what the view selects; the short status line is what a screen reader hears. */
  show(view: View): void {
    const selected = view.selected;
    const organisation = selected?.type === "organisation" ? this.model.byId.get(selected.id) : undefined;
    const tie = selected && this.model.tie(selected);
    const gap = selected && this.model.gap(selected);
    if (organisation) this.#write(this.#organisation(organisation));
    else if (tie) this.#write(this.#tie(tie));
    else if (gap) this.#write(this.#gap(gap));
    else this.#write(this.#overview(view));
    this.root.scrollTop = 0;
  }

  /** Move the keyboard here, as Enter on a row of the table asks. */
  focus(): void {
    this.root.querySelector<HTMLElement>("h2")?.focus();
  }

  #write({ parts, say }: { parts: Child[]; say: string }): void {
    this.root.replaceChildren(...parts.filter((part): part is Node | string => Boolean(part)));
    this.status.textContent = say;
  }

  #overview(view: View) {
    const { organisations, ties, communities } = this.model.data;
    const alone = organisations.length - communities.reduce((sum, each) => sum + each.size, 0);
    const byKind = view.colour === "kind";
    const counts = new Map<string, number>();
    for (const { kind } of organisations) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const legend = byKind
      ? this.model.kinds.map((kind, i) => this.#legend(i, kind, counts.get(kind) ?? 0, view.kind === kind, () => this.events.kind(view.kind === kind ? "" : kind)))
      : communities.map(({ id, label, size }) =>
          this.#legend(id, label, size, view.community === String(id), () => this.events.community(view.community === String(id) ? "" : String(id))),
        );
    return {
      say: "",
      parts: [
        heading("The whole network"),
        el("p", { class: "soft" }, `${count(organisations.length, "organisation")}, ${count(ties.length, "tie")}, ${count(this.model.suggested, "suggested tie")}.`),
        el("p", { class: "soft" }, "Size shows how many others an organisation works with. A dashed line is a suggestion, not a fact."),
        el("h3", {}, byKind ? "Kinds" : "Communities"),
        el("ul", { class: "plain" }, ...legend),
        alone > 0 && !byKind ? el("p", { class: "soft" }, el("span", { class: markClass(-1) }), ` ${alone} on their own: the sources name no tie.`) : null,
      ],
    };
  }

  #legend(place: number, label: string, size: number, pressed: boolean, act: () => void): HTMLLIElement {
    const name = el("span", { class: "name" }, el("span", { class: markClass(place) }), el("span", {}, label));
    const aside = el("span", { class: "aside" }, String(size));
    return el("li", {}, el("button", { type: "button", class: "row", "aria-pressed": String(pressed), click: act }, name, aside));
  }

  #organisation(organisation: Organisation) {
    const neighbours = this.model.neighbours(organisation.id);
    const gaps = this.model.gapsOf(organisation.id);
    const { id, label, kind, region, community, href } = organisation;
    return {
      say: `${label}: ${count(neighbours.length, "neighbour")}, ${count(gaps.length, "gap or suggestion", "gaps and suggestions")}`,
      parts: [
        this.#back(),
        heading(label),
        el("p", { class: "chips" }, chip(kind), region ? chip(region) : null, chip(this.model.communityLabel(community), this.model.communityPlace(community))),
        el("p", {}, el("a", { href }, "Open the page of this organisation")),
        el("h3", {}, `Works with ${neighbours.length}`),
        neighbours.length
          ? el("ul", { class: "plain" }, ...neighbours.map((each) => this.#pairRow({ type: "tie", source: id, target: each.organisation.id }, each.organisation.label, activities(each.tie))))
          : el("p", { class: "soft" }, "No tie is recorded. That does not mean that there is none."),
        gaps.length ? el("h3", {}, "Gaps and suggestions") : null,
        gaps.length ? el("ul", { class: "plain" }, ...gaps.map((gap) => this.#pairRow({ type: "gap", source: gap.source, target: gap.target }, this.model.label(gap.source === id ? gap.target : gap.source), gap.score.toFixed(2)))) : null,
      ],
    };
  }

  #pairRow(selected: Selection, label: string, aside: string): HTMLLIElement {
    const act = () => {
      this.events.select(selected);
      this.focus();
    };
    return el("li", {}, el("button", { type: "button", class: "row", click: act }, el("span", { class: "name" }, label), el("span", { class: "aside" }, aside)));
  }

  #tie(tie: Tie) {
    const list = tie.activities.map(({ label, href, date }) =>
      el("li", { class: "text" }, el("a", { href }, label), date ? el("span", { class: "soft" }, ` ${date}`) : null),
    );
    return {
      say: `Tie of ${this.model.label(tie.source)} and ${this.model.label(tie.target)}: ${activities(tie)}`,
      parts: [
        this.#back(),
        this.#pairHeading("Tie between", tie),
        el("p", { class: "chips" }, ...tie.kinds.map((kind) => chip(kind)), chip(`weight ${round(tie.weight)}`)),
        el("h3", {}, "Evidence"),
        list.length ? el("ul", { class: "plain" }, ...list) : el("p", { class: "soft" }, "The source names no activity for this tie."),
        ...this.#ends(tie),
      ],
    };
  }

  #gap(gap: GapTie) {
    const tied = this.model.isTied(gap);
    return {
      say: `${tied ? "Weak point of" : "Suggestion for"} ${this.model.label(gap.source)} and ${this.model.label(gap.target)}: ${gap.explanation}`,
      parts: [
        this.#back(),
        this.#pairHeading(tied ? "Weak point between" : "Suggested tie between", gap),
        el("p", { class: "chips" }, el("span", { class: "chip suggested" }, `${tied ? "gap" : "suggested"} · ${gap.kind}`), chip(gap.tier), chip(`score ${gap.score.toFixed(2)}`)),
        el("div", { class: "suggestion" }, el("p", {}, gap.explanation), el("p", {}, el("strong", {}, "What to do: "), gap.action)),
        ...this.#ends(gap),
      ],
    };
  }

  #pairHeading(what: string, pair: { source: string; target: string }): HTMLHeadingElement {
    const between = el("span", { class: "between" }, what);
    return el("h2", { tabindex: -1 }, between, ` ${this.model.label(pair.source)} and ${this.model.label(pair.target)}`);
  }

  #ends(pair: { source: string; target: string }): HTMLElement[] {
    const rows = [pair.source, pair.target].map((id) => this.#pairRow({ type: "organisation", id }, this.model.label(id), "show"));
    return [el("h3", {}, "Organisations"), el("ul", { class: "plain" }, ...rows)];
  }

  #back(): HTMLButtonElement {
    const act = () => {
      this.events.select(null);
      this.focus();
    };
    return el("button", { type: "button", class: "plain back", click: act }, "← Whole network");
  }
}

function heading(text: string): HTMLHeadingElement {
  return el("h2", { tabindex: -1 }, text);
}

function chip(text: string, community?: number): HTMLElement {
  return el("span", { class: "chip" }, community === undefined ? null : el("span", { class: markClass(community) }), text);
}

function activities(tie: Tie): string {
  return tie.activities.length ? count(tie.activities.length, "activity", "activities") : tie.kinds.join(", ");
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
