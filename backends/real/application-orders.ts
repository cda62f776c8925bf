/**
 * Orders about applications on their way to the monitor. A start waits until the watchdog that the
 * configuration promises is in force, because the right to run was reckoned with it; a monitor that
 * comes back hears the rights again that are in force. No order is made here.
 */
import type { Micros } from '../../engine/core/units.ts';
import type { GuardState } from './guard-state.ts';
import type { Log } from './log.ts';
import type { ApplicationOrder } from './supervision.ts';

/** How often a watchdog that a start waits for is looked at. */
const LOOK_MS = 20;
/** The lack of a watchdog is said this often. */
const SAY_EVERY_MS = 10_000;

export interface OrderHost {
  readonly clock: () => Micros;
  readonly guard: () => GuardState;
  readonly send: (order: ApplicationOrder) => void;
  readonly log: Log;
}

export class ApplicationOrders {
  #host: OrderHost;
  /** The newest order that gives a right, by group; a stop takes it away. */
  #rights = new Map<string, ApplicationOrder>();
  #waiting = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(host: OrderHost) {
    this.#host = host;
  }

  /** Carries out what the engine decided. */
  give(order: ApplicationOrder): void {
    const { group, action } = order;
    if (action === 'stop') {
      this.#rights.delete(group);
      this.#waiting.delete(group);
      this.#host.send(order);
      return;
    }
    this.#rights.set(group, order);
    if (action === 'start') this.#waiting.add(group);
    else if (!this.#waiting.has(group)) this.#host.send(order);
    this.#look();
  }

  /** A monitor has (re)started and knows only what it had written down. */
  repeat(): void {
    const now = this.#host.clock();
    for (const order of this.#rights.values()) {
      if (now < order.until && !this.#waiting.has(order.group)) {
        this.#host.send({ ...order, action: 'renew' });
      }
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting.clear();
  }

  #look(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#waiting.size === 0) return;
    const { state } = this.#host.guard();
    const inForce = state === 'none' || state === 'armed';
    const now = this.#host.clock();
    for (const group of this.#waiting) {
      const order = this.#rights.get(group);
      const over = order === undefined || now >= order.until;
      if (!over && !inForce) continue;
      this.#waiting.delete(group);
      if (!over) this.#host.send({ ...order, action: 'start' });
    }
    if (this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => this.#look(), LOOK_MS);
    // Arming takes a moment: only what lasts is worth a word.
    if (state !== 'idle') this.#say(state);
  }

  #say(state: string): void {
    const now = performance.now();
    if (this.#saidAt === Number.NEGATIVE_INFINITY) this.#saidAt = now - SAY_EVERY_MS + 1000;
    if (now - this.#saidAt < SAY_EVERY_MS) return;
    this.#saidAt = now;
    const remedy = 'mend the watchdog device, or configure watchdog: none';
    this.#host.log('error', 'application-start-unguarded', { watchdog: state, remedy });
  }
}
