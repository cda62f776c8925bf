/**
 * The undo log in a replica's side area, byte for byte: what a block held before a resync overwrote
 * it. Pure layout, encoding and decoding; undo.ts decides when what is written.
 *
 *     page 0, and F         head: which image the log keeps, written once in each log
 *     1 .. B, F+1 .. F+B    batches in the order of their writing: which blocks, and where they are
 *     2F ..                 what the blocks held
 *
 * Head and batches stand there twice, far apart: a batch of which one copy is bad is no guess.
 * What is bad in both was never complete, unless a later batch is whole. Each page carries device,
 * page and log under its checksum: what an earlier log left, or another replica, is no part.
 */

import { SPLIT_POLICIES, type SplitPolicy } from '../core/config.ts';
import { crc32c } from '../core/crc32c.ts';
import type { Epoch, Generation } from '../core/units.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import { CRC_AT, getU32, getUint, HEAD_BYTES, isDevice, putU32, putUint } from './page.ts';

/** Smallest side area in which an undo log is kept, in pages. */
export const UNDO_PAGES_MIN = 64;

const SIDE_VERSION = 1;
const HEAD_MAGIC = 0x48555355;
const BATCH_MAGIC = 0x42555355;
const ENTRY_BYTES = 16;
/** Behind the generation and the epoch of a head: what the image is given up for. */
const GIVEN_AT = HEAD_BYTES + 16;
const PAGES_AT = GIVEN_AT + 28;
/** Who gives a branch up; the first stands for a copy that gives up none. */
const GIVERS: readonly (Giver | null)[] = [null, 'operator', ...SPLIT_POLICIES];
type Giver = 'operator' | SplitPolicy;
/** Runs of blocks that one batch names. */
export const BATCH_RUNS: number = (PAGE_BYTES - HEAD_BYTES) / ENTRY_BYTES;
/** In place of the page of a run that held zeroes: it takes no room. */
export const ZEROES = 0xffffffff;

export interface UndoLayout {
  /** Batches that the log has room for. */
  readonly batches: number;
  /** First page of each copy of head and batches. */
  readonly copies: readonly [number, number];
  /** First page of what blocks held. */
  readonly payload: number;
  readonly pages: number;
}

/** How a side area of so many bytes is used; null when it is too small for a log. */
export function undoLayout(sideBytes: number): UndoLayout | null {
  const pages = Math.floor(sideBytes / PAGE_BYTES);
  // Also for recordings of programs that knew of no side area.
  if (!(pages >= UNDO_PAGES_MIN)) return null;
  // Long copies fill batches well; scattered blocks and single writes of clients do not. A quarter
  // of a small area, an eighth of a large one.
  const batches = Math.min(Math.floor(pages / 8), Math.floor(pages / 16) + 64) - 1;
  return { batches, copies: [0, batches + 1], payload: 2 * (batches + 1), pages };
}

/**
 * How a log is laid out in an area that is laid out as `area` now: as that was as it began. What
 * has been added since takes what blocks held, and no batch. Null where the area was larger: some
 * of the log is not in it.
 */
export function layoutOfLog({ pages }: UndoHead, area: UndoLayout): UndoLayout | null {
  if (pages === 0 || pages === area.pages) return area;
  const begun = pages > area.pages ? null : undoLayout(pages * PAGE_BYTES);
  return begun === null ? null : { ...begun, pages: area.pages };
}

/** Which image a log keeps. */
export interface UndoHead {
  /** Tells this log from all others of the replica. */
  readonly log: number;
  readonly generation: Generation;
  readonly epoch: Epoch;
  /** Of the area when it began: see {@link layoutOfLog}. 0 in what programs of before wrote. */
  readonly pages: number;
  /** The order by which it is given up; null for the image that an ordinary copy overwrites. */
  readonly given: GivenUp | null;
}

/** The order by which a branch is given up, as far as it is of use to who looks at it later. */
export interface GivenUp {
  /** The generation that was kept in its place. */
  readonly keeps: Generation;
  /** The last one that both had; 0 where they are strangers. */
  readonly shared: Generation;
  /** The name of the order: {@link Discard.order}. */
  readonly order: Epoch;
  readonly by: Giver;
}

/** What some blocks in a row held. */
export interface UndoRun {
  readonly block: number;
  readonly blocks: number;
  /** Page of the side area, or {@link ZEROES}. */
  readonly page: number;
}

export function encodeUndoHead(
  device: Uint8Array,
  page: number,
  head: UndoHead,
  into: Uint8Array,
): void {
  begin(device, page, HEAD_MAGIC, head.log, into);
  putUint(into, HEAD_BYTES, head.generation);
  putUint(into, HEAD_BYTES + 8, head.epoch);
  putU32(into, PAGES_AT, head.pages);
  const { given } = head;
  if (given !== null) {
    putUint(into, GIVEN_AT, given.keeps);
    putUint(into, GIVEN_AT + 8, given.shared);
    putUint(into, GIVEN_AT + 16, given.order);
    putU32(into, GIVEN_AT + 24, GIVERS.indexOf(given.by));
  }
  seal(into);
}

/** The head at `page`; null for anything else than a whole one. */
export function decodeUndoHead(
  device: Uint8Array,
  page: number,
  bytes: Uint8Array,
): UndoHead | null {
  if (!isWhole(device, page, HEAD_MAGIC, bytes)) return null;
  const log = getUint(bytes, 32);
  const generation = getUint(bytes, HEAD_BYTES);
  const epoch = getUint(bytes, HEAD_BYTES + 8);
  const pages = getU32(bytes, PAGES_AT);
  const by = GIVERS[getU32(bytes, GIVEN_AT + 24)] ?? null;
  if (by === null) return { log, generation, epoch, pages, given: null };
  const keeps = getUint(bytes, GIVEN_AT);
  const shared = getUint(bytes, GIVEN_AT + 8);
  return {
    log,
    generation,
    epoch,
    pages,
    given: { keeps, shared, order: getUint(bytes, GIVEN_AT + 16), by },
  };
}

export function encodeUndoBatch(
  device: Uint8Array,
  page: number,
  log: number,
  number: number,
  runs: readonly UndoRun[],
  into: Uint8Array,
): void {
  begin(device, page, BATCH_MAGIC, log, into);
  putU32(into, 28, runs.length);
  putUint(into, 40, number);
  let at = HEAD_BYTES;
  for (const run of runs) {
    putUint(into, at, run.block);
    putU32(into, at + 8, run.blocks);
    putU32(into, at + 12, run.page);
    at += ENTRY_BYTES;
  }
  seal(into);
}

/** The runs of batch `number` of `log`; null for anything else than a whole one. */
export function decodeUndoBatch(
  device: Uint8Array,
  page: number,
  log: number,
  number: number,
  bytes: Uint8Array,
): UndoRun[] | null {
  if (!isWhole(device, page, BATCH_MAGIC, bytes)) return null;
  if (getUint(bytes, 32) !== log || getUint(bytes, 40) !== number) return null;
  const count = Math.min(getU32(bytes, 28), BATCH_RUNS);
  const runs: UndoRun[] = [];
  for (let i = 0; i < count; i += 1) {
    const at = HEAD_BYTES + i * ENTRY_BYTES;
    const page = getU32(bytes, at + 12);
    runs.push({ block: getUint(bytes, at), blocks: getU32(bytes, at + 8), page });
  }
  return runs;
}

function begin(
  device: Uint8Array,
  page: number,
  magic: number,
  log: number,
  into: Uint8Array,
): void {
  into.fill(0);
  putU32(into, 0, magic);
  putU32(into, 4, SIDE_VERSION);
  into.set(device, 8);
  putU32(into, 24, page);
  putUint(into, 32, log);
}

function isWhole(device: Uint8Array, page: number, magic: number, bytes: Uint8Array): boolean {
  return (
    bytes.length === PAGE_BYTES &&
    getU32(bytes, 0) === magic &&
    getU32(bytes, CRC_AT) === checksum(bytes) &&
    getU32(bytes, 4) === SIDE_VERSION &&
    getU32(bytes, 24) === page &&
    isDevice(bytes, 8, device)
  );
}

function seal(bytes: Uint8Array): void {
  putU32(bytes, CRC_AT, checksum(bytes));
}

function checksum(bytes: Uint8Array): number {
  return crc32c(bytes, HEAD_BYTES, PAGE_BYTES, crc32c(bytes, 0, CRC_AT, 0));
}
