// The editor of the query page: CodeMirror 6 with SPARQL, and what the page needs of it.
export { EditorView, keymap, placeholder, lineNumbers, drawSelection, highlightActiveLine } from "@codemirror/view";
export { EditorState } from "@codemirror/state";
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export { autocompletion, completionKeymap, closeBrackets } from "@codemirror/autocomplete";
export { syntaxHighlighting, HighlightStyle, bracketMatching, indentOnInput } from "@codemirror/language";
export { tags } from "@lezer/highlight";
export { sparql } from "codemirror-lang-sparql";
