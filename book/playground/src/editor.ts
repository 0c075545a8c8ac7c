//! The editor: CodeMirror with what the language knows. It holds one file's text at a time
//! and the states of the others.

import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  snippet,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import {
  EditorState,
  StateEffect,
  StateField,
  type ChangeSpec,
  type Extension,
  type Text,
} from "@codemirror/state";
import {
  Decoration,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
  type DecorationSet,
} from "@codemirror/view";

import type { Language } from "./language.js";
import type { Edit, Finding, Offer, Piece, Place, Token } from "./protocol.js";
import { element, inline, words } from "./words.js";

/** Where a code has its page, as seen from this page: it stands beside the book. */
export const pageOf = (code: string): string => `../codes/${code}.html`;

/** The text of a file changed. */
export type Changed = (file: string, text: string) => void;

const setTokens = StateEffect.define<DecorationSet>();

const tokens = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(old, transaction) {
    for (const effect of transaction.effects) if (effect.is(setTokens)) return effect.value;
    return old.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

export class Editor {
  private readonly view: EditorView;
  private states = new Map<string, EditorState>();
  private file = "";

  constructor(
    parent: HTMLElement,
    private readonly language: Language,
    private readonly changed: Changed,
  ) {
    this.view = new EditorView({ parent });
  }

  /** Puts these files in the place of all others, and shows one. */
  open(files: [name: string, text: string][], shown: string): void {
    this.states = new Map(
      files.map(([name, text]) => [
        name,
        EditorState.create({ doc: text, extensions: this.extensions() }),
      ]),
    );
    this.file = "";
    this.show(shown);
  }

  /** Shows a file. */
  show(file: string): void {
    if (file === this.file) return;
    this.keep();
    const state = this.states.get(file);
    if (!state) return;
    this.file = file;
    this.view.setState(state);
    this.view.contentDOM.setAttribute("aria-label", `Program, ${file}`);
  }

  /** Selects a piece of a file. */
  select(piece: Piece): void {
    if (!this.states.has(piece.file)) return;
    this.show(piece.file);
    const [anchor, head] = this.range(piece);
    this.view.dispatch({ selection: { anchor, head }, scrollIntoView: true });
    this.view.focus();
  }

  get shown(): string {
    return this.file;
  }

  texts(): [name: string, text: string][] {
    this.keep();
    return [...this.states].map(([name, state]) => [name, state.doc.toString()]);
  }

  text(): string {
    return this.view.state.doc.toString();
  }

  focus(): void {
    this.view.focus();
  }

  /** Shows the findings of the file that is shown. */
  tell(findings: Finding[]): void {
    const here = findings.filter((finding) => finding.file === this.file);
    const diagnostics = here.map((finding) => this.diagnostic(finding));
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics));
  }

  /** Colours the words of the file that is shown. */
  colour(found: Token[]): void {
    const marks = found.flatMap((token) => {
      const [from, to] = this.range(token);
      return from < to ? [Decoration.mark({ class: `tok-${token.sort}` }).range(from, to)] : [];
    });
    this.view.dispatch({ effects: setTokens.of(Decoration.set(marks, true)) });
  }

  /** Changes the file that is shown. Edits of other files are left out. */
  apply(edits: Edit[]): void {
    const here = edits.filter((edit) => edit.file === this.file);
    if (here.length > 0) this.view.dispatch({ changes: this.changes(here), userEvent: "input" });
  }

  /** Whether the findings that were told are those of the text as it is. */
  isFresh = false;

  /** Mends a finding, if it is one of the text as it is. */
  mend(edits: Edit[]): void {
    if (this.isFresh) this.apply(edits);
  }

  async format(): Promise<void> {
    const before = this.view.state.doc;
    // The language is to know the text as it is now, not as it was a moment ago.
    await this.language.change(this.file, before.toString());
    const edits = await this.language.ask("format", { file: this.file });
    // What was typed meanwhile is not to be lost.
    if (this.view.state.doc === before) this.apply(edits);
  }

  private keep(): void {
    if (this.file) this.states.set(this.file, this.view.state);
  }

  private changes(edits: Edit[]): ChangeSpec[] {
    return edits.map((edit) => {
      const [from, to] = this.range(edit);
      return { from, to, insert: edit.text };
    });
  }

  private range(piece: { from: Place; to: Place }): [number, number] {
    const doc = this.view.state.doc;
    const from = offset(doc, piece.from);
    return [from, Math.max(from, offset(doc, piece.to))];
  }

  private diagnostic(finding: Finding): Diagnostic {
    const [from, to] = this.range(finding);
    const actions = finding.fixes
      .filter((fix) => fix.edits.every((edit) => edit.file === this.file))
      .map((fix) => ({ name: fix.title, apply: () => this.mend(fix.edits) }));
    return {
      from,
      to,
      severity: finding.severity,
      message: `${finding.code}: ${finding.message}`,
      renderMessage: () => told(finding),
      actions,
    };
  }

  private extensions(): Extension {
    return [
      lineNumbers(),
      lintGutter(),
      history(),
      drawSelection(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      bracketMatching(),
      closeBrackets(),
      highlightSelectionMatches(),
      indentUnit.of("  "),
      EditorState.languageData.of(() => [
        {
          commentTokens: { line: "#" },
          closeBrackets: { brackets: ["(", "[", "{", '"'] },
          indentOnInput: /^\s*[\])}]$/,
        },
      ]),
      tokens,
      autocompletion({ override: [(context) => this.complete(context)], maxRenderedOptions: 60 }),
      hoverTooltip((_, at) => this.hover(at)),
      keymap.of([
        { key: "Shift-Alt-f", run: () => (void this.format(), true) },
        { key: "Mod-s", run: () => (void this.format(), true), preventDefault: true },
        ...closeBracketsKeymap,
        ...defaultKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...completionKeymap,
        ...lintKeymap,
        indentWithTab,
      ]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) this.changed(this.file, update.state.doc.toString());
      }),
    ];
  }

  private async hover(at: number) {
    const file = this.file;
    const place = placeOf(this.view.state.doc, at);
    const found = await this.language.ask("hover", { file, at: place }).catch(() => null);
    if (!found || file !== this.file) return null;
    const [pos, end] = this.range(found);
    return { pos, end, above: true, create: () => ({ dom: words(found.text) }) };
  }

  private async complete(context: CompletionContext): Promise<CompletionResult | null> {
    if (!context.explicit && !context.matchBefore(/[\w"./+-]$/)) return null;
    const file = this.file;
    const doc = context.state.doc;
    // As for formatting: the text as it is now.
    await this.language.change(file, doc.toString()).catch(() => {});
    const at = placeOf(doc, context.pos);
    const offers = await this.language.ask("complete", { file, at }).catch(() => []);
    const first = offers[0];
    if (!first || context.aborted) return null;
    return {
      from: offset(doc, first.from),
      to: offset(doc, first.to),
      validFor: /^[\w.+-]*$/,
      options: offers.map((offer, number) => this.option(offer, number)),
    };
  }

  private option(offer: Offer, number: number): Completion {
    const write = (view: EditorView, completion: Completion, from: number, to: number): void => {
      // What is to be added elsewhere stands above, most often: it is added after.
      const text = offer.isSnippet ? offer.insert : escaped(offer.insert);
      snippet(template(text))(view, completion, from, to);
      this.apply(offer.further);
    };
    return {
      label: offer.label,
      ...(offer.detail === null ? {} : { detail: offer.detail }),
      type: offer.kind,
      boost: -Math.min(offer.rank, 50),
      apply: write,
      info: async () => {
        const text = await this.language.ask("describe", { completion: number }).catch(() => null);
        return text ? words(text) : null;
      },
    };
  }
}

/** A finding in words, with the way to the page of its code. */
export function told(finding: Finding): HTMLElement {
  const root = element("div", "finding");
  const head = element("p");
  const link = element("a", "code", finding.code);
  link.href = pageOf(finding.code);
  link.target = "_blank";
  link.title = finding.title;
  head.append(link, " ");
  inline(head, finding.message);
  root.append(head);
  if (finding.label) root.append(inline(element("p", "label"), finding.label));
  for (const note of finding.notes) root.append(inline(element("p", "note"), `note: ${note}`));
  if (finding.help) root.append(inline(element("p", "help"), `help: ${finding.help}`));
  return root;
}

function offset(doc: Text, [line, column]: Place): number {
  if (line >= doc.lines) return doc.length;
  const found = doc.line(line + 1);
  return Math.min(found.from + column, found.to);
}

function placeOf(doc: Text, at: number): Place {
  const line = doc.lineAt(at);
  return [line.number - 1, at - line.from];
}

/** A text as a snippet that is nothing but that text. */
function escaped(text: string): string {
  return text.replace(/[\\$}]/g, "\\$&");
}

/** A snippet of the language as CodeMirror has them. */
function template(text: string): string {
  let made = "";
  for (let at = 0; at < text.length; at += 1) {
    const c = text[at];
    const next = text[at + 1] ?? "";
    if (c === "\\") {
      at += 1;
      made += next === "}" ? "\\}" : next;
      // `${` that is meant as it stands.
      if (next === "$" && text[at + 1] === "{") {
        at += 1;
        made += "\\{";
      }
    } else if (c === "$" && next === "0") {
      at += 1;
      made += "${9}";
    } else if (c === "$" && next === "{") {
      at += 1;
      const isLast = text[at + 1] === "0";
      if (isLast) at += 1;
      made += isLast ? "${9" : "${";
    } else {
      made += c;
    }
  }
  return made;
}
