/** How the editor looks: the house's tokens reach into its shadow root as custom properties. */
import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export const WORDS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: [tags.standard(tags.name), tags.standard(tags.variableName), tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.special(tags.variableName), tags.local(tags.variableName)], color: "var(--code-variable)" },
  { tag: tags.variableName, color: "var(--ink)" },
  { tag: tags.atom, color: "var(--code-name)" },
  { tag: [tags.string, tags.meta, tags.number], color: "var(--code-value)" },
  { tag: tags.comment, color: "var(--ink-soft)", fontStyle: "italic" },
]);

const MARK = "color-mix(in srgb, var(--accent) 26%, transparent)";

export const HOUSE = EditorView.theme({
  "&": { backgroundColor: "var(--paper)", color: "var(--ink)", fontSize: "var(--text-s)", maxHeight: "min(34rem, 62vh)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content, .cm-gutter": { minHeight: "13rem" },
  ".cm-content": { padding: "var(--s2) 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 var(--s3) 0 var(--s2)" },
  ".cm-gutters": { backgroundColor: "var(--wash)", color: "var(--ink-soft)", border: "0", borderRight: "1px solid var(--hairline)" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "2.25rem", padding: "0 var(--s2) 0 var(--s1)" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 6%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused .cm-matchingBracket, .cm-matchingBracket": { backgroundColor: MARK, outline: "1px solid var(--rule)" },
  ".cm-nonmatchingBracket": { color: "var(--bad)" },
  ".cm-content ::selection": { backgroundColor: MARK },
  ".fault-line": { backgroundColor: "var(--bad-wash) !important", boxShadow: "inset 3px 0 var(--bad)" },
  ".fault-word": { textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px" },
  ".fault-words": {
    padding: "var(--s1) var(--s3)",
    backgroundColor: "var(--bad-wash)",
    boxShadow: "inset 3px 0 var(--bad)",
    color: "var(--bad)",
    fontFamily: "var(--sans)",
  },
  ".fault-words::first-letter": { textTransform: "uppercase" },
  ".cm-tooltip": {
    border: "1px solid var(--hairline)",
    borderRadius: "var(--radius)",
    backgroundColor: "var(--raised)",
    boxShadow: "0 8px 24px var(--shadow)",
    color: "var(--ink)",
    zIndex: "20",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "var(--text-s)", maxHeight: "none", overflow: "hidden", maxWidth: "min(40rem, 92vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { display: "flex", gap: "var(--s4)", justifyContent: "space-between", padding: "0.25rem var(--s3)", lineHeight: "1.4" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-wash)", color: "var(--ink)" },
  ".cm-completionDetail": {
    marginLeft: "0",
    overflow: "hidden",
    color: "var(--ink-soft)",
    fontFamily: "var(--sans)",
    fontStyle: "normal",
    textOverflow: "ellipsis",
    whiteSpace: "nowrap",
  },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-tooltip.cm-completionInfo": { maxWidth: "22rem", padding: "var(--s2) var(--s3)", fontSize: "var(--text-s)", lineHeight: "1.45", overflowWrap: "anywhere" },
  "@media (max-width: 48rem)": { ".cm-tooltip.cm-completionInfo": { display: "none" } },
  "@media print": { "&": { maxHeight: "none" }, ".cm-gutters": { backgroundColor: "transparent" } },
});
