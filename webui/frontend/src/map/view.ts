/** The map itself: circles, tools, and beside it the list of what is in view. */
import { geoMercator, geoPath, type GeoProjection } from "d3-geo";
import { calm, el } from "../dom";
import { short } from "../figures";
import { num, t, tn } from "../i18n";
import { svg } from "../sparql/svg";
import { write } from "../url";
import { Outlines } from "./outlines";
import { boxOf, Points, type Box, type Cell, type Listed, type Seen } from "./points";

const WIDE: [number, number] = [860, 560];
const NARROW: [number, number] = [400, 360];
const NARROW_BELOW = 600;
const APART = 34;
const STEP = 1.8;
const MOVE = 60;
const LEAST_SCALE = 90;
const MOST_SCALE = 400_000;
const WORLD: Box = [-20, 34, 40, 66];

export class OrganisationMap {
  readonly #size: [number, number];
  readonly #view: GeoProjection;
  readonly #home: Box;
  readonly #outlines = new Outlines(() => this.#draw());
  readonly #marks = svg("g", { class: "marks" });
  readonly #picture: SVGSVGElement;
  readonly #points: Points;
  readonly #list = el("ul", { class: "plain map-list", "aria-label": t("Organisations in view") });
  readonly #status = el("p", { class: "table-note", role: "status" });
  #seen: Seen = { total: 0, seen: 0, cut: false, cells: [], list: [] };

  constructor(readonly host: HTMLElement) {
    this.#size = host.clientWidth && host.clientWidth < NARROW_BELOW ? NARROW : WIDE;
    this.#points = new Points(host.dataset["map"] ?? "");
    this.#home = boxOf(host.dataset["extent"] ?? "") ?? WORLD;
    this.#view = geoMercator();
    this.#picture = svg(
      "svg",
      { viewBox: `0 0 ${this.#size.join(" ")}`, class: "map", role: "img", "aria-label": t("Map of organisations. The list beside it and the table below hold the same.") },
      this.#outlines.land,
      this.#outlines.regions,
      this.#outlines.borders,
      this.#marks,
    );
    const field = el("div", { class: "map-field", tabindex: 0, role: "group", "aria-label": t("Map: arrow keys move it, plus and minus zoom") }, this.#picture, this.#tools());
    field.addEventListener("keydown", (event) => this.#key(event));
    host.append(this.#status, el("div", { class: "map-and-list" }, field, this.#list), el("p", { class: "soft small" }, t("Outlines: Natural Earth, public domain. They only help to find one’s way.")));
  }

  async start(): Promise<void> {
    const asked = boxOf(new URLSearchParams(location.search).get("box") ?? "");
    this.#fit(asked ?? this.#home);
    this.#drag();
    await this.#outlines.load(this.#view.scale(), this.host.dataset["boundaries"] ?? "", this.host.dataset["counts"] ?? "");
    this.#draw();
    await this.#look();
  }

  // ---- What part is shown ------------------------------------------------------------------------------

  #fit([west, south, east, north]: Box): void {
    const room = Math.max(0.02, (east - west) * 0.08, (north - south) * 0.08);
    const corners = [west - room, east + room].flatMap((lon) => [south - room, north + room].map((lat) => [lon, Math.max(-84, Math.min(84, lat))]));
    this.#view.fitSize(this.#size, { type: "MultiPoint", coordinates: corners });
    this.#view.clipExtent([[-20, -20], [this.#size[0] + 20, this.#size[1] + 20]]);
    if (this.#view.scale() > MOST_SCALE) this.#zoom(MOST_SCALE / this.#view.scale());
  }

  #zoom(factor: number): void {
    const scale = Math.max(LEAST_SCALE, Math.min(MOST_SCALE, this.#view.scale() * factor));
    const ratio = scale / this.#view.scale();
    const [x, y] = this.#view.translate();
    const [width, height] = this.#size;
    this.#view.scale(scale).translate([width / 2 + (x - width / 2) * ratio, height / 2 + (y - height / 2) * ratio]);
    this.#moved();
  }

  #move(dx: number, dy: number): void {
    const [x, y] = this.#view.translate();
    this.#view.translate([x + dx, y + dy]);
    this.#moved();
  }

  readonly #look = async (): Promise<void> => {
    const box = this.#box();
    const cell = (APART * (box[2] - box[0])) / this.#size[0];
    try {
      this.#seen = await this.#points.ask(box, cell);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return;
      this.#status.textContent = t("The points could not be loaded. The table below counts by region; reload the page to try again.");
      return;
    }
    this.#tell();
    this.#draw();
  };

  readonly #later = calm(() => {
    write({ box: this.#box().map((side) => side.toFixed(3)).join(",") });
    this.#outlines.refine(this.#view.scale());
    void this.#look();
  }, 180);

  #moved(): void {
    this.#draw();
    this.#later();
  }

  #box(): Box {
    const [width, height] = this.#size;
    const [west, north] = this.#view.invert?.([0, 0]) ?? [-180, 85];
    const [east, south] = this.#view.invert?.([width, height]) ?? [180, -85];
    // Beyond a whole turn the projection gives the other side of the globe.
    return west < east ? [west, south, east, north] : [-180, south, 180, north];
  }

  // ---- Hands and keys ----------------------------------------------------------------------------------

  #tools(): HTMLElement {
    const button = (label: string, sign: string, act: () => void) => el("button", { type: "button", class: "icon", "aria-label": label, title: label, click: act }, sign);
    return el(
      "div",
      { class: "map-tools", role: "group", "aria-label": t("What part of the map is shown") },
      button(t("Zoom in"), "+", () => this.#zoom(STEP)),
      button(t("Zoom out"), "−", () => this.#zoom(1 / STEP)),
      button(t("Show all points"), "⤢", () => {
        this.#fit(this.#home);
        this.#moved();
      }),
    );
  }

  #key(event: KeyboardEvent): void {
    const acts: Record<string, () => void> = {
      "+": () => this.#zoom(STEP),
      "=": () => this.#zoom(STEP),
      "-": () => this.#zoom(1 / STEP),
      ArrowLeft: () => this.#move(MOVE, 0),
      ArrowRight: () => this.#move(-MOVE, 0),
      ArrowUp: () => this.#move(0, MOVE),
      ArrowDown: () => this.#move(0, -MOVE),
    };
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #drag(): void {
    let from: { x: number; y: number } | null = null;
    this.#picture.addEventListener("pointerdown", (event) => (from = { x: event.clientX, y: event.clientY }));
    this.#picture.addEventListener("pointermove", (event) => {
      if (!from || !event.buttons) return;
      const ratio = this.#size[0] / this.#picture.getBoundingClientRect().width;
      this.#move((event.clientX - from.x) * ratio, (event.clientY - from.y) * ratio);
      from = { x: event.clientX, y: event.clientY };
    });
    for (const end of ["pointerup", "pointerleave"]) this.#picture.addEventListener(end, () => (from = null));
  }

  // ---- Drawing and telling -----------------------------------------------------------------------------

  #draw(): void {
    this.#outlines.draw(geoPath(this.#view));
    this.#marks.replaceChildren(...this.#apart().reverse().map((cell) => this.#mark(cell)));
  }

  /** Put cells together whose circles would lie on each other: neighbours on either side of a line of the grid. */
  #apart(): Cell[] {
    const kept: { x: number; y: number; cell: Cell }[] = [];
    for (const cell of this.#seen.cells) {
      const [x = -99, y = -99] = this.#view([cell.lon, cell.lat]) ?? [];
      const near = kept.find((other) => Math.hypot(other.x - x, other.y - y) < (APART * 2) / 3);
      if (near) near.cell = together(near.cell, cell);
      else kept.push({ x, y, cell });
    }
    return kept.map(({ cell }) => cell);
  }

  #mark(cell: Cell): SVGGElement {
    const [x = -99, y = -99] = this.#view([cell.lon, cell.lat]) ?? [];
    const radius = cell.n === 1 ? 5.5 : Math.min(APART * 0.62, 9 + 2.6 * Math.log2(cell.n));
    const said = cell.n === 1 ? cell.label : tn("{n} organisation", "{n} organisations", cell.n);
    const mark = svg("g", { class: cell.n === 1 ? "mark one" : "mark many", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` }, svg("circle", { r: radius.toFixed(1) }), svg("title", {}, said));
    if (cell.n > 1) mark.append(svg("text", { y: 4 }, short(cell.n)));
    mark.addEventListener("click", () => this.#open(cell));
    return mark;
  }

  /** One organisation opens its page; several come nearer, or, where they stand at one point, are listed. */
  #open(cell: Cell): void {
    if (cell.href) return location.assign(cell.href);
    const [west, south, east, north] = cell.box;
    const one = east - west < 0.0005 && north - south < 0.0005;
    this.#fit(one ? [west - 0.02, south - 0.02, east + 0.02, north + 0.02] : cell.box);
    this.#moved();
  }

  #tell(): void {
    const { seen, total, list, cut } = this.#seen;
    this.#status.textContent = [
      t("{seen} of {total} in view.", { seen, total }),
      list.length < seen ? t("The first {n} are listed; come nearer to see the others.", { n: list.length }) : "",
      cut ? t("Only the fullest places are drawn.") : "",
    ].join(" ");
    this.#list.replaceChildren(...(list.length ? list.map(row) : [el("li", { class: "soft" }, t("Nobody is known here. Zoom out, or show all points."))]));
    this.#picture.setAttribute("aria-label", `${t("Map of organisations.")} ${this.#status.textContent} ${t("The list beside it and the table below hold the same.")} ${num(this.#seen.cells.length)}`);
  }
}

function row(listed: Listed): HTMLLIElement {
  return el("li", {}, el("a", { href: listed.href }, listed.label), el("a", { class: "small", href: listed.network, "aria-label": t("{name} in the network", { name: listed.label }) }, t("network")));
}

function together(one: Cell, other: Cell): Cell {
  const [a, b] = [one.box, other.box];
  const box: Box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
  return { n: one.n + other.n, lat: one.lat, lon: one.lon, box, label: one.label };
}
