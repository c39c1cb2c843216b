/** A story that is presented: arrow keys lead on, and the view can fill the screen. */
import "../styles/story.css";
import { need } from "../dom";

const root = need<HTMLElement>("[data-present]");
const frame = need<HTMLIFrameElement>("iframe", root);
const full = need<HTMLButtonElement>("[data-fullscreen]", root);

need<HTMLElement>("[data-keys]", root).hidden = false;
if (document.fullscreenEnabled) {
  full.hidden = false;
  full.addEventListener("click", () => void root.requestFullscreen().catch(() => (full.hidden = true)));
}

const keys: Record<string, string> = { ArrowRight: "a[rel=next]", PageDown: "a[rel=next]", ArrowLeft: "a[rel=prev]", PageUp: "a[rel=prev]", Escape: ".present-head a" };

function step(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || (event.target as Element).closest("input, textarea, select")) return;
  const link = root.querySelector<HTMLAnchorElement>(keys[event.key] ?? ":not(*)");
  if (!link || (event.key === "Escape" && document.fullscreenElement)) return;
  event.preventDefault();
  link.click();
}

document.addEventListener("keydown", step);
need<HTMLAnchorElement>("a.action:not(.quiet)", root).focus();
// Keys that are pressed within the view are for the view; only Escape leads back out of it.
frame.addEventListener("load", () => {
  frame.contentDocument?.addEventListener("keydown", (event) => {
    if (event.key === "Escape") full.focus();
  });
});
