//! A project in the fragment of an address: deflated JSON in base64url. What comes from an
//! address is somebody's else, and is bounded and looked at before it is taken.

/** A project that can be shared. */
export interface Project {
  entry: string;
  files: [name: string, text: string][];
}

/** The form of the fragment: what another form begins with is refused. */
const FORM = "1.";

/** The longest fragment, and the most bytes that it may come to. */
const MAX_FRAGMENT = 256 * 1024;
const MAX_BYTES = 1024 * 1024;
const MAX_FILES = 16;

export async function toFragment(project: Project): Promise<string> {
  const text = JSON.stringify([project.entry, project.files]);
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const base64 = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  if (base64.length > MAX_FRAGMENT) throw new Error("the program is too long for an address");
  return FORM + base64;
}

/** The project of a fragment without its `#`. Fails with words for a reader. */
export async function fromFragment(fragment: string): Promise<Project> {
  const wrong = new Error("this address has no program in it that can be read");
  if (!fragment.startsWith(FORM) || fragment.length > MAX_FRAGMENT + FORM.length) throw wrong;
  const base64 = fragment.slice(FORM.length).replaceAll("-", "+").replaceAll("_", "/");
  let text: string;
  try {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream();
    text = await bounded(stream.pipeThrough(new DecompressionStream("deflate-raw")));
  } catch {
    throw wrong;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong;
  }
  if (!Array.isArray(value) || value.length !== 2) throw wrong;
  const [entry, files] = value as unknown[];
  if (typeof entry !== "string" || !Array.isArray(files)) throw wrong;
  if (files.length === 0 || files.length > MAX_FILES) throw wrong;
  for (const file of files as unknown[]) {
    if (!Array.isArray(file) || file.length !== 2) throw wrong;
    if (file.some((part) => typeof part !== "string")) throw wrong;
  }
  const pairs = files as [string, string][];
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length) throw wrong;
  if (!pairs.some(([name]) => name === entry)) throw wrong;
  return { entry, files: pairs };
}

async function bounded(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    total += value.length;
    if (total > MAX_BYTES) {
      await reader.cancel();
      throw new Error("too long");
    }
    text += decoder.decode(value, { stream: true });
  }
}
