/**
 * The monitor's hold on the guardian: starts it, adopts one that runs, starts it again when it is
 * gone. It never ends one that is armed: that would let the watchdog reset this host.
 */
import { spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeConfig, TimingConfig } from '../../engine/core/config.ts';
import type { BootId, Micros } from '../../engine/core/units.ts';
import { EXIT_REFUSED } from './failure.ts';
import type { Log } from './log.ts';
import { type GuardianState, guardianPath, loadNative } from './native.ts';
import {
  identify,
  isAlive,
  type ProcessIdentity,
  signal,
  wasStartedWith,
} from './process-identity.ts';
import { RestartBudget } from './restart-budget.ts';
import type { GuardianReport } from './supervision.ts';

/**
 * The page that core and guardian share. A deadline of an earlier boot means nothing to this boot's
 * clock and must never be petted for: each boot has a page of its own.
 */
export function guardianPage(folder: string, boot: BootId): string {
  return join(folder, `guardian-${boot}.state`);
}

export class GuardianKeeper {
  #self: NodeConfig;
  #folder: string;
  #page: string;
  #timing: TimingConfig;
  #log: Log;
  #state: GuardianState | null = null;
  #process: ProcessIdentity | null = null;
  #restarts = -1;
  #budget = new RestartBudget();
  /** After refusals; one that was killed is wanted back at once. */
  #waitUntil = 0;

  constructor(self: NodeConfig, folder: string, boot: BootId, timing: TimingConfig, log: Log) {
    this.#self = self;
    this.#folder = folder;
    this.#page = guardianPage(folder, boot);
    this.#timing = timing;
    this.#log = log;
    if (self.witness) return;
    this.#forgetEarlierBoots();
    this.#state = loadNative().openGuardianState(this.#page);
    this.#adopt();
    this.look();
  }

  get report(): GuardianReport {
    const { watchdog } = this.#self;
    const restarts = Math.max(0, this.#restarts);
    return { process: this.#process, watchdog, restarts };
  }

  /** The lease's end as the core wrote it last, 0 while it guards nothing. */
  get deadline(): Micros {
    const page = this.#state?.read();
    return page?.armed === true ? page.deadlineMicros : 0;
  }

  /** Starts one unless it runs; called every second. */
  look(): void {
    if (this.#state === null) return;
    if (this.#process !== null && isAlive(this.#process)) return;
    this.#process = null;
    if (performance.now() < this.#waitUntil) return;
    this.#restarts += 1;
    if (this.#restarts > 0) this.#log('warn', 'guardian-restarted');
    this.#start();
  }

  /** Asks it to end, which it does once it is disarmed. */
  stop(): void {
    if (this.#process !== null) signal(this.#process, 'SIGTERM');
    this.#state?.close();
    this.#state = null;
  }

  #start(): void {
    const { watchdog } = this.#self;
    const timeout = Math.max(1000, Math.floor(this.#timing.watchdog / 1000));
    const words = ['--state', this.#page, '--device', watchdog, '--timeout-ms', String(timeout)];
    // A session of its own, and our standard error for what it reports.
    const child = spawn(guardianPath(), words, { detached: true, stdio: ['ignore', 2, 'inherit'] });
    child.on('error', (error) => this.#log('error', 'guardian-spawn', { reason: error.message }));
    child.on('exit', (code) => {
      if (code === EXIT_REFUSED) this.#refused();
    });
    child.unref();
    this.#process = child.pid === undefined ? null : identify(child.pid);
  }

  /** Its device is missing, say: trying again every second would help nobody. */
  #refused(): void {
    const now = performance.now();
    this.#budget.started(now);
    const wait = this.#budget.pause(now);
    this.#waitUntil = now + wait;
    this.#log('error', 'guardian-refused', {
      device: this.#self.watchdog,
      again: `in ${Math.ceil(wait / 1000)} s`,
      remedy: 'load the driver of the watchdog, or configure watchdog: none',
    });
  }

  /** The guardian of an earlier monitor writes its number into the page. */
  #adopt(): void {
    const pid = this.#state?.read().pid ?? 0;
    const found = pid === 0 ? null : identify(pid);
    if (found === null || !wasStartedWith(pid, this.#page)) return;
    this.#process = found;
    this.#restarts = 0;
    this.#log('info', 'guardian-adopted', { pid });
  }

  #forgetEarlierBoots(): void {
    for (const name of readdirSync(this.#folder)) {
      const path = join(this.#folder, name);
      if (/^guardian-\d+\.state$/.test(name) && path !== this.#page) rmSync(path, { force: true });
    }
  }
}
