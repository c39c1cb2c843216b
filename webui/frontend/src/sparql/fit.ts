/** What an answer must have for each view, told without loading the view. */
import { t } from "../i18n";
import { numberOf, type Answer, type Cell } from "./answer";

export interface PointColumns {
  wkt: number;
  lat: number;
  lon: number;
}

/** The columns that hold places: one of POINT texts, or a pair of latitude and longitude; null without. */
export function pointColumns({ columns }: Answer): PointColumns | null {
  const find = (pattern: RegExp) => columns.findIndex(({ name, kind }) => pattern.test(name) && kind !== "thing" && kind !== "empty");
  const wkt = columns.findIndex(({ kind }) => kind === "point");
  const [lat, lon] = [find(/^lat(itude)?$/i), find(/^(long?|lng|longitude)$/i)];
  return wkt >= 0 || (lat >= 0 && lon >= 0) ? { wkt, lat, lon } : null;
}

/** The place of one row in degrees, east and north; null where it has none or an impossible one. */
export function pointOf(row: Cell[], { wkt, lat, lon }: PointColumns): { lon: number; lat: number } | null {
  const text = wkt >= 0 ? /POINT\s*Z?\s*\(\s*(\S+)\s+([^\s)]+)/i.exec(row[wkt]?.value ?? "") : null;
  const point = wkt >= 0 ? { lon: Number(text?.[1]), lat: Number(text?.[2]) } : { lon: numberOf(row[lon]), lat: numberOf(row[lat]) };
  return Math.abs(point.lon) <= 180 && Math.abs(point.lat) <= 90 ? point : null;
}

export function unfitMap(answer: Answer): string {
  const columns = pointColumns(answer);
  if (!columns) return t("A map needs the columns ?lat and ?long in degrees, or one column of POINT texts (geo:wktLiteral).");
  return answer.rows.some((row) => pointOf(row, columns)) ? "" : t("No row has a place within -90 to 90 degrees of latitude and -180 to 180 of longitude.");
}

/** The columns that hold the two ends of a tie: source and target, else the first two columns of things. */
export function tieColumns({ form, columns }: Answer): { source: number; target: number; relation: number } | null {
  if (form === "triples") return { source: 0, target: 2, relation: 1 };
  const named = (name: RegExp) => columns.findIndex((column) => name.test(column.name) && column.kind !== "number");
  const [source, target] = [named(/^(source|from)$/i), named(/^(target|to)$/i)];
  const relation = named(/^(relation|kind|type|role|property)$/i);
  if (source >= 0 && target >= 0) return { source, target, relation };
  return null;
}

export function unfitNetwork(answer: Answer): string {
  const ends = tieColumns(answer);
  if (!ends) return t("A network needs the columns ?source and ?target, or a CONSTRUCT query.");
  const joined = answer.rows.some((row) => row[ends.source] && row[ends.target] && (answer.form === "rows" || row[ends.target]?.type !== "literal"));
  return joined ? "" : t("No row joins two things.");
}
