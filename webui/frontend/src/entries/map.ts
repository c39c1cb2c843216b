/** The map page: organisations put together in circles, over outlines that travel with the site. */
import "../styles/map.css";
import { need } from "../dom";
import { OrganisationMap } from "../map/view";

const host = need<HTMLElement>("[data-map]");
host.hidden = false;
void new OrganisationMap(host).start();
