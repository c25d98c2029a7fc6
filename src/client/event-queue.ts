/** Joins a producer that pushes with a consumer that iterates. */

/** An unbounded queue that one consumer iterates until it is ended; then the iteration returns, or throws the error. */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  #items: T[] = [];
  #isEnded = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  readonly #onReturn: () => void;

  /** `onReturn` is called once when the consumer leaves the loop or the queue is ended. */
  constructor(onReturn: () => void = () => undefined) {
    this.#onReturn = onReturn;
  }

  push(item: T): void {
    if (this.#isEnded) return;
    this.#items.push(item);
    this.#wake?.();
  }

  /** What was pushed before is still handed out. */
  end(error?: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    this.#wake?.();
    this.#onReturn();
  }

  async next(): Promise<IteratorResult<T>> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return { value: item, done: false };
      if (this.#error !== undefined) {
        const error = this.#error;
        this.#error = undefined;
        throw error;
      }
      if (this.#isEnded) return { value: undefined, done: true };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  async return(): Promise<IteratorResult<T>> {
    this.#items = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
