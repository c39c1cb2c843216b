/** The view of the network: what is filtered, shown and selected; kept in the address. */
import { calm } from "../dom";
import { read, write } from "../url";

export type Selection =
  | { type: "organisation"; id: string }
  | { type: "tie" | "gap"; source: string; target: string };

export interface Camera {
  x: number;
  y: number;
  ratio: number;
}

export interface View {
  kind: string;
  community: string;
  find: string;
  colour: "community" | "kind";
  gaps: boolean;
  selected: Selection | null;
  camera: Camera | null;
}

type Listener = (view: View, changed: Partial<View>) => void;

/** Holds the view, tells listeners what changed, and writes the address once the changes pause. */
export class ViewState {
  readonly #listeners: Listener[] = [];
  readonly #write = calm(() => write(toQuery(this.view)), 200);
  view: View = fromQuery();

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  set(changed: Partial<View>): void {
    this.view = { ...this.view, ...changed };
    for (const listener of this.#listeners) listener(this.view, changed);
    this.#write();
  }
}

function fromQuery(): View {
  return {
    kind: read("kind"),
    community: read("community"),
    find: read("find"),
    colour: read("colour") === "kind" ? "kind" : "community",
    gaps: read("gaps") !== "0",
    selected: selection(),
    camera: camera(read("view")),
  };
}

function selection(): Selection | null {
  const id = read("selected");
  if (id) return { type: "organisation", id };
  for (const type of ["tie", "gap"] as const) {
    const [source, target] = read(type).split(" ");
    if (source && target) return { type, source, target };
  }
  return null;
}

function camera(text: string): Camera | null {
  const [x, y, ratio] = text.split(",").map(Number);
  const known = [x, y, ratio].every((value) => value !== undefined && Number.isFinite(value));
  return text && known && ratio! > 0 ? { x: x!, y: y!, ratio: ratio! } : null;
}

function toQuery(view: View): Record<string, string> {
  const { selected, camera } = view;
  const pair = (type: "tie" | "gap") => (selected?.type === type ? `${selected.source} ${selected.target}` : "");
  return {
    kind: view.kind,
    community: view.community,
    find: view.find,
    colour: view.colour === "kind" ? "kind" : "",
    gaps: view.gaps ? "" : "0",
    selected: selected?.type === "organisation" ? selected.id : "",
    tie: pair("tie"),
    gap: pair("gap"),
    view: camera ? [camera.x, camera.y, camera.ratio].map((value) => value.toFixed(3)).join(",") : "",
  };
}
