/** The search in the header: a form that works alone, with suggestions while one types (the ARIA combobox). */
import { Combobox, suggestionList } from "./combobox";
import { el } from "./dom";

interface Hit {
  iri: string;
  label: string;
  kind: string;
  href: string;
}

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
  const list = suggestionList(`${input.id}-list`);
  const status = el("p", { class: "unseen", role: "status" });
  form.append(list, status);
  new Combobox<Hit>(input, list, status, {
    address,
    option: (hit) => [el("span", {}, hit.label), el("span", { class: "kind" }, hit.kind)],
    taken: (hit) => location.assign(hit.href),
  });
}
