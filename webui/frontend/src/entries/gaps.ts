/** The page of gaps: a choice among the filters acts at once, without the button. */
import "../styles/gaps.css";
import { calm } from "../dom";

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-live-filters]")) {
  form.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement) form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    for (const field of form.elements) if ((field instanceof HTMLSelectElement || field instanceof HTMLInputElement) && !field.value) field.disabled = true;
  });
  const find = form.elements.namedItem("find");
  if (find instanceof HTMLInputElement) find.addEventListener("search", calm(() => form.requestSubmit(), 50));
}
window.addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll<HTMLInputElement | HTMLSelectElement>("form[data-live-filters] :disabled")) field.disabled = false;
});
