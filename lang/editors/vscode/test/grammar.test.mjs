// The TextMate grammar: over every program of the repository, and against a snapshot.
// UPDATE=1 writes the snapshot anew.

import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "../../../..");

async function grammar() {
  const wasm = readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length));
  const path = join(here, "../syntaxes/img.tmLanguage.json");
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(path, "utf8"), path),
  });
  return registry.loadGrammar("source.img");
}

const language = await grammar();

/** The words of a text, each with its innermost scopes, without that of the language. */
function words(text) {
  let state = textmate.INITIAL;
  const found = [];
  for (const [number, line] of text.split("\n").entries()) {
    const { tokens, ruleStack } = language.tokenizeLine(line, state);
    state = ruleStack;
    for (const { startIndex, endIndex, scopes } of tokens) {
      const word = line.slice(startIndex, endIndex);
      if (word.trim() !== "") {
        found.push({ line: number + 1, word, scopes: scopes.slice(1) });
      }
    }
  }
  return { found, end: state };
}

/** Every program of the repository. */
function programs() {
  const folders = ["stdlib", ...readdirSync(join(repository, "examples")).map((name) => `examples/${name}`)];
  return folders
    .flatMap((folder) => {
      try {
        return readdirSync(join(repository, folder)).map((name) => join(folder, name));
      } catch {
        return []; // A file.
      }
    })
    .filter((path) => path.endsWith(".img"));
}

test("every program has a scope for every word, and ends where it began", () => {
  const all = programs();
  assert.ok(all.length >= 4, `${all}`);
  for (const path of all) {
    const { found, end } = words(readFileSync(join(repository, path), "utf8"));
    for (const { line, word, scopes } of found) {
      assert.notEqual(scopes.length, 0, `${path}:${line}: ${word} has no scope`);
      const invalid = scopes.find((scope) => scope.startsWith("invalid"));
      assert.equal(invalid, undefined, `${path}:${line}: ${word}`);
    }
    assert.equal(end.depth, 1, `${path} ends within a string or a brace`);
  }
});

test("words have the scopes that they always had", () => {
  const text = readFileSync(join(here, "words.img"), "utf8");
  const lines = words(text).found.map(
    ({ line, word, scopes }) => `${line}: ${word.trim()}: ${scopes.join(" ")}`,
  );
  const snapshot = join(here, "words.txt");
  if (process.env.UPDATE === "1") {
    writeFileSync(snapshot, `${lines.join("\n")}\n`);
  }
  assert.equal(`${lines.join("\n")}\n`, readFileSync(snapshot, "utf8"));
});

test("what looks like something else is not taken for it", () => {
  const scope = (text, word) =>
    words(text).found.find((found) => found.word.trim() === word)?.scopes.at(-1);
  assert.equal(scope("let-me", "let-me"), "variable.other.img");
  assert.equal(scope("a.if", "if"), "variable.other.property.img");
  assert.equal(scope('"# no comment"', "# no comment"), "string.quoted.double.img");
  assert.equal(scope("n-1", "1"), "constant.numeric.decimal.img");
  assert.equal(scope("x == y", "=="), "keyword.operator.comparison.img");
  assert.equal(scope('"a${b}c"', "b"), "variable.other.img");
  assert.equal(scope("with", "with"), "invalid.illegal.reserved.img");
});
