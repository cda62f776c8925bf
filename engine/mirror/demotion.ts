/**
 * How a primary gives up its role in order: what is in flight ends, nothing is left unstable or
 * hot, and then it says that it has stopped. A record that comes meanwhile ends this; who may lead
 * after it is none of its business.
 */
import type { Epoch } from '../core/units.ts';
import type { Parts } from './parts.ts';

export class Demotion {
  readonly #p: Parts;
  /** Counts the times it began or was ended: what an earlier one waited for concerns nobody. */
  #run = 0;
  #drained: (() => void) | null = null;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Begins; the last step takes the role away and says so. */
  begin(epoch: Epoch): void {
    const { state, turn, writes } = this.#p;
    turn.cause = turn.event('mirror.demote', { epoch });
    state.demoting = true;
    this.#run += 1;
    const run = this.#run;
    writes.refuseWaiting();
    this.whenDrained(() => this.#flush(run, epoch));
  }

  /** A record takes the place of the wish; says whether one was under way. */
  end(): boolean {
    const { state } = this.#p;
    const was = state.demoting;
    this.#run += 1;
    state.demoting = false;
    return was;
  }

  /** This host leads no more, and nothing of what it did as primary is in flight. */
  stopped(epoch: Epoch): void {
    const { turn, config } = this.#p;
    const cause = turn.event('mirror.stopped', { epoch });
    turn.report({ kind: 'stopped', volume: config.volume, epoch, cause });
  }

  /** Calls `done` when no front-end request is in flight. */
  whenDrained(done: () => void): void {
    if (this.#p.writes.open === 0 && !this.#p.state.fencing) done();
    else this.#drained = this.#p.turn.carry(done);
  }

  /** No front-end request is in flight. */
  drained(): void {
    const call = this.#drained;
    this.#drained = null;
    call?.();
  }

  #flush(run: number, epoch: Epoch): void {
    const { flushes, verify } = this.#p;
    const still = (next: () => void) => () => {
      if (run === this.#run) next();
    };
    verify.chunk.whenIdle(still(() => flushes.leaveNothing(still, () => this.#done(epoch))));
  }

  #done(epoch: Epoch): void {
    const { state } = this.#p;
    [state.lead, state.demoting, state.demoted] = [false, false, true];
    this.#p.proxy.over();
    this.stopped(epoch);
  }
}
