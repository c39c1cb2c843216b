/** Asking the service: one query at a time, which can be cancelled, with what the answer says of itself. */
import { t } from "../i18n";
import { readResults, readTriples, type Answer } from "./answer";

export interface Reply {
  answer: Answer;
  /** Seconds from the question to the last byte, as a person waited. */
  seconds: number;
  version: string;
  /** What the service says where it has cut the answer; empty where the answer is whole. */
  cut: string;
}

/** What the service says of an error: what is wrong, where, what to do next. */
export class Problem extends Error {
  constructor(
    readonly what: string,
    readonly where = "",
    readonly next = "",
  ) {
    super(what);
  }

  get line(): number {
    return Number(/(?:line |query:)(\d+)/.exec(this.where)?.[1] ?? 0);
  }

  get column(): number {
    return Number(/column (\d+)/.exec(this.where)?.[1] ?? 0);
  }
}

/** Parameters of the protocol that stay in the address of the page and go with the query. */
const FURTHER = ["version", "default-graph-uri", "named-graph-uri", "timeout", "rows"];

/** Read the further parameters of the page's address. */
export function furtherOf(address: URL | Location): [string, string][] {
  return [...new URLSearchParams(address.search)].filter(([name]) => FURTHER.includes(name));
}

const ACCEPT = "application/sparql-results+json, application/n-triples;q=0.9";
/** From this length on a query goes in the body of a request. */
export const LONG = 6000;

export class Service {
  #running: { stop: AbortController; id: string } | null = null;

  constructor(readonly address: string) {}

  get busy(): boolean {
    return this.#running !== null;
  }

  /**
   * Ask a query; a query that still runs is cancelled first. `further` are parameters of the protocol, such as the
   * version. Throws `Problem`, or an `AbortError` when cancelled.
   */
  async ask(query: string, further: [string, string][] = []): Promise<Reply> {
    this.cancel();
    const run = { stop: new AbortController(), id: newId() };
    this.#running = run;
    const started = performance.now();
    try {
      const response = await this.#fetch(query, further, run.id, run.stop.signal);
      const text = await response.text();
      if (!response.ok) throw problem(response, text);
      return {
        answer: response.headers.get("Content-Type")?.includes("json") ? readResults(text) : readTriples(text),
        seconds: (performance.now() - started) / 1000,
        version: response.headers.get("Graphkit-Version") ?? "",
        cut: response.headers.get("Graphkit-Cut") ?? "",
      };
    } catch (error) {
      if (error instanceof TypeError) throw new Problem(t("The service cannot be reached."), "", t("See whether it still runs, then run the query again."));
      throw error;
    } finally {
      if (this.#running === run) this.#running = null;
    }
  }

  /** A short query goes in the address, where it can be cached; a long one in the body. */
  #fetch(query: string, further: [string, string][], id: string, signal: AbortSignal): Promise<Response> {
    const headers = { Accept: ACCEPT, "Query-Id": id };
    const asked = new URLSearchParams([["query", query], ...further]);
    if (asked.toString().length <= LONG) return fetch(`${this.address}?${asked}`, { headers, signal });
    return fetch(`${this.address}?${new URLSearchParams(further)}`, { method: "POST", headers: { ...headers, "Content-Type": "application/sparql-query" }, body: query, signal });
  }

  /** End the query that runs: the connection is closed, and the service is told, should something stand between. */
  cancel(): void {
    const run = this.#running;
    if (!run) return;
    this.#running = null;
    fetch(`${this.address}/queries/${run.id}`, { method: "DELETE", keepalive: true }).catch(() => undefined);
    run.stop.abort();
  }
}

function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function problem(response: Response, text: string): Problem {
  try {
    const said = JSON.parse(text) as Record<string, string | undefined>;
    const what = said["detail"] ?? said["error"] ?? said["title"];
    if (what) return new Problem(what, said["where"] ?? "", said["next"] ?? "");
  } catch {
    // No JSON: something between here and the service has answered.
  }
  return new Problem(t("The service answered {status}.", { status: String(response.status) }), "", t("Run the query again; if it stays so, tell who runs this site."));
}
