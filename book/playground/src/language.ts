//! Asks the language in its worker: one question after the other, each within a bound of
//! time. A worker that takes longer, or fails, is ended, and another one begins with the
//! project as it is.

import type { Questions } from "./protocol.js";

/** How long an answer may take, and the beginning, in milliseconds. */
const ANSWER = 10_000;
const BEGINNING = 60_000;

/** There is no answer: the question took too long, or the language failed over it. */
export class Stopped extends Error {}

interface Waiting {
  request: object;
  done(answer: unknown): void;
  failed(error: Error): void;
}

export class Language {
  private worker: Worker | null = null;
  private isReady = false;
  private queue: Waiting[] = [];
  private running: Waiting | null = null;
  private timer = 0;
  private files: Record<string, string> = {};

  /** Puts these files in the place of all others. */
  open(files: Record<string, string>): Promise<void> {
    this.files = { ...files };
    return this.send({ ask: "open", files: this.files });
  }

  /** Puts another text in the place of a file. */
  change(file: string, text: string): Promise<void> {
    this.files[file] = text;
    return this.send({ ask: "change", file, text });
  }

  ask<Q extends keyof Questions>(
    question: Q,
    about: Questions[Q]["ask"],
  ): Promise<Questions[Q]["answer"]> {
    return this.send({ ask: question, ...about });
  }

  private send<A>(request: object): Promise<A> {
    return new Promise<A>((done, failed) => {
      this.queue.push({ request, done: done as (answer: unknown) => void, failed });
      this.next();
    });
  }

  private next(): void {
    if (this.running) return;
    if (!this.worker) this.begin();
    if (!this.isReady) return;
    const next = this.queue.shift();
    if (!next) return;
    this.running = next;
    this.bound(ANSWER, "it took too long, and was stopped");
    this.worker?.postMessage(JSON.stringify(next.request));
  }

  private begin(): void {
    const worker = new Worker("worker.js");
    this.worker = worker;
    this.isReady = false;
    worker.onmessage = (message: MessageEvent<string>) => this.heard(message.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.stop(`the language failed: ${event.message}`);
    };
    this.bound(BEGINNING, "the language can't be loaded");
  }

  private heard(data: string): void {
    clearTimeout(this.timer);
    if (!this.isReady) {
      this.isReady = true;
      this.next();
      return;
    }
    const asked = this.running;
    this.running = null;
    const answer = JSON.parse(data) as { ok?: unknown; error?: string };
    if (answer.error === undefined) asked?.done(answer.ok);
    else asked?.failed(new Error(answer.error));
    this.next();
  }

  private bound(time: number, why: string): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.stop(why), time);
  }

  /** Ends the worker. What was running fails; what waits is asked of the next one. */
  private stop(why: string): void {
    clearTimeout(this.timer);
    this.worker?.terminate();
    this.worker = null;
    const wasReady = this.isReady;
    this.isReady = false;
    const asked = this.running;
    this.running = null;
    asked?.failed(new Stopped(why));
    if (!wasReady) {
      // Nothing can be loaded: everybody is told, and the next question tries again.
      for (const waiting of this.queue.splice(0)) waiting.failed(new Stopped(why));
      return;
    }
    if (Object.keys(this.files).length > 0) {
      const nothing = (): void => {};
      const request = { ask: "open", files: { ...this.files } };
      this.queue.unshift({ request, done: nothing, failed: nothing });
      this.next();
    }
  }
}
