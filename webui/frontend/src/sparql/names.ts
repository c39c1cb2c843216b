/** The names of things in an answer, asked of the server once for each. */
import type { Cell, Term } from "./answer";

interface Named {
  label: string;
  href: string;
}

const AT_ONCE = 400;

export class Names {
  readonly #known = new Map<string, Named>();

  constructor(
    readonly address: string,
    readonly prefixes: () => Record<string, string>,
  ) {}

  /** Learn the names of all IRIs among the cells; where the server cannot say, the IRIs themselves stay. */
  async learn(cells: Iterable<Cell | undefined>): Promise<void> {
    const wanted = new Set<string>();
    for (const cell of cells) if (cell?.type === "uri" && cell.value.length <= 2000 && !this.#known.has(cell.value)) wanted.add(cell.value);
    const iris = [...wanted];
    for (let start = 0; start < iris.length; start += AT_ONCE) await this.#ask(iris.slice(start, start + AT_ONCE));
  }

  async #ask(iris: string[]): Promise<void> {
    const answer = await fetch(this.address, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(iris),
    }).catch(() => null);
    if (!answer?.ok) return;
    for (const [iri, named] of Object.entries((await answer.json()) as Record<string, Named>)) this.#known.set(iri, named);
  }

  /** What a person reads for a cell: the name of a thing, its short IRI, or the text of a value. */
  text(cell: Cell | undefined): string {
    if (!cell) return "";
    if (cell.type === "uri") return this.#known.get(cell.value)?.label || this.short(cell.value);
    return cell.type === "bnode" ? `_:${cell.value}` : cell.value;
  }

  /** Where a thing leads: its page here, else its own address on the web, else nowhere. */
  href(term: Term): string {
    if (term.type !== "uri") return "";
    const known = this.#known.get(term.value);
    return known ? known.href : /^https?:\/\//i.test(term.value) ? term.value : "";
  }

  /** Shorten an IRI by the longest known prefix. */
  short(iri: string): string {
    let [best, space] = ["", ""];
    for (const [prefix, each] of Object.entries(this.prefixes()))
      if (iri.startsWith(each) && each.length > space.length) [best, space] = [prefix, each];
    return space ? `${best}:${iri.slice(space.length)}` : iri;
  }
}
