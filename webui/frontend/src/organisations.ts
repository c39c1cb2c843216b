/** Fields that name an organisation: suggestions while one types (the ARIA combobox), chosen by key or mouse. */
import { calm, el } from "./dom";
import { t, tn } from "./i18n";

interface Near {
  id: string;
  label: string;
  kind: string;
}

const WAIT = 150;
const LEAST = 2;
let count = 0;

/** Let a field suggest organisations from an address; `chosen` hears the id of the one that is taken. */
export function suggestOrganisations(input: HTMLInputElement, address: string, chosen: (id: string) => void): void {
  new Field(input, address, chosen);
}

class Field {
  readonly #list: HTMLUListElement;
  readonly #status = el("span", { class: "unseen", role: "status" });
  #near: Near[] = [];
  #active = -1;
  #asked = new AbortController();

  constructor(
    readonly input: HTMLInputElement,
    readonly address: string,
    readonly chosen: (id: string) => void,
  ) {
    const id = `organisations-${(count += 1)}`;
    this.#list = el("ul", { id, class: "suggestions", role: "listbox", "aria-label": t("Suggestions"), hidden: true });
    const frame = el("span", { class: "combobox" });
    input.replaceWith(frame);
    frame.append(input, this.#list, this.#status);
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
      const query = new URLSearchParams({ q: text });
      const answer = await fetch(`${this.address}${this.address.includes("?") ? "&" : "?"}${query}`, { signal: this.#asked.signal });
      if (answer.ok && document.activeElement === this.input) this.#show((await answer.json()) as Near[]);
    } catch {
      // Without suggestions the form still finds by name.
    }
  }

  #show(near: Near[]): void {
    this.#near = near;
    this.#list.replaceChildren(
      ...near.map((each, i) =>
        el("li", { id: `${this.#list.id}-${i}`, role: "option", "aria-selected": "false" }, el("span", {}, each.label), el("span", { class: "kind", lang: "en" }, each.kind)),
      ),
    );
    this.#list.hidden = near.length === 0;
    this.input.setAttribute("aria-expanded", String(near.length > 0));
    this.#status.textContent = near.length ? tn("{n} suggestion; use the arrow keys", "{n} suggestions; use the arrow keys", near.length) : t("no suggestion");
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

  #take(near: Near): void {
    this.input.value = near.label;
    this.#close();
    this.chosen(near.id);
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") this.#close();
    if (this.#list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = this.#near[this.#active];
    if (step) {
      const places = this.#near.length + 1;
      this.#mark(((this.#active + 1 + step + places) % places) - 1);
    } else if (event.key === "Enter" && chosen) this.#take(chosen);
    else return;
    event.preventDefault();
  }

  #click(event: MouseEvent): void {
    event.preventDefault(); // Keeps the focus, so that the list does not close before the choice.
    const item = (event.target as HTMLElement).closest("li");
    const chosen = item && this.#near[[...this.#list.children].indexOf(item)];
    if (chosen && event.button === 0) this.#take(chosen);
  }
}
