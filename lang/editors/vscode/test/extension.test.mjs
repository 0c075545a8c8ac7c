// What the extension says of itself is there and is right: its files, its snippets, its
// problem matchers against what imgc prints. IMGC is the program.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const json = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
const manifest = json("package.json");
const program = process.env.IMGC ?? "imgc";

/** What imgc says of a program. */
function imgc(args, text) {
  const folder = mkdtempSync(join(tmpdir(), "imgc-vscode-"));
  try {
    writeFileSync(join(folder, "app.img"), text);
    const ran = spawnSync(program, [...args, "app.img"], { cwd: folder, encoding: "utf8" });
    assert.equal(ran.error, undefined, `${program}: ${ran.error}`);
    return { code: ran.status, said: `${ran.stdout}${ran.stderr}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a problem matcher finds in lines, as the editor looks for it. */
function matches(matcher, text) {
  const lines = text.split("\n");
  const found = [];
  for (let at = 0; at < lines.length; at += 1) {
    const problem = {};
    const all = matcher.pattern.every(({ regexp, ...names }, below) => {
      const match = new RegExp(regexp).exec(lines[at + below] ?? "\0");
      for (const [name, group] of Object.entries(names)) {
        problem[name] = match?.[group];
      }
      return match !== null;
    });
    if (all) {
      found.push(problem);
    }
  }
  return found;
}

test("the files that it names are there", () => {
  const { languages, grammars, snippets } = manifest.contributes;
  const named = [languages[0].configuration, grammars[0].path, snippets[0].path];
  for (const path of named) {
    assert.ok(existsSync(join(root, path)), path);
    json(path);
  }
  assert.equal(json(grammars[0].path).scopeName, grammars[0].scopeName);
});

test("what a snippet inserts is a program", () => {
  for (const [name, { body }] of Object.entries(json("snippets/img.json"))) {
    const plain = (text) =>
      text.replace(/\$\{(\d+):([^}]*)\}/g, "$2").replace(/\$\{?\d+\}?/g, "x");
    let text = plain(body.join("\n"));
    if (text.startsWith("users = ")) {
      text = `image {\n  ${text}\n}`;
    }
    const { code, said } = imgc(["fmt", "--check"], `${text}\n`);
    assert.ok(code === 0 || code === 1, said);
    assert.doesNotMatch(said, /IMG0[01]\d\d/, `${name}: ${said}`);
  }
});

test("the problem matchers find what imgc check says", () => {
  const { code, said } = imgc(["check"], "let x = 1; in\nimage { nam = y; }\n");
  assert.equal(code, 1, said);
  const [errors, warnings] = manifest.contributes.problemMatchers;
  assert.equal(errors.severity, "error");
  const place = ({ code, file, line, column }) => [code, file, line, column].join(" ");
  assert.deepEqual(matches(errors, said).map(place), ["IMG0502 app.img 2 9", "IMG0201 app.img 2 15"]);
  assert.deepEqual(matches(warnings, said).map(place), ["IMG0205 app.img 1 5"]);
  assert.match(matches(errors, said)[1].message, /`y` is not bound/);
});

test("a file whose name begins with a dash is built as a file", () => {
  // The module as it is bundled, compiled by itself.
  const { buildSync } = require("esbuild");
  const { outputFiles } = buildSync({
    entryPoints: [join(root, "src/build.ts")],
    bundle: true,
    format: "cjs",
    write: false,
  });
  const module = { exports: {} };
  new Function("module", "exports", outputFiles[0].text)(module, module.exports);
  assert.deepEqual(module.exports.buildArguments("-app.img#web"), ["build", "--", "-app.img#web"]);
});
