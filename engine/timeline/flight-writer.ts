/** Writes the turns of one data actor's life into segments ({@link FlightTarget}). */
import { BLOCK_BYTES, type Micros } from '../core/units.ts';
import { Decision, Event, Flag, HEADER_BYTES, PAGE_BYTES, RECORD_BYTES } from '../data/abi.ts';
import type { DataMemory, Records } from '../data/memory.ts';
import type { DataCommand, DataReport } from '../data/messages.ts';
import {
  asciiJson,
  FLIGHT_MAGIC,
  FLIGHT_VERSION,
  type FlightFacts,
  type FlightHeader,
  type FlightTarget,
  FRAME_HEAD,
  Frame,
  SEGMENT_HEAD,
} from './flight.ts';

const RECORD_WORDS = RECORD_BYTES / 4;
const HEADER_WORDS = HEADER_BYTES / 4;
const PAGE_WORDS = PAGE_BYTES / 4;
const INPUT_HEAD = 24;
const OUTPUT_HEAD = 8;

/** Bytes rounded up to the next multiple of 8. */
function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

export class FlightWriter {
  readonly #target: FlightTarget;
  readonly #header: string;
  readonly #memory: DataMemory;
  readonly #pageWords: Int32Array;
  readonly #headerWords: Uint32Array;
  readonly #digest: (decisions: number) => number;
  /** Bytes of the largest output frame: an input takes none of its room. */
  readonly #outputMost: number;
  /** Metadata reads that are out ({@link readKey}): only their ends bring a page. */
  readonly #reads: Set<number> = new Set();
  #sequence: number;
  #turn = 0;
  #state: FlightFacts['state'] = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #i32: Int32Array = new Int32Array(0);
  #f64: Float64Array = new Float64Array(0);
  #at = 0;
  /** The turn that goes on is left out. */
  #left = false;

  constructor(target: FlightTarget, header: FlightHeader, memory: DataMemory) {
    this.#target = target;
    this.#header = asciiJson(header);
    this.#memory = memory;
    this.#sequence = target.nextSequence;
    const { buffer, offsets, layout } = memory;
    this.#pageWords = new Int32Array(buffer, offsets.inPages, (layout.inPages * PAGE_BYTES) / 4);
    this.#headerWords = memory.headers.u32;
    this.#digest = outputDigest(memory);
    this.#outputMost = FRAME_HEAD + OUTPUT_HEAD + layout.decisions * RECORD_BYTES;
  }

  /** The inputs of a turn, before the actor sees them. */
  input(count: number, now: Micros, inbox: readonly DataCommand[]): void {
    const { events } = this.#memory;
    const json = inbox.length > 0 ? asciiJson(inbox) : '';
    let headers = 0;
    let pages = 0;
    let sums = 0;
    for (let r = 0; r < count; r += 1) {
      const op = events.op(r);
      sums += sumsBrought(op, events.flags(r), events.offset(r), events.length(r));
      if (bringsHeader(op, events.flags(r))) headers += 1;
      else if (this.#bringsPage(r, op)) pages += 1;
    }
    const body =
      INPUT_HEAD +
      count * RECORD_BYTES +
      headers * HEADER_BYTES +
      pages * PAGE_BYTES +
      padded(sums * 4) +
      padded(json.length);
    this.#left = !this.#room(body, now);
    if (this.#left) return;
    const at = this.#at + FRAME_HEAD;
    this.#f64[at >> 3] = now;
    this.#i32[(at >> 2) + 2] = count;
    this.#i32[(at >> 2) + 3] = headers;
    this.#i32[(at >> 2) + 4] = pages;
    this.#i32[(at >> 2) + 5] = json.length;
    let word = (at + INPUT_HEAD) >> 2;
    word = this.#copy(events.i32, 0, count * RECORD_WORDS, word);
    for (let r = 0; headers > 0 && r < count; r += 1) {
      if (!bringsHeader(events.op(r), events.flags(r))) continue;
      word = this.#copy(this.#headerWords, events.slot(r) * HEADER_WORDS, HEADER_WORDS, word);
    }
    for (let r = 0; pages > 0 && r < count; r += 1) {
      if (!this.#bringsPage(r, events.op(r))) continue;
      word = this.#copy(this.#pageWords, events.slot(r) * PAGE_WORDS, PAGE_WORDS, word);
      if (events.op(r) === Event.MetaDone) this.#reads.delete(readKey(events, r));
    }
    if (sums > 0) {
      const end = word + padded(sums * 4) / 4;
      for (let r = 0; r < count; r += 1) {
        const op = events.op(r);
        const words = sumsBrought(op, events.flags(r), events.offset(r), events.length(r));
        if (words > 0) word = this.#copy(this.#pageWords, events.link(r) * PAGE_WORDS, words, word);
      }
      word = end;
    }
    this.#text(json, word << 2);
    this.#commit(Frame.Input, body);
  }

  /** What the actor decided in the turn that was put in last, and what it reported. */
  output(count: number, outbox: readonly DataReport[]): void {
    const { decisions } = this.#memory;
    this.#turn += 1;
    for (const report of outbox) if (report.kind === 'state') this.#state = { ...report };
    for (let r = 0; r < count; r += 1) {
      if (decisions.op(r) === Decision.MetaRead) this.#reads.add(readKey(decisions, r));
    }
    if (this.#left) return;
    const at = this.#at + FRAME_HEAD;
    this.#i32[at >> 2] = count;
    this.#i32[(at >> 2) + 1] = outboxDigest(this.#digest(count), outbox);
    this.#copy(decisions.i32, 0, count * RECORD_WORDS, (at + OUTPUT_HEAD) >> 2);
    this.#commit(Frame.Output, OUTPUT_HEAD + count * RECORD_BYTES);
  }

  /** The actor broke a belief in the turn that was put in last: there is no output. */
  broke(): void {
    if (!this.#left) this.#commit(Frame.Broke, 0);
  }

  #bringsPage(r: number, op: number): boolean {
    const { events } = this.#memory;
    if (op === Event.PeerMessage) return true;
    return op === Event.MetaDone && events.status(r) === 0 && this.#reads.has(readKey(events, r));
  }

  /** Sees that an input of so many bytes and its output have room; false leaves the turn out. */
  #room(body: number, now: Micros): boolean {
    const needed = FRAME_HEAD + body + this.#outputMost + FRAME_HEAD;
    if (this.#at + needed <= this.#bytes.length) return true;
    this.#begin(now);
    if (this.#at + needed <= this.#bytes.length) return true;
    this.#f64[(this.#at + FRAME_HEAD) >> 3] = now;
    this.#commit(Frame.Gap, 8);
    return false;
  }

  /** Makes the frame at the end visible: its length is written last, whoever kills us then. */
  #commit(type: number, body: number): void {
    const word = this.#at >> 2;
    this.#i32[word + 1] = frameTag(type, this.#i32, word + 2, body >> 2);
    this.#i32[word] = FRAME_HEAD + body;
    this.#at += FRAME_HEAD + body;
  }

  #begin(now: Micros): void {
    const segment = this.#target.segment(this.#sequence);
    const { buffer, byteOffset, length } = segment;
    this.#bytes = segment;
    this.#i32 = new Int32Array(buffer, byteOffset, length >> 2);
    this.#f64 = new Float64Array(buffer, byteOffset, length >> 3);
    this.#at = SEGMENT_HEAD;
    this.#json(Frame.Start, this.#header);
    const facts: FlightFacts = { now, turn: this.#turn, state: this.#state };
    this.#json(Frame.Facts, asciiJson(facts));
    this.#f64[2] = this.#sequence;
    this.#i32[2] = length;
    this.#i32[1] = FLIGHT_VERSION;
    this.#i32[0] = FLIGHT_MAGIC;
    this.#sequence += 1;
  }

  #json(type: number, text: string): void {
    this.#text(text, this.#at + FRAME_HEAD);
    this.#commit(type, padded(text.length));
  }

  #text(text: string, at: number): void {
    for (let i = 0; i < text.length; i += 1) this.#bytes[at + i] = text.charCodeAt(i);
  }

  #copy(from: Int32Array | Uint32Array, first: number, count: number, word: number): number {
    const to = this.#i32;
    for (let i = 0; i < count; i += 1) to[word + i] = from[first + i] as number;
    return word + count;
  }
}

/** Whether an event fills in the header of its slot for the actor to read. */
export function bringsHeader(op: number, flags: number): boolean {
  if (op === Event.PeerWrite || op === Event.PeerRead) return true;
  const digest = op === Event.PeerData || op === Event.LocalDone;
  return digest && (flags & Flag.Digest) !== 0;
}

/** How many checksums of blocks an event brings in the in-page that its link names. */
export function sumsBrought(op: number, flags: number, offset: number, length: number): number {
  if (op !== Event.LocalDone || (flags & Flag.Sums) === 0) return 0;
  const end = Math.floor((offset + length) / BLOCK_BYTES);
  return Math.max(0, end - Math.ceil(offset / BLOCK_BYTES));
}

/** Token and page of a metadata operation as one number; the reads of one token are near by. */
export function readKey(records: Records, r: number): number {
  return records.length(r) * 0x40_0000 + (records.offset(r) % 0x40_0000);
}

/** Second word of a frame: its type, and above that 24 bits over the words of its body. */
export function frameTag(type: number, words: Int32Array, first: number, count: number): number {
  return (mixed(type, words, first, count) & ~0xff) | type;
}

/**
 * A digest of what the engine itself filled in for the first `decisions` decisions: headers of
 * writes to the peer and questions to it, pages. It finds divergence, not malice.
 */
export function outputDigest(memory: DataMemory): (decisions: number) => number {
  const { buffer, offsets, layout, decisions, headers } = memory;
  const pages = new Int32Array(buffer, offsets.outPages, (layout.outPages * PAGE_BYTES) / 4);
  return (count) => {
    let sum = 0;
    for (let r = 0; r < count; r += 1) {
      const op = decisions.op(r);
      const slot = decisions.slot(r);
      if (op === Decision.PeerWrite || op === Decision.PeerRead) {
        sum = mixed(sum, headers.u32, slot * HEADER_WORDS, 8);
      } else if (op === Decision.MetaWrite) sum = mixed(sum, pages, slot * PAGE_WORDS, PAGE_WORDS);
      else if (op === Decision.PeerMessage) {
        sum = mixed(sum, pages, slot * PAGE_WORDS, Math.ceil(decisions.length(r) / 4));
      }
    }
    return sum;
  };
}

function mixed(
  start: number,
  words: Int32Array | Uint32Array,
  first: number,
  count: number,
): number {
  let sum = start;
  for (let i = first; i < first + count; i += 1) {
    sum = Math.imul((sum << 5) ^ (sum >>> 27) ^ (words[i] as number), 0x9e3779b1);
  }
  return sum;
}

/** Goes on over what the actor told control: a decision only says that there is a report. */
export function outboxDigest(start: number, outbox: readonly DataReport[]): number {
  let sum = start;
  for (const report of outbox) {
    for (const char of JSON.stringify(report)) {
      sum = Math.imul((sum << 5) ^ (sum >>> 27) ^ (char.codePointAt(0) as number), 0x9e3779b1);
    }
  }
  return sum;
}
