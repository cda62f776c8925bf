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
import { type UndoHead, type UndoRun, undoLayout, ZEROES } from '../engine/mirror/undo-log.ts';
import { type Log, type SidePages, UndoReader } from '../engine/mirror/undo-reader.ts';
import { InputError } from './failure.ts';

/** How much is copied at a time. */
const CHUNK_BYTES = 1 << 20;

/** The log of a branch on a replica, and where its side area is. */
interface Branch {
  readonly log: Log;
  readonly reader: UndoReader;
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
  const branch = branchOf(volume, replica);
  const runs = wholeRuns(volume, branch);
  const unfinished = `${file}.unfinished`;
  const to = makeFile(file, unfinished);
  let done = false;
  try {
    ftruncateSync(to, volume.sizeBytes);
    copyRuns(branch, runs, to, file, volume.sizeBytes, onBlocks);
    fsyncSync(to);
    // A log that took its place had its head written first of all.
    if (branchOf(volume, replica).log.head.log !== branch.log.head.log) throw gone(volume);
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
  return branch.log.head;
}

function branchOf(volume: VolumeConfig, replica: ReplicaConfig): Branch {
  const { block, path, base } = replicaSide(volume, replica);
  const area = undoLayout(replica.sideBytes ?? 0);
  if (area === null || !keepsBranch(block)) throw gone(volume);
  const reader = new UndoReader(area, pagesOf(deviceBytes(block.device), path, base));
  const log = atOnce<Log>((done) => reader.open(block.undo, done));
  if (log === null) throw damaged(volume);
  return { log, reader, path, base };
}

/** All runs of a branch, of which each block of the volume is in one. */
function wholeRuns(volume: VolumeConfig, { log, reader }: Branch): UndoRun[] {
  const runs: UndoRun[] = [];
  const blocks = Math.ceil(volume.sizeBytes / BLOCK_BYTES);
  let named = 0;
  for (let number = 0; number < log.layout.batches && named < blocks; number += 1) {
    const batch = atOnce<UndoRun[]>((done) => reader.batch(log, number, done));
    if (batch === null) break;
    runs.push(...batch);
    // No block is named twice: what was saved is not saved again.
    for (const run of batch) named += run.blocks;
  }
  if (named !== blocks) throw damaged(volume);
  return runs;
}

/** The pages of a side area at `base` of a file or device: each is there when it is asked for. */
function pagesOf(device: Uint8Array, path: string, base: number): SidePages {
  return {
    device,
    read: (a, b, decode, done) => {
      const at = (page: number) => {
        const read = readPage(path, base + page * PAGE_BYTES);
        return read.ok ? decode(page, wholePage(read)) : null;
      };
      done(at(a) ?? at(b));
    },
  };
}

/** What a read gives that is over when it returns. */
function atOnce<T>(read: (done: (found: T | null) => void) => void): T | null {
  let given: T | null = null;
  read((found) => {
    given = found;
  });
  return given;
}

function copyRuns(
  { path, base }: Branch,
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
