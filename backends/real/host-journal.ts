/**
 * What a host's monitor saw, as timeline events in a journal of its own: a core that was killed
 * cannot write its own end, and the walk of causes would stop where its silence began. Decides
 * nothing; the monitor's log lines are what it is fed with.
 */
import type { Micros, NodeId } from '../../engine/core/units.ts';
import type { TimelineValue } from '../../engine/timeline/event.ts';
import type { Log, LogFields } from './log.ts';
import type { TimelineFile } from './timeline-file.ts';

/** Event kinds with the names of their parameters. */
export const HOST_EVENTS: { readonly [kind: string]: readonly string[] } = {
  'host.monitor-started': [],
  'host.core-ended': ['exit', 'signal'],
  'host.core-lost': [],
  'host.core-silent': ['ms'],
  'host.core-exhausted': [],
  'host.refused': [],
  'host.stopping': [],
  'host.stopped': [],
};

/** The events behind log lines, by the lines' codes. */
const OF_CODE: { readonly [code: string]: string } = {
  'core-ended': 'host.core-ended',
  'core-lost': 'host.core-lost',
  'core-silent': 'host.core-silent',
  'core-restarts-exhausted': 'host.core-exhausted',
  'core-refused': 'host.refused',
  stopping: 'host.stopping',
};

/** Who writes, and when it is. */
export interface HostJournalGround {
  readonly node: NodeId;
  /** The clock that this host's processes share. */
  readonly clock: () => Micros;
  /** Tells this run of the monitor from every other of this node: when it began, in ms. */
  readonly run: number;
}

export class HostJournal {
  readonly #file: TimelineFile;
  readonly #ground: HostJournalGround;
  #count = 0;

  constructor(file: TimelineFile, ground: HostJournalGround) {
    this.#file = file;
    this.#ground = ground;
    this.write('host.monitor-started');
  }

  /** Writes an event at once: whoever sees a death may be the next to die. */
  write(kind: string, fields: LogFields = {}): void {
    this.#count += 1;
    const { node, clock, run } = this.#ground;
    const id = `${node}.h${run.toString(36)}.${this.#count}`;
    const names = HOST_EVENTS[kind] ?? [];
    const d = Object.fromEntries(names.map((name) => [name, told(fields[name])]));
    this.#file.write({ id, t: clock(), node, kind, d });
    this.#file.flush();
  }

  /** A log that writes the lines it is given to `log`, and here what belongs on the timeline. */
  listening(log: Log): Log {
    return (level, code, fields) => {
      log(level, code, fields);
      const kind = Object.hasOwn(OF_CODE, code) ? OF_CODE[code] : undefined;
      if (kind !== undefined) this.write(kind, fields);
    };
  }

  /** The monitor ends in good order. */
  close(): void {
    this.write('host.stopped');
    this.#file.close();
  }
}

/** A killed process has no exit code, one that ended by itself no signal. */
function told(value: LogFields[string]): TimelineValue {
  return value ?? 'none';
}
