/** Points as the server puts them together for a part of the map. */

export type Box = [west: number, south: number, east: number, north: number];

export interface Cell {
  n: number;
  lat: number;
  lon: number;
  box: Box;
  label: string;
  href?: string;
  network?: string;
}

export interface Listed {
  label: string;
  href: string;
  network: string;
}

export interface Seen {
  total: number;
  seen: number;
  cut: boolean;
  cells: Cell[];
  list: Listed[];
}

/** Asks for the points of a box; a newer question ends the older one. */
export class Points {
  #asked = new AbortController();

  constructor(readonly address: string) {}

  async ask([west, south, east, north]: Box, cell: number): Promise<Seen> {
    this.#asked.abort();
    this.#asked = new AbortController();
    const address = new URL(this.address, location.href);
    const values = { west, south, east, north, cell };
    for (const [name, value] of Object.entries(values)) address.searchParams.set(name, value.toFixed(5));
    const answer = await fetch(address, { signal: this.#asked.signal });
    if (!answer.ok) throw new Error(`the points could not be loaded (${answer.status})`);
    return (await answer.json()) as Seen;
  }
}

/** Read "west,south,east,north". */
export function boxOf(text: string): Box | null {
  const sides = text.split(",").map(Number);
  const [west, south, east, north] = sides;
  const whole = sides.length === 4 && sides.every(Number.isFinite);
  return whole ? [west!, south!, east!, north!] : null;
}
