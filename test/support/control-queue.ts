/** Jobs in order of virtual time, ties in the order in which they were put: a binary heap. */

export interface Job {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class JobQueue {
  #heap: Job[] = [];
  #order = 0;

  get first(): Job | undefined {
    return this.#heap[0];
  }

  push(at: number, run: () => void): void {
    if (!Number.isSafeInteger(at)) throw new Error(`a job at no time: ${at}`);
    this.#order += 1;
    const heap = this.#heap;
    heap.push({ at, order: this.#order, run });
    let i = heap.length - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!before(heap[i], heap[up])) break;
      swap(heap, i, up);
      i = up;
    }
  }

  pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return;
    heap[0] = last;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (before(heap[left], heap[least])) least = left;
      if (before(heap[right], heap[least])) least = right;
      if (least === i) return;
      swap(heap, i, least);
      i = least;
    }
  }
}

function before(a: Job | undefined, b: Job | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function swap(heap: Job[], i: number, j: number): void {
  const a = heap[i];
  const b = heap[j];
  if (a === undefined || b === undefined) return;
  heap[i] = b;
  heap[j] = a;
}
