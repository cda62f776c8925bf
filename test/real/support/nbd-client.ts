/** Drives nbd-driver.py, and says when this machine lacks what it needs. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AckRecorder } from './ack-recorder.ts';

const driver = fileURLToPath(new URL('./nbd-driver.py', import.meta.url));
/** Debian's own Python: the libnbd package installs its module there. */
const python = '/usr/bin/python3';

/** Why no client can run here, or null. */
export function clientMissing(): string | null {
  const { status } = spawnSync(python, ['-c', 'import nbd'], { stdio: 'ignore' });
  return status === 0 ? null : 'python3-libnbd is not installed (apt install python3-libnbd)';
}

export interface WriteOptions {
  readonly uri: string;
  readonly seed: string;
  readonly first: number;
  readonly depth: number;
  readonly blocks: number;
  readonly unitsMax: number;
}

/** A writer that runs until it is stopped or loses its connection. */
export class WriterProcess {
  /** Highest sequence that was issued. */
  last: number;
  /** Most writes that were in flight at once. */
  depth = 0;
  acknowledged = 0;
  readonly ended: Promise<void>;
  isEnded = false;
  /** The driver's last word. */
  farewell = '';
  #child: ChildProcess;

  constructor(options: WriteOptions, recorder: AckRecorder) {
    const { uri, seed, first, depth, blocks, unitsMax } = options;
    this.last = first - 1;
    const words = [driver, 'write', uri, seed, ...[first, depth, blocks, unitsMax].map(String)];
    this.#child = spawn(python, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      recorder.take(line);
      if (line.startsWith('I')) this.last = Number(line.split(' ')[1]);
      if (line.startsWith('A')) this.acknowledged += 1;
      if (line.startsWith('X')) this.farewell = line;
      this.depth = Math.max(this.depth, recorder.inFlight.size);
    });
    this.ended = new Promise((resolve) => {
      lines.on('close', () => {
        recorder.abandon();
        this.isEnded = true;
        resolve();
      });
    });
  }

  /** Lets what is in flight finish. */
  async stop(): Promise<void> {
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end('\n');
    await this.ended;
  }

  /** Gives up waiting: the server keeps silent. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** A writer that keeps at it over one connection after another until it is stopped. */
export class StayingWriter {
  acknowledged = 0;
  /** Longest wait of one write in ms, its tries over new connections included. */
  longest = 0;
  #held = new Map<number, number>();
  #blocks: number;
  #child: ChildProcess;
  #ended: Promise<void>;

  constructor({ uri, seed, first, blocks }: Omit<WriteOptions, 'depth' | 'unitsMax'>) {
    this.#blocks = blocks;
    const words = [driver, 'stay', uri, seed, String(first), String(blocks)];
    this.#child = spawn(python, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      const [, sequence = '', block = '', waited = ''] = line.split(' ');
      this.acknowledged += 1;
      this.longest = Math.max(this.longest, Number(waited));
      this.#held.set(Number(block), Number(sequence));
    });
    this.#ended = new Promise((resolve) => lines.on('close', () => resolve()));
  }

  async stop(): Promise<void> {
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end('\n');
    await this.#ended;
  }

  /** What is not as it was acknowledged last; nothing was ever in flight beside it. */
  verify(found: readonly number[]): string[] {
    return Array.from({ length: this.#blocks }, (_, block) => block)
      .filter((block) => found[block] !== (this.#held.get(block) ?? 0))
      .map((block) => `block ${block} holds ${found[block]}, not ${this.#held.get(block) ?? 0}`);
  }
}

/**
 * For each block the sequence that it holds, 0 for zeroes, -1 for what nobody wrote. Rejects where
 * nobody serves it, or not within `limitMs`: a host that must not answer may keep silent.
 */
export function readVolume(uri: string, seed: string, limitMs = 0): Promise<number[]> {
  const child = spawn(python, [driver, 'read', uri, seed], { stdio: ['ignore', 'pipe', 'pipe'] });
  const limit = limitMs === 0 ? undefined : setTimeout(() => child.kill('SIGKILL'), limitMs);
  return new Promise((resolve, reject) => {
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      output += piece;
    });
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      errors += piece;
    });
    child.on('close', (code) => {
      clearTimeout(limit);
      if (code === 0) resolve(JSON.parse(output) as number[]);
      else reject(new Error(`reading ${uri} failed: ${errors}`));
    });
  });
}
