/** Sorting and filtering of tables that the server has written whole. */
import { calm, holds } from "./dom";
import { read, write } from "./url";

/**
 * Let the heads of `table[data-sortable]` sort. A cell sorts by its `data-value` or its text, as a number where
 * the head has the class `n`. The order stands in the address as `sort` and `order`, under the table's name.
 */
export function startSorting(table: HTMLTableElement): void {
  const heads = [...table.querySelectorAll<HTMLTableCellElement>("thead th[data-key]")];
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      const first = head.classList.contains("n") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      order(head, head.getAttribute("aria-sort") === first ? other : first);
    });
    head.append(button);
  }
  const key = table.dataset["sortable"] ?? "sort";
  const order = (head: HTMLTableCellElement, direction: string) => {
    for (const each of heads) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction);
    sort(table, head, direction === "ascending" ? 1 : -1);
    write({ [key]: `${direction === "ascending" ? "" : "-"}${head.dataset["key"] ?? ""}` });
  };
  const wanted = read(key);
  const head = heads.find((each) => each.dataset["key"] === wanted.replace(/^-/, ""));
  if (head) order(head, wanted.startsWith("-") ? "descending" : "ascending");
}

function sort(table: HTMLTableElement, head: HTMLTableCellElement, sign: number): void {
  const body = table.tBodies[0];
  if (!body) return;
  const asNumber = head.classList.contains("n");
  const value = (row: HTMLTableRowElement) => {
    const cell = row.cells[head.cellIndex];
    return cell?.dataset["value"] ?? cell?.textContent?.trim() ?? "";
  };
  const collator = new Intl.Collator(document.documentElement.lang || "en", { numeric: true });
  const number = (text: string) => (text === "" || Number.isNaN(Number(text)) ? -Infinity : Number(text));
  const compare = (a: string, b: string) => (asNumber ? number(a) - number(b) || 0 : collator.compare(a, b));
  const rows = [...body.rows].map((row) => ({ row, key: value(row) }));
  rows.sort((a, b) => sign * compare(a.key, b.key));
  body.append(...rows.map(({ row }) => row));
}

/**
 * Let the fields of `form[data-filters=ID]` filter the rows of the table with that ID. The field `find` looks in
 * the whole row; any other field asks the row for the same `data-` value, which may be a list of words. The
 * element `[data-shown=ID]` says how many rows are left.
 */
export function startFiltering(form: HTMLFormElement): void {
  const id = form.dataset["filters"] ?? "";
  const body = document.querySelector<HTMLTableElement>(`table#${CSS.escape(id)}`)?.tBodies[0];
  if (!body) return;
  const apply = () => {
    const wanted = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
    let shown = 0;
    for (const row of body.rows) {
      row.hidden = !Object.entries(wanted).every(([name, value]) => !value || fits(row, name, value));
      if (!row.hidden) shown += 1;
    }
    const count = document.querySelector(`[data-shown="${CSS.escape(id)}"]`);
    if (count) count.textContent = `${shown} of ${body.rows.length} shown`;
    write(wanted);
  };
  form.querySelector<HTMLElement>("[type=submit]")?.setAttribute("hidden", "");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", apply);
  form.addEventListener("input", calm(apply, 120));
  apply();
}

function fits(row: HTMLTableRowElement, name: string, value: string): boolean {
  if (name === "find") return holds(row.textContent ?? "", value);
  const words = row.dataset[name];
  return words === undefined || words === value || words.split(" ").includes(value);
}
