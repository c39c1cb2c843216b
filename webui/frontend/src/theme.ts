/** Light, dark, or as the system says; the choice is kept in this browser only. */
import { t } from "./i18n";

const KEY = "graphkit-theme";
const CHOICES = ["system", "light", "dark"] as const;
type Choice = (typeof CHOICES)[number];

/** Tells other parts of the page (the picture of the network) that the colours have changed. */
export const THEME_CHANGED = "graphkit:theme";

/** Apply the kept choice and let the button in the header step through the three. */
export function startTheme(): void {
  let choice = kept();
  apply(choice);
  const button = document.querySelector<HTMLButtonElement>("button.theme");
  if (button) {
    button.hidden = false;
    name(button, choice);
    button.addEventListener("click", () => {
      choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length] ?? "system";
      keep(choice);
      apply(choice);
      name(button, choice);
    });
  }
  const tell = () => document.dispatchEvent(new Event(THEME_CHANGED));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
}

function kept(): Choice {
  try {
    const value = localStorage.getItem(KEY);
    return CHOICES.find((choice) => choice === value) ?? "system";
  } catch {
    return "system"; // A browser that forbids storage still shows the page.
  }
}

function keep(choice: Choice): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // The choice then lasts for this page.
  }
}

function apply(choice: Choice): void {
  if (choice === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = choice;
  document.dispatchEvent(new Event(THEME_CHANGED));
}

function name(button: HTMLButtonElement, choice: Choice): void {
  const label = { system: t("Colours: as the system"), light: t("Colours: light"), dark: t("Colours: dark") }[choice];
  button.setAttribute("aria-label", label);
  button.title = label;
}
