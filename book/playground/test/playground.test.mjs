//! The playground as a reader has it: in Chromium, from a server on this machine. PLAYGROUND
//! is the folder that the page was built into.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import { browse, serve } from "./site.mjs";

let site;
let browser;

before(async () => {
  const folder = process.env.PLAYGROUND;
  assert.ok(folder, "PLAYGROUND is the folder with the page");
  site = await serve(folder);
  browser = await browse(site.address);
});

after(async () => {
  await browser?.close();
  site?.close();
});

/** Puts a program into the editor by typing it: by keyboard, as far as that is exact. */
async function write(page, text) {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  // Inserted as a paste is: what closes brackets by itself stays out of it.
  await page.keyboard.insertText(text);
}

/** The text of the editor, as it is and not only as far as it is drawn. */
const text = (page) =>
  page.locator(".cm-content").evaluate((content) => content.cmTile.view.state.doc.toString());

const status = (page, words) =>
  page.locator("#status").filter({ hasText: words }).waitFor({ state: "visible" });

const codes = (page) => page.locator("#findings .code").allTextContents();

/** A page that has looked at its program. */
async function ready(fragment) {
  const page = await browser.open(fragment);
  await page.locator("#result > *").first().waitFor();
  return page;
}

describe("the playground", { concurrency: false }, () => {
  afterEach(async () => {
    for (const page of browser.context.pages()) await page.close();
    assert.deepEqual(browser.elsewhere, [], "nothing is asked of anybody else");
    assert.deepEqual(browser.complaints.splice(0), [], "the page does not complain");
  });

  test("begins with a program and its plan", async (t) => {
    const page = await ready();
    await status(page, "no mistakes");
    await page.locator(".plan svg .image .name", { hasText: "web" }).waitFor();
    const chips = await page.locator(".plan .packages .what").allTextContents();
    assert.deepEqual(chips, ["ca-certificates", "tzdata"]);
    await page.locator(".cm-content .tok-keyword", { hasText: "import" }).first().waitFor();
    const first = await page.evaluate(() => performance.getEntriesByName("first")[0].startTime);
    t.diagnostic(`first diagnostics after ${Math.round(first)} ms`);
    // The drawing leads to the text.
    await page.locator(".plan .line", { hasText: "tzdata" }).click();
    const chosen = await page.evaluate(() => getSelection().toString());
    assert.equal(chosen, '"tzdata"');
    await page.locator("#view-json").click();
    const json = JSON.parse(await page.locator("pre.value").textContent());
    assert.equal(json[0].name, "web");
  });

  test("an error is told while it is typed, and gone when it is mended", async () => {
    const page = await ready();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await page.locator(".cm-line", { hasText: "packages = " }).click();
    await page.keyboard.press("Home");
    await page.keyboard.type("oops = 1; ");
    await status(page, "1 error");
    assert.deepEqual(await codes(page), ["IMG0305"]);
    const address = await page.locator("#findings .code").getAttribute("href");
    assert.equal(address, "../codes/IMG0305.html");
    await page.locator(".cm-lintRange-error").first().waitFor();
    await page.locator("#result.pale").waitFor();
    for (let typed = 0; typed < "oops = 1; ".length; typed += 1) {
      await page.keyboard.press("Backspace");
    }
    await status(page, "no mistakes");
    assert.equal(await page.locator("#findings li").count(), 0);
    await page.locator(".plan svg").waitFor();
    assert.equal(await page.locator("#result.pale").count(), 0);
  });

  test("a mistake is mended by its fix", async () => {
    const page = await ready();
    await write(page, "let\n  a = 1\nin\n[a]\n");
    await status(page, "1 error");
    assert.deepEqual(await codes(page), ["IMG0115"]);
    await page.locator("#findings .mend").first().click();
    await status(page, "no mistakes");
    assert.equal(await text(page), "let\n  a = 1;\nin\n[a]\n");
    await page.locator("pre.value", { hasText: "[1]" }).waitFor();
  });

  test("hover tells what stands there", async () => {
    const page = await ready();
    await page.locator(".cm-line .tok-string", { hasText: "tzdata" }).hover();
    const hover = page.locator(".cm-tooltip-hover .words");
    await hover.waitFor();
    assert.match(await hover.textContent(), /tzdata 20\d\d.*time zones.*pinned/s);
  });

  test("completion offers packages", async () => {
    const page = await ready();
    await page.locator(".cm-line .tok-string", { hasText: "tzdata" }).click();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.type(', "ngi');
    const offer = page.locator(".cm-tooltip-autocomplete li", { hasText: "nginx" });
    await offer.waitFor();
    await page.locator(".cm-completionInfo", { hasText: "a web server" }).waitFor();
    await offer.click();
    await page.locator(".plan .packages .what", { hasText: "nginx" }).waitFor();
    assert.match(await text(page), /\["ca-certificates", "tzdata", "nginx"\]/);
    await status(page, "no mistakes");
  });

  test("a program is formatted", async () => {
    const page = await ready();
    await write(page, "let a=1;in [a ,a]");
    await status(page, "no mistakes");
    // Twice, as fast as it goes: the second time finds nothing to do.
    await page.keyboard.press("Shift+Alt+F");
    await page.keyboard.press("Shift+Alt+F");
    await page.locator(".cm-line", { hasText: "[a, a]" }).waitFor();
    await page.locator("#format").click();
    await status(page, "no mistakes");
    assert.equal(await text(page), "let a = 1; in [a, a]\n");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+Z");
    assert.equal(await text(page), "let a=1;in [a ,a]");
  });

  test("a shared address has the whole program", async () => {
    const page = await ready();
    await page.locator("#samples button", { hasText: "Two files" }).click();
    await page.locator("#files button", { hasText: "services/common.img" }).click();
    await page.locator(".plan svg").nth(1).waitFor();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("# Grüße \u{1f433}");
    await status(page, "no mistakes");
    await page.locator("#share").click();
    await page.waitForFunction(() => location.hash.length > 3);
    const fragment = new URL(page.url()).hash;
    const other = await ready(fragment);
    await other.locator(".plan svg").nth(1).waitFor();
    const names = await other.locator("#files button").allTextContents();
    assert.deepEqual(names, ["services/app.img", "services/common.img"]);
    await other.locator("#files button", { hasText: "services/common.img" }).click();
    assert.equal(await text(other), await text(page));
    assert.match(await text(other), /# Grüße \u{1f433}$/u);
  });

  test("an address that is no program's gives the first one", async () => {
    for (const fragment of ["#nonsense", "#1.%%%", "#1.AAAA", `#1.${"A".repeat(300_000)}`, await bomb()]) {
      const page = await ready(fragment);
      await page.locator(".plan svg .image .name", { hasText: "web" }).waitFor();
      await page.close();
    }
  });

  test("endless and huge programs end, and the page goes on", async () => {
    const page = await ready();
    const endless = "fold (sum => n => sum + n) 0 (range 0 1000000000)\n";
    const names = Array.from({ length: 40 }, (_, n) => `  a${n + 1} = a${n} ++ a${n};\n`);
    const huge = `let\n  a0 = [1, 2, 3];\n${names.join("")}in a40\n`;
    for (const program of [endless, huge]) {
      await write(page, program);
      await page.locator("#findings .code", { hasText: "IMG0311" }).waitFor();
      await write(page, "[1, 2]\n");
      await page.locator("pre.value", { hasText: "[1, 2]" }).waitFor();
    }
    // Deeper than a browser's stack, were it not for the parser's own bound.
    for (const program of ["[".repeat(5000) + "]".repeat(5000), "(".repeat(190) + "1" + ")".repeat(190),
      `${"n => ".repeat(150)}1`, Array(3000).fill("1").join(" + ")]) {
      await write(page, program);
      await page.waitForFunction(() => document.querySelector("#status").textContent !== "…");
      await write(page, "[3]\n");
      await page.locator("pre.value", { hasText: "[3]" }).waitFor();
    }
  });

  test("a language that does not answer is stopped, and another begins", async () => {
    const page = await browser.context.newPage();
    // The worker's first answer to an evaluation never comes.
    await page.addInitScript(() => {
      const setTimeout = window.setTimeout;
      window.setTimeout = (work, time, ...rest) =>
        setTimeout(work, time === 10_000 ? 1500 : time, ...rest);
      const post = Worker.prototype.postMessage;
      Worker.prototype.postMessage = function (message) {
        if (!window.deaf || !String(message).includes('"evaluate"')) post.call(this, message);
        else window.deaf = false;
      };
    });
    await page.goto(site.address);
    await status(page, "no mistakes");
    await page.evaluate(() => {
      window.deaf = true;
    });
    await write(page, "[4]\n");
    await page.locator("#result .stopped", { hasText: "too long" }).waitFor();
    await write(page, "[5]\n");
    await page.locator("pre.value", { hasText: "[5]" }).waitFor();
    await status(page, "no mistakes");
  });

  test("is used by keyboard, and is dark where the system is", async () => {
    const page = await ready();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator(".plan svg .image .name", { hasText: "python" }).waitFor();
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await back(), "rgb(255, 255, 255)");
    await page.emulateMedia({ colorScheme: "dark" });
    assert.equal(await back(), "rgb(20, 23, 29)");
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  });
});

/** An address that is short, and comes to very much. */
async function bomb() {
  const program = JSON.stringify(["a.img", [["a.img", " ".repeat(64 << 20)]]]);
  const packed = new Blob([program]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = Buffer.from(await new Response(packed).arrayBuffer());
  return `#1.${bytes.toString("base64url")}`;
}
