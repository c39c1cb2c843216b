/** The network page: joins the filters, the picture, the panel and the tables through one view. */
import "../styles/network.css";
import { calm, need } from "../dom";
import { loadNetwork } from "../network/data";
import { Model } from "../network/model";
import { Panel } from "../network/panel";
import { Rows } from "../network/rows";
import { ViewState, type Selection } from "../network/view";
import type { Picture } from "../network/picture";
import { THEME_CHANGED } from "../theme";

const page = need<HTMLElement>("[data-network]");
const stage = need<HTMLElement>(".picture-canvas", page);
const message = need<HTMLElement>(".picture-message", page);

async function start(): Promise<void> {
  page.hidden = false;
  say("Loading the network …");
  const model = new Model(await loadNetwork(page.dataset["network"] ?? ""));
  const state = new ViewState();
  const select = (selected: Selection | null) => state.set({ selected });
  const panel = new Panel(need(".panel", page), need("[data-status]", page), model, {
    select,
    community: (community) => state.set({ community }),
    kind: (kind) => state.set({ kind }),
  });
  const rows = new Rows(model, { select, enter: () => panel.focus() });
  panel.root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") rows.focus();
  });
  bindFilters(state);
  state.listen((view, changed) => {
    if (Object.keys(changed).every((name) => name === "camera")) return;
    panel.show(view);
    rows.show(view);
  });
  panel.show(state.view);
  rows.show(state.view);
  describe(model);
  const picture = await draw(model, state, select);
  if (picture) bindPicture(picture, state);
}

/** Draw where WebGL is there; sigma is fetched only then, since it needs WebGL to be read at all. */
async function draw(model: Model, state: ViewState, select: (selected: Selection | null) => void): Promise<Picture | null> {
  page.classList.add("bare");
  if (!hasWebGL()) {
    say("This browser cannot draw the picture (WebGL is missing or switched off). The tables below say the same.");
    return null;
  }
  if (!model.data.organisations.length) {
    say("No organisation to draw.");
    return null;
  }
  const { Picture } = await import("../network/picture");
  page.classList.remove("bare");
  need<HTMLElement>(".picture-tools", page).hidden = false; // First, for it takes room from the picture.
  const picture = new Picture(stage, model, state.view, { select, move: (camera) => state.set({ camera }) });
  say("");
  return picture;
}

function bindFilters(state: ViewState): void {
  const form = need<HTMLFormElement>("form[data-network-filters]");
  const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement | HTMLSelectElement;
  const show = () => {
    for (const name of ["kind", "community", "find"] as const) {
      if (field(name) !== document.activeElement || name !== "find") field(name).value = state.view[name];
    }
  };
  const take = (name: "kind" | "community" | "find") => () => state.set({ [name]: field(name).value.trim(), selected: null });
  form.querySelector<HTMLElement>("[type=submit]")?.setAttribute("hidden", "");
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["kind", "community"] as const) field(name).addEventListener("change", take(name));
  field("find").addEventListener("input", calm(take("find"), 150));
  // Another network is another page: the server computes its layout and its tables.
  field("network").addEventListener("change", () => {
    location.search = new URLSearchParams({ network: field("network").value }).toString();
  });
  show();
  state.listen(show);
}

function bindPicture(picture: Picture, state: ViewState): void {
  const colour = need<HTMLSelectElement>("select[data-colour]", page);
  const gaps = need<HTMLInputElement>("input[data-gaps]", page);
  colour.value = state.view.colour;
  gaps.checked = state.view.gaps;
  colour.addEventListener("change", () => state.set({ colour: colour.value === "kind" ? "kind" : "community" }));
  gaps.addEventListener("change", () => state.set({ gaps: gaps.checked }));
  const acts: Record<string, () => void> = {
    in: () => picture.zoom(1 / 1.6),
    out: () => picture.zoom(1.6),
    reset: () => picture.reset(),
    png: () => save(picture),
  };
  for (const button of page.querySelectorAll<HTMLButtonElement>("button[data-act]"))
    button.addEventListener("click", () => acts[button.dataset["act"] ?? ""]?.());
  state.listen((view, changed) => {
    if (Object.keys(changed).every((name) => name === "camera")) return;
    picture.show(view);
    const { selected } = view;
    if (changed.selected && selected) picture.reveal(selected.type === "organisation" ? [selected.id] : [selected.source, selected.target]);
  });
  document.addEventListener(THEME_CHANGED, () => picture.show(state.view, true));
  bindPrint(picture);
}

/** A printed page takes a copy, for the browser does not keep what WebGL has drawn. */
function bindPrint(picture: Picture): void {
  window.addEventListener("beforeprint", () => {
    const copy = picture.snapshot();
    copy.className = "printed";
    stage.append(copy);
  });
  window.addEventListener("afterprint", () => stage.querySelector(".printed")?.remove());
}

function save(picture: Picture): void {
  picture.snapshot().toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "network.png";
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}

function describe(model: Model): void {
  const { organisations, ties, communities } = model.data;
  stage.setAttribute(
    "aria-label",
    `Picture of ${organisations.length} organisations in ${communities.length} communities, joined by ${ties.length} ties, ` +
      `with ${model.suggested} suggested ties. The tables below hold the same.`,
  );
}

function say(text: string): void {
  message.textContent = text;
  message.hidden = !text;
}

function hasWebGL(): boolean {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
}

start().catch((error: unknown) => {
  console.error(error);
  say("The picture could not be loaded. The tables below say the same; reload the page to try again.");
});
