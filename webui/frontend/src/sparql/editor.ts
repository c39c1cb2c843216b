/**
 * The editor over the plain field. It lives in a shadow root, because there CodeMirror uses constructed style sheets,
 * which a policy without inline styles allows. Tab leaves it, as any field.
 */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { sparql } from "@codemirror/legacy-modes/mode/sparql";
import { Compartment, EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, WidgetType } from "@codemirror/view";
import type { DecorationSet } from "@codemirror/view";
import { el } from "../dom";
import { completions } from "./complete";
import { HOUSE, WORDS } from "./look";
import type { GraphTerms } from "./terms";

export interface Fault {
  line: number;
  column: number;
  message: string;
}

interface Acts {
  run: () => void;
  change: () => void;
}

/** The list shows so many at once and turns over like pages: it has no scroll bar that the keyboard could not reach. */
const PAGE = 12;
const FAULT = "query-fault";
const setFault = StateEffect.define<Fault | null>();

const faultField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) if (effect.is(setFault)) return effect.value ? marked(transaction.state, effect.value) : Decoration.none;
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function marked(state: EditorState, fault: Fault): DecorationSet {
  const line = state.doc.line(Math.min(Math.max(1, fault.line), state.doc.lines));
  const start = Math.min(line.to, line.from + Math.max(0, fault.column - 1));
  const word = /^[^\s;,.{}()]+/.exec(line.text.slice(start - line.from))?.[0].length ?? 1;
  const marks = [Decoration.line({ class: "fault-line" }).range(line.from)];
  if (fault.column && start < line.to) marks.push(Decoration.mark({ class: "fault-word" }).range(start, Math.min(line.to, start + word)));
  marks.push(Decoration.widget({ widget: new FaultWords(fault.message), block: true, side: 1 }).range(line.to));
  return Decoration.set(marks, true);
}

class FaultWords extends WidgetType {
  constructor(readonly message: string) {
    super();
  }

  override eq(other: FaultWords): boolean {
    return other.message === this.message;
  }

  override toDOM(): HTMLElement {
    return el("div", { class: "fault-words", id: FAULT }, this.message);
  }
}

export class Editor {
  readonly #view: EditorView;
  readonly #marks = new Compartment();

  constructor(host: HTMLElement, text: string, label: string, terms: GraphTerms, acts: Acts) {
    const root = host.attachShadow({ mode: "open" });
    this.#view = new EditorView({ root, parent: root, state: this.#state(text, label, terms, acts) });
  }

  #state(text: string, label: string, terms: GraphTerms, acts: Acts): EditorState {
    const run = { key: "Mod-Enter", preventDefault: true, run: () => (acts.run(), true) };
    const offer = { key: "Ctrl-Space", run: startCompletion, preventDefault: true };
    return EditorState.create({
      doc: text,
      extensions: [
        keymap.of([run, offer, ...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        lineNumbers(),
        history(),
        StreamLanguage.define(sparql),
        syntaxHighlighting(WORDS),
        indentUnit.of("  "),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        autocompletion({ override: [completions(terms)], icons: false, maxRenderedOptions: PAGE, activateOnTypingDelay: 60 }),
        faultField,
        this.#marks.of([]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off", translate: "no" }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          acts.change();
          if (!update.transactions.some((each) => each.effects.some((effect) => effect.is(setFault)))) this.#describe(null);
        }),
        HOUSE,
      ],
    });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  /** Put another query in, as one step that can be undone. */
  set text(text: string) {
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
  }

  focus(): void {
    this.#view.focus();
  }

  /** Mark where the server found a fault and put the cursor there; null takes the mark away. */
  mark(fault: Fault | null): void {
    const known = fault && fault.line >= 1 && fault.line <= this.#view.state.doc.lines ? fault : null;
    this.#view.dispatch({ effects: setFault.of(known) });
    this.#describe(known);
    if (!known) return;
    const line = this.#view.state.doc.line(known.line);
    this.#view.dispatch({ selection: { anchor: Math.min(line.to, line.from + Math.max(0, known.column - 1)) }, scrollIntoView: true });
    this.#view.focus();
  }

  #describe(fault: Fault | null): void {
    const says = fault ? EditorView.contentAttributes.of({ "aria-invalid": "true", "aria-describedby": FAULT }) : [];
    queueMicrotask(() => this.#view.dispatch({ effects: this.#marks.reconfigure(says) }));
  }
}
