/** Suggestions under a field while one types: the ARIA combobox with a list, chosen by key or mouse. */
import { calm, el } from "./dom";
import { t, tn } from "./i18n";

/** What is suggested under a field. `taken` hears the one that is chosen. */
export interface Suggested<Hit> {
  readonly address: string;
  readonly option: (hit: Hit) => (Node | string)[];
  readonly taken: (hit: Hit) => void;
}

const WAIT = 150;
const LEAST = 2;

/** The list under one field: what was found, which one is marked, and how keys and mouse choose. */
export class Combobox<Hit> {
  #hits: Hit[] = [];
  #active = -1;
  #asked = new AbortController();

  /** Make `input` a combobox over `list`; `status` tells screen readers how much was found. */
  constructor(
    readonly input: HTMLInputElement,
    readonly list: HTMLUListElement,
    readonly status: HTMLElement,
    readonly suggested: Suggested<Hit>,
  ) {
    const roles = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id };
    for (const [name, value] of Object.entries(roles)) input.setAttribute(name, value);
    input.addEventListener("input", calm(() => void this.#ask(), WAIT));
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("mousedown", (event) => this.#click(event));
  }

  /** Take the list away, and forget what was asked. */
  close(): void {
    this.#asked.abort();
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.#mark(-1);
  }

  async #ask(): Promise<void> {
    const text = this.input.value.trim();
    if (text.length < LEAST) return this.close();
    this.#asked.abort();
    this.#asked = new AbortController();
    try {
      const { address } = this.suggested;
      const query = new URLSearchParams({ q: text });
      const answer = await fetch(`${address}${address.includes("?") ? "&" : "?"}${query}`, { signal: this.#asked.signal });
      if (answer.ok && document.activeElement === this.input) this.#show((await answer.json()) as Hit[]);
    } catch {
      // Without suggestions the form still finds by name.
    }
  }

  #show(hits: Hit[]): void {
    this.#hits = hits;
    this.list.replaceChildren(
      ...hits.map((hit, i) => el("li", { id: `${this.list.id}-${i}`, role: "option", "aria-selected": "false" }, ...this.suggested.option(hit))),
    );
    this.list.hidden = hits.length === 0;
    this.input.setAttribute("aria-expanded", String(hits.length > 0));
    this.status.textContent = hits.length ? tn("{n} suggestion; use the arrow keys", "{n} suggestions; use the arrow keys", hits.length) : t("no suggestion");
    this.#mark(-1);
  }

  #mark(index: number): void {
    this.#active = index;
    [...this.list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
    const item = this.list.children[index];
    if (!item) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") this.close();
    if (this.list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = this.#hits[this.#active];
    if (step) {
      // One place more than there are hits: before the first and after the last nothing is marked.
      const places = this.#hits.length + 1;
      this.#mark(((this.#active + 1 + step + places) % places) - 1);
    } else if (event.key === "Enter" && chosen) this.suggested.taken(chosen);
    else return;
    event.preventDefault();
  }

  #click(event: MouseEvent): void {
    event.preventDefault(); // Keeps the focus, so that the list does not close before the choice.
    const item = (event.target as HTMLElement).closest("li");
    const chosen = item && this.#hits[[...this.list.children].indexOf(item)];
    if (chosen && event.button === 0) this.suggested.taken(chosen);
  }
}

/** Make the empty list of a combobox. */
export function suggestionList(id: string): HTMLUListElement {
  return el("ul", { id, class: "suggestions", role: "listbox", "aria-label": t("Suggestions"), hidden: true });
}
