/**
 * The monitor's hold on the core: starts it, adopts one that runs already, ends one that hangs, and
 * starts it again. It never looks into what the core decides.
 */
import type { ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { isLocked } from './directory-lock.ts';
import { EXIT_REFUSED } from './failure.ts';
import { LineChannel } from './line-channel.ts';
import type { Log } from './log.ts';
import { ownIdentity, type ProcessIdentity, signal } from './process-identity.ts';
import { RestartBudget } from './restart-budget.ts';
import { spawnEntry, spawnSpare, wakeSpare } from './spawn.ts';
import {
  BEAT_MS,
  type CoreMessage,
  MISSES_MAX,
  type MonitorMessage,
  parseCoreMessage,
} from './supervision.ts';

/** A core that has started may take this long until it listens; the disk may be slow. */
const START_LIMIT_MS = 30_000;
/** A woken spare has everything loaded: one that is not at its lock by then does not move. */
const SPARE_LIMIT_MS = 1000;
const LOOK_MS = 100;
/** While a core starts: each look may be the one that finds it listening. */
const START_LOOK_MS = 10;
/** A core that has settled gets a spare after this; starting takes the processor for itself. */
const SPARE_DELAY_MS = 2000;
const ENTRY = './core-main.ts';

/** What the keeper tells its monitor. */
export interface CoreEvents {
  /** A core answers; it must hear every application's state. */
  readonly connected: () => void;
  readonly message: (message: CoreMessage) => void;
  /** The core refused its configuration or its replica: nothing to restart. */
  readonly refused: () => void;
}

export class CoreKeeper {
  /** How often a core was started beyond the first. */
  restarts = 0;
  process: ProcessIdentity | null = null;
  #folder: string;
  #socketPath: string;
  #events: CoreEvents;
  #log: Log;
  #budget = new RestartBudget();
  #channel: LineChannel | null = null;
  #connecting: Socket | null = null;
  #child: ChildProcess | null = null;
  #heardAt = 0;
  #startedAt = 0;
  #waitUntil = 0;
  #started = false;
  #ending = false;
  #looking = false;
  /** Loaded and waiting; see {@link spawnSpare}. */
  #spare: ChildProcess | null = null;
  #spareWanted: NodeJS.Timeout | null = null;
  #withSpare: boolean;
  /** The core that starts or runs was a spare. */
  #wasSpare = false;
  #timer: NodeJS.Timeout | null = null;

  /** `withSpare` where a core that dies must be back within a fraction of a second. */
  constructor(
    place: { readonly folder: string; readonly socket: string; readonly withSpare: boolean },
    log: Log,
    events: CoreEvents,
  ) {
    this.#folder = place.folder;
    this.#socketPath = place.socket;
    this.#withSpare = place.withSpare;
    this.#log = log;
    this.#events = events;
    void this.#look();
  }

  get connected(): boolean {
    return this.#channel !== null;
  }

  send(message: MonitorMessage): void {
    this.#channel?.send(message);
  }

  /** Asks the core to stop in good order; ends it when it does not. See `shut-down` for `quiet`. */
  async stop(limitMs: number, quiet: boolean): Promise<void> {
    this.#end();
    this.send({ kind: 'shut-down', quiet });
    const end = performance.now() + limitMs;
    while (await isLocked(this.#folder, 'core')) {
      if (performance.now() > end) this.kill();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    this.#channel?.close();
  }

  /** Ends the core at once. */
  kill(): void {
    if (this.process !== null) signal(this.process, 'SIGKILL');
    this.#child?.kill('SIGKILL');
  }

  #end(): void {
    this.#ending = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#spareWanted !== null) clearTimeout(this.#spareWanted);
    this.#spare?.stdin?.end();
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#ending) return;
    this.#looking = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    try {
      const now = performance.now();
      if (this.#channel !== null) {
        this.#judgeSilence(now);
        return;
      }
      if (this.#connecting !== null) return;
      if (await isLocked(this.#folder, 'core')) {
        this.#connect();
        if (this.#startedAt !== 0 && now - this.#startedAt > START_LIMIT_MS) {
          this.#log('error', 'core-start-slow');
          this.#startedAt = now;
          this.kill();
        }
        return;
      }
      if (this.#child !== null) {
        this.#judgeStart(this.#child, now);
        return;
      }
      if (now >= this.#waitUntil) this.#start(now);
    } finally {
      this.#looking = false;
      if (!this.#ending) {
        const starts = this.#startedAt !== 0 && this.#channel === null;
        this.#timer = setTimeout(() => void this.#look(), starts ? START_LOOK_MS : LOOK_MS);
      }
    }
  }

  /** A child that has not got as far as its lock: if it hangs, nobody else could start. */
  #judgeStart(child: ChildProcess, now: number): void {
    const limit = this.#wasSpare ? SPARE_LIMIT_MS : START_LIMIT_MS;
    if (now - this.#startedAt <= limit) return;
    this.#log('error', 'core-start-slow', { spare: this.#wasSpare });
    this.#startedAt = now;
    child.kill('SIGKILL');
  }

  #start(now: number): void {
    if (this.#started) this.restarts += 1;
    this.#started = true;
    this.#budget.started(now);
    this.#startedAt = now;
    const spare = this.#takeSpare();
    this.#wasSpare = spare !== null;
    const child = spare ?? spawnEntry(ENTRY, this.#folder);
    this.#child = child;
    child.on('error', (error) => this.#log('error', 'core-spawn', { reason: error.message }));
    child.on('exit', (code, signalName) => this.#exited(code, signalName));
  }

  #takeSpare(): ChildProcess | null {
    const spare = this.#spare;
    this.#spare = null;
    return spare !== null && wakeSpare(spare) ? spare : null;
  }

  /** One at a time, and only beside a core that runs. */
  #wantSpare(): void {
    if (!this.#withSpare || this.#spareWanted !== null || this.#ending) return;
    this.#spareWanted = setTimeout(() => {
      this.#spareWanted = null;
      if (this.#spare !== null || this.#channel === null || this.#ending) return;
      const spare = spawnSpare(ENTRY, this.#folder);
      this.#spare = spare;
      spare.on('error', (error) => this.#log('warn', 'spare-spawn', { reason: error.message }));
      // Killed, or out of memory: the next core takes longer, that is all.
      spare.on('exit', () => {
        if (this.#spare === spare) this.#spare = null;
      });
    }, SPARE_DELAY_MS);
    this.#spareWanted.unref();
  }

  #exited(code: number | null, signalName: string | null): void {
    this.#child = null;
    this.process = null;
    if (this.#ending) return;
    if (code === EXIT_REFUSED) {
      this.#log('error', 'core-refused');
      this.#end();
      this.#events.refused();
      return;
    }
    this.#log('warn', 'core-ended', { exit: code ?? undefined, signal: signalName ?? undefined });
    this.#pause();
  }

  #pause(): void {
    const now = performance.now();
    if (this.#budget.exhausted(now)) this.#log('error', 'core-restarts-exhausted');
    this.#waitUntil = now + this.#budget.pause(now);
    void this.#look();
  }

  #connect(): void {
    const socket = connect(this.#socketPath);
    this.#connecting = socket;
    socket.once('error', () => {
      this.#connecting = null;
    });
    socket.once('connect', () => {
      this.#connecting = null;
      this.#heardAt = performance.now();
      this.#channel = new LineChannel(socket, {
        message: (value) => this.#take(value),
        closed: () => this.#closed(),
      });
      this.send({ kind: 'hello', process: ownIdentity() });
      this.#events.connected();
    });
  }

  #take(value: Readonly<Record<string, unknown>>): void {
    this.#heardAt = performance.now();
    const message = parseCoreMessage(value);
    if (message === null) return;
    if (message.kind === 'hello') {
      this.process = message.process;
      this.#startedAt = 0;
      this.#wantSpare();
    }
    this.#events.message(message);
  }

  #closed(): void {
    this.#channel = null;
    // An adopted core is nobody's child here: its death shows as this.
    if (this.#child !== null || this.#ending) return;
    if (this.process !== null) this.#log('warn', 'core-lost');
    this.process = null;
    this.#pause();
  }

  #judgeSilence(now: number): void {
    if (now - this.#heardAt <= BEAT_MS * MISSES_MAX) return;
    this.#log('error', 'core-silent', { ms: Math.round(now - this.#heardAt) });
    this.kill();
    this.#channel?.close();
  }
}
