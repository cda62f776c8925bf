/**
 * Applications as the monitor reports them, and the asking for starts and stops with a back-off.
 * It decides no ownership; the executor says what is wanted.
 */

import { invariant } from '../core/invariant.ts';
import type { Epoch, Micros } from '../core/units.ts';
import type { ApplicationWord } from '../ports/application.ts';
import type { Context } from './context.ts';
import type { Unit } from './groups.ts';

const ASK_EVERY = 1_000_000;
const STOP_FAILED_EVERY = 5_000_000;
const RESTARTS_MAX = 3;
const RESTART_WINDOW = 600_000_000;

/** 'unknown' until the monitor has spoken. */
export type ApplicationState = ApplicationWord | 'unknown';

export class LocalApplication {
  /** False when the group has no application: then it runs with its data. */
  readonly exists: boolean;
  state: ApplicationState;
  epoch: Epoch = 0;
  runningSince: Micros = 0;
  /** The event that told of the last change. */
  event = '';
  /** How many events this life had written then. */
  told = 0;
  /** The event that asked for the last start or stop. */
  asked = '';
  startedAt: Micros = -1;
  startedEpoch: Epoch = 0;
  stoppedAt: Micros = -1;
  #restarts: Micros[] = [];
  #failed: Epoch = 0;

  constructor(exists: boolean, state: ApplicationState) {
    this.exists = exists;
    this.state = state;
  }

  /** Nothing of it runs, provably. */
  get quiet(): boolean {
    return !this.exists || (this.state === 'stopped' && this.startedEpoch === 0);
  }

  runs(epoch: Epoch): boolean {
    return !this.exists || (this.state === 'running' && this.epoch === epoch);
  }

  failedIn(epoch: Epoch): boolean {
    return this.exists && this.#failed === epoch && epoch !== 0;
  }

  /** Notes a failure; true while it may be restarted in place. */
  failed(epoch: Epoch, now: Micros): boolean {
    this.#restarts = this.#restarts.filter((at) => now - at < RESTART_WINDOW);
    if (this.#restarts.length >= RESTARTS_MAX) {
      this.#failed = epoch;
      this.#restarts = [];
      return false;
    }
    this.#restarts.push(now);
    return true;
  }
}

export class Applications {
  readonly #context: Context;
  #byGroup = new Map<string, LocalApplication>();

  constructor(context: Context) {
    this.#context = context;
    for (const unit of context.units) this.begin(unit, null);
  }

  /**
   * `left` is the epoch in which an earlier life of this core may have left it running, null when
   * nothing was left, and 0 when nobody knows.
   */
  begin(unit: Unit, left: Epoch | null): void {
    const exists = unit.group.application !== null;
    const application = new LocalApplication(exists, left === null ? 'stopped' : 'unknown');
    application.epoch = left ?? 0;
    this.#byGroup.set(unit.group.name, application);
  }

  get(unit: Unit): LocalApplication {
    const application = this.#byGroup.get(unit.group.name);
    invariant(application !== undefined, 'every unit has its application slot');
    return application;
  }

  /** The monitor reports. */
  report(group: string, epoch: Epoch, state: ApplicationWord): void {
    const application = this.#byGroup.get(group);
    if (application === undefined) return;
    const { now } = this.#context;
    const before = application.state;
    const same = before === state && application.epoch === epoch;
    application.state = state;
    application.epoch = epoch;
    if (state === 'running' && before !== 'running') application.runningSince = now;
    if (this.#answers(application, epoch, state)) application.startedEpoch = 0;
    if (same) return;
    application.event = this.#context.event(
      'application.state',
      { group, epoch, state },
      application.asked,
    );
    application.told = this.#context.written;
    if (state !== 'failed') return;
    if (application.startedEpoch === 0) application.startedAt = -1;
    if (application.failed(epoch, now)) this.#context.reached('group-restart-in-place');
  }

  /**
   * Whether a report answers the last start. One that tells of another epoch was said before the
   * start was heard; one that it is stopped may have been, unless a stop was asked for since.
   */
  #answers(asked: LocalApplication, epoch: Epoch, state: ApplicationState): boolean {
    if (state === 'stopped') return asked.stoppedAt > asked.startedAt;
    if (state === 'stopping' || state === 'stop-failed') return true;
    return epoch === asked.startedEpoch || this.#context.flags['any-word-answers'];
  }

  /** Asks for a start under the lease, unless it runs already in this epoch. */
  start(unit: Unit, epoch: Epoch, until: Micros, cause: string): void {
    const application = this.get(unit);
    if (!application.exists) return;
    const { now } = this.#context;
    const { state } = application;
    if (application.epoch === epoch && (state === 'running' || state === 'starting')) return;
    if (state === 'stopping' || state === 'stop-failed') {
      this.stop(unit, 'restart', cause);
      return;
    }
    const asked = application.startedEpoch === epoch && application.startedAt >= 0;
    if (asked && now - application.startedAt < ASK_EVERY) return;
    application.startedAt = now;
    application.startedEpoch = epoch;
    const group = unit.group.name;
    const event = this.#context.event('application.start', { group, epoch, until }, cause);
    application.asked = event;
    this.#context.decide({
      kind: 'application',
      group,
      action: 'start',
      epoch,
      until,
      cause: event,
    });
  }

  /** Asks for a stop, again and again until it is confirmed. */
  stop(unit: Unit, reason: string, cause: string): void {
    const application = this.get(unit);
    if (application.quiet) return;
    const { now } = this.#context;
    const every = application.state === 'stop-failed' ? STOP_FAILED_EVERY : ASK_EVERY;
    const again = application.stoppedAt > application.startedAt;
    if (again && now - application.stoppedAt < every) return;
    application.stoppedAt = now;
    const group = unit.group.name;
    const epoch = Math.max(application.epoch, application.startedEpoch);
    const event = this.#context.event('application.stop', { group, epoch, reason }, cause);
    application.asked = event;
    const until = 0;
    this.#context.decide({
      kind: 'application',
      group,
      action: 'stop',
      epoch,
      until,
      cause: event,
    });
  }

  /** Passes a longer lease on to what runs. */
  renew(unit: Unit, until: Micros): void {
    const application = this.get(unit);
    if (application.quiet || !application.exists) return;
    const { state } = application;
    if (state !== 'running' && state !== 'starting' && state !== 'unknown') return;
    const group = unit.group.name;
    const epoch = application.epoch;
    this.#context.decide({ kind: 'application', group, action: 'renew', epoch, until, cause: '' });
  }
}
