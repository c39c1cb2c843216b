/** The picture: sigma draws a scene in the present view and says what was clicked. */
import { createNodeBorderProgram } from "@sigma/node-border";
import Sigma from "sigma";
import { DashedEdgeProgram } from "./dashed";
import { Labels, type Box } from "./labels";
import { Look } from "./look";
import { bubbleKey, type Model } from "./model";
import { readPalette } from "./palette";
import type { Camera, Seen } from "./view";

export interface PictureEvents {
  mark: (key: string) => void;
  line: (key: string) => void;
  nothing: () => void;
  move: (camera: Camera | null) => void;
}

const MANY = 1000;
const PADDING = 48;
const FEW = 100;
const THOUSANDS = 8000;
const calmly = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Picture {
  readonly #sigma: Sigma;
  readonly #look: Look;

  constructor(
    readonly container: HTMLElement,
    public model: Model,
    view: Seen,
    events: PictureEvents,
  ) {
    this.#look = new Look(model, readPalette(), view);
    const labels = new Labels(() => this.#look.palette, () => this.#discs());
    this.#sigma = new Sigma(model.graph, container, {
      allowInvalidContainer: true,
      defaultNodeType: "disc",
      nodeProgramClasses: { disc: discProgram() },
      edgeProgramClasses: { dashed: DashedEdgeProgram },
      nodeReducer: (key, data) => ({ ...data, ...this.#look.node(key) }),
      edgeReducer: (key, data) => ({ ...data, ...this.#look.edge(key, data) }),
      defaultDrawNodeLabel: labels.label,
      defaultDrawNodeHover: labels.hover,
      labelFont: this.#look.palette.font,
      labelSize: 12,
      labelWeight: "500",
      labelRenderedSizeThreshold: 4,
      labelGridCellSize: 110,
      labelDensity: 1,
      stagePadding: PADDING,
      minCameraRatio: 0.02,
      maxCameraRatio: 3,
      enableEdgeEvents: true,
      enableCameraRotation: false,
      zIndex: true,
    });
    this.#fit();
    this.#grow();
    this.#sigma.on("beforeRender", () => labels.begin());
    this.#sigma.on("afterRender", () => labels.flush());
    this.#sigma.refresh({ schedule: false, skipIndexation: true });
    if (view.camera) this.#sigma.getCamera().setState({ ...view.camera, angle: 0 });
    this.#listen(events);
  }

  /** Settings that follow from how much there is to draw: a very large picture need not answer on its lines. */
  #fit(): void {
    const { order } = this.model.graph;
    this.#sigma.setSetting("labelRenderedSizeThreshold", order > FEW ? 4 : 3);
    this.#sigma.setSetting("hideEdgesOnMove", order > THOUSANDS);
    this.#sigma.setSetting("enableEdgeEvents", order <= THOUSANDS);
  }

  /** A community takes as much room as its members would: its size on the screen follows from that of the picture. */
  #grow(): void {
    const bubbles = this.model.scene.bubbles;
    if (!bubbles.length) return;
    const { width, height } = this.#sigma.getDimensions();
    const [wide, high] = this.model.span;
    const scale = Math.min((width - 2 * PADDING) / wide, (height - 2 * PADDING) / high);
    for (const { id, radius } of bubbles) this.model.graph.setNodeAttribute(bubbleKey(id), "size", Math.max(6, Math.min(90, radius * scale * 0.95)));
  }

  /** Draw another scene; the camera stays where the places are the same. */
  take(model: Model, view: Seen, keepCamera: boolean): void {
    this.model = model;
    this.#look.model = model;
    this.#look.update(view);
    this.#sigma.setGraph(model.graph);
    this.#fit();
    this.#grow();
    this.#sigma.refresh();
    if (!keepCamera) this.reset();
  }

  /** Where the marks lie on the screen; in a very large picture names need not keep off them. */
  #discs(): Box[] {
    if (this.model.graph.order > MANY) return [];
    return this.model.graph.nodes().flatMap((key) => {
      const place = this.#sigma.getNodeDisplayData(key);
      if (!place || !place.label) return []; // What stands back has no name, and a name may cover it.
      const { x, y } = this.#sigma.framedGraphToViewport(place);
      const size = this.#sigma.scaleSize(place.size) * 0.8;
      return [{ left: x - size, right: x + size, top: y - size, bottom: y + size }];
    });
  }

  #listen(events: PictureEvents): void {
    const sigma = this.#sigma;
    const point = (shape: string) => () => (this.container.style.cursor = shape);
    sigma.on("clickNode", ({ node }) => events.mark(node));
    sigma.on("clickEdge", ({ edge }) => events.line(edge));
    sigma.on("clickStage", () => events.nothing());
    for (const enter of ["enterNode", "enterEdge"] as const) sigma.on(enter, point("pointer"));
    for (const leave of ["leaveNode", "leaveEdge"] as const) sigma.on(leave, point("grab"));
    sigma.getCamera().on("updated", ({ x, y, ratio }) => {
      const home = Math.abs(x - 0.5) + Math.abs(y - 0.5) + Math.abs(ratio - 1) < 0.002;
      events.move(home ? null : { x, y, ratio });
    });
  }

  /** Draw the view; `recolour` reads the design tokens again after a change of theme. */
  show(view: Seen, recolour = false): void {
    if (recolour) this.#look.palette = readPalette();
    this.#look.update(view);
    this.#sigma.refresh({ skipIndexation: true });
    if (!recolour) this.#reveal(this.#look.chosen);
  }

  /** Bring what is selected into the middle where it lies outside the picture or under its edge. */
  #reveal(keys: string[]): void {
    const { width, height } = this.#sigma.getDimensions();
    const places = keys.map((key) => this.#sigma.getNodeDisplayData(key)).filter((place) => place !== undefined);
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

/** A disc with a rim; a group after the eighth is a ring, so the rim's width comes from the mark. */
function discProgram() {
  return createNodeBorderProgram({
    borders: [
      { size: { attribute: "borderSize", defaultValue: 0.15 }, color: { attribute: "borderColor" } },
      { size: { fill: true }, color: { attribute: "color" } },
    ],
  });
}
