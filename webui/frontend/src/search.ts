/** The search in the header: a form that works alone, with suggestions while one types (the ARIA combobox). */
import { t, tn } from "./i18n";
import { calm, el } from "./dom";

interface Hit {
  iri: string;
  label: string;
  kind: string;
  href: string;
}

const WAIT = 150;
const LEAST = 2;

/** Let every `form[data-suggest]` suggest; the attribute holds the address that answers. */
export function startSearch(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-suggest]")) suggest(form);
  document.addEventListener("keydown", focusOnSlash);
}

function focusOnSlash(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  document.querySelector<HTMLInputElement>("form[data-suggest] input[type=search]")?.focus();
}

function suggest(form: HTMLFormElement): void {
  const input = form.querySelector<HTMLInputElement>("input[type=search]");
  const address = form.dataset["suggest"];
  if (input && address) new Suggestions(form, input, address);
}

/** The list under one field: what was found, which one is marked, and how keys and mouse choose. */
class Suggestions {
  readonly #list: HTMLUListElement;
  readonly #status = el("p", { class: "unseen", role: "status" });
  #hits: Hit[] = [];
  #active = -1;
  #asked = new AbortController();

  constructor(
    form: HTMLFormElement,
    readonly input: HTMLInputElement,
    readonly address: string,
  ) {
    const id = `${input.id}-list`;
    this.#list = el("ul", { id, class: "suggestions", role: "listbox", "aria-label": t("Suggestions"), hidden: true });
    form.append(this.#list, this.#status);
    const roles = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id };
    for (const [name, value] of Object.entries(roles)) input.setAttribute(name, value);
    input.addEventListener("input", calm(() => void this.#ask(), WAIT));
    input.addEventListener("blur", () => this.#close());
    input.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("mousedown", (event) => this.#click(event));
  }

  async #ask(): Promise<void> {
    const text = this.input.value.trim();
    if (text.length < LEAST) return this.#close();
    this.#asked.abort();
    this.#asked = new AbortController();
    try {
      const address = `${this.address}?${new URLSearchParams({ q: text })}`;
      const answer = await fetch(address, { signal: this.#asked.signal });
      if (answer.ok && document.activeElement === this.input) this.#show((await answer.json()) as Hit[]);
    } catch {
      // Without suggestions the form still searches.
    }
  }

  #show(hits: Hit[]): void {
    this.#hits = hits;
    this.#list.replaceChildren(...hits.map((hit, i) => option(hit, `${this.#list.id}-${i}`)));
    this.#list.hidden = hits.length === 0;
    this.input.setAttribute("aria-expanded", String(hits.length > 0));
    this.#status.textContent = hits.length ? tn("{n} suggestion; use the arrow keys", "{n} suggestions; use the arrow keys", hits.length) : t("no suggestion");
    this.#mark(-1);
  }

  #close(): void {
    this.#asked.abort();
    this.#list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.#mark(-1);
  }

  #mark(index: number): void {
    this.#active = index;
    [...this.#list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
    const item = this.#list.children[index];
    if (!item) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") this.#close();
    if (this.#list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = this.#hits[this.#active];
    if (step) {
      // One place more than there are hits: before the first and after the last nothing is marked.
      const places = this.#hits.length + 1;
      this.#mark(((this.#active + 1 + step + places) % places) - 1);
    } else if (event.key === "Enter" && chosen) location.assign(chosen.href);
    else return;
    event.preventDefault();
  }

  #click(event: MouseEvent): void {
    event.preventDefault(); // Keeps the focus, so that the list does not close before the choice.
    const item = (event.target as HTMLElement).closest("li");
    const chosen = item && this.#hits[[...this.#list.children].indexOf(item)];
    if (chosen && event.button === 0) location.assign(chosen.href);
  }
}

function option(hit: Hit, id: string): HTMLLIElement {
  return el("li", { id, role: "option", "aria-selected": "false" }, el("span", {}, hit.label), el("span", { class: "kind" }, hit.kind));
}
