//! The page: samples, files, the editor, and beside it what the program comes to. It asks
//! for nothing but its own files.

import { Editor, told } from "./editor.js";
import { Language, Stopped } from "./language.js";
import { draw } from "./plan.js";
import type { Evaluated, Finding, Sample } from "./protocol.js";
import { fromFragment, toFragment, type Project } from "./share.js";
import { element } from "./words.js";

/** How long nothing is typed before the program is looked at, in milliseconds. */
const QUIET = 120;

const get = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
};

const language = new Language();
const editor = new Editor(get("editor"), language, changed);

let entry = "";
let samples: Sample[] = [];
let generation = 0;
let timer = 0;
let findings: Finding[] = [];
let view: "plan" | "json" = "plan";
let last: Evaluated | null = null;
let shared = "";
/** The texts that the language does not know yet, by file. */
const waiting = new Map<string, string>();

function changed(file: string, text: string): void {
  status("…");
  // What is still on its way is about an older text.
  generation += 1;
  editor.isFresh = false;
  waiting.set(file, text);
  clearTimeout(timer);
  timer = setTimeout(() => void look(), QUIET);
}

/** Looks at the program: colours, what is wrong, what it comes to. */
async function look(): Promise<void> {
  generation += 1;
  const mine = generation;
  const isOld = (): boolean => mine !== generation;
  try {
    const texts = [...waiting];
    waiting.clear();
    for (const [file, text] of texts) await language.change(file, text);
    if (isOld()) return;
    await colour();
    const checked = await language.ask("check", {});
    if (isOld()) return;
    show(checked);
    if (performance.getEntriesByName("first").length === 0) performance.mark("first");
    const evaluated = await language.ask("evaluate", { file: entry });
    if (isOld()) return;
    show([...checked, ...evaluated.findings]);
    come(evaluated);
  } catch (error) {
    if (isOld()) return;
    failed(error);
  }
}

async function colour(): Promise<void> {
  const file = editor.shown;
  const before = editor.text();
  const found = await language.ask("tokens", { file });
  if (file === editor.shown && before === editor.text()) editor.colour(found);
}

function failed(error: unknown): void {
  const why = error instanceof Error ? error.message : String(error);
  status("stopped", "error");
  last = null;
  const place = get("result");
  const words = error instanceof Stopped ? `The program was not evaluated: ${why}.` : `${why}.`;
  place.replaceChildren(element("p", "stopped", words));
}

/** Shows what is wrong: in the text, and as a list. */
function show(found: Finding[]): void {
  findings = found;
  editor.isFresh = true;
  editor.tell(found);
  const list = get("findings");
  list.replaceChildren(
    ...found.map((finding) => {
      const item = element("li", finding.severity);
      const [line, column] = finding.from;
      const place = element("button", "place", `${finding.file}:${line + 1}:${column + 1}`);
      place.type = "button";
      place.onclick = () => go(finding);
      item.append(place, told(finding));
      for (const fix of finding.fixes) {
        const mend = element("button", "mend", fix.title);
        mend.type = "button";
        mend.onclick = () => {
          go(finding);
          editor.mend(fix.edits);
        };
        item.append(mend);
      }
      return item;
    }),
  );
  const errors = found.filter((finding) => finding.severity === "error").length;
  const warnings = found.length - errors;
  const count = (number: number, word: string): string =>
    number === 0 ? "" : `${number} ${word}${number === 1 ? "" : "s"}`;
  const words = [count(errors, "error"), count(warnings, "warning")].filter(Boolean).join(", ");
  status(words || "no mistakes", errors > 0 ? "error" : warnings > 0 ? "warning" : "good");
}

/** Shows what the program comes to. What is wrong leaves the last plan there, but pale. */
function come(evaluated: Evaluated): void {
  const place = get("result");
  const isWrong = findings.some((finding) => finding.severity === "error");
  place.classList.toggle("pale", isWrong && last !== null);
  if (isWrong && last) return;
  last = isWrong ? null : evaluated;
  if (isWrong) {
    place.replaceChildren(element("p", "quiet", "There is a plan when nothing is wrong."));
    return;
  }
  get("views").hidden = !evaluated.images;
  if (evaluated.images) {
    const json = (): HTMLElement => element("pre", "value", evaluated.json ?? "");
    place.replaceChildren(view === "json" ? json() : draw(evaluated, go));
  } else if (evaluated.value !== null) {
    place.replaceChildren(
      element("p", "quiet", "This is no image. Its value is:"),
      element("pre", "value", evaluated.value),
    );
  } else {
    const words = evaluated.isFunction ? "This is a function. It is not called here." : "";
    place.replaceChildren(element("p", "quiet", words));
  }
}

function go(piece: Parameters<Editor["select"]>[0]): void {
  editor.select(piece);
  tabs();
  editor.tell(findings);
  void colour().catch(() => {});
}

function status(words: string, state = ""): void {
  const place = get("status");
  place.textContent = words;
  place.className = state;
}

/** Opens a project, and looks at it. */
async function open(project: Project): Promise<void> {
  entry = project.entry;
  last = null;
  clearTimeout(timer);
  waiting.clear();
  editor.open(project.files, entry);
  tabs();
  get("result").classList.remove("pale");
  try {
    await language.open(Object.fromEntries(project.files));
  } catch (error) {
    failed(error);
    return;
  }
  await look();
}

/** The files, to be chosen from. */
function tabs(): void {
  const place = get("files");
  place.replaceChildren(
    ...editor.texts().map(([name]) => {
      const tab = element("button", "", name);
      tab.type = "button";
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", `${name === editor.shown}`);
      tab.onclick = () => {
        editor.show(name);
        tabs();
        editor.tell(findings);
        editor.focus();
        void colour().catch(() => {});
      };
      return tab;
    }),
  );
}

function choose(title: string): void {
  for (const button of get("samples").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", `${button.textContent === title}`);
  }
}

function listSamples(): void {
  get("samples").replaceChildren(
    ...samples.map((sample) => {
      const button = element("button", "", sample.title);
      button.type = "button";
      button.onclick = () => {
        history.replaceState(null, "", location.pathname);
        choose(sample.title);
        void open(sample);
      };
      return button;
    }),
  );
}

function say(words: string): void {
  const place = get("said");
  place.textContent = words;
  setTimeout(() => {
    if (place.textContent === words) place.textContent = "";
  }, 5000);
}

async function share(): Promise<void> {
  try {
    shared = await toFragment({ entry, files: editor.texts() });
    history.replaceState(null, "", `#${shared}`);
    await navigator.clipboard.writeText(location.href).then(
      () => say("The address is copied: the program is in it."),
      () => say("The program is in this page's address now."),
    );
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
  }
}

/** Opens what the address has, else the first sample. */
async function begin(): Promise<void> {
  const fragment = location.hash.slice(1);
  if (fragment && fragment === shared) return;
  if (fragment) {
    try {
      const project = await fromFragment(fragment);
      choose("");
      await open(project);
      return;
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
  }
  const first = samples[0];
  if (first) {
    choose(first.title);
    await open(first);
  }
}

function choosePanel(chosen: typeof view): void {
  view = chosen;
  for (const name of ["plan", "json"] as const) {
    get(`view-${name}`).setAttribute("aria-selected", `${name === chosen}`);
  }
  if (last) come(last);
}

async function main(): Promise<void> {
  get("format").onclick = () => {
    void editor.format().catch(failed);
    editor.focus();
  };
  get("share").onclick = () => void share();
  get("view-plan").onclick = () => choosePanel("plan");
  get("view-json").onclick = () => choosePanel("json");
  window.addEventListener("hashchange", () => void begin());
  try {
    samples = await language.ask("samples", {});
  } catch (error) {
    failed(error);
    return;
  }
  listSamples();
  await begin();
}

void main();
