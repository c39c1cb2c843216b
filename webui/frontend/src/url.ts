/** The state of a page stands in its address, so a copied address shows the same view. */

/** Read one value of the query string; an absent one is the empty text. */
export function read(name: string): string {
  return new URLSearchParams(location.search).get(name) ?? "";
}

/** Put values into the query string without a new step in the history; an empty one is taken out. */
export function write(values: Record<string, string>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  const address = location.pathname + (text ? `?${text}` : "") + location.hash;
  if (address !== location.pathname + location.search + location.hash) history.replaceState(history.state, "", address);
}
