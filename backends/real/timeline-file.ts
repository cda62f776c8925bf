/**
 * The decisions stream of one node as JSON Lines in its folder, rotated at a bound, and the tail of
 * it for whoever looks on. Written behind: an event may be lost with the power, never torn in the
 * middle of the file, and nothing waits for it.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { encodeEvent, encodeHeader } from '../../engine/timeline/codec.ts';
import type { TimelineEvent, TimelineHeader } from '../../engine/timeline/event.ts';

/** A file is closed at this size; {@link FILES_KEPT} older ones stay beside it. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;
const FILES_KEPT = 4;
const FLUSH_MS = 200;
/** A clock is mapped to wall time anew this often: both are disciplined, and drift all the same. */
const REMAP_MS = 10 * 60_000;
/** Lines that a new onlooker gets at once. */
const TAIL_LINES = 5000;

/** Takes lines as they are written, each with its line feed. */
export type Onlooker = (text: string) => void;

export class TimelineFile {
  #path: string;
  #header: () => TimelineHeader;
  #bytesMax: number;
  #bytes: number;
  #waiting: string[] = [];
  #tail: string[] = [];
  #timer: NodeJS.Timeout;
  #onlookers = new Set<Onlooker>();
  #failures = 0;
  #now: () => number;
  #mappedAt: number;

  /** `header` is asked for at each beginning and every {@link REMAP_MS}: clocks are mapped anew. */
  constructor(
    path: string,
    header: () => TimelineHeader,
    bytesMax: number = FILE_BYTES_MAX,
    now: () => number = () => performance.now(),
  ) {
    this.#path = path;
    this.#header = header;
    this.#bytesMax = bytesMax;
    this.#bytes = existsSync(path) ? statSync(path).size : 0;
    // The core before us may have died within a line.
    if (endsTorn(path)) this.#waiting.push('\n');
    this.#waiting.push(encodeHeader(header()));
    this.#mappedAt = now();
    this.#now = now;
    this.#timer = setInterval(() => this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  /** Files written so far could not be: a full disk must not stop the service. */
  get failures(): number {
    return this.#failures;
  }

  write(event: TimelineEvent): void {
    const now = this.#now();
    if (now - this.#mappedAt >= REMAP_MS) {
      this.#mappedAt = now;
      this.#waiting.push(encodeHeader(this.#header()));
    }
    const line = encodeEvent(event);
    this.#waiting.push(line);
    this.#tail.push(line);
    if (this.#tail.length > 2 * TAIL_LINES) this.#tail = this.#tail.slice(-TAIL_LINES);
    for (const onlooker of this.#onlookers) onlooker(line);
  }

  /** Header, recent events, then everything new until the returned function is called. */
  watch(onlooker: Onlooker): () => void {
    onlooker(encodeHeader(this.#header()));
    onlooker(this.#tail.slice(-TAIL_LINES).join(''));
    this.#onlookers.add(onlooker);
    return () => this.#onlookers.delete(onlooker);
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const text = this.#waiting.join('');
    this.#waiting = [];
    try {
      if (this.#bytes > this.#bytesMax) this.#rotate();
      appendFileSync(this.#path, text);
      this.#bytes += Buffer.byteLength(text);
    } catch {
      this.#failures += 1;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.flush();
  }

  #rotate(): void {
    rmSync(`${this.#path}.${FILES_KEPT}`, { force: true });
    for (let n = FILES_KEPT - 1; n >= 1; n--) {
      if (existsSync(`${this.#path}.${n}`)) {
        renameSync(`${this.#path}.${n}`, `${this.#path}.${n + 1}`);
      }
    }
    renameSync(this.#path, `${this.#path}.1`);
    const header = encodeHeader(this.#header());
    appendFileSync(this.#path, header);
    this.#bytes = Buffer.byteLength(header);
  }
}

function endsTorn(path: string): boolean {
  if (!existsSync(path)) return false;
  const { size } = statSync(path);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  const file = openSync(path, 'r');
  readSync(file, last, 0, 1, size - 1);
  closeSync(file);
  return last[0] !== 0x0a;
}
