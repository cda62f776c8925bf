/**
 * Explores a small model exhaustively, breadth first, so that the first state that breaks a law has
 * the shortest schedule there is. States are packed into 32-bit words; nothing here knows what they
 * mean. `tools/rule-table.ts` prints what came of it.
 */

/** Takes one move: what happens, at which replica, towards which other one (-1 for none). */
export type Take<S> = (event: string, at: number, to: number, next: S) => void;

/** A transition system whose states fit a fixed number of words. */
export interface Model<S> {
  readonly words: number;
  /** Events that no replica chooses: a way to recover may not count on them. */
  readonly faults: ReadonlySet<string>;
  start(): S;
  pack(state: S, into: Int32Array): void;
  unpack(from: Int32Array): S;
  moves(state: S, take: Take<S>): void;
  /** The law that this state breaks, or null. */
  violation(state: S): string | null;
  /** Where packing gives the replicas other names: by new name, the old one. */
  order?(state: S): readonly number[];
}

export interface Finding {
  readonly violation: string;
  readonly schedule: readonly string[];
}

export interface Bounds {
  /** The model is not as small as thought when it has more states than this. */
  readonly states: number;
}

/** Every state that was met, in the order of the shortest way to it. */
export class Exploration<S> {
  readonly model: Model<S>;
  readonly #found: StateSet;
  readonly #parents: IntList;
  /** Moves without faults, as pairs of states: from, to. */
  readonly #edges: IntList;
  /** The first state that breaks a law, by the shortest schedule; null when none does. */
  finding: Finding | null = null;
  /** Whether every reachable state was met: neither a finding nor the bound ended it. */
  complete = false;

  constructor(model: Model<S>) {
    this.model = model;
    this.#found = new StateSet(model.words);
    this.#parents = new IntList();
    this.#edges = new IntList();
  }

  get states(): number {
    return this.#found.size;
  }

  state(index: number): S {
    const words = new Int32Array(this.model.words);
    this.#found.read(index, words);
    return this.model.unpack(words);
  }

  /** Meets every reachable state, or those up to the first that breaks a law. */
  run(bounds: Bounds, edges: 'edges' | 'no-edges'): void {
    const { model } = this;
    const words = new Int32Array(model.words);
    const add = (state: S, parent: number): number => {
      model.pack(state, words);
      const index = this.#found.add(words);
      if (index === this.#parents.length) this.#parents.push(parent);
      return index;
    };
    add(model.start(), -1);
    for (let index = 0; index < this.#found.size; index += 1) {
      const state = this.state(index);
      const violation = model.violation(state);
      if (violation !== null) {
        this.finding = { violation, schedule: this.schedule(index) };
        return;
      }
      model.moves(state, (event, _at, _to, next) => {
        const target = add(next, index);
        if (edges === 'no-edges' || model.faults.has(event)) return;
        this.#edges.push(index);
        this.#edges.push(target);
      });
      if (this.#found.size > bounds.states) return;
    }
    this.complete = true;
  }

  /** The shortest way to a state, told by finding each step's event again. */
  schedule(index: number): string[] {
    const { model } = this;
    const way: number[] = [];
    for (let i = index; i >= 0; i = this.#parents.at(i)) way.push(i);
    way.reverse();
    const words = new Int32Array(model.words);
    // How the replicas of the state at hand were called at the start.
    let names = model.order?.(model.start()) ?? [0, 1, 2];
    const steps: string[] = [];
    for (let n = 1; n < way.length; n += 1) {
      let step = '';
      let order: readonly number[] | undefined;
      model.moves(this.state(way[n - 1] as number), (event, at, to, next) => {
        if (step !== '') return;
        model.pack(next, words);
        if (this.#found.find(words) !== way[n]) return;
        step = sayEvent(event, names[at] ?? -1, names[to] ?? -1);
        order = model.order?.(next);
      });
      steps.push(step);
      if (order !== undefined) names = order.map((old) => names[old] as number);
    }
    return steps;
  }

  /** States from which no way without a fault leads to one that `goal` accepts. */
  stuck(goal: (state: S) => boolean): number[] {
    const { size } = this.#found;
    const { first, from } = this.#reversed();
    const reaches = new Uint8Array(size);
    const queue = new Int32Array(size);
    let end = 0;
    for (let index = 0; index < size; index += 1) {
      if (!goal(this.state(index))) continue;
      reaches[index] = 1;
      queue[end] = index;
      end += 1;
    }
    for (let head = 0; head < end; head += 1) {
      const target = queue[head] as number;
      for (let e = first[target] as number; e < (first[target + 1] as number); e += 1) {
        const source = from[e] as number;
        if (reaches[source] !== 0) continue;
        reaches[source] = 1;
        queue[end] = source;
        end += 1;
      }
    }
    const stuck: number[] = [];
    for (let index = 0; index < size; index += 1) if (reaches[index] === 0) stuck.push(index);
    return stuck;
  }

  /** For each state where its incoming moves stand in `from`. */
  #reversed(): { first: Int32Array; from: Int32Array } {
    const edges = this.#edges;
    const first = new Int32Array(this.#found.size + 1);
    for (let e = 1; e < edges.length; e += 2) {
      const slot = edges.at(e) + 1;
      first[slot] = (first[slot] as number) + 1;
    }
    for (let i = 1; i < first.length; i += 1) {
      first[i] = (first[i] as number) + (first[i - 1] as number);
    }
    const next = first.slice();
    const from = new Int32Array(edges.length / 2);
    for (let e = 0; e < edges.length; e += 2) {
      const target = edges.at(e + 1);
      const slot = next[target] as number;
      from[slot] = edges.at(e);
      next[target] = slot + 1;
    }
    return { first, from };
  }
}

const NAMES = 'ABC';

/** `promote A`, `copy A to B`, `cut`. */
function sayEvent(event: string, at: number, to: number): string {
  const who = at < 0 ? '' : ` ${NAMES[at] as string}`;
  return `${event}${who}${to < 0 ? '' : ` to ${NAMES[to] as string}`}`;
}

/** Packed states, each once, numbered in order of arrival. */
class StateSet {
  readonly #words: number;
  #store: Int32Array;
  /** Open addressing: index + 1, or 0 where nothing is. */
  #table = new Int32Array(1 << 16);
  size = 0;

  constructor(words: number) {
    this.#words = words;
    this.#store = new Int32Array(words << 15);
  }

  /** The number of the state, new or not. */
  add(state: Int32Array): number {
    const slot = this.#slot(state);
    const known = this.#table[slot] as number;
    if (known !== 0) return known - 1;
    const index = this.size;
    const start = index * this.#words;
    if (start + this.#words > this.#store.length) {
      const wider = new Int32Array(this.#store.length * 2);
      wider.set(this.#store);
      this.#store = wider;
    }
    this.#store.set(state, start);
    this.#table[slot] = index + 1;
    this.size = index + 1;
    if (this.size * 2 > this.#table.length) this.#rehash();
    return index;
  }

  /** The number of the state, -1 when it is not there. */
  find(state: Int32Array): number {
    return (this.#table[this.#slot(state)] as number) - 1;
  }

  read(index: number, into: Int32Array): void {
    const start = index * this.#words;
    for (let w = 0; w < this.#words; w += 1) into[w] = this.#store[start + w] as number;
  }

  #slot(state: Int32Array): number {
    const mask = this.#table.length - 1;
    for (let slot = hash(state, 0, this.#words) & mask; ; slot = (slot + 1) & mask) {
      const index = (this.#table[slot] as number) - 1;
      if (index < 0 || this.#equals(index, state)) return slot;
    }
  }

  #equals(index: number, state: Int32Array): boolean {
    const start = index * this.#words;
    for (let w = 0; w < this.#words; w += 1) {
      if (this.#store[start + w] !== state[w]) return false;
    }
    return true;
  }

  #rehash(): void {
    const table = new Int32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (let index = 0; index < this.size; index += 1) {
      let slot = hash(this.#store, index * this.#words, this.#words) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = index + 1;
    }
    this.#table = table;
  }
}

function hash(words: Int32Array, start: number, count: number): number {
  let h = 0x2545_f491;
  for (let w = 0; w < count; w += 1) {
    h = Math.imul(h ^ (words[start + w] as number), 0x9e37_79b1);
    h ^= h >>> 15;
  }
  h = Math.imul(h, 0x85eb_ca6b);
  return h ^ (h >>> 13);
}

/** A list of integers that grows. */
class IntList {
  #items = new Int32Array(1 << 15);
  length = 0;

  push(item: number): void {
    if (this.length === this.#items.length) {
      const wider = new Int32Array(this.length * 2);
      wider.set(this.#items);
      this.#items = wider;
    }
    this.#items[this.length] = item;
    this.length += 1;
  }

  at(index: number): number {
    return this.#items[index] as number;
  }
}
