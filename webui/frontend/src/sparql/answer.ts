/** An answer as data: columns and rows of RDF terms, read from SPARQL JSON results or from N-Triples. */

export interface Term {
  type: "uri" | "literal" | "bnode" | "triple";
  value: string;
  datatype?: string;
  language?: string;
}

export type Cell = Term | null;
/** What all values of a column are, so that a view knows what it can draw. */
export type Kind = "number" | "date" | "point" | "thing" | "text" | "empty";

export interface Column {
  name: string;
  kind: Kind;
}

export interface Answer {
  form: "rows" | "triples" | "boolean";
  columns: Column[];
  rows: Cell[][];
  verdict: boolean;
}

const XSD = "http://www.w3.org/2001/XMLSchema#";
const NUMBERS = new Set(
  "integer decimal double float int long short byte nonNegativeInteger positiveInteger negativeInteger nonPositiveInteger unsignedInt unsignedLong unsignedShort unsignedByte"
    .split(" ")
    .map((name) => XSD + name),
);
const DATES = new Set(["date", "dateTime", "gYear", "gYearMonth"].map((name) => XSD + name));

/** Read the JSON of a SELECT or an ASK; throws where it is neither. */
export function readResults(text: string): Answer {
  const data = JSON.parse(text) as {
    head?: { vars?: string[] };
    boolean?: boolean;
    results?: { bindings: Record<string, JsonTerm>[] };
  };
  if (typeof data.boolean === "boolean") return { form: "boolean", columns: [], rows: [], verdict: data.boolean };
  if (!data.results || !data.head?.vars) throw new Error("the answer is no SPARQL result");
  const names = data.head.vars;
  const rows = data.results.bindings.map((row) => names.map((name) => fromJson(row[name])));
  return { form: "rows", columns: columnsOf(names, rows), rows, verdict: false };
}

interface JsonTerm {
  type: string;
  value: unknown;
  datatype?: string;
  "xml:lang"?: string;
}

function fromJson(term: JsonTerm | undefined): Cell {
  if (!term) return null;
  const type = term.type === "uri" || term.type === "bnode" || term.type === "triple" ? term.type : "literal";
  const value = typeof term.value === "string" ? term.value : JSON.stringify(term.value);
  return { type, value, ...(term.datatype && { datatype: term.datatype }), ...(term["xml:lang"] && { language: term["xml:lang"] }) };
}

const TRIPLE =
  /^\s*(<[^>]*>|_:\S+)\s+<([^>]*)>\s+(?:<([^>]*)>|(_:\S+)|"((?:[^"\\]|\\.)*)"(?:\^\^<([^>]*)>|@([A-Za-z0-9-]+))?)\s*\.\s*$/;

/** Read N-Triples as rows of subject, predicate and object; a line that is none (a quoted triple) is left out. */
export function readTriples(text: string): Answer {
  const rows: Cell[][] = [];
  for (const line of text.split("\n")) {
    const found = TRIPLE.exec(line);
    if (!found) continue;
    const [, subject = "", predicate = "", iri, blank, literal, datatype, language] = found;
    rows.push([node(subject), { type: "uri", value: unescape(predicate) }, object(iri, blank, literal, datatype, language)]);
  }
  return { form: "triples", columns: columnsOf(["subject", "predicate", "object"], rows), rows, verdict: false };
}

function node(text: string): Term {
  return text.startsWith("<") ? { type: "uri", value: unescape(text.slice(1, -1)) } : { type: "bnode", value: text.slice(2) };
}

function object(iri?: string, blank?: string, literal?: string, datatype?: string, language?: string): Term {
  if (iri !== undefined) return { type: "uri", value: unescape(iri) };
  if (blank !== undefined) return { type: "bnode", value: blank.slice(2) };
  return { type: "literal", value: unescape(literal ?? ""), ...(datatype && { datatype }), ...(language && { language }) };
}

const ESCAPES: Record<string, string> = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f" };

function unescape(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g, (_, short?: string, long?: string, letter?: string) => {
    const code = short ?? long;
    return code ? String.fromCodePoint(Math.min(parseInt(code, 16), 0x10ffff)) : (ESCAPES[letter ?? ""] ?? letter ?? "");
  });
}

function columnsOf(names: string[], rows: Cell[][]): Column[] {
  return names.map((name, place) => ({ name, kind: kindOf(rows, place) }));
}

function kindOf(rows: Cell[][], place: number): Kind {
  let kind: Kind = "empty";
  for (const row of rows) {
    const cell = row[place];
    if (!cell) continue;
    const each = kindOfTerm(cell);
    if (kind !== "empty" && kind !== each) return "text";
    kind = each;
  }
  return kind;
}

function kindOfTerm(term: Term): Kind {
  if (term.type !== "literal") return "thing";
  if (term.datatype && NUMBERS.has(term.datatype)) return "number";
  if (term.datatype && DATES.has(term.datatype)) return "date";
  return term.datatype?.endsWith("wktLiteral") || /^\s*(<[^>]*>\s*)?POINT\s*Z?\s*\(/i.test(term.value) ? "point" : "text";
}

/** The number that a term stands for; a date as milliseconds; NaN where it is neither. */
export function numberOf(cell: Cell | undefined): number {
  if (!cell || cell.type !== "literal") return NaN;
  if (cell.datatype && DATES.has(cell.datatype)) return Date.parse(cell.value.replace(/^(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)$/, "$1"));
  return cell.value.trim() === "" ? NaN : Number(cell.value);
}
