/**
 * The core's hold on the monitor: hears it, ends one that hangs, and starts a new one when none has
 * spoken for three beats. The mirror image of core-keeper.ts.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { isLocked } from './directory-lock.ts';
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
  parseMonitorMessage,
} from './supervision.ts';

const LOOK_MS = 250;

export class MonitorKeeper {
  restarts = 0;
  process: ProcessIdentity | null = null;
  #folder: string;
  #api: string;
  #onMessage: (message: MonitorMessage) => void;
  #log: Log;
  #budget = new RestartBudget();
  #server: Server;
  #channel: LineChannel | null = null;
  #heardAt = performance.now();
  #beatAt = 0;
  #waitUntil = 0;
  #ending = false;
  #looking = false;
  #timer: NodeJS.Timeout;

  /** `folder` is the host's; the core holds its lock, so a socket file there is a dead one's. */
  constructor(
    folder: string,
    paths: { readonly core: string; readonly api: string },
    log: Log,
    onMessage: (message: MonitorMessage) => void,
  ) {
    this.#folder = folder;
    this.#api = paths.api;
    this.#log = log;
    this.#onMessage = onMessage;
    rmSync(paths.core, { force: true });
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.on('error', (error) => log('error', 'core-socket', { reason: error.message }));
    this.#server.listen(paths.core);
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
  }

  /** Dropped while there is no monitor: the engine repeats what matters. */
  send(message: CoreMessage): void {
    this.#channel?.send(message);
  }

  close(): void {
    this.#ending = true;
    clearInterval(this.#timer);
    this.#channel?.close();
    this.#server.close();
  }

  #accept(socket: Socket): void {
    const channel: LineChannel = new LineChannel(socket, {
      message: (value) => this.#take(channel, value),
      closed: () => {
        if (this.#channel === channel) this.#channel = null;
      },
    });
    channel.send({ kind: 'hello', process: ownIdentity(), api: this.#api } satisfies CoreMessage);
  }

  #take(channel: LineChannel, value: Readonly<Record<string, unknown>>): void {
    const message = parseMonitorMessage(value);
    if (message === null) return;
    if (channel !== this.#channel) {
      // Whoever does not say that it is a monitor takes no monitor's place.
      if (message.kind !== 'hello') return;
      this.#channel?.close();
      this.#channel = channel;
    }
    this.#heardAt = performance.now();
    if (message.kind === 'hello') this.process = message.process;
    this.#onMessage(message);
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#ending) return;
    this.#looking = true;
    try {
      const now = performance.now();
      if (now - this.#beatAt >= BEAT_MS) {
        this.#beatAt = now;
        this.send({ kind: 'beat' });
      }
      if (now - this.#heardAt <= BEAT_MS * MISSES_MAX || now < this.#waitUntil) return;
      await this.#replace(now);
    } finally {
      this.#looking = false;
    }
  }

  async #replace(now: number): Promise<void> {
    if (await isLocked(this.#folder, 'monitor')) {
      this.#log('error', 'monitor-silent', { ms: Math.round(now - this.#heardAt) });
      if (this.process !== null) signal(this.process, 'SIGKILL');
      this.#waitUntil = now + LOOK_MS;
      return;
    }
    if (this.#budget.exhausted(now)) this.#log('error', 'monitor-restarts-exhausted');
    const pause = this.#budget.pause(now);
    if (pause > 0 && this.#budget.exhausted(now)) {
      this.#waitUntil = now + pause;
      return;
    }
    this.#log('warn', 'monitor-restarted');
    this.restarts += 1;
    this.#budget.started(now);
    this.#waitUntil = now + Math.max(BEAT_MS * MISSES_MAX, this.#budget.pause(now));
    const child = spawnEntry('./monitor-main.ts', this.#folder);
    child.on('error', (error) => this.#log('error', 'monitor-spawn', { reason: error.message }));
  }
}
