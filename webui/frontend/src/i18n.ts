/** The words of the scripts in the language of the page; a text without a translation stands as it is. */

interface Catalogue {
  language: string;
  words: Record<string, string[]>;
}

const address = document.documentElement.dataset["words"];
const catalogue: Catalogue = address ? await load(address) : { language: "en", words: {} };
const language = document.documentElement.lang || "en";
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });

async function load(from: string): Promise<Catalogue> {
  try {
    const answer = await fetch(from);
    if (answer.ok) return (await answer.json()) as Catalogue;
  } catch {
    // Without its words the page speaks English, which is better than not at all.
  }
  return { language: "en", words: {} };
}

type Values = Record<string, string | number>;

/** Say a text, with `values` in place of its {name}; a number is written as the language does. */
export function t(text: string, values: Values = {}): string {
  return filled(catalogue.words[text]?.[0] ?? text, values);
}

/** Say the form of a text that belongs to a number, which stands in place of its {n}. */
export function tn(one: string, many: string, n: number, values: Values = {}): string {
  const forms = catalogue.words[one];
  const single = forms ? plurals.select(n) === "one" : n === 1;
  return filled(single ? (forms?.[0] ?? one) : (forms?.[1] ?? many), { n, ...values });
}

/** Write a number as the language of the page does. */
export function num(value: number, digits?: number): string {
  if (digits === undefined) return numbers.format(value);
  return new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

function filled(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? numbers.format(value) : value;
  });
}
