/** The outlines under the points: the land and the borders of Natural Earth, finer as one comes nearer; own regions. */
import type { GeoPath } from "d3-geo";
import type { Feature, Geometry } from "geojson";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import coarse from "world-atlas/countries-110m.json?url";
import fine from "world-atlas/countries-50m.json?url";
import { t, tn } from "../i18n";
import { svg } from "../sparql/svg";

type Atlas = Topology<{ countries: GeometryCollection; land: GeometryCollection }>;
type Region = Feature<Geometry, Record<string, unknown> | null>;

const FINE_FROM = 700;
const STEPS = 5;

export class Outlines {
  readonly land = svg("path", { class: "land" });
  readonly borders = svg("path", { class: "borders" });
  readonly regions = svg("g", { class: "regions" });
  #atlas: Atlas | null = null;
  #fine = false;
  #areas: { shape: Region; path: SVGPathElement }[] = [];

  constructor(readonly changed: () => void) {}

  /** Load the outline for a scale, and what the deployment gives; without them the points still stand right. */
  async load(scale: number, boundaries: string, counts: string): Promise<void> {
    await Promise.all([this.#world(coarse), boundaries ? this.#own(boundaries, counts) : null]);
    this.refine(scale);
  }

  /** Fetch the finer outline once the map has come near enough to need it. */
  refine(scale: number): void {
    if (this.#fine || scale < FINE_FROM) return;
    this.#fine = true;
    void this.#world(fine).then(this.changed);
  }

  draw(path: GeoPath): void {
    if (this.#atlas) {
      this.land.setAttribute("d", path(feature(this.#atlas, this.#atlas.objects.land)) ?? "");
      this.borders.setAttribute("d", path(mesh(this.#atlas, this.#atlas.objects.countries, (a, b) => a !== b)) ?? "");
    }
    for (const { shape, path: drawn } of this.#areas) drawn.setAttribute("d", path(shape) ?? "");
  }

  async #world(address: string): Promise<void> {
    try {
      const answer = await fetch(address);
      if (answer.ok) this.#atlas = (await answer.json()) as Atlas;
    } catch {
      // The outline only helps to find one's way.
    }
  }

  /** Draw the regions of the deployment's own file, darker where more organisations are. */
  async #own(address: string, counts: string): Promise<void> {
    const [shapes, rows] = await Promise.all([fetch(address), fetch(counts)]);
    if (!shapes.ok || !rows.ok) return;
    const topology = (await shapes.json()) as Topology;
    const known = new Map(((await rows.json()) as { code: string | null; label: string; organisations: number }[]).map((row) => [row.code ?? "", row]));
    const found = Object.values(topology.objects).flatMap((object): Region[] => {
      const made = feature(topology, object) as Region | { features: Region[] };
      return "features" in made ? made.features : [made];
    });
    const most = Math.max(1, ...found.map((shape) => known.get(codeOf(shape))?.organisations ?? 0));
    this.#areas = found.map((shape) => {
      const row = known.get(codeOf(shape));
      const step = row ? Math.min(STEPS, 1 + Math.floor((row.organisations / most) * (STEPS - 0.01))) : 0;
      const said = row ? `${row.label}: ${tn("{n} organisation", "{n} organisations", row.organisations)}` : `${codeOf(shape)}: ${t("not known")}`;
      return { shape, path: svg("path", { class: `region r${step}` }, svg("title", {}, said)) };
    });
    this.regions.replaceChildren(...this.#areas.map(({ path }) => path));
    this.changed();
  }
}

function codeOf(shape: Region): string {
  const said = shape.properties ?? {};
  return String(said["code"] ?? said["NUTS_ID"] ?? shape.id ?? "");
}
