/** The network page: the view in the address, the picture, and the parts that the server writes. */
import "../styles/network.css";
import { calm, need } from "../dom";
import { t } from "../i18n";
import { fetched, type Scene } from "../network/data";
import { startFilters } from "../network/filters";
import { bubbleKey, Model } from "../network/model";
import { Parts } from "../network/parts";
import type { Picture } from "../network/picture";
import { changesParts, changesScene, View } from "../network/view";
import { WhatIf } from "../network/whatif";
import { THEME_CHANGED } from "../theme";

const page = need<HTMLElement>("[data-network]");
const stage = need<HTMLElement>(".picture-canvas", page);
const message = need<HTMLElement>(".picture-message", page);
const view = new View();
let picture: Picture | null = null;
let whatIf: WhatIf | null = null;
let asked = new AbortController();
let loadParts = () => {};

async function start(): Promise<void> {
  const panel = page.querySelector<HTMLElement>(".panel");
  if (panel) {
    const parts = new Parts(view, page.dataset["parts"] ?? "", panel, need("[data-status]", page));
    const load = calm(() => void parts.load(say).catch(fault), 60);
    loadParts = load;
    whatIf = new WhatIf(panel, page.dataset["whatIfPart"] ?? "");
    startFilters(view);
    view.listen((_, changed) => {
      if (changesParts(changed)) load();
    });
  }
  view.listen((_, changed) => void change(changed).catch(fault));
  await draw();
  bindTools();
}

async function scene(): Promise<Scene> {
  asked.abort();
  asked = new AbortController();
  const answer = await fetched((page.dataset["network"] ?? "") + view.search(true), asked.signal, say);
  return (await answer.json()) as Scene;
}

/** Draw where WebGL is there; sigma is fetched only then, since it needs WebGL to be read at all. */
async function draw(): Promise<void> {
  if (!hasWebGL()) {
    page.classList.add("bare");
    return say(t("This browser cannot draw the picture (WebGL is missing or switched off). The tables below say the same."));
  }
  say(t("Loading the network …"));
  const [{ Picture }, found] = await Promise.all([import("../network/picture"), scene()]);
  const model = new Model(found);
  for (const tools of page.querySelectorAll<HTMLElement>("[data-live]")) tools.hidden = false; // First, for it takes room from the picture.
  picture = new Picture(stage, model, view, {
    mark: choose,
    line: chooseLine,
    nothing: () => view.set({ selected: "", tie: "", gap: "", bubble: "" }),
    move: calm((camera) => view.set({ view: camera ? [camera.x, camera.y, camera.ratio].map((value) => value.toFixed(3)).join(",") : "" }, true), 200),
  });
  told(model);
  document.documentElement.dataset["drawn"] = String(model.graph.order);
}

async function change(changed: Set<string>): Promise<void> {
  if (!picture) return;
  if (changesScene(changed) || changed.has("late")) {
    page.setAttribute("aria-busy", "true");
    const model = new Model(await scene());
    page.removeAttribute("aria-busy");
    picture.take(model, view, [...changed].every((name) => ["open", "selected", "bubble", "tie", "gap", "size", "page", "late"].includes(name)));
    if (changed.has("late") && !model.scene.late) loadParts();
    told(model);
    document.documentElement.dataset["drawn"] = String(model.graph.order);
  } else if ([...changed].some((name) => name !== "view" && name !== "page" && name !== "sort")) picture.show(view);
}

const LATE = 5000;

function told(model: Model): void {
  // The gaps come later than the picture where the graph is large: ask again, quietly, until they are there.
  if (model.scene.late) window.setTimeout(() => void change(new Set(["late"])).catch(fault), LATE);
  const nothing = model.graph.order === 0;
  say(nothing ? t("Nothing to draw: no organisation that passes has a tie. The tables below hold who is here.") : "");
  stage.setAttribute("aria-label", `${t("Picture of the network; the tables below hold the same.")} ${model.scene.summary}`);
}

/** A click on an organisation selects it; on a community it shows it, and on the one that is shown it opens it. */
function choose(key: string): void {
  if (whatIf?.takes(key)) return;
  const bubble = picture?.model.marks.get(key)?.bubble;
  if (!bubble) return view.set({ selected: key });
  if (view.get("bubble") !== String(bubble.id) && page.querySelector(".panel")) return view.set({ bubble: String(bubble.id) });
  const open = view.get("open").split(",").filter((each) => /^\d+$/.test(each));
  view.set({ open: [...open, String(bubble.id)].sort((a, b) => Number(a) - Number(b)).join(","), bubble: String(bubble.id) });
}

function chooseLine(key: string): void {
  const gap = picture?.model.gaps.get(key);
  if (gap) return view.set({ gap: gap.gap });
  const ends = picture?.model.graph.extremities(key) ?? [];
  const bubble = ends.find((end) => end.startsWith(bubbleKey(0).slice(0, -1)));
  if (bubble) view.set({ bubble: bubble.split(":")[1] ?? "" });
  else view.set({ tie: ends.join(" ") });
}

function bindTools(): void {
  const gaps = page.querySelector<HTMLInputElement>("input[data-gaps]");
  if (gaps) {
    gaps.checked = view.get("gaps") !== "0";
    gaps.addEventListener("change", () => view.set({ gaps: gaps.checked ? "" : "0" }));
    view.listen(() => (gaps.checked = view.get("gaps") !== "0"));
  }
  const acts: Record<string, () => void> = {
    in: () => picture?.zoom(1 / 1.6),
    out: () => picture?.zoom(1.6),
    reset: () => picture?.reset(),
    png: save,
    "open-all": () => view.set({ open: "all" }),
    "open-none": () => view.set({ open: "none" }),
  };
  document.addEventListener("click", (event) => {
    const act = (event.target as HTMLElement).closest<HTMLElement>("[data-act]");
    if (!act) return;
    event.preventDefault();
    acts[act.dataset["act"] ?? ""]?.();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.matches("[data-copy]")) event.target.select();
  });
  document.addEventListener(THEME_CHANGED, () => picture?.show(view, true));
  bindPrint();
}

/** A printed page takes a copy, for the browser does not keep what WebGL has drawn. */
function bindPrint(): void {
  window.addEventListener("beforeprint", () => {
    if (!picture) return;
    const copy = picture.snapshot();
    const paper = copy.getContext("2d")?.getImageData(0, 0, 1, 1).data;
    copy.className = paper && (paper[0] ?? 255) < 128 ? "printed dark" : "printed"; // Paper is white.
    stage.append(copy);
  });
  window.addEventListener("afterprint", () => stage.querySelector(".printed")?.remove());
}

function save(): void {
  picture?.snapshot().toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "network.png";
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}

function say(text: string): void {
  message.textContent = text;
  message.hidden = !text;
}

function fault(error: unknown): void {
  page.removeAttribute("aria-busy");
  if (error instanceof DOMException && error.name === "AbortError") return;
  console.error(error);
  say(t("The picture could not be loaded. The tables below say the same; load the page again to try once more."));
}

function hasWebGL(): boolean {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
}

start().catch(fault);
