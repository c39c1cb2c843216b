/** The tables below the picture: filtered with it, and the way to it for the keyboard. */
import { joins, passes, type Model } from "./model";
import type { Selection, View } from "./view";

export interface RowEvents {
  select: (selected: Selection) => void;
  enter: () => void;
}

/**
 * Joins the rows `tr[data-organisation]` and `tr[data-members]` with the picture. One row of a table is in the
 * tab order; the arrow keys go from row to row, and the row that has the focus is the one selected. Enter goes on
 * to the panel, Escape in the panel comes back.
 */
export class Rows {
  readonly #organisations = [...document.querySelectorAll<HTMLTableRowElement>("tr[data-organisation]")];
  readonly #gaps = [...document.querySelectorAll<HTMLTableRowElement>("tr[data-members]")];
  #last: HTMLElement | null = null;

  constructor(
    readonly model: Model,
    readonly events: RowEvents,
  ) {
    document.querySelector("[data-keys]")?.removeAttribute("hidden");
    const bodies = new Set([...this.#organisations, ...this.#gaps].map((row) => row.parentElement));
    for (const body of bodies) if (body) this.#listen(body as HTMLTableSectionElement);
  }

  #listen(body: HTMLTableSectionElement): void {
    openDoor(body, [...body.rows].find((row) => !row.hidden));
    body.addEventListener("focusin", (event) => this.#choose(event.target as HTMLElement));
    body.addEventListener("click", (event) => this.#choose(event.target as HTMLElement));
    body.addEventListener("keydown", (event) => this.#step(body, event));
  }

  #choose(target: HTMLElement): void {
    const row = target.closest("tr");
    const selected = row && this.#selection(row);
    if (!row || !selected) return;
    openDoor(row.parentElement as HTMLTableSectionElement, row);
    this.#last = row;
    this.events.select(selected);
  }

  #selection(row: HTMLTableRowElement): Selection | null {
    const id = row.dataset["organisation"];
    if (id) return { type: "organisation", id };
    return this.#pair(row);
  }

  #pair(row: HTMLTableRowElement): Selection | null {
    const [a, b, ...more] = (row.dataset["members"] ?? "").split(" ").map((href) => this.model.data.organisations.find((each) => each.href === href)?.id);
    if (!a) return null;
    if (!b || more.length) return { type: "organisation", id: a };
    const known = this.model.data.gaps.some((gap) => joins(gap, { source: a, target: b }));
    return known ? { type: "gap", source: a, target: b } : { type: "organisation", id: a };
  }

  #step(body: HTMLTableSectionElement, event: KeyboardEvent): void {
    const row = (event.target as HTMLElement).closest("tr");
    if (!row || event.target !== row) return;
    const shown = [...body.rows].filter((each) => !each.hidden);
    const at = shown.indexOf(row);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (event.key === "Enter") this.events.enter();
    else if (next !== undefined) shown[Math.max(0, Math.min(shown.length - 1, next))]?.focus();
    else return;
    event.preventDefault();
  }

  /** Come back from the panel to the row that one left. */
  focus(): void {
    this.#last?.focus();
  }

  /** Hide the rows that the filters leave out and mark the selected one. */
  show(view: View): void {
    let shown = 0;
    const selected = view.selected;
    for (const row of this.#organisations) {
      const organisation = this.model.byId.get(row.dataset["organisation"] ?? "");
      row.hidden = organisation ? !passes(view, organisation) : false;
      if (!row.hidden) shown += 1;
      mark(row, selected?.type === "organisation" && selected.id === organisation?.id);
    }
    for (const row of this.#gaps) {
      const pair = selected?.type === "gap" ? this.#pair(row) : null;
      mark(row, pair?.type === "gap" && selected?.type === "gap" && joins(pair, selected));
    }
    const note = document.querySelector("[data-shown=organisations]");
    if (note) note.textContent = `${shown} of ${this.#organisations.length} shown`;
    this.#keepDoor();
  }

  /** A hidden row cannot be the one in the tab order. */
  #keepDoor(): void {
    const body = this.#organisations[0]?.parentElement as HTMLTableSectionElement | undefined;
    if (!body || [...body.rows].some((row) => row.tabIndex === 0 && !row.hidden)) return;
    openDoor(body, [...body.rows].find((row) => !row.hidden));
  }
}

/** Put one row and the links in it into the tab order, and take all others out, so that Tab passes a long table. */
function openDoor(body: HTMLTableSectionElement, door: HTMLTableRowElement | undefined): void {
  for (const row of body.rows) {
    row.tabIndex = row === door ? 0 : -1;
    for (const link of row.querySelectorAll("a")) link.tabIndex = row.tabIndex;
  }
}

function mark(row: HTMLTableRowElement, current: boolean): void {
  if (current) row.setAttribute("aria-current", "true");
  else row.removeAttribute("aria-current");
}
