/** The picture: sigma draws the model in the present view and says what was clicked. */
import { createNodeBorderProgram } from "@sigma/node-border";
import Sigma from "sigma";
import { DashedEdgeProgram } from "./dashed";
import { Labels, type Box } from "./labels";
import { Look } from "./look";
import type { Model } from "./model";
import { readPalette } from "./palette";
import type { Camera, Selection, View } from "./view";

export interface PictureEvents {
  select: (selected: Selection | null) => void;
  move: (camera: Camera | null) => void;
}

const MANY = 1000;
const FEW = 100;
const calmly = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Picture {
  readonly #sigma: Sigma;
  readonly #look: Look;

  constructor(
    container: HTMLElement,
    readonly model: Model,
    view: View,
    events: PictureEvents,
  ) {
    this.#look = new Look(model, readPalette(), view);
    const labels = new Labels(() => this.#look.palette, () => this.#discs());
    this.#sigma = new Sigma(model.graph, container, {
      allowInvalidContainer: true,
      defaultNodeType: "disc",
      nodeProgramClasses: { disc: discProgram() },
      edgeProgramClasses: { dashed: DashedEdgeProgram },
      nodeReducer: (id, data) => ({ ...data, ...this.#look.node(id) }),
      edgeReducer: (key, data) => ({ ...data, ...this.#look.edge(key) }),
      defaultDrawNodeLabel: labels.label,
      defaultDrawNodeHover: labels.hover,
      labelFont: this.#look.palette.font,
      labelSize: 12,
      labelWeight: "500",
      labelRenderedSizeThreshold: model.graph.order > FEW ? 4 : 3,
      labelGridCellSize: 110,
      labelDensity: 1,
      stagePadding: 36,
      minCameraRatio: 0.05,
      maxCameraRatio: 3,
      enableEdgeEvents: true,
      enableCameraRotation: false,
      zIndex: true,
    });
    this.#sigma.on("beforeRender", () => labels.begin());
    this.#sigma.on("afterRender", () => labels.flush());
    this.#sigma.refresh({ schedule: false, skipIndexation: true });
    if (view.camera) this.#sigma.getCamera().setState({ ...view.camera, angle: 0 });
    this.#listen(container, events);
  }

  /** Where the organisations lie on the screen; in a very large network names need not keep off them. */
  #discs(): Box[] {
    if (this.model.graph.order > MANY) return [];
    return this.model.graph.nodes().flatMap((id) => {
      const place = this.#sigma.getNodeDisplayData(id);
      if (!place || !place.label) return []; // What stands back has no name, and a name may cover it.
      const { x, y } = this.#sigma.framedGraphToViewport(place);
      const size = this.#sigma.scaleSize(place.size) * 0.8;
      return [{ left: x - size, right: x + size, top: y - size, bottom: y + size }];
    });
  }

  #listen(container: HTMLElement, events: PictureEvents): void {
    const sigma = this.#sigma;
    const point = (shape: string) => () => (container.style.cursor = shape);
    sigma.on("clickNode", ({ node }) => events.select({ type: "organisation", id: node }));
    sigma.on("clickEdge", ({ edge }) => events.select(this.#pair(edge)));
    sigma.on("clickStage", () => events.select(null));
    for (const enter of ["enterNode", "enterEdge"] as const) sigma.on(enter, point("pointer"));
    for (const leave of ["leaveNode", "leaveEdge"] as const) sigma.on(leave, point("grab"));
    sigma.getCamera().on("updated", ({ x, y, ratio }) => {
      const home = Math.abs(x - 0.5) + Math.abs(y - 0.5) + Math.abs(ratio - 1) < 0.002;
      events.move(home ? null : { x, y, ratio });
    });
  }

  #pair(key: string): Selection {
    const [source, target] = this.model.graph.extremities(key);
    return { type: key.startsWith("gap:") ? "gap" : "tie", source, target };
  }

  /** Draw the view; `recolour` reads the design tokens again after a change of theme. */
  show(view: View, recolour = false): void {
    if (recolour) this.#look.palette = readPalette();
    this.#look.update(view);
    this.#sigma.refresh({ skipIndexation: true });
  }

  /** Bring organisations that lie outside the picture or under its edge into its middle. */
  reveal(ids: string[]): void {
    const { width, height } = this.#sigma.getDimensions();
    const places = ids.map((id) => this.#sigma.getNodeDisplayData(id)).filter((place) => place !== undefined);
    const outside = places.some((place) => {
      const { x, y } = this.#sigma.framedGraphToViewport(place);
      return x < 24 || y < 24 || x > width - 24 || y > height - 24;
    });
    if (!places.length || !outside) return;
    const mean = (axis: "x" | "y") => places.reduce((sum, place) => sum + place[axis], 0) / places.length;
    this.#go({ x: mean("x"), y: mean("y") });
  }

  zoom(factor: number): void {
    this.#go({ ratio: this.#sigma.getCamera().getBoundedRatio(this.#sigma.getCamera().ratio * factor) });
  }

  reset(): void {
    this.#go({ x: 0.5, y: 0.5, ratio: 1 });
  }

  #go(state: Partial<Camera>): void {
    const camera = this.#sigma.getCamera();
    if (calmly()) camera.setState(state);
    else void camera.animate(state, { duration: 250 });
  }

  /** Copy all layers onto one canvas with paper behind; WebGL keeps its pixels only until the next frame. */
  snapshot(): HTMLCanvasElement {
    this.#sigma.refresh({ schedule: false, skipIndexation: true });
    const layers = this.#sigma.getCanvases();
    const copy = document.createElement("canvas");
    copy.width = layers["edges"]?.width ?? 0;
    copy.height = layers["edges"]?.height ?? 0;
    const context = copy.getContext("2d");
    if (!context) return copy;
    context.fillStyle = this.#look.palette.paper;
    context.fillRect(0, 0, copy.width, copy.height);
    for (const name of ["edges", "nodes", "labels", "hovers", "hoverNodes"]) {
      const layer = layers[name];
      if (layer?.width) context.drawImage(layer, 0, 0, copy.width, copy.height);
    }
    return copy;
  }
}

/** A disc with a rim; a group after the eighth is a ring, so the rim's width comes from the organisation. */
function discProgram() {
  return createNodeBorderProgram({
    borders: [
      { size: { attribute: "borderSize", defaultValue: 0.15 }, color: { attribute: "borderColor" } },
      { size: { fill: true }, color: { attribute: "color" } },
    ],
  });
}
