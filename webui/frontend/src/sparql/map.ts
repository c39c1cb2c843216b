/** The answer as a map: its points over an outline of the countries that travels with the site, and a list beside it. */
import { t, tn } from "../i18n";
import { geoMercator, geoNaturalEarth1, geoPath, type GeoProjection } from "d3-geo";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import outline from "world-atlas/countries-110m.json?url";
import { el } from "../dom";
import { type Answer } from "./answer";
import { pointColumns, pointOf } from "./fit";
import type { Names } from "./names";
import { svg } from "./svg";
import { shown } from "./table";

interface Spot {
  lon: number;
  lat: number;
  row: number;
}

type Size = [width: number, height: number];
const WIDE: Size = [760, 480];
const NARROW: Size = [400, 320];
const NARROW_BELOW = 600;
const MOST = 2000;
const LISTED = 300;
const WORLD_SPAN = 100;
type Atlas = Topology<{ countries: GeometryCollection; land: GeometryCollection }>;
let atlas: Promise<Atlas> | null = null;

/** The outline comes from this site; without it the points still stand where they belong. */
async function countries(): Promise<Atlas | null> {
  atlas ??= fetch(outline).then((answer) => answer.json() as Promise<Atlas>);
  return atlas.catch(() => ((atlas = null), null));
}

/** Draw the map and its list; choosing one marks the other. */
export async function drawMap(host: HTMLElement, answer: Answer, names: Names): Promise<void> {
  const columns = pointColumns(answer);
  if (!columns) return;
  const spots = answer.rows.flatMap((row, i): Spot[] => {
    const point = pointOf(row, columns);
    return point ? [{ ...point, row: i }] : [];
  });
  const drawn = spots.slice(0, MOST);
  const title = titleColumn(answer);
  const [world] = await Promise.all([countries(), names.learn(drawn.slice(0, LISTED).map((spot) => answer.rows[spot.row]?.[title]))]);
  const name = (spot: Spot) => names.text(answer.rows[spot.row]?.[title]) || `row ${spot.row + 1}`;
  new Atlases(host, drawn, world, answer, names, title, name, summarise(answer, spots, drawn));
}

function titleColumn(answer: Answer): number {
  const labelled = answer.columns.findIndex(({ name, kind }) => /label|name/i.test(name) && kind === "text");
  const thing = answer.columns.findIndex(({ kind }) => kind === "thing");
  return thing >= 0 ? thing : labelled >= 0 ? labelled : 0;
}

function summarise(answer: Answer, spots: Spot[], drawn: Spot[]): string {
  const left = answer.rows.length - spots.length;
  const [west, east] = ends(spots.map(({ lon }) => lon));
  const [south, north] = ends(spots.map(({ lat }) => lat));
  const span = `from ${south.toFixed(1)}° to ${north.toFixed(1)}° of latitude and ${west.toFixed(1)}° to ${east.toFixed(1)}° of longitude`;
  const more = drawn.length < spots.length ? ` ${t("The first {n} points are drawn.", { n: drawn.length })}` : "";
  const without = left ? ` ${tn("{n} row without a place is left out.", "{n} rows without a place are left out.", left)}` : "";
  return `${tn("{n} point", "{n} points", spots.length)}, ${span}.${more}${without}`;
}

function ends(values: number[]): [number, number] {
  return values.reduce<[number, number]>(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

class Atlases {
  readonly #size: Size;
  readonly #home: GeoProjection;
  readonly #view: GeoProjection;
  readonly #land = svg("path", { class: "land" });
  readonly #borders = svg("path", { class: "borders" });
  readonly #dots: SVGCircleElement[];
  readonly #buttons: HTMLButtonElement[];
  readonly #label = svg("text", { class: "spot-name" });
  readonly #picture: SVGSVGElement;
  #chosen = -1;

  constructor(
    host: HTMLElement,
    readonly spots: Spot[],
    readonly world: Atlas | null,
    answer: Answer,
    names: Names,
    title: number,
    readonly name: (spot: Spot) => string,
    summary: string,
  ) {
    this.#size = host.clientWidth && host.clientWidth < NARROW_BELOW ? NARROW : WIDE;
    this.#home = fitted(spots, this.#size);
    this.#view = fitted(spots, this.#size);
    this.#dots = spots.map((spot, i) => {
      const dot = svg("circle", { r: 5, class: "mark" }, svg("title", {}, name(spot)));
      dot.addEventListener("click", () => this.#choose(i, true));
      return dot;
    });
    this.#buttons = spots.slice(0, LISTED).map((spot, i) => el("button", { type: "button", class: "row", "aria-pressed": "false", click: () => this.#choose(i, false) }, name(spot)));
    const items = this.#buttons.map((button, i) => el("li", {}, button, ...links(answer, this.spots[i]!, title, names)));
    this.#picture = svg("svg", { viewBox: `0 0 ${this.#size.join(" ")}`, class: "map", role: "img", "aria-label": `${t("Map:")} ${summary} ${t("The list beside it holds the same.")}` }, this.#land, this.#borders, ...this.#dots, this.#label);
    host.replaceChildren(
      el("p", { class: "view-summary" }, summary),
      el(
        "div",
        { class: "map-and-list" },
        el("div", { class: "map-field" }, this.#picture, this.#tools()),
        el("ul", { class: "plain map-list", "aria-label": t("Places on the map") }, ...items),
      ),
      el("p", { class: "soft small" }, world ? t("Outline: Natural Earth, 1:110 million, public domain. Boundaries only help to find one's way.") : t("The outline of the countries could not be loaded.")),
    );
    this.#drag();
    this.#draw();
  }

  #tools(): HTMLElement {
    const button = (label: string, sign: string, act: () => void) => el("button", { type: "button", class: "icon", "aria-label": label, title: label, click: act }, sign);
    return el(
      "div",
      { class: "map-tools", role: "group", "aria-label": t("What part of the map is shown") },
      button(t("Zoom in"), "+", () => this.#zoom(1.6)),
      button(t("Zoom out"), "−", () => this.#zoom(1 / 1.6)),
      button(t("Show all points"), "⤢", () => this.#reset()),
    );
  }

  #zoom(factor: number): void {
    const [x, y] = this.#view.translate();
    const [width, height] = this.#size;
    this.#view.scale(this.#view.scale() * factor).translate([width / 2 + (x - width / 2) * factor, height / 2 + (y - height / 2) * factor]);
    this.#draw();
  }

  #reset(): void {
    this.#view.scale(this.#home.scale()).translate(this.#home.translate());
    this.#draw();
  }

  #drag(): void {
    let from: { x: number; y: number } | null = null;
    this.#picture.addEventListener("pointerdown", (event) => (from = { x: event.clientX, y: event.clientY }));
    this.#picture.addEventListener("pointermove", (event) => {
      if (!from || !event.buttons) return;
      const ratio = this.#size[0] / this.#picture.getBoundingClientRect().width;
      const [x, y] = this.#view.translate();
      this.#view.translate([x + (event.clientX - from.x) * ratio, y + (event.clientY - from.y) * ratio]);
      from = { x: event.clientX, y: event.clientY };
      this.#draw();
    });
    for (const end of ["pointerup", "pointerleave"]) this.#picture.addEventListener(end, () => (from = null));
  }

  #choose(place: number, focus: boolean): void {
    this.#chosen = place;
    this.#buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === place)));
    const button = this.#buttons[place];
    if (focus) button?.focus();
    button?.scrollIntoView({ block: "nearest" });
    this.#picture.insertBefore(this.#dots[place]!, this.#label);
    this.#draw();
  }

  #draw(): void {
    const path = geoPath(this.#view);
    if (this.world) {
      this.#land.setAttribute("d", path(feature(this.world, this.world.objects.land)) ?? "");
      this.#borders.setAttribute("d", path(mesh(this.world, this.world.objects.countries, (a, b) => a !== b)) ?? "");
    }
    this.spots.forEach((spot, i) => {
      const [x, y] = this.#view([spot.lon, spot.lat]) ?? [-99, -99];
      this.#dots[i]!.setAttribute("cx", x.toFixed(1));
      this.#dots[i]!.setAttribute("cy", y.toFixed(1));
      this.#dots[i]!.classList.toggle("chosen", i === this.#chosen);
      if (i === this.#chosen) this.#write(spot, x, y);
    });
  }

  #write(spot: Spot, x: number, y: number): void {
    const left = x > this.#size[0] * 0.6;
    this.#label.setAttribute("x", String(left ? x - 10 : x + 10));
    this.#label.setAttribute("y", String(y + 4));
    this.#label.setAttribute("text-anchor", left ? "end" : "start");
    this.#label.textContent = this.name(spot);
  }
}

/** The part of the earth that holds all points with some room, not closer than a region. */
function fitted(spots: Spot[], size: Size): GeoProjection {
  const [west, east] = ends(spots.map(({ lon }) => lon));
  const [south, north] = ends(spots.map(({ lat }) => lat));
  if (east - west > WORLD_SPAN) return geoNaturalEarth1().fitSize(size, { type: "Sphere" });
  const room = Math.max(1.5, (east - west) * 0.15, (north - south) * 0.15);
  const corners = [west - room, east + room].flatMap((lon) => [south - room, north + room].map((lat) => [lon, Math.max(-85, Math.min(85, lat))]));
  return geoMercator().fitSize(size, { type: "MultiPoint", coordinates: corners });
}

function links(answer: Answer, spot: Spot, title: number, names: Names): (Node | string)[] {
  const cell = answer.rows[spot.row]?.[title];
  if (cell?.type !== "uri" || !names.href(cell)) return [];
  const [link] = shown(cell, names);
  if (!(link instanceof HTMLElement)) return [];
  link.setAttribute("aria-label", t("Page of {name}", { name: names.text(cell) }));
  link.textContent = "page";
  return [link];
}
