/**
 * A quiesce point: while it is held, no request is admitted or in flight, and everything that was
 * acknowledged is stable on every member. So whoever copies the disk of any member meanwhile, for
 * a backup, has the image of one moment. Held for a limited time only, and never for longer than
 * this host may act as primary: nobody else writes while it stands.
 */
import type { Micros } from '../core/units.ts';
import { QUIESCE_MAX, type QuiesceOrder, type QuiesceReport } from '../data/messages.ts';
import type { Parts } from './parts.ts';
import { Deadline } from './turn.ts';

/** How far it is: what was admitted ends, the disks flush, the point stands. */
const Stage = { None: 0, Draining: 1, Flushing: 2, Quiet: 3 } as const;

export class Quiesce {
  readonly #p: Parts;
  #id = 0;
  /** The event in which it was asked for, or stood. */
  #by = '';
  #until: Micros = 0;
  #stage: number = Stage.None;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Whether requests wait at the gate. */
  get on(): boolean {
    return this.#stage !== Stage.None;
  }

  /** Asked for a point, which stands until it is let go, or its time is over. */
  onOrder(order: QuiesceOrder, cause: string): void {
    const { turn, state } = this.#p;
    if (order.id === this.#id) return;
    turn.cause = cause;
    if (this.on) this.#say('ended', 'quiesced-already', order.id);
    else if (!this.#leads()) this.#say('ended', 'not-primary', order.id);
    else {
      this.#id = order.id;
      this.#until = Math.min(order.until, turn.now + QUIESCE_MAX);
      this.#stage = Stage.Draining;
      turn.due(Deadline.Quiesce, this.#until);
      this.#by = turn.event('mirror.quiesce', { epoch: state.epoch });
    }
  }

  /** Lets the point `id` go: its report says whether it stood until now. */
  release(id: number, cause: string): void {
    if (id !== this.#id) {
      this.#say('ended', 'unknown', id);
      return;
    }
    this.#p.turn.cause = cause;
    this.#end(this.#over() ?? 'released');
  }

  /** End of a turn: goes on where what it waited for is done, ends where it may not stand. */
  pump(): void {
    const over = this.#over();
    if (over !== null) {
      this.#p.turn.under(this.#by, () => this.#end(over));
      return;
    }
    if (this.#stage !== Stage.Draining) return;
    const { writes, verify, repair, barrier, canary } = this.#p;
    const busy = writes.open > 0 || verify.chunk.inHand || repair.busy;
    if (busy && !canary.quiesceUndrained) return;
    this.#stage = Stage.Flushing;
    const id = this.#id;
    const quiet = (): void => {
      if (id === this.#id && this.#stage === Stage.Flushing) this.#quiet();
    };
    this.#p.turn.under(this.#by, () => {
      if (canary.quiesceUnflushed) quiet();
      else barrier.whenStable(quiet);
    });
  }

  /** Why it can stand no longer; null while it can. */
  #over(): string | null {
    if (!this.#leads()) return 'not-primary';
    return this.#p.turn.now >= this.#until ? 'expired' : null;
  }

  #leads(): boolean {
    const { state, turn, canary } = this.#p;
    if (canary.quiescePastGrant) return state.lead && !state.demoting;
    return state.mayServe(turn.now) && !state.demoting;
  }

  #quiet(): void {
    const { turn, state, unproved } = this.#p;
    // What a disk that has failed shows is not all on it: whoever copied it would have less.
    const obstacle = unproved.on ? 'in-doubt' : this.#members().length === 0 ? 'moved' : '';
    if (obstacle !== '') {
      this.#end(obstacle);
      return;
    }
    this.#stage = Stage.Quiet;
    const members = this.#members().join(' ');
    this.#by = turn.cause = turn.event('mirror.quiesced', { epoch: state.epoch, members });
    this.#say('quiet', '', this.#id);
  }

  #end(reason: string): void {
    const { turn, writes } = this.#p;
    const stood = this.#stage === Stage.Quiet;
    if (!stood) turn.reached('mirror.quiesce.never');
    else if (reason !== 'released') turn.reached('mirror.quiesce.broken');
    turn.cause = turn.event('mirror.quiesce.end', { stood, reason });
    this.#say('ended', reason, this.#id);
    this.#stage = Stage.None;
    this.#id = 0;
    turn.due(Deadline.Quiesce, Number.POSITIVE_INFINITY);
    writes.resume();
  }

  /**
   * The members whose disk has the image. Whoever copies a place does not get what stands in the
   * spare area instead: a replica that has moved a block is none of them. A peer tells how many it
   * has with the flush of this very point.
   */
  #members(): readonly number[] {
    const { state, spare, partners, canary } = this.#p;
    const nodes = (state.record?.members ?? []).map(({ node }) => node);
    if (canary.quiesceMoved) return nodes;
    return nodes.filter((node) => {
      return node === state.node ? spare.used === 0 : partners.at(node)?.moved === 0;
    });
  }

  #say(state: QuiesceReport['state'], reason: string, id: number): void {
    const { turn, config } = this.#p;
    const { epoch } = this.#p.state;
    const members = this.#members();
    turn.report({
      kind: 'quiesce',
      volume: config.volume,
      id,
      state,
      reason,
      epoch,
      members,
      cause: turn.cause,
    });
  }
}
