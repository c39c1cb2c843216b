/** The funding page: the table of the largest flows as a picture (Sankey), which prints and says no more than the table. */
import "../styles/funding.css";
import { sankey, sankeyJustify, sankeyLinkHorizontal, type SankeyLink, type SankeyNode } from "d3-sankey";
import { need } from "../dom";
import { cut, short } from "../figures";
import { t } from "../i18n";
import { svg } from "../sparql/svg";

interface End {
  id: string;
  name: string;
  href: string;
  side: "from" | "to";
}
interface Flow {
  money: string;
}
type Place = SankeyNode<End, Flow>;
type Band = SankeyLink<End, Flow>;

const NARROW_BELOW = 640;
const ROW = 30;

for (const figure of document.querySelectorAll<HTMLElement>("figure[data-sankey]")) start(figure);

function start(figure: HTMLElement): void {
  const table = need<HTMLTableElement>(`table#${CSS.escape(figure.dataset["sankey"] ?? "")}`);
  figure.hidden = false;
  const beside = document.querySelector<HTMLDetailsElement>("[data-beside-picture]");
  if (beside) beside.open = false;
  let drawn = 0;
  const draw = () => {
    const width = figure.clientWidth || 900;
    if (Math.abs(width - drawn) < 8) return;
    drawn = width;
    figure.replaceChildren(picture(table, width));
  };
  draw();
  new ResizeObserver(draw).observe(figure);
}

/** Read funders, recipients and flows from the rows of the table. */
function read(table: HTMLTableElement): { nodes: Place[]; links: Band[] } {
  const ends = new Map<string, Place>();
  const end = (cell: HTMLTableCellElement | undefined, id: string, side: End["side"]) => {
    const key = `${side} ${id}`;
    const known = ends.get(key);
    if (known) return known;
    const fresh: Place = { id: key, name: cell?.textContent?.trim() ?? "", href: cell?.querySelector("a")?.href ?? "", side };
    ends.set(key, fresh);
    return fresh;
  };
  const links = [...(table.tBodies[0]?.rows ?? [])].flatMap((row): Band[] => {
    const value = Number(row.cells[3]?.dataset["value"]);
    if (!(value > 0)) return [];
    const source = end(row.cells[0], row.dataset["from"] ?? "", "from");
    const target = end(row.cells[1], row.dataset["to"] ?? "", "to");
    return [{ source, target, value, money: row.cells[3]?.textContent?.trim() ?? "" }];
  });
  return { nodes: [...ends.values()], links };
}

function picture(table: HTMLTableElement, width: number): SVGSVGElement {
  const data = read(table);
  const narrow = width < NARROW_BELOW;
  const rows = Math.max(...(["from", "to"] as const).map((side) => data.nodes.filter((node) => node.side === side).length), 4);
  const height = rows * ROW + 24;
  const margin = narrow ? 4 : Math.min(250, width * 0.24);
  const graph = sankey<End, Flow>()
    .nodeWidth(narrow ? 8 : 12)
    .nodePadding(10)
    .nodeAlign(sankeyJustify)
    .extent([[margin, 12], [width - margin, height - 12]])(data);
  const words = table.caption?.textContent?.trim() ?? "";
  const root = svg("svg", { class: "sankey", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${words}. ${t("The table below holds the same.")}` });
  const bands = svg("g", { class: "bands" });
  const path = sankeyLinkHorizontal<End, Flow>();
  graph.links.forEach((link) => {
    const [source, target] = [link.source as Place, link.target as Place];
    const others = source.id === "from " || target.id === "to ";
    const band = svg("path", { class: others ? "band others" : "band", d: path(link) ?? "", "stroke-width": Math.max(1, link.width ?? 1).toFixed(1) });
    band.append(svg("title", {}, `${source.name} → ${target.name}: ${link.money}`));
    bands.append(band);
  });
  root.append(bands, ...graph.nodes.flatMap((node) => ends(node, narrow, width, margin)));
  mark(root, graph.links);
  return root;
}

/** A bar with its name; beside the picture where there is room, within it on a narrow screen. */
function ends(node: Place, narrow: boolean, width: number, margin: number): SVGElement[] {
  const [x0 = 0, x1 = 0, y0 = 0, y1 = 0] = [node.x0, node.x1, node.y0, node.y1];
  const sum = short(node.value ?? 0);
  const bar = svg("rect", { class: "bar", x: x0, y: y0, width: x1 - x0, height: Math.max(1, y1 - y0), "data-end": node.id });
  bar.append(svg("title", {}, `${node.name}: ${sum}`));
  const left = node.side === "from";
  const inside = narrow;
  const x = inside ? (left ? x1 + 5 : x0 - 5) : left ? x0 - 7 : x1 + 7;
  const anchor = inside === left ? "start" : "end";
  const most = (inside ? Math.floor((width * 0.46) / 7.4) : Math.floor((margin - 12) / 7)) - sum.length - 2;
  const name = svg("text", { class: inside ? "end-name inside" : "end-name", x, y: (y0 + y1) / 2 + 4, "text-anchor": anchor, "data-end": node.id });
  name.append(cut(node.name, most), svg("tspan", { class: "end-sum" }, `  ${sum}`));
  name.append(svg("title", {}, node.name));
  if (!node.href) return [bar, name];
  // The table has the same links for the keyboard; in the picture they serve the mouse.
  name.classList.add("leads");
  name.addEventListener("click", () => location.assign(node.href));
  return [bar, name];
}

/** While the mouse rests on an end, its bands stand out. */
function mark(root: SVGSVGElement, links: Band[]): void {
  const bands = [...root.querySelectorAll<SVGPathElement>(".band")];
  root.addEventListener("pointerover", (event) => {
    const id = (event.target as Element).closest("[data-end]")?.getAttribute("data-end");
    root.classList.toggle("marking", Boolean(id));
    bands.forEach((band, i) => {
      const link = links[i];
      band.classList.toggle("marked", Boolean(id && link && ((link.source as Place).id === id || (link.target as Place).id === id)));
    });
  });
}
