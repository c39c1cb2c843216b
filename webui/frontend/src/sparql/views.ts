/** The answer and its views as tabs: table, chart, map, network; the last three are fetched when first opened. */
import { t, tn } from "../i18n";
import { el } from "../dom";
import { read, write } from "../url";
import { type Answer } from "./answer";
import type { Choice, Shape } from "./chart";
import { unfitMap, unfitNetwork } from "./fit";
import type { Names } from "./names";
import { Table, type Order } from "./table";

type ViewName = "table" | "chart" | "map" | "network";
const VIEWS: ViewName[] = ["table", "chart", "map", "network"];
const TITLES: Record<ViewName, string> = { table: t("Table"), chart: t("Chart"), map: t("Map"), network: t("Network") };

export class Views {
  readonly #tabs = new Map<ViewName, HTMLButtonElement>();
  readonly #panel = el("div", { class: "view-panel", role: "tabpanel", id: "view-panel", tabindex: "-1" });
  readonly root: HTMLElement;
  #drawing = 0;

  constructor(
    readonly answer: Answer,
    readonly names: Names,
  ) {
    const list = el("div", { class: "tabs", role: "tablist", "aria-label": t("Ways to see the answer"), keydown: (event) => this.#key(event as KeyboardEvent) });
    for (const view of VIEWS) {
      const tab = el("button", { type: "button", role: "tab", id: `tab-${view}`, "aria-controls": "view-panel", click: () => this.open(view) }, TITLES[view]);
      this.#tabs.set(view, tab);
      list.append(tab);
    }
    this.root = el("div", { class: "views" }, list, this.#panel);
  }

  /** Open the view that the address names, or the table. */
  start(): void {
    const wanted = read("view") as ViewName;
    this.#show(VIEWS.includes(wanted) ? wanted : "table");
  }

  open(view: ViewName): void {
    write({ view: view === "table" ? "" : view });
    this.#show(view);
  }

  #key(event: KeyboardEvent): void {
    const now = VIEWS.findIndex((view) => this.#tabs.get(view) === event.target);
    const step = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: VIEWS.length - 1 }[event.key];
    if (now < 0 || step === undefined) return;
    event.preventDefault();
    const view = VIEWS.at(step % VIEWS.length)!;
    this.#tabs.get(view)!.focus();
    this.open(view);
  }

  #show(view: ViewName): void {
    for (const [name, tab] of this.#tabs) {
      tab.setAttribute("aria-selected", String(name === view));
      tab.tabIndex = name === view ? 0 : -1;
    }
    this.#panel.setAttribute("aria-labelledby", `tab-${view}`);
    const drawing = ++this.#drawing;
    const host = el("div", { class: `view view-${view}` });
    this.#draw(view, host)
      .then(() => undefined)
      .catch((error: unknown) => {
        console.error(error);
        host.replaceChildren(el("p", { class: "soft" }, t("This view could not be drawn. The table holds the same.")));
      })
      .finally(() => this.#drawing === drawing && this.#panel.removeAttribute("aria-busy"));
    this.#panel.setAttribute("aria-busy", "true");
    this.#panel.replaceChildren(host);
  }

  async #draw(view: ViewName, host: HTMLElement): Promise<void> {
    const { answer, names } = this;
    const say = (text: string) => host.replaceChildren(el("p", { class: "unfit" }, text));
    if (view === "table") return this.#table(host);
    if (view === "chart") {
      const { drawChart, unfitChart } = await import("./chart");
      const why = unfitChart(answer);
      return why ? say(why) : drawChart(host, answer, names, wantedChart(), keepChart);
    }
    const why = view === "map" ? unfitMap(answer) : unfitNetwork(answer);
    if (why) return say(why);
    if (view === "map") return (await import("./map")).drawMap(host, answer, names);
    return (await import("./network")).drawNetwork(host, answer, names);
  }

  #table(host: HTMLElement): void {
    const { answer, names } = this;
    if (!answer.rows.length) {
      const advice = answer.form === "rows" ? t("Nothing in the graph fits the pattern. Take a condition away, or look whether a name is spelt as the graph has it.") : t("The pattern fits nothing, so no triple is made.");
      host.replaceChildren(el("p", { class: "unfit" }, advice));
      return;
    }
    new Table(host, answer.columns, answer.rows, names, wantedOrder(), (order) => write({ "sort-answer": `${order.down ? "-" : ""}${order.column}` }));
  }
}

function wantedOrder(): Order | null {
  const text = read("sort-answer");
  return text ? { column: text.replace(/^-/, ""), down: text.startsWith("-") } : null;
}

function wantedChart(): Partial<Choice> {
  const shape = read("shape");
  return {
    ...(["bar", "line", "scatter"].includes(shape) && { shape: shape as Shape }),
    ...(read("x") && { x: read("x") }),
    ...(read("y") && { y: read("y") }),
  };
}

function keepChart({ shape, x, y }: Choice): void {
  write({ shape, x, y });
}

/** The size of an answer in words. */
export function sizeOf(answer: Answer): string {
  if (answer.form === "boolean") return answer.verdict ? "Yes" : "No";
  return answer.form === "rows" ? tn("{n} row", "{n} rows", answer.rows.length) : tn("{n} triple", "{n} triples", answer.rows.length);
}
