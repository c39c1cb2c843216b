/** The page for SPARQL: examples, a field that grows, Ctrl+Enter, and the line of an error. */
import { need } from "../dom";

const form = need<HTMLFormElement>("form[data-sparql]");
const text = need<HTMLTextAreaElement>("textarea", form);
const examples = form.querySelector<HTMLSelectElement>("select[name=example]");
const MOST_LINES = 40;

function grow(): void {
  text.rows = Math.min(MOST_LINES, Math.max(10, text.value.split("\n").length + 1));
}

/** Put the cursor on the line that the engine complained about. */
function showFault(): void {
  const line = Number(text.dataset["errorLine"] ?? 0);
  if (line < 1) return;
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
}

text.addEventListener("input", grow);
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit();
});
examples?.addEventListener("change", () => {
  const query = examples.selectedOptions[0]?.dataset["query"];
  if (!query) return;
  // As if typed, so that the browser's own undo brings the old text back.
  text.focus();
  text.select();
  if (!document.execCommand("insertText", false, query)) text.value = query;
  text.setSelectionRange(0, 0);
  text.scrollTop = 0;
  grow();
});
form.querySelector<HTMLElement>("[name=load]")?.setAttribute("hidden", "");
grow();
showFault();
