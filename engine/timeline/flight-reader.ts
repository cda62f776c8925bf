/**
 * Reads what {@link FlightWriter} wrote, also when a crash tore it or a ring lost its beginning.
 */
import { HEADER_BYTES, PAGE_BYTES, RECORD_BYTES } from '../data/abi.ts';
import type { DataCommand } from '../data/messages.ts';
import {
  type FlightFacts,
  type FlightHeader,
  FRAME_HEAD,
  Frame,
  SEGMENT_HEAD,
  sequenceOf,
} from './flight.ts';
import { frameTag, sumsBrought } from './flight-writer.ts';

/** One turn as recorded. Arrays are views of the recording. */
export interface FlightTurn {
  readonly now: number;
  /** Event records, 32 bytes each. */
  readonly events: Int32Array;
  /** Slot headers of its events that bring one, in order, 64 bytes each. */
  readonly headers: Int32Array;
  /** Pages of its MetaRead and PeerMessage events in order, 4 KiB each. */
  readonly pages: Int32Array;
  /** Checksums of blocks that its LocalDone events bring, in order, and perhaps one word more. */
  readonly sums: Int32Array;
  readonly commands: readonly DataCommand[];
  /** Null when the actor never came to an end with it: the core broke or was killed. */
  readonly output: { readonly decisions: Int32Array; readonly digest: number } | null;
  /** The actor broke a belief in it. */
  readonly broke: boolean;
}

/** One life of one data actor. */
export interface Flight {
  readonly header: FlightHeader;
  /** Where the volume stood when the part that is kept begins. */
  readonly facts: FlightFacts;
  /** Whether it begins with the actor's first turn and misses none: it can be executed again. */
  readonly whole: boolean;
  /** What keeps it from being whole: a ring overwrote its beginning, or turns are missing later. */
  readonly lost: 'beginning' | 'middle' | null;
  /** Some frame is not as it was written; nothing behind it in its segment was read. */
  readonly damaged: boolean;
  readonly turns: readonly FlightTurn[];
}

interface Segment {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/**
 * All lives in a recording: the segments of a ring, a reel, or several of them one after another.
 */
export function readFlights(recording: Uint8Array): readonly Flight[] {
  const lives = new Map<string, Life>();
  for (const { bytes } of segmentsOf(recording)) {
    const read = readSegment(bytes);
    if (read === null) continue;
    const { volume, node, boot, session } = read.header;
    const name = JSON.stringify([volume, node, boot, session]);
    const life = lives.get(name);
    if (life === undefined) lives.set(name, new Life(read));
    else life.add(read);
  }
  return [...lives.values()].map((life) => life.flight());
}

/** The segments in the order in which they were written. */
function segmentsOf(recording: Uint8Array): readonly Segment[] {
  const found: Segment[] = [];
  let at = 0;
  while (at + SEGMENT_HEAD <= recording.length) {
    const sequence = sequenceOf(recording.subarray(at));
    const view = new DataView(recording.buffer, recording.byteOffset + at);
    const size = sequence === null ? 0 : view.getUint32(8, true);
    if (sequence === null || size < SEGMENT_HEAD || size % 8 !== 0) {
      // A part of a ring that was never used, or one that a crash caught while it was begun.
      at += 4096;
      continue;
    }
    // Copied, for views need an aligned beginning.
    found.push({ sequence, bytes: recording.slice(at, at + size) });
    at += size;
  }
  return found.sort((a, b) => a.sequence - b.sequence);
}

interface ReadSegment {
  readonly header: FlightHeader;
  readonly facts: FlightFacts;
  readonly turns: readonly FlightTurn[];
  readonly gaps: number;
  readonly damaged: boolean;
}

/** A life put together from its segments. */
class Life {
  readonly #first: ReadSegment;
  readonly #turns: FlightTurn[] = [];
  #lost: Flight['lost'];
  #damaged = false;

  constructor(first: ReadSegment) {
    this.#first = first;
    this.#lost = first.facts.turn === 0 ? null : 'beginning';
    this.add(first);
  }

  add(segment: ReadSegment): void {
    // A segment between the two was overwritten or torn.
    const expected = this.#first.facts.turn + this.#turns.length;
    if (segment.facts.turn !== expected || segment.gaps > 0) this.#lost ??= 'middle';
    if (segment.damaged) this.#damaged = true;
    for (const turn of segment.turns) this.#turns.push(turn);
  }

  flight(): Flight {
    const { header, facts } = this.#first;
    const lost = this.#lost;
    return {
      header,
      facts,
      whole: lost === null,
      lost,
      damaged: this.#damaged,
      turns: this.#turns,
    };
  }
}

function readSegment(bytes: Uint8Array): ReadSegment | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  let header: FlightHeader | null = null;
  let facts: FlightFacts | null = null;
  const turns: FlightTurn[] = [];
  let gaps = 0;
  let at = SEGMENT_HEAD;
  let damaged = false;
  while (at + FRAME_HEAD <= bytes.length && !damaged) {
    const size = view.getUint32(at, true);
    if (size === 0) break;
    // Until it is shown to be sound.
    damaged = true;
    if (size < FRAME_HEAD || size % 8 !== 0 || at + size > bytes.length) break;
    const tag = view.getInt32(at + 4, true);
    const type = tag & 0xff;
    if (frameTag(type, words, (at + FRAME_HEAD) >> 2, (size - FRAME_HEAD) >> 2) !== tag) break;
    const body = bytes.subarray(at + FRAME_HEAD, at + size);
    at += size;
    if (type === Frame.Start) header = jsonOf(body, body.length) as FlightHeader | null;
    else if (type === Frame.Facts) facts = jsonOf(body, body.length) as FlightFacts | null;
    else if (type === Frame.Gap) gaps += 1;
    else if (type === Frame.Input) {
      const turn = inputOf(body);
      if (turn === null) break;
      turns.push(turn);
    } else {
      const last = turns.pop();
      if (last === undefined) break;
      const output = type === Frame.Output ? outputOf(body) : null;
      if (output === null && type !== Frame.Broke) break;
      turns.push({ ...last, output, broke: output === null });
    }
    damaged = false;
  }
  return header === null || facts === null ? null : { header, facts, turns, gaps, damaged };
}

function inputOf(body: Uint8Array): FlightTurn | null {
  if (body.length < 24) return null;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const [count, headers, pages, characters] = [8, 12, 16, 20].map((at) => view.getUint32(at, true));
  const parts = [
    (count as number) * RECORD_BYTES,
    (headers as number) * HEADER_BYTES,
    (pages as number) * PAGE_BYTES,
  ];
  let at = 24;
  const arrays: Int32Array[] = [];
  for (let part = 0; part < 4; part += 1) {
    const bytes = parts[part] ?? sumBytes(view, count as number);
    if (at + bytes > body.length) return null;
    arrays.push(new Int32Array(body.buffer, body.byteOffset + at, bytes >> 2));
    at += bytes;
  }
  const text = characters as number;
  if (at + text > body.length) return null;
  const commands = text === 0 ? [] : jsonOf(body.subarray(at), text);
  if (!Array.isArray(commands)) return null;
  return {
    now: view.getFloat64(0, true),
    events: arrays[0] as Int32Array,
    headers: arrays[1] as Int32Array,
    pages: arrays[2] as Int32Array,
    sums: arrays[3] as Int32Array,
    commands: commands as DataCommand[],
    output: null,
    broke: false,
  };
}

/** Bytes of the checksums that the first `count` events of an input bring. */
function sumBytes(view: DataView, count: number): number {
  let sums = 0;
  for (let at = 24; at < 24 + count * RECORD_BYTES; at += RECORD_BYTES) {
    const [op, flags] = [view.getInt32(at, true), view.getInt32(at + 12, true)];
    sums += sumsBrought(op, flags, view.getFloat64(at + 16, true), view.getUint32(at + 24, true));
  }
  return Math.ceil(sums / 2) * 8;
}

function outputOf(body: Uint8Array): FlightTurn['output'] {
  if (body.length < 8) return null;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const words = (view.getUint32(0, true) * RECORD_BYTES) / 4;
  if (8 + words * 4 > body.length) return null;
  const decisions = new Int32Array(body.buffer, body.byteOffset + 8, words);
  return { decisions, digest: view.getInt32(4, true) };
}

function jsonOf(bytes: Uint8Array, characters: number): unknown {
  let text = '';
  for (let i = 0; i < characters && bytes[i] !== 0; i += 1) {
    text += String.fromCharCode(bytes[i] as number);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
