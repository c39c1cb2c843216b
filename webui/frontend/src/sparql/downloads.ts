/** The answer as a file, in each format that its form has. */
import { t } from "../i18n";
import { el, type Child } from "../dom";
import type { Answer } from "./answer";
import { LONG } from "./run";

const FORMATS: Record<Answer["form"], [label: string, suffix: string, media: string][]> = {
  rows: [
    ["CSV", "csv", "text/csv"],
    ["JSON", "json", "application/sparql-results+json"],
    ["TSV", "tsv", "text/tab-separated-values"],
    ["XML", "xml", "application/sparql-results+xml"],
  ],
  triples: [
    ["Turtle", "ttl", "text/turtle"],
    ["N-Triples", "nt", "application/n-triples"],
    ["JSON-LD", "jsonld", "application/ld+json"],
    ["RDF/XML", "rdf", "application/rdf+xml"],
  ],
  boolean: [
    ["JSON", "json", "application/sparql-results+json"],
    ["XML", "xml", "application/sparql-results+xml"],
  ],
};

/** Return the line of downloads; a query too long for an address is sent in the body of a request. */
export function downloads(address: string, query: string, further: [string, string][], form: Answer["form"]): HTMLElement {
  const items = FORMATS[form].flatMap(([label, suffix, media], i): Child[] => {
    const asked = new URLSearchParams([["query", query], ...further, ["format", suffix]]).toString();
    const one =
      asked.length <= LONG
        ? el("a", { href: `${address}?${asked}`, download: `answer.${suffix}` }, label)
        : el("button", { type: "button", class: "plain", click: () => void fetched(`${address}?${new URLSearchParams(further)}`, query, suffix, media) }, label);
    return i ? [" · ", one] : [one];
  });
  return el("p", { class: "downloads" }, `${t("Download:")} `, ...items);
}

async function fetched(address: string, query: string, suffix: string, media: string): Promise<void> {
  const answer = await fetch(address, { method: "POST", headers: { Accept: media, "Content-Type": "application/sparql-query" }, body: query });
  if (!answer.ok) return;
  const link = el("a", { href: URL.createObjectURL(await answer.blob()), download: `answer.${suffix}` });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
