/**
 * What clients' requests take, and how much of that is the mirror's doing: what a request took
 * longer than its own disk did. Sums of one second at a time, counted in place; a report tells each
 * second in which there was something, and the first one in which there was nothing more.
 */
import { MICROS_PER_S, type Micros } from '../core/units.ts';
import type { Meters as Report } from '../data/messages.ts';
import type { Parts } from './parts.ts';
import { Kind } from './request.ts';
import { Deadline } from './turn.ts';

/** Doubling steps from 1 µs to more than half an hour. */
const STEPS = 32;

export class Meters {
  readonly #p: Parts;
  /** When each request of a client was issued to the own disk, and when that was done; or 0. */
  readonly #issued: Float64Array;
  readonly #done: Float64Array;
  readonly #spread = new Uint32Array(STEPS);
  #since: Micros = 0;
  #reads = 0;
  #writes = 0;
  #flushes = 0;
  #bytesRead = 0;
  #bytesWritten = 0;
  #readMicros = 0;
  #writeMicros = 0;
  #addedMicros = 0;
  #bytesSent = 0;

  constructor(parts: Parts) {
    this.#p = parts;
    const { frontSlots } = parts.turn.memory.layout;
    this.#issued = new Float64Array(frontSlots);
    this.#done = new Float64Array(frontSlots);
  }

  /** A front-end request is handed to the own disk. */
  issued(slot: number): void {
    this.#issued[slot] = this.#p.turn.now;
    this.#done[slot] = 0;
  }

  /** The own disk is done with it. */
  done(slot: number): void {
    this.#done[slot] = this.#p.turn.now;
  }

  /** So many bytes of clients' writes or of copies go to a peer. */
  sent(bytes: number): void {
    this.#bytesSent += bytes;
    this.#wake();
  }

  /** A front-end request has succeeded. */
  finished(slot: number): void {
    const { slots, turn, canary } = this.#p;
    const took = turn.now - (slots.since[slot] as number);
    const length = slots.length[slot] as number;
    switch (slots.kind[slot]) {
      case Kind.Read:
        this.#reads += 1;
        this.#bytesRead += length;
        this.#readMicros += took;
        break;
      case Kind.Write: {
        const disk = (this.#done[slot] as number) - (this.#issued[slot] as number);
        this.#writes += 1;
        this.#bytesWritten += length;
        this.#writeMicros += took;
        this.#addedMicros += canary.metersBlind ? 0 : took - Math.min(took, Math.max(0, disk));
        const step = Math.min(STEPS - 1, 32 - Math.clz32(took));
        this.#spread[step] = (this.#spread[step] as number) + 1;
        break;
      }
      default:
        this.#flushes += 1;
    }
    this.#wake();
  }

  /** A second is over. */
  timer(): void {
    const { turn, config } = this.#p;
    const some = this.#reads + this.#writes + this.#flushes + this.#bytesSent > 0;
    const meters: Report = {
      micros: turn.now - this.#since,
      reads: this.#reads,
      writes: this.#writes,
      flushes: this.#flushes,
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
      readMicros: this.#readMicros,
      writeMicros: this.#writeMicros,
      addedMicros: this.#addedMicros,
      writeMost: this.#most(),
      bytesSent: this.#bytesSent,
    };
    turn.report({ kind: 'meters', volume: config.volume, meters });
    this.#since = turn.now;
    this.#reads = 0;
    this.#writes = 0;
    this.#flushes = 0;
    this.#bytesRead = 0;
    this.#bytesWritten = 0;
    this.#readMicros = 0;
    this.#writeMicros = 0;
    this.#addedMicros = 0;
    this.#bytesSent = 0;
    this.#spread.fill(0);
    if (some) turn.due(Deadline.Meters, turn.now + MICROS_PER_S);
  }

  #wake(): void {
    const { turn } = this.#p;
    if (turn.isSet(Deadline.Meters)) return;
    this.#since = turn.now;
    turn.due(Deadline.Meters, turn.now + MICROS_PER_S);
  }

  /** Within how many microseconds 99 of 100 writes were done: a power of two, 0 for no writes. */
  #most(): Micros {
    let left = Math.floor(this.#writes / 100);
    if (this.#writes === 0) return 0;
    for (let step = STEPS - 1; step > 0; step -= 1) {
      left -= this.#spread[step] as number;
      if (left < 0) return 2 * (1 << (step - 1));
    }
    return 1;
  }
}
