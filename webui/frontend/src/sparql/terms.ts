/** The prefixes and terms of the graph, as `/sparql/terms.json` gives them; fetched once, at the first need. */

export interface GraphTerm {
  iri: string;
  role: "class" | "property" | "concept";
  count: number;
  label: string;
  definition: string;
}

export interface Hit {
  iri: string;
  label: string;
  kind: string;
}

interface Data {
  prefixes: Record<string, string>;
  terms: GraphTerm[];
}

export class GraphTerms {
  #data: Data = { prefixes: {}, terms: [] };
  #loading: Promise<Data> | null = null;

  constructor(
    readonly address: string,
    readonly searchAddress: string,
  ) {}

  get prefixes(): Record<string, string> {
    return this.#data.prefixes;
  }

  /** Fetch the terms; a later call gets the same, and a failed one is tried again. */
  load(): Promise<Data> {
    this.#loading ??= this.#fetch();
    return this.#loading;
  }

  async #fetch(): Promise<Data> {
    const answer = await fetch(this.address, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) this.#data = (await answer.json()) as Data;
    else this.#loading = null;
    return this.#data;
  }

  /** Find things of the graph by their names. */
  async search(words: string, signal: AbortSignal): Promise<Hit[]> {
    const answer = await fetch(`${this.searchAddress}?${new URLSearchParams({ q: words })}`, {
      signal,
      headers: { Accept: "application/json" },
    }).catch(() => null);
    if (!answer?.ok) return [];
    const hits: unknown = await answer.json();
    const list = Array.isArray(hits) ? hits : ((hits as { hits?: unknown[] }).hits ?? []);
    return (list as Partial<Hit>[]).flatMap(({ iri, label, kind }) => (iri && label ? [{ iri, label, kind: kind ?? "" }] : []));
  }
}
