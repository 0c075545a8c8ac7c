//! The plan as a drawing in SVG: what each image is made of, and the image. A line leads to
//! where it is written.

import type { Evaluated, Image, Line, Part, Piece } from "./protocol.js";
import { element } from "./words.js";

/** Goes to a piece of the program. */
export type Go = (piece: Piece) => void;

/** Sizes, in pixels of the drawing. */
const WIDTH = 620;
const PART = 390;
const IMAGE = 150;
const ROW = 20;
const HEAD = 28;
const PAD = 10;
const GAP = 12;
/** The width of a character, and how many go into a row of a part. */
const LETTER = 7.25;
const MOST = Math.floor((PART - 2 * PAD) / LETTER);

const TITLES: Record<Part["kind"], string> = {
  packages: "install",
  users: "users",
  files: "files",
  config: "config",
  layers: "layers",
};

export function draw(evaluated: Evaluated, go: Go): HTMLElement {
  const root = element("div", "plan");
  for (const image of evaluated.images ?? []) {
    const figure = element("figure");
    figure.append(drawImage(image, go));
    root.append(figure);
  }
  if (evaluated.more > 0) root.append(element("p", "quiet", `and ${evaluated.more} more images`));
  root.append(
    element(
      "p",
      "quiet",
      "This is the plan before packages are resolved: imgc build adds what they need in turn, and pins it in imgc.lock.",
    ),
  );
  return root;
}

function drawImage(image: Image, go: Go): SVGElement {
  const boxes = image.parts.map(rowsOf);
  const heights = boxes.map((rows) => HEAD + rows.length * ROW + PAD / 2);
  const total = heights.reduce((sum, height) => sum + height + GAP, 0);
  const height = Math.max(total - GAP, 64);
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "group" });
  svg.setAttribute("aria-label", `image ${image.name} for ${image.platform}`);
  // Small plans are not blown up.
  svg.style.maxWidth = `${WIDTH * 1.15}px`;
  const left = WIDTH - IMAGE - 1;
  const middle = height / 2;
  let top = 0;
  image.parts.forEach((part, at) => {
    const tall = heights[at] ?? 0;
    const centre = top + tall / 2;
    const bend = (PART + left) / 2;
    const line = `M${PART} ${centre} C${bend} ${centre} ${bend} ${middle} ${left - 7} ${middle}`;
    svg.append(shape("path", { d: line, class: `edge ${part.kind}` }));
    svg.append(drawPart(part, boxes[at] ?? [], top, tall, go));
    top += tall + GAP;
  });
  const arrow = `M${left - 8} ${middle - 4} l7 4 l-7 4 z`;
  if (image.parts.length > 0) svg.append(shape("path", { d: arrow, class: "arrow" }));
  const group = shape("g", { class: "image" });
  group.append(
    shape("rect", { x: left, y: middle - 30, width: IMAGE, height: 60, rx: 8 }),
    text(left + IMAGE / 2, middle - 4, cut(image.name, 18), "name", image.name),
    text(left + IMAGE / 2, middle + 16, image.platform, "detail"),
  );
  link(group, image.place, `image ${image.name}`, go);
  svg.append(group);
  return svg;
}

/** What stands in one row: several packages, or one line of anything else. */
type Row = Line[];

function rowsOf(part: Part): Row[] {
  const rows: Row[] = [];
  let used = 0;
  for (const line of part.lines) {
    const width = line.text.length + 3;
    const last = rows.at(-1);
    if (part.kind === "packages" && last && used + width <= MOST) {
      last.push(line);
      used += width;
    } else {
      rows.push([line]);
      used = width;
    }
  }
  if (part.more > 0) rows.push([{ text: `and ${part.more} more`, detail: "", place: null }]);
  return rows;
}

function drawPart(part: Part, rows: Row[], top: number, height: number, go: Go): SVGElement {
  const group = shape("g", { class: `part ${part.kind}` });
  const side = part.kind === "packages" ? part.title : "";
  group.append(
    shape("rect", { x: 1, y: top + 1, width: PART - 2, height: height - 2, rx: 8 }),
    text(PAD, top + 19, TITLES[part.kind], "title"),
    text(PART - PAD, top + 19, side, "side"),
  );
  rows.forEach((row, at) => {
    const y = top + HEAD + at * ROW + 14;
    let x = PAD;
    for (const line of row) {
      const all = line.detail ? `${line.text}  ${line.detail}` : line.text;
      const item = shape("g", { class: "line" });
      if (part.kind === "packages") {
        const width = Math.min(line.text.length * LETTER + 10, PART - 2 * PAD);
        item.append(shape("rect", { x, y: y - 13, width, height: 17, rx: 4, class: "chip" }));
        item.append(text(x + 5, y, cut(line.text, MOST - 2), "what", all));
        x += width + 8;
      } else {
        const shown = cut(line.text, MOST);
        const room = MOST - shown.length - 2;
        item.append(text(PAD, y, shown, "what", all));
        if (room > 3) {
          const at = PAD + (shown.length + 2) * LETTER;
          item.append(text(at, y, cut(line.detail, room), "detail", all));
        }
      }
      link(item, line.place, all, go);
      group.append(item);
    }
  });
  return group;
}

/** Makes a thing lead to a piece of the program, by pointer and by keyboard. */
function link(thing: SVGElement, place: Piece | null, label: string, go: Go): void {
  if (!place) return;
  thing.classList.add("leads");
  thing.setAttribute("role", "link");
  thing.setAttribute("tabindex", "0");
  thing.setAttribute("aria-label", label);
  thing.addEventListener("click", () => go(place));
  thing.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go(place);
  });
}

function cut(text: string, most: number): string {
  const plain = text.replace(/\s/g, " ");
  return plain.length > most ? `${plain.slice(0, Math.max(most - 1, 0))}…` : plain;
}

function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
  return made;
}

function text(x: number, y: number, words: string, className: string, title = ""): SVGElement {
  const made = shape("text", { x, y, class: className });
  made.textContent = words;
  if (title && title !== words) {
    const whole = shape("title", {});
    whole.textContent = title;
    made.append(whole);
  }
  return made;
}
