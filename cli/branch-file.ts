/**
 * Writes a branch that was given up and is kept to a file: what the volume was on that replica. All
 * of it stands in the replica's side area, which nobody writes to while the branch is kept, so the
 * node may run meanwhile; whether it was kept until the end is looked at then.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { HostError, systemCode } from '../backends/real/failure.ts';
import { replicaSide } from '../backends/real/replica-check.ts';
import { syncFolder } from '../backends/real/replica-convert.ts';
import { wholePage } from '../backends/real/replica-parts.ts';
import { readPage } from '../backends/real/replica-read.ts';
import type { ReplicaConfig, VolumeConfig } from '../engine/core/config.ts';
import { BLOCK_BYTES } from '../engine/core/units.ts';
import { PAGE_BYTES } from '../engine/data/abi.ts';
import { keepsBranch } from '../engine/mirror/metadata.ts';
import { deviceBytes } from '../engine/mirror/page.ts';
import {
  decodeUndoBatch,
  decodeUndoHead,
  layoutOfLog,
  type UndoHead,
  type UndoLayout,
  type UndoRun,
  undoLayout,
  ZEROES,
} from '../engine/mirror/undo-log.ts';
import { InputError } from './failure.ts';

/** How much is copied at a time. */
const CHUNK_BYTES = 1 << 20;

/** The log of a branch on a replica. */
interface Log {
  readonly head: UndoHead;
  readonly layout: UndoLayout;
  readonly device: Uint8Array;
  /** Where the side area is. */
  readonly path: string;
  readonly base: number;
}

/**
 * Makes `file`, which must not exist, and writes the branch that `replica` keeps to it. Blocks of
 * zeroes are holes. `onBlocks` hears how many blocks of the volume are written. It has that name
 * when all is in it, durably; until then another one, which a later export overwrites. Throws
 * InputError or HostError, and has left neither then.
 */
export function exportBranch(
  volume: VolumeConfig,
  replica: ReplicaConfig,
  file: string,
  onBlocks: (done: number) => void,
): UndoHead {
  const log = logOf(volume, replica);
  const runs = wholeRuns(volume, log);
  const unfinished = `${file}.unfinished`;
  const to = makeFile(file, unfinished);
  let done = false;
  try {
    ftruncateSync(to, volume.sizeBytes);
    copyRuns(log, runs, to, file, volume.sizeBytes, onBlocks);
    fsyncSync(to);
    // A log that took its place had its head written first of all.
    if (logOf(volume, replica).head.log !== log.head.log) throw gone(volume);
    renameSync(unfinished, file);
    syncFolder(dirname(file));
    done = true;
  } catch (error) {
    throw error instanceof HostError || error instanceof InputError
      ? error
      : unwritable(file, error);
  } finally {
    closeSync(to);
    if (!done) rmSync(unfinished, { force: true });
  }
  return log.head;
}

function logOf(volume: VolumeConfig, replica: ReplicaConfig): Log {
  const { block, path, base } = replicaSide(volume, replica);
  const area = undoLayout(replica.sideBytes ?? 0);
  if (area === null || !keepsBranch(block)) throw gone(volume);
  const device = deviceBytes(block.device);
  const head = twice(path, base, area.copies, (page, bytes) => {
    const found = decodeUndoHead(device, page, bytes);
    return found?.log === block.undo ? found : null;
  });
  const layout = head === null ? null : layoutOfLog(head, area);
  if (head === null || layout === null) throw damaged(volume);
  return { head, layout, device, path, base };
}

/** All runs of a log, of which each block of the volume is in one. */
function wholeRuns(volume: VolumeConfig, { head, layout, device, path, base }: Log): UndoRun[] {
  const runs: UndoRun[] = [];
  const blocks = Math.ceil(volume.sizeBytes / BLOCK_BYTES);
  let named = 0;
  for (let number = 0; number < layout.batches && named < blocks; number += 1) {
    const pages = layout.copies.map((copy) => copy + 1 + number) as [number, number];
    const batch = twice(path, base, pages, (page, bytes) =>
      decodeUndoBatch(device, page, head.log, number, bytes),
    );
    if (batch === null) break;
    runs.push(...batch);
    // No block is named twice: what was saved is not saved again.
    for (const run of batch) named += run.blocks;
  }
  if (named !== blocks) throw damaged(volume);
  return runs;
}

/** What `decode` takes from either of the two places of a page of the side area. */
function twice<T>(
  path: string,
  base: number,
  pages: readonly [number, number],
  decode: (page: number, bytes: Uint8Array) => T | null,
): T | null {
  for (const page of pages) {
    const read = readPage(path, base + page * PAGE_BYTES);
    const found = read.ok ? decode(page, wholePage(read)) : null;
    if (found !== null) return found;
  }
  return null;
}

function copyRuns(
  { path, base }: Log,
  runs: readonly UndoRun[],
  to: number,
  file: string,
  size: number,
  onBlocks: (done: number) => void,
): void {
  const from = openSync(path, 'r');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let blocks = 0;
  try {
    for (const run of runs) {
      const start = run.block * BLOCK_BYTES;
      // The last block of a volume may be cut short.
      const length = run.page === ZEROES ? 0 : Math.min(run.blocks * BLOCK_BYTES, size - start);
      for (let at = 0; at < length; ) {
        const want = Math.min(CHUNK_BYTES, length - at);
        const got = readPart(from, chunk, want, base + run.page * PAGE_BYTES + at, path);
        for (let put = 0; put < got; ) {
          put += writePart(to, chunk, put, got - put, start + at + put, file);
        }
        at += got;
      }
      blocks += run.blocks;
      onBlocks(blocks);
    }
  } finally {
    closeSync(from);
  }
}

function readPart(from: number, chunk: Buffer, want: number, at: number, path: string): number {
  let got: number;
  try {
    got = readSync(from, chunk, 0, want, at);
  } catch (error) {
    throw new HostError(
      `${path} cannot be read (${systemCode(error)})`,
      'look after its disk; what is lost of the branch is lost',
    );
  }
  if (got > 0) return got;
  throw new HostError(`${path} ends before its side area does`, 'correct sideSize: or side:');
}

function writePart(
  to: number,
  chunk: Buffer,
  from: number,
  length: number,
  at: number,
  file: string,
): number {
  try {
    return writeSync(to, chunk, from, length, at);
  } catch (error) {
    throw unwritable(file, error);
  }
}

function makeFile(file: string, unfinished: string): number {
  if (file === '') throw new InputError('--to names no file', 'name one that does not exist');
  if (existsSync(file)) throw new InputError(`${file} is there already`, 'name another file');
  try {
    return openSync(unfinished, 'w', 0o600);
  } catch (error) {
    throw unwritable(file, error);
  }
}

function unwritable(file: string, error: unknown): HostError {
  return new HostError(
    `${file} cannot be written (${systemCode(error)})`,
    'make its folder, or room there, or name another file',
  );
}

function gone({ name }: VolumeConfig): HostError {
  return new HostError(
    `no branch of volume "${name}" is kept there`,
    'see which ones are: understudy branch list',
  );
}

function damaged({ name }: VolumeConfig): HostError {
  return new HostError(
    `the branch of volume "${name}" that is kept there can not be read in full`,
    'nothing of it is written; its room is freed by: understudy branch drop',
  );
}
