/**
 * The event queue of a simulated world: a binary heap over typed arrays, ordered by (time, order of
 * insertion), so that ties are first in, first out on every JavaScript engine. Entries live in a
 * pool beside the heap; nothing is allocated once both have grown to the run's size.
 */

/** A queue of entries. An entry is a number; its fields are read and written in the arrays. */
export class EventQueue {
  /** What is to happen; see {@link Kind} in kernel.ts. */
  kind: Int32Array;
  /** Whom it concerns; what the number means follows from the kind. */
  target: Int32Array;
  /** Life of the target at the time of pushing: an entry for an earlier life is dropped. */
  guard: Int32Array;
  a: Int32Array;
  b: Int32Array;
  c: Int32Array;
  d: Int32Array;
  x: Float64Array;
  /** A message, where one travels. */
  readonly objects: unknown[] = [];

  #times: Float64Array;
  #orders: Float64Array;
  #entries: Int32Array;
  #size = 0;
  #order = 0;
  #free: Int32Array;
  #freeCount = 0;

  constructor(capacity = 1024) {
    this.kind = new Int32Array(capacity);
    this.target = new Int32Array(capacity);
    this.guard = new Int32Array(capacity);
    this.a = new Int32Array(capacity);
    this.b = new Int32Array(capacity);
    this.c = new Int32Array(capacity);
    this.d = new Int32Array(capacity);
    this.x = new Float64Array(capacity);
    this.#times = new Float64Array(capacity);
    this.#orders = new Float64Array(capacity);
    this.#entries = new Int32Array(capacity);
    this.#free = new Int32Array(capacity);
    this.clear();
  }

  /** Entries waiting. */
  get size(): number {
    return this.#size;
  }

  /** Time of the next entry; only when there is one. */
  get nextTime(): number {
    return this.#times[0] as number;
  }

  /** The next entry; only when there is one. */
  get next(): number {
    return this.#entries[0] as number;
  }

  /** Forgets everything, so that the queue may serve another run. */
  clear(): void {
    const capacity = this.kind.length;
    this.#size = 0;
    this.#order = 0;
    this.#freeCount = capacity;
    for (let i = 0; i < capacity; i += 1) this.#free[i] = capacity - 1 - i;
    this.objects.length = 0;
    for (let i = 0; i < capacity; i += 1) this.objects.push(null);
  }

  /** Takes an entry from the pool without queueing it; its other fields are zero. */
  take(kind: number, target: number, guard: number): number {
    if (this.#freeCount === 0) this.#grow();
    this.#freeCount -= 1;
    const entry = this.#free[this.#freeCount] as number;
    this.kind[entry] = kind;
    this.target[entry] = target;
    this.guard[entry] = guard;
    this.a[entry] = 0;
    this.b[entry] = 0;
    this.c[entry] = 0;
    this.d[entry] = 0;
    this.x[entry] = 0;
    return entry;
  }

  /** Queues a new entry for `time`. */
  push(time: number, kind: number, target: number, guard: number): number {
    const entry = this.take(kind, target, guard);
    this.requeue(time, entry);
    return entry;
  }

  /** Queues an entry that was taken or popped and not released. */
  requeue(time: number, entry: number): void {
    this.#order += 1;
    const order = this.#order;
    const times = this.#times;
    const orders = this.#orders;
    const entries = this.#entries;
    let hole = this.#size;
    this.#size += 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      // The new entry has the highest order of all, so equal times never move it up.
      if ((times[parent] as number) <= time) break;
      times[hole] = times[parent] as number;
      orders[hole] = orders[parent] as number;
      entries[hole] = entries[parent] as number;
      hole = parent;
    }
    times[hole] = time;
    orders[hole] = order;
    entries[hole] = entry;
  }

  /** Removes the first entry from the order and returns it; the caller releases or requeues it. */
  pop(): number {
    const times = this.#times;
    const orders = this.#orders;
    const entries = this.#entries;
    const first = entries[0] as number;
    this.#size -= 1;
    const size = this.#size;
    const time = times[size] as number;
    const order = orders[size] as number;
    const entry = entries[size] as number;
    let hole = 0;
    for (let child = 1; child < size; child = 2 * hole + 1) {
      const right = child + 1;
      if (right < size && this.#before(right, child)) child = right;
      const childTime = times[child] as number;
      if (childTime > time || (childTime === time && (orders[child] as number) > order)) break;
      times[hole] = childTime;
      orders[hole] = orders[child] as number;
      entries[hole] = entries[child] as number;
      hole = child;
    }
    times[hole] = time;
    orders[hole] = order;
    entries[hole] = entry;
    return first;
  }

  /** Gives an entry back to the pool. */
  release(entry: number): void {
    this.objects[entry] = null;
    this.#free[this.#freeCount] = entry;
    this.#freeCount += 1;
  }

  #before(left: number, right: number): boolean {
    const a = this.#times[left] as number;
    const b = this.#times[right] as number;
    return a < b || (a === b && (this.#orders[left] as number) < (this.#orders[right] as number));
  }

  #grow(): void {
    const old = this.kind.length;
    const capacity = old * 2;
    this.kind = wider(this.kind, capacity);
    this.target = wider(this.target, capacity);
    this.guard = wider(this.guard, capacity);
    this.a = wider(this.a, capacity);
    this.b = wider(this.b, capacity);
    this.c = wider(this.c, capacity);
    this.d = wider(this.d, capacity);
    this.#entries = wider(this.#entries, capacity);
    this.#free = wider(this.#free, capacity);
    this.x = widerDouble(this.x, capacity);
    this.#times = widerDouble(this.#times, capacity);
    this.#orders = widerDouble(this.#orders, capacity);
    for (let i = old; i < capacity; i += 1) {
      this.objects.push(null);
      this.#free[i - old] = capacity - 1 - (i - old);
    }
    this.#freeCount = capacity - old;
  }
}

function wider(from: Int32Array, length: number): Int32Array {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}

function widerDouble(from: Float64Array, length: number): Float64Array {
  const to = new Float64Array(length);
  to.set(from);
  return to;
}
