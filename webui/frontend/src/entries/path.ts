/** The pages of paths and of what-if: fields that suggest organisations. */
import "../styles/network.css";
import { suggestOrganisations } from "../organisations";

for (const input of document.querySelectorAll<HTMLInputElement>("input[data-organisations]")) {
  const hidden = document.createElement("input");
  hidden.type = "hidden";
  suggestOrganisations(input, input.dataset["organisations"] ?? "", (id) => {
    // The name may belong to several: the form sends the one that was chosen, until the text is changed.
    hidden.name = input.name;
    hidden.value = id;
    input.removeAttribute("name");
    input.after(hidden);
    input.addEventListener(
      "input",
      () => {
        input.name = hidden.name;
        hidden.remove();
      },
      { once: true },
    );
    const empty = [...(input.form?.querySelectorAll<HTMLInputElement>("input[data-organisations]") ?? [])].find((each) => !each.value);
    if (empty) empty.focus();
    else input.form?.querySelector<HTMLElement>("[type=submit]")?.focus();
  });
}
