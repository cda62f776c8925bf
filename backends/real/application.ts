/**
 * One application as the monitor keeps it: started, checked and stopped as the core orders, and
 * stopped by itself when its deadline passes without a renewal. It never restarts anything by
 * itself: that is decided by the engine.
 */
import type { ApplicationConfig } from '../../engine/core/config.ts';
import type { BootId, Epoch, Micros } from '../../engine/core/units.ts';
import {
  commandRuns,
  exitCode,
  launch,
  newRun,
  processesOf,
  type RunPlace,
  type RunRecord,
  readRun,
  removeExit,
  removeRun,
  runCommand,
  signalRun,
  writeRun,
} from './application-run.ts';
import { reasonOf } from './failure.ts';
import type { Log } from './log.ts';
import type { ApplicationOrder, ApplicationState } from './supervision.ts';

/** How often processes and deadlines are looked at. */
const LOOK_MS = 100;
/** A command without a check counts as running when it has lived this long. */
const SETTLE_MS = 200;
/** Without a lease there is no time for manners: SIGKILL follows this soon. */
const LAPSED_GRACE_MS = 500;
/** A check that takes longer than its interval and this has failed. */
const CHECK_LIMIT_MS = 5000;

type Phase = ApplicationState['state'];

/** What an application needs of its monitor. */
export interface ApplicationHost {
  readonly place: RunPlace;
  readonly boot: BootId;
  readonly clock: () => Micros;
  readonly log: Log;
  /** Called on every change. */
  readonly tell: (state: ApplicationState) => void;
}

export class Application {
  readonly group: string;
  #config: ApplicationConfig;
  #host: ApplicationHost;
  #phase: Phase = 'stopped';
  #record: RunRecord | null = null;
  #startedAt = 0;
  #checkedAt = 0;
  /** One start or stop at a time. */
  #busy = false;
  /** A check is under way; it may hang, and holds up nothing but the next check. */
  #checking = false;
  #timer: NodeJS.Timeout;

  constructor(group: string, config: ApplicationConfig, host: ApplicationHost) {
    this.group = group;
    this.#config = config;
    this.#host = host;
    this.#adopt();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  get state(): ApplicationState {
    const epoch = this.#phase === 'stopped' ? 0 : (this.#record?.epoch ?? 0);
    return { kind: 'application', group: this.group, epoch, state: this.#phase };
  }

  /** Numbers of its processes, for `status`. */
  get pids(): number[] {
    return this.#record === null ? [] : processesOf(this.#record).map(({ pid }) => pid);
  }

  /** What the core orders; orders are repeated, so doing nothing now is never lost. */
  order({ action, epoch, until }: ApplicationOrder): void {
    switch (action) {
      case 'renew':
        this.#extend(epoch, until);
        return;
      case 'stop':
        if (this.#phase === 'stopped') this.#host.tell(this.state);
        else void this.stop('ordered');
        return;
      case 'start':
        if (this.#host.clock() >= until) return;
        if (this.#phase === 'stopped' || this.#phase === 'failed') void this.#start(epoch, until);
        else this.#take(epoch, until);
    }
  }

  /** Stops and proves it: resolves when no process of the run is left, or when that failed. */
  async stop(reason: 'ordered' | 'lapsed' | 'shut-down'): Promise<void> {
    if (this.#record === null) {
      this.#change('stopped');
      return;
    }
    while (this.#busy) await pause(LOOK_MS / 2);
    if (this.#record === null) return;
    this.#busy = true;
    this.#change('stopping');
    try {
      const gone = await this.#end(this.#record, reason === 'lapsed');
      if (gone) this.#forget();
      this.#change(gone ? 'stopped' : 'stop-failed');
    } finally {
      this.#busy = false;
    }
  }

  /** Ends watching; the processes live on. */
  close(): void {
    clearInterval(this.#timer);
  }

  /** Takes over what an earlier monitor of this boot has started. */
  #adopt(): void {
    const { place, boot, log } = this.#host;
    const record = readRun(place, this.group, boot);
    if (record === null) return;
    const [oldest] = processesOf(record).sort((p, q) => Number(p.start) - Number(q.start));
    if (oldest === undefined) {
      removeRun(place, this.group);
      removeExit(place, record);
      return;
    }
    // The monitor before us may have died between the start and the note of what it started.
    this.#record = { ...record, shell: record.shell ?? oldest };
    this.#phase = record.running ? 'running' : 'starting';
    this.#startedAt = this.#host.clock();
    log('info', 'application-adopted', { group: this.group, epoch: record.epoch });
  }

  async #start(epoch: Epoch, until: Micros): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const { place, boot, clock, log } = this.#host;
    try {
      if (this.#record !== null) {
        // What failed must be gone before it starts anew.
        this.#change('stopping');
        if (!(await this.#end(this.#record, false))) {
          this.#change('stop-failed');
          return;
        }
        this.#forget();
      }
      const record = newRun(this.group, boot, epoch, until);
      this.#record = record;
      this.#startedAt = clock();
      this.#checkedAt = 0;
      writeRun(place, record);
      this.#change('starting');
      const shell = await launch(place, record, this.#config.start);
      // A renewal may have replaced the record meanwhile.
      this.#keep({ ...(this.#record ?? record), shell });
    } catch (error) {
      log('error', 'application-start', { group: this.group, reason: reasonOf(error) });
      this.#change('failed');
    } finally {
      this.#busy = false;
    }
  }

  /** A start for what runs already: the core has restarted, or the log gave us a new epoch. */
  #take(epoch: Epoch, until: Micros): void {
    if (this.#record === null || epoch < this.#record.epoch) return;
    if (this.#phase !== 'running' && this.#phase !== 'starting') {
      this.#host.tell(this.state);
      return;
    }
    this.#keep({ ...this.#record, epoch, until: Math.max(until, this.#record.until) });
    this.#host.tell(this.state);
  }

  #extend(epoch: Epoch, until: Micros): void {
    if (this.#record === null || epoch !== this.#record.epoch) return;
    // Only in memory: a monitor that restarts takes the older deadline, which is safe.
    if (until > this.#record.until) this.#record = { ...this.#record, until };
  }

  #look(): void {
    const record = this.#record;
    if (record === null || this.#busy) return;
    const now = this.#host.clock();
    // Also one that has failed, or could not be stopped: something of it may still run.
    if (now >= record.until) {
      this.#host.log('warn', 'application-lease-lapsed', { group: this.group });
      void this.stop('lapsed');
      return;
    }
    if (this.#phase !== 'starting' && this.#phase !== 'running') return;
    const code = commandRuns(record) ? null : (exitCode(this.#host.place, record) ?? -1);
    // A command that puts its service in the background ends with 0; then the check alone counts.
    if (code !== null && (code !== 0 || this.#config.check === '')) {
      this.#fail(`the start command ended with ${code}`);
      return;
    }
    const every = this.#phase === 'starting' ? LOOK_MS * 1000 : this.#config.checkEvery;
    if (!this.#checking && now - this.#checkedAt >= every) void this.#check(record);
  }

  async #check(record: RunRecord): Promise<void> {
    const { check, startTimeout, checkEvery } = this.#config;
    this.#checking = true;
    let well = true;
    try {
      if (check !== '') {
        const limit = Math.max(CHECK_LIMIT_MS, checkEvery / 1000);
        well = (await runCommand(this.#host.place, record, check, limit)) === 0;
      }
    } finally {
      this.#checking = false;
    }
    const now = this.#host.clock();
    this.#checkedAt = now;
    // Another run has begun, or this one is being ended: the answer says nothing any more.
    if (this.#busy || this.#record?.run !== record.run) return;
    const age = now - this.#startedAt;
    if (this.#phase === 'starting') {
      if (well && (check !== '' || age >= SETTLE_MS * 1000)) {
        this.#keep({ ...(this.#record ?? record), running: true });
        this.#change('running');
      } else if (age > startTimeout) this.#fail('it did not come up in time');
    } else if (this.#phase === 'running' && !well) this.#fail('its check failed');
  }

  #fail(reason: string): void {
    this.#host.log('warn', 'application-failed', { group: this.group, reason });
    this.#change('failed');
  }

  /** Stop command or SIGTERM, then SIGKILL; true when nothing is left. */
  async #end(record: RunRecord, lapsed: boolean): Promise<boolean> {
    const { stop, stopTimeout } = this.#config;
    const limit = lapsed ? LAPSED_GRACE_MS : stopTimeout / 1000;
    const end = performance.now() + limit;
    if (stop !== '') await runCommand(this.#host.place, record, stop, limit);
    else signalRun(record, 'SIGTERM');
    while (processesOf(record).length > 0 && performance.now() < end) await pause(LOOK_MS / 2);
    for (let attempt = 0; attempt < 20 && processesOf(record).length > 0; attempt++) {
      signalRun(record, 'SIGKILL');
      await pause(LOOK_MS / 2);
    }
    return processesOf(record).length === 0;
  }

  #keep(record: RunRecord): void {
    this.#record = record;
    writeRun(this.#host.place, record);
  }

  #forget(): void {
    if (this.#record !== null) removeExit(this.#host.place, this.#record);
    removeRun(this.#host.place, this.group);
    this.#record = null;
  }

  #change(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#host.log('info', 'application', { group: this.group, state: phase });
    this.#host.tell(this.state);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
