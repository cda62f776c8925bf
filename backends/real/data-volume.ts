/** The main thread's end of one volume: its Worker, the mail to and from it, its counters. */
import type { Worker } from 'node:worker_threads';
import type { DataCommand, DataReport } from '../../engine/data/messages.ts';
import type { DataStart, DataStats, FromData, ToData } from './data-messages.ts';
import { reasonOf } from './failure.ts';
import type { HostOptions } from './host-options.ts';
import { hasNative, loadNative, type SpillStatus } from './native.ts';
import { startWorker } from './spawn.ts';

/** What a volume tells the core. */
export interface VolumeEvents {
  /** `away` says why its replica cannot be reached, '' where it is open. */
  readonly started: (volume: string, away: string) => void;
  readonly report: (report: DataReport) => void;
  /** A disk of a replica in parts answered with an error: which one, and to what. */
  readonly faulted: (volume: string, fault: string) => void;
  /** A person has to act; the core ends and is not started again. */
  readonly refused: (reason: string, remedy: string) => void;
  /** A belief is broken or the Worker died: the core must stop at once. */
  readonly broke: (reason: string) => void;
}

/** A thread that has loaded what it needs, and knows no volume yet. */
export type IdleThread = Worker;

/** A spare core keeps no more threads than this loaded: each takes memory. */
const THREADS_MAX = 4;

/** Threads for the volumes of this host, and the addon, loaded ahead. */
export function prepareThreads({ config, node }: HostOptions): IdleThread[] {
  const own = config.volumes.filter(({ replicas }) => replicas.some((each) => each.node === node));
  if (own.length === 0 || !hasNative()) return [];
  loadNative();
  return own.slice(0, THREADS_MAX).map(newThread);
}

function newThread(): IdleThread {
  return startWorker('./data-worker.ts');
}

export class DataVolume {
  readonly name: string;
  stats: DataStats = {};
  /** What waits for asynchronous replicas and is too much for memory: where, and how much. */
  spills: readonly SpillStatus[] = [];
  #worker: Worker;
  #wake: (fd: number) => void;
  #wakeFd = -1;
  #closing = false;
  readonly closed: Promise<void>;

  /** `wake` makes a reactor look at its mail. */
  constructor(
    start: DataStart,
    thread: IdleThread | undefined,
    wake: (fd: number) => void,
    events: VolumeEvents,
  ) {
    this.name = start.volume.name;
    this.#wake = wake;
    this.#worker = thread ?? newThread();
    this.#post({ kind: 'start', start });
    this.closed = new Promise((resolve) => {
      this.#worker.on('message', (message: FromData) => this.#take(message, events, resolve));
      this.#worker.on('error', (error) => events.broke(reasonOf(error)));
      this.#worker.on('exit', () => {
        if (!this.#closing) events.broke('the data worker ended by itself');
        resolve();
      });
    });
  }

  send(command: DataCommand): void {
    this.#post({ kind: 'command', command });
  }

  /** Ends the Worker in good order: connections closed, disk operations finished. */
  close(): void {
    this.#closing = true;
    this.#post({ kind: 'close' });
  }

  #post(message: ToData): void {
    this.#worker.postMessage(message);
    if (this.#wakeFd >= 0) this.#wake(this.#wakeFd);
  }

  #take(message: FromData, events: VolumeEvents, closed: () => void): void {
    switch (message.kind) {
      case 'started':
        this.#wakeFd = message.wakeFd;
        // Mail that was posted before the reactor could be woken.
        if (this.#wakeFd >= 0) this.#wake(this.#wakeFd);
        events.started(this.name, message.away);
        return;
      case 'reports':
        for (const report of message.reports) events.report(report);
        return;
      case 'stats': {
        const { lastFault = '' } = message.stats;
        if (lastFault !== '' && lastFault !== this.stats['lastFault']) {
          events.faulted(this.name, String(lastFault));
        }
        this.stats = message.stats;
        this.spills = message.spills ?? [];
        return;
      }
      case 'refused':
        this.#closing = true;
        events.refused(message.reason, message.remedy);
        return;
      case 'broke':
        events.broke(message.reason);
        return;
      case 'closed':
        // Its descriptor may be another's from now on.
        this.#wakeFd = -1;
        closed();
    }
  }
}
