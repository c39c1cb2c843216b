/** The filters above the picture: they act while one chooses, and the years get a slider. */
import { calm, el, need } from "../dom";
import { t } from "../i18n";
import type { View } from "./view";

const NAMES = ["network", "kind", "theme", "region", "community", "since", "until", "find", "open", "colour", "size", "depth"];

export function startFilters(view: View): void {
  const form = need<HTMLFormElement>("form[data-network-filters]");
  const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement | HTMLSelectElement | null;
  const plain: Record<string, string> = { network: "networks/collaboration", colour: "community", size: "degree", depth: "1" };
  const take = (name: string) => {
    const value = field(name)?.value.trim() ?? "";
    // Another network has other kinds and themes: what was chosen or opened in the old one means nothing there.
    if (name === "network") location.assign(`${location.pathname}?${new URLSearchParams({ network: value })}`);
    else view.set({ [name]: value === plain[name] ? "" : value });
  };
  form.querySelector<HTMLElement>("[type=submit]")?.setAttribute("hidden", "");
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of NAMES) {
    const each = field(name);
    if (each instanceof HTMLSelectElement) each.addEventListener("change", () => take(name));
    else each?.addEventListener(name === "find" ? "input" : "change", calm(() => take(name), 250));
  }
  const years = startYears(form, view);
  view.listen(() => {
    for (const name of NAMES) {
      const each = field(name);
      if (!each || each === document.activeElement) continue;
      const value = view.get(name) || plain[name] || "";
      if (each instanceof HTMLSelectElement && ![...each.options].some((option) => option.value === value))
        each.append(el("option", { value }, name === "open" ? t("some communities opened") : value));
      each.value = value;
    }
    years();
  });
}

/** Two handles on one line, bound to the two fields of years; a browser without scripts has the fields alone. */
function startYears(form: HTMLFormElement, view: View): () => void {
  const box = form.querySelector<HTMLElement>("[data-years]");
  const [first, last] = (box?.dataset["years"] ?? "").split(" ").map(Number);
  if (!box || !first || !last || first === last) return () => {};
  const handle = (name: string, label: string) =>
    el("input", { type: "range", min: first, max: last, step: 1, "aria-label": label, "data-handle": name });
  const low = handle("since", t("First year, as a slider"));
  const high = handle("until", t("Last year, as a slider"));
  const filled = el("span", { class: "filled", "aria-hidden": "true" });
  box.append(el("span", { class: "slider" }, filled, low, high));
  const number = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
  const show = () => {
    low.value = view.get("since") || String(first);
    high.value = view.get("until") || String(last);
    paint();
  };
  const paint = () => {
    const part = (value: string) => ((Number(value) - first) / (last - first)) * 100;
    filled.style.insetInlineStart = `${part(low.value)}%`;
    filled.style.insetInlineEnd = `${100 - part(high.value)}%`;
    number("since").value = Number(low.value) === first ? "" : low.value;
    number("until").value = Number(high.value) === last ? "" : high.value;
  };
  const keepApart = (moved: HTMLInputElement) => {
    if (Number(low.value) <= Number(high.value)) return;
    if (moved === low) low.value = high.value;
    else high.value = low.value;
  };
  for (const each of [low, high]) {
    each.addEventListener("input", () => {
      keepApart(each);
      paint();
    });
    each.addEventListener("change", () => view.set({ since: number("since").value, until: number("until").value }));
  }
  show();
  return show;
}
