/** The SPARQL page: the editor in place of the plain field, and the answer without leaving the page. */
import { t } from "../i18n";
import "../styles/sparql.css";
import { el, need } from "../dom";
import { Editor } from "../sparql/editor";
import { Names } from "../sparql/names";
import { furtherOf, Problem, Service, type Reply } from "../sparql/run";
import { LONGEST_ADDRESS, sharingParts, startSharing } from "../sparql/share";
import { GraphTerms } from "../sparql/terms";
import { downloads } from "../sparql/downloads";
import { sizeOf, Views } from "../sparql/views";
import { read } from "../url";

const form = need<HTMLFormElement>("form[data-sparql]");
const field = need<HTMLTextAreaElement>("textarea", form);
const host = need<HTMLElement>("[data-editor]", form);
const results = need<HTMLElement>("[data-answer]");
const cancel = need<HTMLButtonElement>("[data-cancel]", form);
const status = need<HTMLElement>("[data-run-status]", form);
const clock = need<HTMLElement>("[data-clock]", form);
const base = form.getAttribute("action") ?? "/sparql";

const terms = new GraphTerms(form.dataset["terms"] ?? "", form.dataset["search"] ?? "");
const names = new Names(form.dataset["names"] ?? "", () => terms.prefixes);
const service = new Service(base);
const editor = new Editor(host, read("query") ? field.value : withoutHeader(field.value), "Query", terms, {
  run: () => void run(true),
  change: () => (field.value = editor.text),
});

function start(): void {
  form.classList.add("live");
  for (const part of form.querySelectorAll<HTMLElement>("[data-live]")) part.hidden = false;
  for (const part of form.querySelectorAll<HTMLElement>("[data-plain]")) part.hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(true);
  });
  cancel.addEventListener("click", () => {
    service.cancel();
    editor.focus();
  });
  startExamples();
  startSharing(...sharingParts(document), () => addressOf(editor.text).href, () => editor.text);
  window.addEventListener("popstate", () => {
    editor.text = read("query") || editor.text;
    void run(false);
  });
  field.value = editor.text;
  void terms.load();
  // The server has answered in the page already: an error is only marked, an answer gets its views.
  const line = Number(field.dataset["errorLine"] ?? 0);
  const fault = document.querySelector("[data-fault]");
  if (fault && line) {
    const [what = t("Look here."), where = ""] = [...fault.querySelectorAll("p")].map((part) => part.textContent ?? "");
    fault.remove();
    point(new Problem(what, where || `line ${line}`));
  } else if (read("query") && !fault) void run(false);
}

function startExamples(): void {
  const examples = form.querySelector<HTMLSelectElement>("select[name=example]");
  examples?.addEventListener("change", () => {
    const chosen = examples.selectedOptions[0];
    const address = chosen?.dataset["query"];
    if (!address) return;
    void fetch(address)
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(answer.statusText))))
      .then((query) => {
        if (examples.selectedOptions[0] !== chosen) return;
        editor.text = withoutHeader(query);
        editor.mark(null);
      })
      .catch(() => form.submit());
  });
}

/** Leave of a stored query's header only what it asks: the rest is for the list of queries. */
function withoutHeader(query: string): string {
  const summary = /^#\+ summary:\s*(.+)$/m.exec(query)?.[1];
  const text = query.replace(/^(?:#\+[^\n]*\n)+/, "");
  return summary ? `# ${summary}\n${text}` : query;
}

/** The address that shows a query in the present view; another query begins with the table. */
function addressOf(query: string): URL {
  const address = new URL(location.href);
  if (read("query") !== query) address.search = new URLSearchParams(furtherOf(location)).toString();
  address.searchParams.set("query", query);
  address.searchParams.delete("example");
  return address;
}

/** Ask what stands in the editor; a new question is a new step in the browser's history. */
async function run(step: boolean): Promise<void> {
  const query = editor.text;
  if (!query.trim()) {
    status.textContent = t("Write a query, or choose an example.");
    return;
  }
  editor.mark(null);
  document.querySelector("[data-fault]")?.remove();
  const address = addressOf(query);
  if (step && address.href !== location.href && address.href.length <= LONGEST_ADDRESS) history.pushState(null, "", address);
  const stop = startClock();
  results.setAttribute("aria-busy", "true");
  try {
    const [reply] = await Promise.all([service.ask(query, furtherOf(location)), terms.load()]);
    show(query, reply);
    status.textContent = "";
  } catch (error) {
    fail(error);
  } finally {
    stop();
    results.removeAttribute("aria-busy");
  }
}

/** Show how long a query runs; the number changes in silence, only its begin and end are told. */
let clocks = 0;
function startClock(): () => void {
  const mine = ++clocks;
  const started = performance.now();
  const tick = () => (clock.textContent = `${((performance.now() - started) / 1000).toFixed(1)} s`);
  status.textContent = t("Running …");
  cancel.hidden = false;
  tick();
  const timer = window.setInterval(tick, 100);
  return () => {
    window.clearInterval(timer);
    if (mine !== clocks) return;
    if (document.activeElement === cancel) editor.focus();
    cancel.hidden = true;
    clock.textContent = "";
  };
}

function show(query: string, reply: Reply): void {
  const { answer, seconds, version, cut } = reply;
  const facts = [sizeOf(answer), `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`, version && t("version {number}", { number: version })].filter(Boolean);
  const note = el("p", { class: "table-note", role: "status" }, facts.join(" · "));
  const part = cut ? el("div", { class: "note caution" }, el("p", {}, t("This is not the whole answer: the service gives no more than {limit} rows. Ask for less, or add ORDER BY, LIMIT and OFFSET and ask for one part after the other.", { limit: cut.replace(/^rows=/, "") }))) : null;
  const foot = downloads(base, query, furtherOf(location), answer.form);
  if (answer.form === "boolean") {
    results.replaceChildren(el("h2", {}, t("Answer")), el("p", { class: "verdict", role: "status" }, sizeOf(answer)), el("p", { class: "table-note" }, facts.slice(1).join(" · ")), foot);
    return;
  }
  const views = new Views(answer, names);
  results.replaceChildren(...[el("h2", {}, t("Answer")), note, part, views.root, foot].filter((each) => each !== null));
  views.start();
}

function fail(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") {
    if (!service.busy) status.textContent = t("Cancelled.");
    return;
  }
  if (!(error instanceof Problem)) console.error(error);
  const problem = error instanceof Problem ? error : new Problem(t("The answer could not be read."), "", t("Download it and see what it holds."));
  status.textContent = "";
  if (point(problem)) return;
  const lines = [problem.where, problem.next].filter(Boolean).map((text) => el("p", {}, text));
  results.replaceChildren(el("div", { class: "note fault", role: "alert", "data-fault": true }, el("p", {}, el("strong", {}, problem.what)), ...lines));
}

/** Show a fault in the line that it is about; false where the service names no line. */
function point(problem: Problem): boolean {
  const { line, column } = problem;
  if (!line) return false;
  results.replaceChildren();
  status.textContent = t("Not answered: look at line {line}.", { line: String(line) });
  editor.mark({ line, column, message: [problem.what, problem.next].filter(Boolean).join(". ") });
  return true;
}

start();
