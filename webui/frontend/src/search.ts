/** The search in the header: a form that works alone, with suggestions while one types (the ARIA combobox). */
import { calm, el } from "./dom";

interface Hit {
  iri: string;
  label: string;
  kind: string;
  href: string;
}

const WAIT = 150;
const LEAST = 2;

/** Let every `form[data-suggest]` suggest; the attribute holds the address that answers. */
export function startSearch(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-suggest]")) suggest(form);
  document.addEventListener("keydown", focusOnSlash);
}

function focusOnSlash(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  document.querySelector<HTMLInputElement>("form[data-suggest] input[type=search]")?.focus();
}

function suggest(form: HTMLFormElement): void {
  const input = form.querySelector<HTMLInputElement>("input[type=search]");
  const address = form.dataset["suggest"];
  if (!input || !address) return;
  const list = el("ul", { id: `${input.id}-list`, class: "suggestions", role: "listbox", "aria-label": "Suggestions", hidden: true });
  const status = el("p", { class: "unseen", role: "status" });
  form.append(list, status);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id }))
    input.setAttribute(name, value);

  let hits: Hit[] = [];
  let active = -1;
  let asked = new AbortController();

  const close = () => {
    asked.abort();
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const mark = (index: number) => {
    active = index;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
    const item = list.children[index];
    if (item) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };

  const show = (found: Hit[]) => {
    hits = found;
    list.replaceChildren(...hits.map((hit, i) => option(hit, `${list.id}-${i}`)));
    list.hidden = hits.length === 0;
    input.setAttribute("aria-expanded", String(hits.length > 0));
    status.textContent = hits.length ? `${hits.length} suggestions; use the arrow keys` : "no suggestion";
    mark(-1);
  };

  const ask = calm(async () => {
    const text = input.value.trim();
    if (text.length < LEAST) return close();
    asked.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(`${address}?${new URLSearchParams({ q: text })}`, { signal: asked.signal });
      if (answer.ok && document.activeElement === input) show((await answer.json()) as Hit[]);
    } catch {
      // Without suggestions the form still searches.
    }
  }, WAIT);

  input.addEventListener("input", ask);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = hits[active];
    if (step) {
      event.preventDefault();
      mark(((active + step + 1 + hits.length + 1) % (hits.length + 1)) - 1);
    } else if (event.key === "Enter" && chosen) {
      event.preventDefault();
      location.assign(chosen.href);
    }
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault(); // Keeps the focus, so that the list is still there for the click.
    const item = (event.target as HTMLElement).closest("li");
    const chosen = item && hits[[...list.children].indexOf(item)];
    if (chosen && event.button === 0) location.assign(chosen.href);
  });
}

function option(hit: Hit, id: string): HTMLLIElement {
  return el("li", { id, role: "option", "aria-selected": "false" }, el("span", {}, hit.label), el("span", { class: "kind" }, hit.kind));
}
