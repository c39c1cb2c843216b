/** The page of gaps: its table filters while one types. */
import { startFiltering } from "../tables";

document.querySelectorAll<HTMLFormElement>("form[data-filters]").forEach(startFiltering);
