/** The parts of the page that the server writes anew for each view: summary, panel, tables, downloads. */
import { startSorting } from "../tables";
import { fetched } from "./data";
import type { View } from "./view";

/**
 * Fetches the parts and puts them in place of the old ones; links with `data-view` change the view without a load.
 * One row of the table is in the tab order: arrow keys go from row to row, and the row with the focus is selected;
 * Enter goes on to the panel, Escape in the panel comes back.
 */
export class Parts {
  #asked = new AbortController();
  #last = "";
  #focus: "" | "panel" | "table" = "";

  constructor(
    readonly view: View,
    readonly address: string,
    readonly panel: HTMLElement,
    readonly status: HTMLElement,
  ) {
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("focusin", (event) => this.#choose(event.target as HTMLElement, false));
    document.addEventListener("keydown", (event) => this.#key(event));
    this.#ready();
  }

  /** Fetch the parts of the present view; what was asked before is forgotten. */
  async load(told: (text: string) => void): Promise<void> {
    this.#asked.abort();
    this.#asked = new AbortController();
    const answer = await fetched(this.address + this.view.search(true), this.#asked.signal, told);
    // Who reads in the panel stays there, although it is written anew.
    if (this.panel.contains(document.activeElement) && !this.panel.querySelector(".what-if")) this.#focus = "panel";
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of fresh.querySelectorAll<HTMLElement>("[data-part]")) {
      const old = document.querySelector<HTMLElement>(`[data-part="${part.dataset["part"]}"]`);
      const fresh = document.importNode(part, true);
      if (old && !(part.dataset["part"] === "table" && this.#keepsTable(old, fresh))) old.replaceWith(fresh);
    }
    this.#ready();
  }

  /** While one walks through the table its rows stay; only the mark of the selected one moves. */
  #keepsTable(old: HTMLElement, fresh: HTMLElement): boolean {
    const ids = (part: HTMLElement) => [...part.querySelectorAll<HTMLElement>("tr[data-organisation]")].map((row) => row.dataset["organisation"]).join("\n");
    const heads = (part: HTMLElement) => part.querySelector("thead")?.textContent ?? "";
    const same = ids(old) === ids(fresh) && heads(old) === heads(fresh) && old.contains(document.activeElement);
    if (same) this.#mark();
    return same;
  }

  #ready(): void {
    for (const hidden of document.querySelectorAll("[data-keys], [data-png]")) hidden.removeAttribute("hidden");
    document.querySelectorAll<HTMLTableElement>("[data-part=gaps] table[data-sortable]").forEach((table) => {
      if (!table.querySelector("thead button")) startSorting(table);
    });
    const body = this.#body();
    if (body) openDoor(body, this.#row() ?? body.rows[0]);
    this.#mark();
    this.panel.scrollTop = 0;
    const heading = this.panel.querySelector("h2");
    const what = this.panel.querySelector<HTMLElement>("[data-part=panel]")?.dataset["what"];
    this.status.textContent = what === "overview" ? "" : (heading?.textContent ?? "");
    if (this.#focus === "panel") heading?.focus({ preventScroll: true });
    this.#focus = "";
  }

  #body(): HTMLTableSectionElement | undefined {
    return document.querySelector<HTMLTableElement>("table#organisations")?.tBodies[0];
  }

  #row(): HTMLTableRowElement | undefined {
    const wanted = this.view.get("selected") || this.#last;
    return [...(this.#body()?.rows ?? [])].find((row) => row.dataset["organisation"] === wanted);
  }

  #mark(): void {
    for (const row of this.#body()?.rows ?? []) {
      if (row.dataset["organisation"] === this.view.get("selected")) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  #click(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const link = target.closest<HTMLAnchorElement>("a[data-view]");
    if (link && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.#focus = this.panel.contains(link) ? "panel" : "";
      this.view.go(link.search);
    } else if (!target.closest("a, button, summary, input")) this.#choose(target, true);
  }

  #choose(target: HTMLElement, clicked: boolean): void {
    const row = target.closest<HTMLTableRowElement>("tr[data-organisation]");
    const id = row?.dataset["organisation"];
    if (!row || !id || (!clicked && target !== row)) return;
    openDoor(row.parentElement as HTMLTableSectionElement, row);
    this.#last = id;
    if (this.view.get("selected") !== id) this.view.set({ selected: id, page: this.view.get("page") });
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.key === "Escape" && this.panel.contains(target)) {
      this.#row()?.focus();
      return;
    }
    const row = target.closest<HTMLTableRowElement>("tr[data-organisation]");
    if (!row || target !== row) return;
    const rows = [...(row.parentElement as HTMLTableSectionElement).rows];
    const at = rows.indexOf(row);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (event.key === "Enter") this.panel.querySelector<HTMLElement>("h2")?.focus();
    else if (next !== undefined) rows[Math.max(0, Math.min(rows.length - 1, next))]?.focus();
    else return;
    event.preventDefault();
  }
}

/** Put one row and the links in it into the tab order, and take all others out, so that Tab passes a long table. */
function openDoor(body: HTMLTableSectionElement, door: HTMLTableRowElement | undefined): void {
  for (const row of body.rows) {
    row.tabIndex = row === door ? 0 : -1;
    for (const link of row.querySelectorAll("a")) link.tabIndex = row.tabIndex;
  }
}
