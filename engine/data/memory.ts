/**
 * Named accessors over the shared buffer of {@link abiOffsets}: the only code that knows byte
 * positions. Allocates nothing after construction.
 */
import {
  type AbiLayout,
  type AbiOffsets,
  abiOffsets,
  HEADER_BYTES,
  PAGE_BYTES,
  RECORD_BYTES,
} from './abi.ts';

/** One array of records, read or written field by field. */
export class Records {
  /** i32 view; field f of record r is at r * 8 + f (op 0, slot 1, link 2, flags 3, status 7). */
  readonly i32: Int32Array;
  /** u32 view of the same bytes; length is field 6. */
  readonly u32: Uint32Array;
  /** f64 view of the same bytes; offset is at r * 4 + 2. */
  readonly f64: Float64Array;
  readonly capacity: number;

  constructor(buffer: ArrayBuffer, at: number, capacity: number) {
    this.i32 = new Int32Array(buffer, at, (capacity * RECORD_BYTES) / 4);
    this.u32 = new Uint32Array(buffer, at, (capacity * RECORD_BYTES) / 4);
    this.f64 = new Float64Array(buffer, at, (capacity * RECORD_BYTES) / 8);
    this.capacity = capacity;
  }

  op(r: number): number {
    return this.i32[r << 3] as number;
  }
  slot(r: number): number {
    return this.i32[(r << 3) + 1] as number;
  }
  link(r: number): number {
    return this.i32[(r << 3) + 2] as number;
  }
  flags(r: number): number {
    return this.i32[(r << 3) + 3] as number;
  }
  /** Bytes, a page number, a sequence, a node or a time, as the op says; a safe integer. */
  offset(r: number): number {
    return this.f64[(r << 2) + 2] as number;
  }
  length(r: number): number {
    return this.u32[(r << 3) + 6] as number;
  }
  status(r: number): number {
    return this.i32[(r << 3) + 7] as number;
  }

  /** Writes all fields of record `r`. */
  put(
    r: number,
    op: number,
    slot: number,
    link: number,
    flags: number,
    offset: number,
    length: number,
    status: number,
  ): void {
    const base = r << 3;
    this.i32[base] = op;
    this.i32[base + 1] = slot;
    this.i32[base + 2] = link;
    this.i32[base + 3] = flags;
    this.f64[(r << 2) + 2] = offset;
    this.u32[base + 6] = length;
    this.i32[base + 7] = status;
  }
}

/** The slot headers. */
export class Headers {
  readonly f64: Float64Array;
  readonly u32: Uint32Array;
  readonly bytes: Uint8Array;

  constructor(buffer: ArrayBuffer, at: number, slots: number) {
    this.f64 = new Float64Array(buffer, at, (slots * HEADER_BYTES) / 8);
    this.u32 = new Uint32Array(buffer, at, (slots * HEADER_BYTES) / 4);
    this.bytes = new Uint8Array(buffer, at, slots * HEADER_BYTES);
  }

  epoch(slot: number): number {
    return this.f64[slot << 3] as number;
  }
  sequence(slot: number): number {
    return this.f64[(slot << 3) + 1] as number;
  }
  generation(slot: number): number {
    return this.f64[(slot << 3) + 2] as number;
  }
  request(slot: number): number {
    return this.f64[(slot << 3) + 3] as number;
  }
  checksum(slot: number): number {
    return this.u32[(slot << 4) + 12] as number;
  }

  /** Writes the four fields that the engine fills in before a PeerWrite. */
  put(slot: number, epoch: number, sequence: number, generation: number, request: number): void {
    const base = slot << 3;
    this.f64[base] = epoch;
    this.f64[base + 1] = sequence;
    this.f64[base + 2] = generation;
    this.f64[base + 3] = request;
  }
}

/** The whole shared memory of one data actor. */
export class DataMemory {
  readonly layout: AbiLayout;
  readonly offsets: AbiOffsets;
  readonly buffer: ArrayBuffer;
  readonly events: Records;
  readonly decisions: Records;
  readonly headers: Headers;
  readonly inPages: Uint8Array;
  readonly outPages: Uint8Array;

  /** `buffer` is the backend's own where it needs one (native), else a new one is made. */
  constructor(layout: AbiLayout, buffer?: ArrayBuffer) {
    const offsets = abiOffsets(layout);
    const own = buffer ?? new ArrayBuffer(offsets.total);
    this.layout = layout;
    this.offsets = offsets;
    this.buffer = own;
    this.events = new Records(own, offsets.events, layout.events);
    this.decisions = new Records(own, offsets.decisions, layout.decisions);
    this.headers = new Headers(
      own,
      offsets.headers,
      layout.frontSlots + layout.peerSlots + layout.engineSlots,
    );
    this.inPages = new Uint8Array(own, offsets.inPages, layout.inPages * PAGE_BYTES);
    this.outPages = new Uint8Array(own, offsets.outPages, layout.outPages * PAGE_BYTES);
  }
}
