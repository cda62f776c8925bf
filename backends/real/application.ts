/**
 * One application as the monitor keeps it: started, checked and stopped as the core orders, and
 * stopped by itself when its deadline passes without a renewal. It never restarts anything by
 * itself: that is decided by the engine.
 */
import type { ApplicationConfig } from '../../engine/core/config.ts';
import type { BootId, Epoch, Micros } from '../../engine/core/units.ts';
import {
  COMMAND_CUT,
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
import type { ApplicationOrder, ApplicationState, Term } from './supervision.ts';

/** How often processes and deadlines are looked at. */
const LOOK_MS = 100;
/** A command without a check counts as running when it has lived this long. */
const SETTLE_MS = 200;
/** Without a lease there is no time for manners: SIGKILL follows this soon. */
const LAPSED_GRACE_MS = 500;
/** What could not be stopped after its deadline is stopped again this often. */
const LAPSED_RETRY_MS = 1000;
/** A check that takes longer than its interval and this has failed. */
const CHECK_LIMIT_MS = 5000;

type Phase = ApplicationState['state'];

/** What an application needs of its monitor. */
export interface ApplicationHost {
  readonly place: RunPlace;
  readonly boot: BootId;
  readonly clock: () => Micros;
  /** Until when this node holds its lease for sure, 0 when that is unknown. */
  readonly leaseUntil: () => Micros;
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
  /** The newest right to run while a start is on its way; an order to stop takes it away. */
  #wanted: Term | null = null;
  /** One start or stop at a time. */
  #busy = false;
  #stopping: Promise<void> | null = null;
  /** A check is under way; it may hang, and holds up nothing but the next check. */
  #checking: AbortController | null = null;
  /** The last attempt to end what has no right to run. */
  #lapsedAt = Number.NEGATIVE_INFINITY;
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
  stop(reason: 'ordered' | 'lapsed' | 'shut-down'): Promise<void> {
    this.#wanted = null;
    this.#stopping ??= this.#stop(reason).finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    while (this.#busy) await pause(LOOK_MS / 2);
    const record = this.#record;
    if (record === null) {
      this.#change('stopped');
      return;
    }
    this.#busy = true;
    this.#change('stopping');
    try {
      const gone = await this.#end(record, reason === 'lapsed' ? LAPSED_GRACE_MS : this.#manners);
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
    const { stop, check } = this.#config;
    if (oldest === undefined && stop === '' && check === '') {
      removeRun(place, this.group);
      removeExit(place, record);
      return;
    }
    // With commands of its own it is gone only when they say so: it is looked after, and ended.
    // The monitor before us may have died between the start and the note of what it started.
    const shell = record.shell ?? oldest ?? null;
    // Renewals were heard by the monitor before us only; the core says the next one to us.
    const known = record.mark === undefined;
    const until = known ? Math.max(record.until, this.#host.leaseUntil()) : 0;
    this.#record = { ...record, shell, until };
    this.#phase = record.running ? 'running' : known ? 'starting' : 'stop-failed';
    this.#startedAt = this.#host.clock();
    log('info', 'application-adopted', { group: this.group, epoch: record.epoch });
  }

  async #start(epoch: Epoch, until: Micros): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#wanted = { epoch, until };
    try {
      if (this.#record !== null) {
        // What failed must be gone before it starts anew; the right to run covers its end.
        this.#record = { ...this.#record, epoch, until };
        this.#change('stopping');
        if (!(await this.#end(this.#record, this.#manners))) {
          this.#change('stop-failed');
          return;
        }
        this.#forget();
      }
      await this.#launch();
    } catch (error) {
      this.#host.log('error', 'application-start', { group: this.group, reason: reasonOf(error) });
      this.#change('failed');
    } finally {
      this.#wanted = null;
      this.#busy = false;
    }
  }

  /** Starts it unless the right to run has ended meanwhile, which is asked at the last moment. */
  async #launch(): Promise<void> {
    const { place, boot, clock, log } = this.#host;
    if (this.#wanted === null || clock() >= this.#wanted.until) {
      this.#change('stopped');
      return;
    }
    const record = newRun(this.group, boot, this.#wanted.epoch, this.#wanted.until);
    writeRun(place, record);
    // The disk may have taken its time.
    if (clock() >= record.until) {
      log('warn', 'application-start-too-late', { group: this.group });
      removeRun(place, this.group);
      this.#change('stopped');
      return;
    }
    this.#record = record;
    this.#wanted = null;
    this.#startedAt = clock();
    this.#checkedAt = 0;
    this.#change('starting');
    const launched = await launch(place, record, this.#config.start);
    // A renewal may have replaced the record meanwhile.
    this.#keep({ ...(this.#record ?? record), ...launched });
  }

  /** A start for what runs already: the core has restarted, or the log gave us a new epoch. */
  #take(epoch: Epoch, until: Micros): void {
    const record = this.#record;
    const runs = this.#phase === 'running' || this.#phase === 'starting';
    if (record !== null && runs && epoch >= record.epoch) {
      this.#keep({ ...record, epoch, until: Math.max(until, record.until) });
    }
    this.#host.tell(this.state);
  }

  #extend(epoch: Epoch, until: Micros): void {
    const longer = (term: Term): boolean => epoch === term.epoch && until > term.until;
    if (this.#wanted !== null && longer(this.#wanted)) this.#wanted = { epoch, until };
    // Only in memory: a monitor that restarts asks the guardian's page, and the core.
    if (this.#record !== null && longer(this.#record)) this.#record = { ...this.#record, until };
  }

  #look(): void {
    const record = this.#record;
    if (record === null) return;
    const now = this.#host.clock();
    // In every phase and before all else: something of it may still run, whatever hangs.
    if (now >= record.until) {
      this.#lapse(record, now);
      return;
    }
    if (this.#busy || (this.#phase !== 'starting' && this.#phase !== 'running')) return;
    const code = commandRuns(record) ? null : (exitCode(this.#host.place, record) ?? -1);
    // A command that puts its service in the background ends with 0; then the check alone counts.
    if (code !== null && (code !== 0 || this.#config.check === '')) {
      this.#fail(`the start command ended with ${code}`);
      return;
    }
    const every = this.#phase === 'starting' ? LOOK_MS * 1000 : this.#config.checkEvery;
    if (this.#checking === null && now - this.#checkedAt >= every) void this.#check(record);
  }

  /** Its right to run has ended: whoever is busy with it, it ends now. */
  #lapse(record: RunRecord, now: Micros): void {
    this.#checking?.abort();
    if (now >= record.until + LAPSED_GRACE_MS * 1000) signalRun(record, 'SIGKILL');
    if (this.#busy || performance.now() - this.#lapsedAt < LAPSED_RETRY_MS) return;
    this.#lapsedAt = performance.now();
    this.#host.log('warn', 'application-lease-lapsed', { group: this.group });
    void this.stop('lapsed');
  }

  async #check(record: RunRecord): Promise<void> {
    const { check, startTimeout, checkEvery } = this.#config;
    this.#checking = new AbortController();
    let well = true;
    try {
      if (check !== '') {
        const limit = Math.max(CHECK_LIMIT_MS, checkEvery / 1000);
        const { signal } = this.#checking;
        well = (await runCommand(this.#host.place, record, check, limit, signal)) === 0;
      }
    } finally {
      this.#checking = null;
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

  /** Milliseconds between the first word and SIGKILL while the lease holds. */
  get #manners(): number {
    return this.#config.stopTimeout / 1000;
  }

  /**
   * Stop command or SIGTERM, SIGKILL after `limit` milliseconds, or soon after the lease ends; true
   * when that is proved to have worked. See {@link Application.#proved}.
   */
  async #end(record: RunRecord, limit: number): Promise<boolean> {
    const { place, clock } = this.#host;
    const { stop } = this.#config;
    this.#checking?.abort();
    const abort = new AbortController();
    let told: number | null = 0;
    if (stop === '') signalRun(record, 'SIGTERM');
    else {
      told = null;
      void runCommand(place, record, stop, limit, abort.signal).then((code) => {
        told = code;
      });
    }
    let end = performance.now() + limit;
    const more = (): boolean => told === null || processesOf(record).length > 0;
    while (performance.now() < end && more()) {
      await pause(LOOK_MS / 2);
      const lapsed = clock() >= (this.#record ?? record).until;
      if (lapsed) end = Math.min(end, performance.now() + LAPSED_GRACE_MS);
    }
    abort.abort();
    for (let attempt = 0; attempt < 20 && processesOf(record).length > 0; attempt++) {
      signalRun(record, 'SIGKILL');
      await pause(LOOK_MS / 2);
    }
    return this.#proved(record, told ?? COMMAND_CUT, end);
  }

  /**
   * Processes are found by marks that one of them may have dropped. So an end counts only when
   * nothing is found, the stop command said that it worked, and the check that it does not run.
   */
  async #proved(record: RunRecord, told: number, end: number): Promise<boolean> {
    const { check } = this.#config;
    const found = processesOf(record).length;
    let checked: number | null = null;
    if (found === 0 && told === 0 && check !== '') {
      const limit = Math.max(CHECK_LIMIT_MS, this.#config.checkEvery / 1000);
      const { signal } = new AbortController();
      do {
        if (checked !== null) await pause(LOOK_MS);
        checked = await runCommand(this.#host.place, record, check, limit, signal);
      } while (checked === 0 && performance.now() < end);
    }
    const proved = found === 0 && told === 0 && (checked === null || saysNo(checked));
    if (!proved) {
      const fields = { group: this.group, found, stopped: told, checked: checked ?? undefined };
      this.#host.log('error', 'application-stop-unproved', fields);
    }
    return proved;
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

/** A check that was cut short, ended by a signal, or not found has said nothing. */
function saysNo(code: number): boolean {
  return code > 0 && code < 126;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
