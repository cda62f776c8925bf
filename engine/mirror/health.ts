/**
 * Whether the own disk is likely to fail soon: many of its blocks went bad within a day, or hardly
 * a spare block is left. Says so, once, and gives up nothing: what went bad has moved or is
 * repaired, and a person decides when the disk is replaced.
 */
import type { Micros } from '../core/units.ts';
import type { FailingReason } from '../data/messages.ts';
import { READ_ERRORS_MAX, READ_ERRORS_WINDOW } from './config.ts';
import type { Parts } from './parts.ts';

export class Health {
  readonly #p: Parts;
  /** Blocks that went bad, and when: one entry a block. */
  #counted: { readonly block: number; readonly at: Micros }[] = [];
  /** Why the disk is taken for a failing one, '' while it is not. It does not get well. */
  failing: FailingReason | '' = '';

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** A block could not be read, or not be written, and was put right or moved. */
  wentBad(block: number): void {
    const { turn } = this.#p;
    const since = turn.now - READ_ERRORS_WINDOW;
    this.#counted = this.#counted.filter((each) => each.at > since && each.block !== block);
    this.#counted.push({ block, at: turn.now });
    if (this.#counted.length >= READ_ERRORS_MAX) this.#says('read-errors');
    this.spareTaken();
  }

  /** Spare blocks are in use: after one more was given, and when the table was read. */
  spareTaken(): void {
    if (this.#p.spare.nearlyFull) this.#says('spare');
  }

  #says(reason: FailingReason): void {
    const { turn, spare, canary } = this.#p;
    // That there is no room left is the graver of the two.
    if (this.failing === reason || this.failing === 'spare' || canary.failingUnsaid) return;
    this.failing = reason;
    turn.reached('mirror.disk.failing');
    const { count } = spare.layout;
    turn.event('mirror.disk.failing', { reason, moved: spare.used, spares: count });
  }
}
