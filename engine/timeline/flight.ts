/**
 * The I/O flight recorder's form (design.md §7): every turn of a data actor, its inputs and what it
 * decided, as binary frames in segments. Payload bytes are not in it. It is enough to execute the
 * actor again, turn by turn (engine/mirror/flight.ts).
 *
 * A recording is a row of segments of one size. In production they are a ring in a mapped file, in
 * which the newest overwrites the oldest; a simulated run keeps all. Each segment can be read by
 * itself. All numbers are little-endian, every part begins at a multiple of 8:
 *
 *     segment: u32 magic | u32 version | u32 bytes of the segment | u32 0 | f64 sequence |
 *              f64 0 | frames… | zeros
 *     frame:   u32 bytes with this head (0: no more) | u8 type | u24 check over the body | body
 *     start:   JSON of {@link FlightHeader}: first in every segment
 *     facts:   JSON of {@link FlightFacts}: second in every segment
 *     input:   f64 now | u32 events | u32 headers | u32 pages | u32 JSON characters |
 *              events | headers of peers' requests and of digests | pages of MetaRead and
 *              PeerMessage events |
 *              JSON of the control messages
 *     output:  u32 decisions | u32 digest of headers, out-pages and reports | decisions
 *     broke:   nothing: a belief broke in the turn before, which has no output
 *     gap:     f64 now: a turn that is too large for a segment was left out
 *
 * An input frame is complete before the actor runs, so a turn that broke a belief is there too. The
 * check finds frames that a power cut left half written in a mapped file.
 * JSON is written one byte a character, whatever is not ASCII as \uXXXX.
 */
import type { BootId, Micros, NodeId } from '../core/units.ts';
import type { AbiLayout } from '../data/abi.ts';

/** "UFLT". */
export const FLIGHT_MAGIC = 0x544c4655;
export const FLIGHT_VERSION = 1;
/** Bytes before the first frame of a segment. */
export const SEGMENT_HEAD = 32;
/** Bytes before a frame's body. */
export const FRAME_HEAD = 8;
/** Holds the largest turn of the layouts in use. */
export const SEGMENT_BYTES: number = 1024 * 1024;

/** Types of frames. */
export const Frame = { Start: 1, Facts: 2, Input: 3, Output: 4, Gap: 5, Broke: 6 } as const;

/** What stands at the head of every segment: who was recorded, and how to make it again. */
export interface FlightHeader {
  /** Version of the program. */
  readonly build: string;
  readonly volume: string;
  readonly node: NodeId;
  readonly boot: BootId;
  /** Counts the core's starts on this node. */
  readonly session: number;
  readonly layout: AbiLayout;
  /** The actor's configuration, as its maker takes it. */
  readonly config: unknown;
  readonly canaries: readonly string[];
}

/** Where the volume stood when a segment began, for readers to whom earlier ones are lost. */
export interface FlightFacts {
  readonly now: Micros;
  /** Turns before this one in the actor's life. */
  readonly turn: number;
  /** The newest state report of the actor, null before the first. */
  readonly state: { readonly [name: string]: unknown } | null;
}

/** Where a recorder writes. */
export interface FlightTarget {
  /** Bytes of every segment; a multiple of 8. */
  readonly segmentBytes: number;
  /** Sequence number that the next segment gets; one more than any that is kept. */
  readonly nextSequence: number;
  /** A zeroed segment, aligned to 8 bytes, for this sequence number. */
  segment(sequence: number): Uint8Array;
}

/** Keeps every segment: for simulated runs and tests. */
export class FlightReel implements FlightTarget {
  readonly segmentBytes: number;
  readonly segments: Uint8Array[] = [];

  constructor(segmentBytes: number = SEGMENT_BYTES) {
    this.segmentBytes = segmentBytes;
  }

  get nextSequence(): number {
    return this.segments.length;
  }

  segment(_sequence: number): Uint8Array {
    const made = new Uint8Array(this.segmentBytes);
    this.segments.push(made);
    return made;
  }

  /** All of it in one piece, segments cut to what is used of them. */
  recording(): Uint8Array {
    const cut = this.segments.map((segment) => segment.slice(0, usedOf(segment)));
    const whole = new Uint8Array(cut.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const segment of cut) {
      new DataView(segment.buffer).setUint32(8, segment.length, true);
      whole.set(segment, at);
      at += segment.length;
    }
    return whole;
  }
}

/** Bytes up to the last frame's end and the zero behind it. */
function usedOf(segment: Uint8Array): number {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.length);
  let at = SEGMENT_HEAD;
  for (;;) {
    const size = at + FRAME_HEAD <= segment.length ? view.getUint32(at, true) : 0;
    if (size === 0) return Math.min(segment.length, at + FRAME_HEAD);
    at += size;
  }
}

/** Keeps the newest segments in memory of a fixed size; what was in it before goes on counting. */
export class FlightRing implements FlightTarget {
  readonly segmentBytes: number;
  readonly nextSequence: number;
  readonly #memory: Uint8Array;

  constructor(memory: Uint8Array, segmentBytes: number = SEGMENT_BYTES) {
    this.#memory = memory;
    this.segmentBytes = segmentBytes;
    let next = 0;
    for (let at = 0; at + segmentBytes <= memory.length; at += segmentBytes) {
      const sequence = sequenceOf(memory.subarray(at, at + segmentBytes));
      if (sequence !== null && sequence >= next) next = sequence + 1;
    }
    this.nextSequence = next;
  }

  segment(sequence: number): Uint8Array {
    const room = Math.floor(this.#memory.length / this.segmentBytes);
    const at = (sequence % room) * this.segmentBytes;
    const segment = this.#memory.subarray(at, at + this.segmentBytes);
    segment.fill(0);
    return segment;
  }
}

/** Sequence number of a segment; null when there is none of this version in these bytes. */
export function sequenceOf(segment: Uint8Array): number | null {
  if (segment.length < SEGMENT_HEAD) return null;
  const view = new DataView(segment.buffer, segment.byteOffset, SEGMENT_HEAD);
  if (view.getUint32(0, true) !== FLIGHT_MAGIC || view.getUint32(4, true) !== FLIGHT_VERSION) {
    return null;
  }
  const sequence = view.getFloat64(16, true);
  return Number.isSafeInteger(sequence) && sequence >= 0 ? sequence : null;
}

/** One byte a character. */
export function asciiJson(value: unknown): string {
  let text = '';
  for (const char of JSON.stringify(value)) {
    for (let i = 0; i < char.length; i += 1) {
      const code = char.charCodeAt(i);
      text += code < 128 ? char[i] : `\\u${code.toString(16).padStart(4, '0')}`;
    }
  }
  return text;
}
