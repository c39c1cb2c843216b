/** The answer as a table: sorted by any column, things as links under their names, more rows on demand. */
import { t, tn } from "../i18n";
import { el, type Child } from "../dom";
import { numberOf, type Cell, type Column, type Term } from "./answer";
import type { Names } from "./names";

const STEP = 100;
const MOST_NAMED = 5000;

export interface Order {
  column: string;
  down: boolean;
}

/** Draw rows into `host`; `order` is the first order, `ordered` hears of another. */
export class Table {
  #rows: Cell[][];
  #shown = 0;
  #order: Order | null;
  readonly #body = el("tbody");
  readonly #heads: HTMLTableCellElement[];
  readonly #more = el("button", { type: "button", class: "action quiet", click: () => void this.#add(true) });
  readonly #note = el("p", { class: "table-note", role: "status" });

  constructor(
    host: HTMLElement,
    readonly columns: Column[],
    readonly all: Cell[][],
    readonly names: Names,
    order: Order | null,
    readonly ordered: (order: Order) => void,
  ) {
    this.#order = order && columns.some(({ name }) => name === order.column) ? order : null;
    this.#heads = columns.map((column) => this.#head(column));
    this.#rows = all;
    const caption = el("caption", { class: "unseen" }, t("Answer of the query"));
    const table = el("table", { class: "data", id: "answer" }, caption, el("thead", {}, el("tr", {}, ...this.#heads)), this.#body);
    host.replaceChildren(
      el("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": t("Answer of the query") }, table),
      el("div", { class: "more-rows" }, this.#more, this.#note),
    );
    void this.#restart();
  }

  #head(column: Column): HTMLTableCellElement {
    const sort = el("button", { type: "button", click: () => this.#sortBy(column) }, column.name.replaceAll("_", " "));
    return el("th", { scope: "col", class: column.kind === "number" ? "n" : null }, sort);
  }

  #sortBy(column: Column): void {
    const first = column.kind === "number";
    this.#order = { column: column.name, down: this.#order?.column === column.name ? !this.#order.down : first };
    this.ordered(this.#order);
    void this.#restart();
  }

  /** Show the rows from the first in the present order; things are sorted by their names, which are learnt first. */
  async #restart(): Promise<void> {
    const order = this.#order;
    const sorted = this.columns.findIndex(({ name }) => name === order?.column);
    if (this.columns[sorted]?.kind === "thing" && this.all.length <= MOST_NAMED) await this.names.learn(this.all.map((row) => row[sorted]));
    if (order === this.#order) this.#begin(sorted);
  }

  #begin(place: number): void {
    this.#rows = place < 0 ? this.all : this.#sorted(place, this.#order?.down ?? false);
    this.#heads.forEach((head, i) => {
      if (i === place) head.setAttribute("aria-sort", this.#order?.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.#body.replaceChildren();
    this.#shown = 0;
    void this.#add(false);
  }

  #sorted(place: number, down: boolean): Cell[][] {
    const kind = this.columns[place]?.kind;
    const sign = down ? -1 : 1;
    if (kind === "number" || kind === "date") {
      const keys = this.all.map((row) => ({ row, key: numberOf(row[place]) }));
      const value = (key: number) => (Number.isNaN(key) ? -Infinity : key);
      return keys.sort((a, b) => sign * (value(a.key) - value(b.key) || 0)).map(({ row }) => row);
    }
    const collator = new Intl.Collator("en", { numeric: true });
    const keys = this.all.map((row) => ({ row, key: this.names.text(row[place]) }));
    return keys.sort((a, b) => sign * collator.compare(a.key, b.key)).map(({ row }) => row);
  }

  /** Add the next rows: at once with what is known, then again with the names that the server has for them. */
  async #add(focus: boolean): Promise<void> {
    const from = this.#shown;
    const next = this.#rows.slice(from, from + STEP);
    this.#shown += next.length;
    const made = next.map((row) => el("tr", { tabindex: "-1" }, ...this.#cells(row)));
    this.#body.append(...made);
    this.#say();
    if (focus) made[0]?.focus();
    await this.names.learn(next.flat());
    next.forEach((row, i) => made[i]?.replaceChildren(...this.#cells(row)));
  }

  #say(): void {
    const left = this.#rows.length - this.#shown;
    this.#more.hidden = left <= 0;
    this.#more.textContent = t("Show {n} more", { n: Math.min(STEP, left) });
    this.#note.textContent = left > 0 ? tn("{shown} of {n} row shown; the downloads have all.", "{shown} of {n} rows shown; the downloads have all.", this.#rows.length, { shown: this.#shown }) : "";
  }

  #cells(row: Cell[]): HTMLElement[] {
    return this.columns.map((column, i) => {
      const value = shown(row[i] ?? null, this.names);
      return i ? el("td", { class: column.kind === "number" ? "n" : null }, ...value) : el("th", { scope: "row" }, ...value);
    });
  }
}

/** What a cell shows: a link, a text with its language, or a dash where the row has no value. */
export function shown(cell: Cell, names: Names): Child[] {
  if (!cell) return [el("span", { class: "soft", title: t("no value in this row") }, "–")];
  const text = names.text(cell);
  const href = names.href(cell);
  if (href) return [el("a", { href, title: cell.value }, text)];
  return [text, language(cell)];
}

/** The language of a text, where it is not that of the page. */
function language(term: Term): Child {
  return term.language && term.language !== document.documentElement.lang ? el("span", { class: "soft small lang", title: t("language: {code}", { code: term.language }) }, ` ${term.language}`) : null;
}
