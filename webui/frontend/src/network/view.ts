/** The view of the network stands in the address alone: reading it, changing it, and telling what changed. */

export const FILTERS = ["network", "kind", "theme", "region", "community", "since", "until", "find"] as const;
export const SELECTIONS = ["selected", "tie", "gap", "bubble"] as const;
const OF_THE_SCENE = [...FILTERS, "organisation", "depth", "open", "size", "version"];
const OF_THE_BROWSER = ["view"];

export type Values = Record<string, string>;

export interface Camera {
  x: number;
  y: number;
  ratio: number;
}

/** What the picture needs to know of a view. */
export interface Seen {
  get: (name: string) => string;
  camera: Camera | null;
}

type Listener = (view: View, changed: Set<string>) => void;

export class View implements Seen {
  #values: Values;
  readonly #listeners: Listener[] = [];

  constructor() {
    this.#values = fromAddress(location.search);
    window.addEventListener("popstate", () => this.go(location.search, false));
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  get(name: string): string {
    return this.#values[name] ?? "";
  }

  /** Change some values; a filter closes what was selected and begins the table anew. */
  set(values: Values, quietly = false): void {
    const next: Values = { ...this.#values, ...values };
    if (!quietly && !("page" in values)) delete next["page"];
    if (SELECTIONS.some((name) => values[name])) for (const name of SELECTIONS) if (!values[name]) delete next[name];
    this.#take(next, !quietly);
  }

  /** Take a whole view from the query string of a link. */
  go(search: string, remember = true): void {
    this.#take({ ...fromAddress(search), ...(this.#values["view"] && remember ? { view: this.#values["view"] } : {}) }, remember);
  }

  #take(next: Values, remember: boolean): void {
    for (const [name, value] of Object.entries(next)) if (!value) delete next[name];
    const names = new Set([...Object.keys(next), ...Object.keys(this.#values)]);
    const changed = new Set([...names].filter((name) => next[name] !== this.#values[name]));
    if (!changed.size) return;
    this.#values = next;
    const address = location.pathname + this.search() + location.hash;
    const onlyCamera = [...changed].every((name) => OF_THE_BROWSER.includes(name));
    if (remember && !onlyCamera) history.pushState(null, "", address);
    else if (address !== location.pathname + location.search + location.hash) history.replaceState(null, "", address);
    for (const listener of this.#listeners) listener(this, changed);
  }

  /** The query string of the view; for the server without what only the browser needs. */
  search(forServer = false): string {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(this.#values)) if (!forServer || !OF_THE_BROWSER.includes(name)) query.set(name, value);
    const text = query.toString().replaceAll("%2F", "/").replaceAll("%2C", ",");
    return text ? `?${text}` : "";
  }

  get camera(): Camera | null {
    const [x, y, ratio] = this.get("view").split(",").map(Number);
    const known = [x, y, ratio].every((value) => value !== undefined && Number.isFinite(value));
    return this.get("view") && known && ratio! > 0 ? { x: x!, y: y!, ratio: ratio! } : null;
  }
}

/** Tell whether a change needs another scene from the server. */
export function changesScene(changed: Set<string>): boolean {
  return OF_THE_SCENE.some((name) => changed.has(name));
}

/** Tell whether a change needs other tables or another panel from the server. */
export function changesParts(changed: Set<string>): boolean {
  return [...changed].some((name) => !OF_THE_BROWSER.includes(name) && name !== "gaps");
}

function fromAddress(search: string): Values {
  return Object.fromEntries([...new URLSearchParams(search)].filter(([name, value]) => value && name !== "lang"));
}
