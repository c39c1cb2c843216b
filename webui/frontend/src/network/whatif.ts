/** What-if in the picture: choose the partner with a click or by name, and see beside it what would change. */
import { el } from "../dom";
import { t } from "../i18n";
import { suggestOrganisations } from "../organisations";

/**
 * Links with `data-what-if` begin: the next organisation that is clicked, or named in the field, is tried as a partner.
 * Without scripts the link leads to the page of what-if.
 */
export class WhatIf {
  #from = "";

  constructor(
    readonly panel: HTMLElement,
    readonly address: string,
  ) {
    document.addEventListener("click", (event) => {
      const link = (event.target as HTMLElement).closest<HTMLAnchorElement>("a[data-what-if]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#begin(link);
    });
  }

  /** Take an organisation as the partner, if one is asked for. */
  takes(id: string): boolean {
    if (!this.#from || id === this.#from || id.startsWith("community:")) return false;
    void this.#try(this.#from, id);
    return true;
  }

  stop(): void {
    this.#from = "";
    this.panel.querySelector(".what-if")?.remove();
  }

  #begin(link: HTMLAnchorElement): void {
    this.#from = link.dataset["whatIf"] ?? "";
    this.panel.querySelector(".what-if")?.remove();
    const field = el("input", { type: "text", id: "what-if-with", autocomplete: "off", maxlength: 200, placeholder: t("Name of an organisation") });
    const box = el(
      "div",
      { class: "what-if" },
      el("label", { for: "what-if-with" }, t("What if it worked with: click an organisation in the picture, or name it")),
      field,
      el("p", { class: "soft", role: "status" }),
      el("button", { type: "button", class: "plain", click: () => this.stop() }, t("Leave it")),
    );
    link.closest("ul")?.after(box);
    suggestOrganisations(field, link.dataset["organisations"] ?? `${this.address.replace(/what-if$/, "")}api/organisations`, (id) => void this.#try(this.#from, id));
    field.focus();
  }

  async #try(from: string, to: string): Promise<void> {
    const box = this.panel.querySelector<HTMLElement>(".what-if");
    const status = box?.querySelector<HTMLElement>("[role=status]");
    if (!box || !status) return;
    status.textContent = t("Trying it …");
    const query = new URLSearchParams({ tie: `${from} ${to}` });
    const answer = await fetch(`${this.address}?${query}&part=1`);
    if (!answer.ok) {
      status.textContent = t("That could not be tried. Try another organisation.");
      return;
    }
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
    const result = el("div", { class: "what-if-result" }, ...[...part.body.childNodes].map((node) => document.importNode(node, true)));
    result.append(el("p", {}, el("a", { href: `${this.address}?${query}` }, t("Open it as a page, to try more ties"))));
    status.textContent = "";
    box.querySelector(".what-if-result")?.remove();
    box.append(result);
  }
}
