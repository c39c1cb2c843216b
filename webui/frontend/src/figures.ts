/** Numbers of pictures: short in a picture, whole in words. */
import { num } from "./i18n";

const language = document.documentElement.lang || "en";
const shortly = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });

/** Write a large number shortly, such as 1.2M. */
export function short(value: number): string {
  return Math.abs(value) < 1000 ? num(Math.round(value)) : shortly.format(value);
}

/** Cut a name to what fits beside a picture. */
export function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;
}
