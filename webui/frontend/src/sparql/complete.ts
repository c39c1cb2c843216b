/** What the editor offers while one types: prefixes, terms by place, variables, keywords, and things by their names. */
import { tn } from "../i18n";
import type { Completion, CompletionContext, CompletionResult, CompletionSource } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { holds } from "../dom";
import type { GraphTerm, GraphTerms } from "./terms";
import { declared, placeAfter, prologueEnd, variables, type Place } from "./tokens";

const MOST = 60;
const LOCAL_NAME = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_-]*[\p{L}\p{N}_])?$/u;
const IN_HEAD = "PREFIX SELECT CONSTRUCT ASK DESCRIBE DISTINCT FROM WHERE".split(" ");
const AT_END = "ORDER BY|GROUP BY|HAVING|LIMIT|OFFSET|DESC|ASC|VALUES".split("|");
const IN_GROUP = "OPTIONAL|FILTER|FILTER NOT EXISTS|BIND|VALUES|UNION|MINUS|GRAPH|SELECT".split("|");
const IN_EXPRESSION =
  "AS COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT DISTINCT STR LANG LANGMATCHES DATATYPE BOUND IRI BNODE ABS ROUND CEIL FLOOR STRLEN SUBSTR UCASE LCASE CONTAINS STRSTARTS STRENDS STRBEFORE STRAFTER REPLACE REGEX CONCAT COALESCE IF YEAR MONTH DAY NOW IN NOT EXISTS ISIRI ISLITERAL ISNUMERIC STRDT STRLANG".split(
    " ",
  );
const ROLES: Partial<Record<Place, GraphTerm["role"]>> = { class: "class", predicate: "property", object: "concept" };

/** Make the source of completions over the terms of the graph. */
export function completions(terms: GraphTerms): CompletionSource {
  return async (context) => {
    const before = context.state.sliceDoc(0, context.pos);
    const place = placeAfter(before);
    if (place === "comment") return null;
    if (place === "string") return context.explicit ? byWords(context, terms) : null;
    const variable = context.matchBefore(/[?$][\p{L}\p{N}_]*$/u);
    if (variable) return ofVariables(context, variable.from);
    const iri = context.matchBefore(/<(?![\s=?$])[^<>"{}|^`\\\n]*$/);
    const declaring = /PREFIX\s+([\p{L}\p{N}_.-]*)$/iu.exec(before);
    await terms.load();
    if (declaring) return ofDeclarations(context.pos - (declaring[1] ?? "").length, terms);
    if (iri) return inBrackets(context, terms, iri.from, iri.text.slice(1));
    const word = context.matchBefore(/[\p{L}_][\p{L}\p{N}_.-]*(?::(?:[\p{L}\p{N}_.%/-]|\\.)*)?$/u);
    if (!word && !context.explicit) return null;
    return ofWord(context, terms, placeAfter(before.slice(0, word?.from ?? context.pos)), word?.from ?? context.pos, word?.text ?? "");
  };
}

function result(from: number, options: Completion[]): CompletionResult | null {
  return options.length ? { from, options, filter: false } : null;
}

function ofVariables(context: CompletionContext, from: number): CompletionResult | null {
  const text = context.state.doc.toString();
  const typed = context.state.sliceDoc(from + 1, context.pos);
  const others = variables(text.slice(0, from) + " " + text.slice(context.pos)).filter((name) => name.startsWith(typed) && name !== typed);
  return result(from, others.map((name) => ({ label: `?${name}`, type: "variable" })));
}

function ofDeclarations(from: number, terms: GraphTerms): CompletionResult {
  const options = Object.entries(terms.prefixes).map(([prefix, space]) => ({
    label: prefix,
    detail: space,
    type: "namespace",
    apply: `${prefix}: <${space}>\n`,
  }));
  return { from, options, validFor: /^[\w-]*$/ };
}

/** Between angle brackets: terms of the graph whose IRI begins so or whose name holds the words, and things by name. */
async function inBrackets(context: CompletionContext, terms: GraphTerms, from: number, typed: string): Promise<CompletionResult | null> {
  if (typed.length < 2) return null;
  const { terms: all } = await terms.load();
  const fits = all.filter((term) => term.iri.startsWith(typed) || (term.label && holds(term.label, typed)));
  const options = fits.slice(0, MOST).map((term): Completion => ({ ...shown(term, `<${term.iri}>`), apply: replaceBracket(`<${term.iri}>`) }));
  if (!/^[a-z]+:\//i.test(typed)) options.unshift(...(await things(context, terms, typed)));
  return result(from, options);
}

/** Words between quotes, asked for by hand: the things that have this name, to stand in place of the string. */
async function byWords(context: CompletionContext, terms: GraphTerms): Promise<CompletionResult | null> {
  const words = context.matchBefore(/["'][^"'\n]*$/);
  if (!words || words.text.length < 2) return null;
  return result(words.from, await things(context, terms, words.text.slice(1)));
}

async function things(context: CompletionContext, terms: GraphTerms, words: string): Promise<Completion[]> {
  const stop = new AbortController();
  context.addEventListener("abort", () => stop.abort());
  const hits = await terms.search(words.trim(), stop.signal);
  return hits.map((hit) => ({ label: hit.label, detail: hit.kind, type: "thing", info: hit.iri, apply: replaceBracket(`<${hit.iri}>`) }));
}

/** Put an IRI in, and take away the closing bracket or quote that stands behind the cursor already. */
function replaceBracket(iri: string) {
  return (view: EditorView, _: Completion, from: number, to: number) => {
    const opened = view.state.sliceDoc(from, from + 1);
    const rest = /^[^\s<>"'{}]*/.exec(view.state.sliceDoc(to, to + 200))?.[0].length ?? 0;
    const close = opened === "<" ? ">" : opened;
    const end = view.state.sliceDoc(to + rest, to + rest + 1) === close ? to + rest + 1 : to;
    view.dispatch({ changes: { from, to: end, insert: iri }, selection: { anchor: from + iri.length }, userEvent: "input.complete" });
  };
}

async function ofWord(context: CompletionContext, terms: GraphTerms, place: Place, from: number, typed: string): Promise<CompletionResult | null> {
  const { terms: all } = await terms.load();
  const text = context.state.doc.toString();
  const spaces = new Map([...Object.entries(terms.prefixes), ...declared(text)]);
  const colon = typed.indexOf(":");
  if (colon >= 0) {
    const space = spaces.get(typed.slice(0, colon));
    return space ? result(from, inSpace(all, space, typed.slice(colon + 1), place, spaces)) : null;
  }
  const wanted = typed.toLowerCase();
  const words = keywords(place).filter((word) => !wanted || word.toLowerCase().startsWith(wanted));
  const options: Completion[] = words.map((label) => ({ label, type: "keyword" }));
  if (place !== "head" && place !== "subject") {
    const role = ROLES[place];
    const fits = role ? all.filter((term) => term.role === role && matches(term, typed, spaces)) : [];
    const prefixes = [...spaces].filter(([prefix]) => typed && prefix.startsWith(typed));
    options.unshift(
      ...fits.slice(0, MOST).map((term) => ofTerm(term, spaces)),
      ...prefixes.map(([prefix, detail]) => ({ label: `${prefix}:`, detail, type: "namespace" })),
    );
  }
  return result(from, options.filter((option) => option.label !== typed));
}

function keywords(place: Place): string[] {
  if (place === "head") return [...IN_HEAD, ...AT_END];
  if (place === "subject") return IN_GROUP;
  return place === "expression" ? IN_EXPRESSION : [];
}

function matches(term: GraphTerm, typed: string, spaces: Map<string, string>): boolean {
  if (!typed) return true;
  const name = short(term.iri, spaces)?.split(":")[1] ?? "";
  return name.toLowerCase().startsWith(typed.toLowerCase()) || holds(term.label, typed);
}

/** The terms of one namespace: those of the right role first, the most used before the others. */
function inSpace(all: GraphTerm[], space: string, local: string, place: Place, spaces: Map<string, string>): Completion[] {
  const role = ROLES[place];
  const wanted = local.toLowerCase();
  const fits = all.filter((term) => {
    if (!term.iri.startsWith(space)) return false;
    const name = term.iri.slice(space.length).toLowerCase();
    return name !== wanted && (name.includes(wanted) || holds(term.label, local));
  });
  const weight = (term: GraphTerm) =>
    (term.role === role ? 2 : 0) + (term.iri.slice(space.length).toLowerCase().startsWith(wanted) ? 1 : 0);
  const seen = new Set<string>();
  return fits
    .sort((a, b) => weight(b) - weight(a) || b.count - a.count)
    .filter(({ iri }) => !seen.has(iri) && seen.add(iri))
    .slice(0, MOST)
    .map((term) => ofTerm(term, spaces));
}

function ofTerm(term: GraphTerm, spaces: Map<string, string>): Completion {
  const name = short(term.iri, spaces);
  return { ...shown(term, name ?? `<${term.iri}>`), apply: name ? withPrefix(name, spaces) : `<${term.iri}>` };
}

function shown(term: GraphTerm, label: string): Completion {
  const local = label.replace(/^.*[:/#]/, "").replace(/>$/, "");
  const named = term.label && term.label.toLowerCase() !== local.toLowerCase() ? term.label : "";
  const used = term.count ? tn("{n} use", "{n} uses", term.count) : "";
  return {
    label,
    detail: [named, used].filter(Boolean).join(" · "),
    type: term.role,
    ...(term.definition && { info: term.definition }),
  };
}

/** Write an IRI as prefix:name by its longest namespace, where the rest can stand in a query as it is. */
function short(iri: string, spaces: Map<string, string>): string | null {
  let [best, length] = ["", 0];
  for (const [prefix, space] of spaces) if (iri.startsWith(space) && space.length > length) [best, length] = [prefix, space.length];
  const local = iri.slice(length);
  return length && LOCAL_NAME.test(local) ? `${best}:${local}` : null;
}

/** Put a short name in and, where the query does not declare its prefix yet, the PREFIX line as well. */
function withPrefix(name: string, spaces: Map<string, string>) {
  return (view: EditorView, _: Completion, from: number, to: number) => {
    const text = view.state.doc.toString();
    const prefix = name.slice(0, name.indexOf(":"));
    const missing = !declared(text).has(prefix);
    const line = missing ? `PREFIX ${prefix}: <${spaces.get(prefix) ?? ""}>\n` : "";
    const at = Math.min(prologueEnd(text), from);
    view.dispatch({
      changes: [...(line ? [{ from: at, insert: line }] : []), { from, to, insert: name }],
      selection: { anchor: from + line.length + name.length },
      userEvent: "input.complete",
    });
  };
}
