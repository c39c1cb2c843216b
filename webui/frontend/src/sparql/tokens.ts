/** Where in a query the cursor stands: a light reading of the text before it, good enough to choose what to offer. */

/** What is wanted at a place: a name in a pattern, an expression in brackets, or a word outside all patterns. */
export type Place = "subject" | "predicate" | "object" | "class" | "expression" | "head" | "comment" | "string";

const TOKEN =
  /#[^\n]*|<[^<>"{}|^`\\\s]*>|"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:[^"\\\n]|\\.)*(?:"|$)|'(?:[^'\\\n]|\\.)*(?:'|$)|[?$][\p{L}\p{N}_]+|@[A-Za-z-]+|\^\^|(?:[\p{L}_][\p{L}\p{N}_.-]*)?:(?:[\p{L}\p{N}_:.%-]|\\.)*(?<!\.)|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[\p{L}_][\p{L}\p{N}_]*|[^\s]/gu;
const IN_PATH = new Set(["/", "|", "^", "!", "?", "*", "+"]);
const GROUPS = /^(where|optional|union|minus|graph|service|exists|not|silent|select|distinct|reduced|construct|ask|describe|from|named|order|group|having|limit|offset|by|asc|desc|as|base|prefix|insert|delete|data|with|using|undef)$/i;
const ASIDE = /^(filter|bind|values|order|group|having|limit|offset)$/i;

interface Frame {
  open: string;
  count: number;
  wasA: boolean;
}

/** Tell the place at the end of `before`; the word that is being typed is not part of it. */
export function placeAfter(before: string): Place {
  const frames: Frame[] = [{ open: "", count: 0, wasA: false }];
  let [aside, last, end] = [false, "", 0];
  for (const found of before.matchAll(TOKEN)) {
    const token = found[0];
    last = token;
    end = found.index + token.length;
    const frame = frames.at(-1)!;
    if (token.startsWith("#")) continue;
    if (token === "{" || token === "[" || token === "(") {
      if (token === "[") term(frame);
      const path = token === "(" && frame.open !== "(" && frame.count === 1 && !aside;
      if (!path) frames.push({ open: token, count: token === "[" ? 1 : 0, wasA: false });
      if (token === "{") aside = false;
    } else if (token === "}" || token === "]" || token === ")") {
      if (frames.length > 1 && frame.open === { "}": "{", "]": "[", ")": "(" }[token]) frames.pop();
      const outer = frames.at(-1)!;
      if (token !== "]") aside = false;
      if (token === "}") Object.assign(outer, { count: 0, wasA: false });
    } else if (token === ".") Object.assign(frame, { count: 0, wasA: false });
    else if (token === ";") Object.assign(frame, { count: 1, wasA: false });
    else if (token === ",") frame.count = Math.min(frame.count, 2);
    else if (IN_PATH.has(token) && frame.count <= 2) {
      if (token === "/" || token === "|") frame.count = 1;
    } else if (ASIDE.test(token)) {
      aside = true;
      Object.assign(frame, { count: 0, wasA: false });
    } else if (GROUPS.test(token)) Object.assign(frame, { count: 0, wasA: false });
    else if (!token.startsWith("@") && token !== "^^") term(frame, token === "a");
  }
  if (last.startsWith("#") && end === before.length) return "comment";
  if (/^["']/.test(last) && end === before.length && !closed(last)) return "string";
  return named(frames, aside);
}

function term(frame: Frame, isA = false): void {
  frame.wasA = isA && frame.count === 1;
  frame.count += 1;
}

function closed(text: string): boolean {
  const quote = /^("""|'''|"|')/.exec(text)![0];
  return text.length >= 2 * quote.length && text.endsWith(quote);
}

function named(frames: Frame[], aside: boolean): Place {
  const frame = frames.at(-1)!;
  if (frame.open === "(" || aside) return "expression";
  if (frame.open === "") return "head";
  if (frame.count === 0) return "subject";
  if (frame.count === 1) return "predicate";
  return frame.wasA ? "class" : "object";
}

/** The prefixes that a query declares. */
export function declared(text: string): Map<string, string> {
  const found = text.matchAll(/^[^\S\n]*PREFIX\s+([\p{L}\p{N}_.-]*):\s*<([^<>\s]*)>/gimu);
  return new Map([...found].map(([, prefix = "", space = ""]) => [prefix, space]));
}

/** The variables of a query, each once. */
export function variables(text: string): string[] {
  const found = text.replace(/#[^\n]*|<[^<>\s]*>|"(?:[^"\\\n]|\\.)*"/g, " ").matchAll(/[?$]([\p{L}\p{N}_]+)/gu);
  return [...new Set([...found].map(([, name = ""]) => name))];
}

/** Where a new PREFIX line belongs: after the last one, else after the comments at the head. */
export function prologueEnd(text: string): number {
  let end = 0;
  for (const found of text.matchAll(/^[^\S\n]*(?:PREFIX\s+[^\s:]*:\s*<[^>\n]*>|BASE\s+<[^>\n]*>)[^\n]*(?:\n|$)/gim)) end = found.index + found[0].length;
  return end || (/^(?:[^\S\n]*#[^\n]*\n)*/.exec(text)?.[0].length ?? 0);
}
