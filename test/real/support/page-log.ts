/**
 * A database as a client of a volume in two parts: a record in its log, then a page of its data,
 * each written when the one before is acknowledged. So what both parts hold at any moment is what
 * the first so many writes left, and nothing else.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const driver = fileURLToPath(new URL('./nbd-driver.py', import.meta.url));
const python = '/usr/bin/python3';

/** What both parts hold: for each block the write that filled it, 0 for none. */
export interface PageLogImage {
  readonly data: readonly number[];
  readonly log: readonly number[];
}

export interface PageLogOptions {
  readonly dataUri: string;
  readonly logUri: string;
  readonly seed: string;
  /** Sequence of the first write: odd ones are records of the log. */
  readonly first: number;
  readonly dataBlocks: number;
  readonly logBlocks: number;
}

/** A client that writes until it is stopped or loses a connection. */
export class PageLogWriter {
  /** Sequence of the last write that was acknowledged; the one behind it may be under way. */
  acknowledged: number;
  flushes = 0;
  farewell = '';
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  constructor({ dataUri, logUri, seed, first, dataBlocks, logBlocks }: PageLogOptions) {
    this.acknowledged = first - 1;
    const data = [dataUri, seed, String(first), String(dataBlocks)];
    const words = [driver, 'pages', ...data, logUri, String(logBlocks)];
    this.#child = spawn(python, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      if (line.startsWith('A')) this.acknowledged = Number(line.split(' ')[1]);
      if (line === 'F') this.flushes += 1;
      if (line.startsWith('X')) this.farewell = line;
    });
    this.ended = new Promise((resolve) => lines.on('close', () => resolve()));
  }

  async stop(): Promise<void> {
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end('\n');
    await this.ended;
  }
}

/** What both parts hold after the writes 1 to `last`. */
export function pageLogImage(last: number, dataBlocks: number, logBlocks: number): PageLogImage {
  const data = new Array<number>(dataBlocks).fill(0);
  const log = new Array<number>(logBlocks).fill(0);
  for (let seq = 1; seq <= last; seq += 1) {
    const turn = Math.floor((seq + 1) / 2);
    if (seq % 2 === 1) log[turn % logBlocks] = seq;
    else data[(turn * 7919) % dataBlocks] = seq;
  }
  return { data, log };
}

/** After how many writes both parts were like that; -1 for never. */
export function momentOf({ data, log }: PageLogImage): number {
  const last = [...data, ...log].reduce((most, seq) => Math.max(most, seq), 0);
  const then = pageLogImage(last, data.length, log.length);
  const same = (a: readonly number[], b: readonly number[]) => a.every((seq, i) => seq === b[i]);
  return same(data, then.data) && same(log, then.log) ? last : -1;
}
