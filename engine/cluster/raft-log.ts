/** The log of one voter: a snapshot's place and the entries after it. It decides nothing. */
import { invariant } from '../core/invariant.ts';
import type { Entry } from './entries.ts';

export interface LogEntry {
  readonly term: number;
  readonly entry: Entry;
}

export class RaftLog {
  #snapIndex: number;
  #snapTerm: number;
  #entries: LogEntry[];

  constructor(snapIndex: number, snapTerm: number, entries: readonly LogEntry[]) {
    this.#snapIndex = snapIndex;
    this.#snapTerm = snapTerm;
    this.#entries = entries.slice();
  }

  get snapIndex(): number {
    return this.#snapIndex;
  }

  get snapTerm(): number {
    return this.#snapTerm;
  }

  get last(): number {
    return this.#snapIndex + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries[this.#entries.length - 1]?.term ?? this.#snapTerm;
  }

  /** Term of the entry at `index`, -1 when it is not here. */
  termAt(index: number): number {
    if (index === this.#snapIndex) return this.#snapTerm;
    return this.#entries[index - this.#snapIndex - 1]?.term ?? -1;
  }

  at(index: number): LogEntry {
    const found = this.#entries[index - this.#snapIndex - 1];
    invariant(found !== undefined, 'a committed entry is in the log');
    return found;
  }

  /** At most `max` entries from `index` on. */
  from(index: number, max: number): readonly LogEntry[] {
    const start = index - this.#snapIndex - 1;
    return this.#entries.slice(start, start + max);
  }

  /** A copy that later changes do not reach. */
  copy(): readonly LogEntry[] {
    return this.#entries.slice();
  }

  append(entry: LogEntry): void {
    this.#entries.push(entry);
  }

  /** Drops `index` and everything after it. */
  truncate(index: number): void {
    this.#entries.length = index - this.#snapIndex - 1;
  }

  /** Forgets the entries up to `index`, whose effect a snapshot holds. */
  compact(index: number): void {
    const term = this.termAt(index);
    this.#entries = this.#entries.slice(index - this.#snapIndex);
    this.#snapIndex = index;
    this.#snapTerm = term;
  }

  /** Starts anew behind a snapshot. */
  reset(index: number, term: number): void {
    this.#entries = [];
    this.#snapIndex = index;
    this.#snapTerm = term;
  }
}
