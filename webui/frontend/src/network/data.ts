/** What the server sends about a network at `/network.json`. */

export interface Organisation {
  id: string;
  label: string;
  kind: string;
  region: string | null;
  community: number;
  degree: number;
  /** False without any tie, known or suggested: the tables have it, the picture not. */
  drawn: boolean;
  x: number;
  y: number;
  href: string;
}

export interface Activity {
  label: string;
  href: string;
  date: string | null;
}

export interface Tie {
  source: string;
  target: string;
  weight: number;
  activities: Activity[];
  kinds: string[];
}

export interface GapTie {
  source: string;
  target: string;
  kind: string;
  score: number;
  explanation: string;
  action: string;
  tier: string;
}

export interface Community {
  id: number;
  label: string;
  size: number;
}

export interface NetworkData {
  /** The version of the graph that was drawn, as `graphkit versions` lists it. */
  version: number | null;
  query: string;
  organisations: Organisation[];
  ties: Tie[];
  gaps: GapTie[];
  communities: Community[];
}

/** Fetch the network that the page's own query string asks for. */
export async function loadNetwork(address: string): Promise<NetworkData> {
  const answer = await fetch(address + location.search, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return (await answer.json()) as NetworkData;
}
