/** On every page: styles, theme, search in the header, tables that sort. */
import "../styles/index.css";
import { startSearch } from "../search";
import { startSorting } from "../tables";
import { startTheme } from "../theme";

startTheme();
startSearch();
document.querySelectorAll<HTMLTableElement>("table[data-sortable]").forEach(startSorting);
