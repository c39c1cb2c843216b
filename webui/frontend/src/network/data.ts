/** What the server sends about a view of the network, and how it is asked for. */
import { t } from "../i18n";

/** Organisations column by column: the place of one is the same in each list. */
export interface Organisations {
  id: string[];
  label: string[];
  /** A place in `kinds`. */
  kind: number[];
  community: number[];
  degree: number[];
  size: number[];
  x: number[];
  y: number[];
}

/** A community that is drawn as one. */
export interface Bubble {
  id: number;
  label: string;
  size: number;
  ties: number;
  x: number;
  y: number;
  /** How far its members reach around it, in the same unit as the places. */
  radius: number;
}

/** A suggested tie between two marks, with the gap of the highest score and the number of gaps. */
export interface GapLine {
  a: number;
  b: number;
  gap: string;
  kind: string;
  score: number;
  number: number;
}

/** A mark is the place of an organisation, or -1 - the place of a bubble. */
export interface Scene {
  version: number | null;
  query: string;
  kinds: string[];
  organisations: Organisations;
  bubbles: Bubble[];
  lines: { a: number[]; b: number[]; ties: number[]; weight: number[] };
  gaps: GapLine[];
  summary: string;
  late: boolean;
}

interface Progress {
  step: number;
  steps: number;
  says: string;
}

const AGAIN = 1500;

/** Fetch an address until it is there: while the server computes, `told` hears how far it is. */
export async function fetched(address: string, signal: AbortSignal, told: (text: string) => void): Promise<Response> {
  for (;;) {
    const answer = await fetch(address, { signal });
    if (answer.status !== 202) {
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      return answer;
    }
    const { step, steps, says } = (await answer.json()) as Progress;
    told(t("Step {step} of {steps}: {what} …", { step, steps, what: says }));
    await new Promise((resolve) => window.setTimeout(resolve, AGAIN));
    if (signal.aborted) throw new DOMException("", "AbortError");
  }
}
