//! The language, in a thread of its own. A message is a request as JSON, and is answered by
//! one message, the answer as JSON. What fails here for good is an error of the worker:
//! who started it begins anew.

interface Exports {
  memory: WebAssembly.Memory;
  __wasm_call_ctors(): void;
  imgc_room(length: number): number;
  imgc_ask(): number;
  imgc_answer(): number;
}

const module = (async (): Promise<Exports> => {
  const response = await fetch("language.wasm");
  if (!response.ok) throw new Error(`language.wasm: ${response.status}`);
  const bytes = await response.arrayBuffer();
  const { instance } = await WebAssembly.instantiate(bytes, {});
  const language = instance.exports as unknown as Exports;
  language.__wasm_call_ctors();
  return language;
})();

function ask(language: Exports, request: string): string {
  const bytes = new TextEncoder().encode(request);
  const room = language.imgc_room(bytes.length);
  if (room === 0) return '{"error":"the request is too long"}';
  new Uint8Array(language.memory.buffer).set(bytes, room);
  const length = language.imgc_ask();
  const answer = new Uint8Array(language.memory.buffer, language.imgc_answer(), length);
  return new TextDecoder().decode(answer);
}

module.then(
  () => self.postMessage("ready"),
  (error: unknown) => {
    // Outside of the promise, so that the page hears of it.
    setTimeout(() => {
      throw error;
    });
  },
);

self.onmessage = async (message: MessageEvent<string>) => {
  const language = await module;
  let answer: string;
  try {
    answer = ask(language, message.data);
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
    return;
  }
  self.postMessage(answer);
};
