/** Fields that name an organisation, with suggestions while one types. */
import { Combobox, suggestionList } from "./combobox";
import { el } from "./dom";

interface Near {
  id: string;
  label: string;
  kind: string;
}

let count = 0;

/** Let a field suggest organisations from an address; `chosen` hears the id of the one that is taken. */
export function suggestOrganisations(input: HTMLInputElement, address: string, chosen: (id: string) => void): void {
  const list = suggestionList(`organisations-${(count += 1)}`);
  const status = el("span", { class: "unseen", role: "status" });
  const frame = el("span", { class: "combobox" });
  input.replaceWith(frame);
  frame.append(input, list, status);
  const field: Combobox<Near> = new Combobox<Near>(input, list, status, {
    address,
    option: (near) => [el("span", {}, near.label), el("span", { class: "kind", lang: "en" }, near.kind)],
    taken: (near) => {
      input.value = near.label;
      field.close();
      chosen(near.id);
    },
  });
}
