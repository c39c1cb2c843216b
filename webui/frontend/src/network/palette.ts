/** The colours of the picture, read from the design tokens so that they stand in one place only. */

const COLOURS = 8;

export interface Mark {
  colour: string;
  ring: boolean;
}

export interface Palette {
  paper: string;
  raised: string;
  ink: string;
  tie: string;
  tieStrong: string;
  faint: string;
  accent: string;
  suggested: string;
  font: string;
  mark: (place: number) => Mark;
}

/** Read the tokens as the browser resolves them for the present theme. */
export function readPalette(): Palette {
  const probe = document.body.appendChild(document.createElement("i"));
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return hex(getComputedStyle(probe).color);
  };
  const groups = Array.from({ length: COLOURS }, (_, i) => colour(`group-${i}`));
  const rest = colour("group-rest");
  const palette = {
    paper: colour("paper"),
    raised: colour("raised"),
    ink: colour("ink"),
    tie: colour("tie"),
    tieStrong: colour("tie-strong"),
    faint: colour("faint"),
    accent: colour("accent"),
    suggested: colour("suggested"),
    font: getComputedStyle(document.body).fontFamily,
    mark: (place: number) => ({
      colour: (place >= 0 && place < 2 * COLOURS && groups[place % COLOURS]) || rest,
      ring: place >= COLOURS,
    }),
  };
  probe.remove();
  return palette;
}

/** The class names of the same mark in HTML, see `.group` in parts.css. */
export function markClass(place: number): string {
  if (place < 0 || place >= 2 * COLOURS) return "group ring";
  return `group g${place % COLOURS}${place >= COLOURS ? " ring" : ""}`;
}

/** The drawing library reads #rrggbb and rgb(), not the newer spellings that a browser may answer with. */
function hex(colour: string): string {
  const numbers = colour.match(/[\d.]+/g)?.map(Number) ?? [];
  const scale = colour.startsWith("color(") ? 255 : 1;
  const pairs = numbers.slice(0, 3).map((value) => Math.round(value * scale).toString(16).padStart(2, "0"));
  return `#${pairs.join("")}`;
}
