//! Markdown of documentation as elements: paragraphs, lists, code, emphasis. Whatever else
//! stands there is text; nothing becomes HTML by itself.

export function words(markdown: string): HTMLElement {
  const root = element("div", "words");
  const blocks = markdown.split(/^```[a-z]*\n([\s\S]*?)^```\s*$/m);
  blocks.forEach((block, at) => {
    if (at % 2 === 1) {
      root.append(element("pre", "", block.trimEnd()));
      return;
    }
    for (const paragraph of block.split(/\n\s*\n/)) {
      const lines = paragraph.split("\n").filter((line) => line.trim() !== "");
      if (lines.length === 0) continue;
      if (lines.every((line) => line.startsWith("- "))) {
        const list = element("ul");
        for (const line of lines) list.append(inline(element("li"), line.slice(2)));
        root.append(list);
      } else {
        root.append(inline(element("p"), lines.join(" ")));
      }
    }
  });
  return root;
}

/** A text with `code` and **words that stand out**. */
export function inline<E extends HTMLElement>(to: E, text: string): E {
  text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).forEach((part) => {
    if (part.startsWith("`") && part.length > 1) to.append(element("code", "", part.slice(1, -1)));
    else if (part.startsWith("**")) to.append(element("strong", "", part.slice(2, -2)));
    else to.append(part);
  });
  return to;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className = "",
  text = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
