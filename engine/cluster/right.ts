/**
 * This node's right to act, as time goes on: whether its lease holds, and who is told when that
 * changes. How long it holds is LeaseHolder's to say; what is done under it is the executor's.
 */
import type { Micros, NodeId } from '../core/units.ts';
import type { Context } from './context.ts';
import type { Links } from './heartbeat.ts';
import type { LeaseHolder } from './lease.ts';

export class Right {
  readonly #context: Context;
  readonly #links: Links;
  readonly #holder: LeaseHolder;
  /** Told the event in which it ran out; '' when it is there. */
  readonly #changed: (lapse: string) => void;
  #lapsedAt: Micros = 0;
  #held = false;

  constructor(
    context: Context,
    links: Links,
    holder: LeaseHolder,
    changed: (lapse: string) => void,
  ) {
    this.#context = context;
    this.#links = links;
    this.#holder = holder;
    this.#changed = changed;
  }

  /** As it was judged last. */
  get held(): boolean {
    return this.#held;
  }

  /**
   * A voter promised us the renewal sent at `sent`, which is the last that a `majority` lacked, or
   * not; true when the right now lasts longer.
   */
  acknowledged(voter: NodeId, sent: Micros, majority: number): boolean {
    const { flags, now, timing } = this.#context;
    const from = flags['holder-from-receipt'] ? now : sent;
    if (!this.#holder.acknowledged(voter, from, majority, timing.pet)) return false;
    this.judge(voter);
    return this.#held;
  }

  /** Looks whether it holds now; `voter` is who promised last, 0 where only time has passed. */
  judge(voter: NodeId = 0): void {
    const { now, reached } = this.#context;
    const held = this.#holder.held(now);
    if (held === this.#held) return;
    this.#held = held;
    const until = this.#holder.until;
    if (held) {
      reached('lease-returned');
      this.#context.right = this.#context.event('lease.held', { until }, this.#cause(voter));
      this.#changed('');
    } else {
      reached('lease-lapsed');
      this.#lapsedAt = now;
      this.#changed(this.#context.event('lease.lapsed', { until }, ''));
    }
  }

  /**
   * What the promise of `voter` waited for: that it is heard. Where it was heard all along, and
   * only stood still or refused, there is nothing that tells of it.
   */
  #cause(voter: NodeId): string {
    const peer = this.#links.peer(voter);
    if (peer?.up === true && peer.upAt >= this.#lapsedAt) return peer.upEvent;
    return this.#context.right === '' ? this.#context.started : '';
  }
}
