/** Sharing: the address of the present view, and a short link that the server keeps. */
import { t } from "../i18n";
import { el, need } from "../dom";
import { Problem } from "./run";

/** What browsers, servers and mail programs between them take for sure. */
export const LONGEST_ADDRESS = 8000;

/** Let the two buttons of the editor open their box; `query` gives the text to save. */
export function startSharing(box: HTMLElement, share: HTMLButtonElement, save: HTMLButtonElement, address: () => string, query: () => string): void {
  const open = (button: HTMLButtonElement, fill: () => void) =>
    button.addEventListener("click", () => {
      const closing = !box.hidden && box.dataset["by"] === button.textContent;
      box.hidden = closing;
      box.dataset["by"] = button.textContent ?? "";
      for (const each of [share, save]) each.setAttribute("aria-expanded", String(each === button && !closing));
      if (!closing) fill();
    });
  open(share, () => {
    if (address().length > LONGEST_ADDRESS) box.replaceChildren(el("span", { class: "soft small", role: "status" }, t("This query is too long for an address. Save it as a short link instead.")));
    else void offer(box, address(), t("The address holds the query and the view."));
  });
  open(save, () => askTitle(box, query));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    box.hidden = true;
    const opener = [share, save].find((each) => each.getAttribute("aria-expanded") === "true");
    opener?.setAttribute("aria-expanded", "false");
    opener?.focus();
  });
}

/** Show an address to copy, and copy it at once where the browser lets us. */
async function offer(box: HTMLElement, address: string, note: string): Promise<void> {
  const field = el("input", { type: "text", readonly: true, "aria-label": t("Address to share") });
  field.value = address;
  const said = el("span", { class: "soft small", role: "status" }, note);
  box.replaceChildren(field, said);
  field.select();
  field.focus();
  const copied = await navigator.clipboard?.writeText(address).then(
    () => true,
    () => false,
  );
  said.textContent = copied ? `${t("Copied.")} ${note}` : `${note} ${t("Copy it with Ctrl + C.")}`;
}

function askTitle(box: HTMLElement, query: () => string): void {
  const field = el("input", { type: "text", name: "title", maxlength: "200", required: true, autocomplete: "off" });
  field.value = titleOf(query());
  const form = el("form", { class: "save" }, el("label", {}, t("Title"), field), el("button", { type: "submit", class: "action" }, t("Save")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void keep(box, query(), field.value.trim());
  });
  box.replaceChildren(form, el("span", { class: "soft small" }, t("Everybody who has the link can read the query.")));
  field.focus();
}

/** The first words of a comment at the head of the query make its title. */
function titleOf(query: string): string {
  return /^\s*#\+?\s*(?:summary:)?\s*(\S.*)$/m.exec(query.slice(0, 400))?.[1]?.trim() ?? "";
}

async function keep(box: HTMLElement, query: string, title: string): Promise<void> {
  try {
    const { href } = await post(box.dataset["saved"] ?? "", { query, title });
    await offer(box, new URL(href, location.href).href, t("The short link stays."));
  } catch (error) {
    const why = error instanceof Problem ? [error.what, error.next].join(" ") : t("The service cannot be reached.");
    box.replaceChildren(el("span", { class: "fault-text", role: "alert" }, `${t("Not saved.")} ${why}`));
  }
}

async function post(address: string, body: { query: string; title: string }): Promise<{ id: string; href: string }> {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  const said = (await answer.json().catch(() => ({}))) as Record<string, string>;
  if (!answer.ok || !said["href"]) throw new Problem(said["detail"] ?? said["error"] ?? t("The service answered {status}.", { status: String(answer.status) }), "", said["next"] ?? "");
  return { id: said["id"] ?? "", href: said["href"] };
}

/** Find the parts of the box that the page holds. */
export function sharingParts(form: ParentNode): [HTMLElement, HTMLButtonElement, HTMLButtonElement] {
  return [need("[data-share-box]", form), need("[data-share]", form), need("[data-save]", form)];
}
