/** Names in the picture: the most important first, none over another, a rim of paper against the ties behind. */
import type { NodeHoverDrawingFunction, NodeLabelDrawingFunction } from "sigma/rendering";
import type { Palette } from "./palette";

type Label = Parameters<NodeLabelDrawingFunction>;
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const LONGEST = 30;

/**
 * Draws the names. Sigma asks for one name after the other; they are kept until it has asked for all (`flush`),
 * so that the names that must stand get their place first, and a name without room is left out. A name keeps off
 * the `discs` too, but one that must stand may lie on them.
 */
export class Labels {
  #asked: Label[] = [];

  constructor(
    readonly palette: () => Palette,
    readonly discs: () => Box[],
  ) {}

  readonly label: NodeLabelDrawingFunction = (...asked) => {
    this.#asked.push(asked);
  };

  /** Forget what was asked for a frame that is over. */
  begin(): void {
    this.#asked = [];
  }

  flush(): void {
    const taken: Box[] = [];
    const discs = this.discs();
    const weight = ([, data]: Label) => (data["highlighted"] ? 2000 : 0) + (data.forceLabel ? 1000 : 0) + (data["bubble"] ? 500 : 0) + data.size;
    for (const asked of this.#asked.sort((a, b) => weight(b) - weight(a))) this.#place(asked, taken, discs);
    this.begin();
  }

  #place([context, data, settings]: Label, taken: Box[], discs: Box[]): void {
    if (!data.label) return;
    context.font = `${settings.labelWeight} ${settings.labelSize}px ${settings.labelFont}`;
    const text = data["highlighted"] ? data.label : shorten(data.label);
    const width = context.measureText(text).width;
    const { x, y, size } = data;
    const [gap, half] = [size + 4, settings.labelSize / 2 + 1];
    // A community has its name upon it; any other name stands to the right where there is room, else around.
    const middles: (readonly [number, number])[] = data["bubble"] ? [[x, y]] : [[x + gap + width / 2, y], [x - gap - width / 2, y], [x, y - gap - half], [x, y + gap + half]];
    const boxes = middles.map(([cx, cy]) => ({ left: cx - width / 2, right: cx + width / 2, top: cy - half, bottom: cy + half }));
    const free = boxes.filter(
      (box) => box.left > 2 && box.right < context.canvas.clientWidth - 2 && !taken.some((other) => overlap(box, other)),
    );
    const clear = data["bubble"] ? free[0] : free.find((box) => !discs.some((disc) => overlap(box, disc)));
    const box = clear ?? (data.forceLabel || data["highlighted"] ? free[0] : undefined);
    if (!box) return;
    taken.push(box);
    // The plate of what is selected stands there already, see `hover`.
    if (!data["highlighted"]) this.#write(context, text, box.left, box.top + half + settings.labelSize / 3);
  }

  #write(context: CanvasRenderingContext2D, text: string, x: number, y: number): void {
    const { paper, ink } = this.palette();
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = paper;
    context.fillStyle = ink;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }

  /** What is selected or under the pointer gets a ring and its whole name on a plate. */
  readonly hover: NodeHoverDrawingFunction = (context, data, settings) => {
    const { ink, raised, tie } = this.palette();
    const ring = data.size + 3;
    context.beginPath();
    context.arc(data.x, data.y, ring, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = ink;
    context.stroke();
    if (!data.label) return;
    context.font = `600 ${settings.labelSize}px ${settings.labelFont}`;
    const width = context.measureText(data.label).width + 12;
    const height = settings.labelSize + 10;
    const right = data.x + ring + 4;
    const left = right + width <= context.canvas.clientWidth ? right : Math.max(2, data.x - ring - 4 - width);
    context.fillStyle = raised;
    context.strokeStyle = tie;
    context.lineWidth = 1;
    context.beginPath();
    context.roundRect(left, data.y - height / 2, width, height, 3);
    context.fill();
    context.stroke();
    context.fillStyle = ink;
    context.fillText(data.label, left + 6, data.y + settings.labelSize / 3);
  };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function shorten(label: string): string {
  return label.length > LONGEST ? `${label.slice(0, LONGEST - 1).trimEnd()}…` : label;
}
