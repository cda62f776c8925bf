/**
 * One process's journal as its files hold it: stretches of events, each under the header that maps
 * its clock. Files of one journal (a rotated one and its successor) are read one after the other.
 */
import { TimelineReader } from './codec.ts';
import type { TimelineEvent, TimelineHeader } from './event.ts';

/** What was written under one header. */
export interface Segment {
  /** Null where the file lost its head. */
  readonly header: TimelineHeader | null;
  readonly events: readonly TimelineEvent[];
}

/** A journal as it was read. */
export interface Journal {
  /** How people know it: a path, or a file's name. */
  readonly name: string;
  readonly segments: readonly Segment[];
  /** Lines that could not be read. */
  readonly damaged: number;
}

/** Reads a journal from text in pieces of any size. */
export class JournalReader {
  readonly #name: string;
  readonly #segments: { header: TimelineHeader | null; events: TimelineEvent[] }[] = [];
  #damaged = 0;
  #refused = false;
  #reader: TimelineReader;

  constructor(name: string) {
    this.#name = name;
    this.#reader = this.#open();
  }

  /** The schema is one that this program cannot read. */
  get refused(): boolean {
    return this.#refused || this.#reader.refused;
  }

  push(piece: string): void {
    this.#reader.push(piece);
  }

  /** The file is at its end; another of the same journal may follow. */
  endFile(): void {
    this.#reader.end();
    this.#damaged += this.#reader.faultCount + (this.#reader.torn ? 1 : 0);
    this.#refused ||= this.#reader.refused;
    this.#reader = this.#open();
  }

  get journal(): Journal {
    return { name: this.#name, segments: this.#segments, damaged: this.#damaged };
  }

  #open(): TimelineReader {
    return new TimelineReader({
      header: (header) => this.#segments.push({ header, events: [] }),
      event: (event) => {
        if (this.#segments.length === 0) this.#segments.push({ header: null, events: [] });
        this.#segments.at(-1)?.events.push(event);
      },
    });
  }
}
