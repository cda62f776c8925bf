/** What is to happen when, in a test's virtual time: first due first, then first asked first. */
export interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class TaskHeap {
  readonly #heap: Task[] = [];

  /** What is due next. */
  get first(): Task | undefined {
    return this.#heap[0];
  }

  push(task: Task): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(task);
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up] as Task;
      if (before(parent, task)) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = task;
  }

  pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Task;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Task, heap[child] as Task)) {
        child += 1;
      }
      if (before(last, heap[child] as Task)) break;
      heap[i] = heap[child] as Task;
      i = child;
    }
    heap[i] = last;
  }
}

function before(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
