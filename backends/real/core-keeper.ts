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
import { spawnEntry } from './spawn.ts';
import {
  BEAT_MS,
  type CoreMessage,
  MISSES_MAX,
  type MonitorMessage,
  parseCoreMessage,
} from './supervision.ts';

/** A core that has started may take this long until it listens; the disk may be slow. */
const START_LIMIT_MS = 30_000;
const LOOK_MS = 100;

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
  #timer: NodeJS.Timeout;

  constructor(folder: string, socketPath: string, log: Log, events: CoreEvents) {
    this.#folder = folder;
    this.#socketPath = socketPath;
    this.#log = log;
    this.#events = events;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
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
    this.#ending = true;
    clearInterval(this.#timer);
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

  async #look(): Promise<void> {
    if (this.#looking || this.#ending) return;
    this.#looking = true;
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
      // A child of ours that has not got as far as its lock.
      if (this.#child !== null || now < this.#waitUntil) return;
      this.#start(now);
    } finally {
      this.#looking = false;
    }
  }

  #start(now: number): void {
    if (this.#started) this.restarts += 1;
    this.#started = true;
    this.#budget.started(now);
    this.#startedAt = now;
    const child = spawnEntry('./core-main.ts', this.#folder);
    this.#child = child;
    child.on('error', (error) => this.#log('error', 'core-spawn', { reason: error.message }));
    child.on('exit', (code, signalName) => this.#exited(code, signalName));
  }

  #exited(code: number | null, signalName: string | null): void {
    this.#child = null;
    this.process = null;
    if (this.#ending) return;
    if (code === EXIT_REFUSED) {
      this.#log('error', 'core-refused');
      this.#ending = true;
      clearInterval(this.#timer);
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
