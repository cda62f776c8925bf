/** Replicas on block devices: what is refused, and that what is written is really there. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:os';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { hasNative, NativeError } from '../../backends/real/native.ts';
import { Decision, Event } from '../../engine/data/abi.ts';
import { type RawDecision, RawEngine } from '../compliance/raw-engine.ts';
import { itUnless } from '../real/support/hosts.ts';
import {
  attachLoop,
  detachLoop,
  loopMissing,
  makeFile,
  mountOn,
  unmount,
} from '../real/support/loop-device.ts';
import { LAYOUT } from './support/echo-engine.ts';
import { META_PAGES, Rig, SIZE } from './support/rig.ts';

const missing = hasNative()
  ? loopMissing()
  : 'the native addon is not built (npm run build:native)';
const FULL = SIZE + META_PAGES * 4096;
const SLOT = LAYOUT.frontSlots + LAYOUT.peerSlots;

describe('a replica on a block device', () => {
  const it = itUnless(missing);
  let rig: Rig;
  const devices: string[] = [];
  const mounts: string[] = [];

  beforeEach(() => {
    if (missing === null) rig = new Rig();
  });
  afterEach(() => {
    if (missing !== null) return;
    for (const engine of rig.engines.splice(0)) engine.reactor.close();
    for (const folder of mounts.splice(0)) unmount(folder);
    for (const device of devices.splice(0)) detachLoop(device);
    rig.end();
  });

  function device(bytes: number, sectorBytes = 4096): string {
    const made = attachLoop(makeFile(rig.path(`disk${devices.length}`), bytes), sectorBytes);
    devices.push(made);
    return made;
  }

  function failure(call: () => unknown): NativeError {
    try {
      call();
    } catch (error) {
      if (error instanceof NativeError) return error;
      throw error;
    }
    throw new Error('nothing was refused');
  }

  it('is refused when it is too small, and may be larger than its volume', async () => {
    const small = device(FULL - 4096);
    const error = failure(() => rig.reactor({ replicaPath: small }));
    expect(error.code).toBe('REPLICA_SIZE');
    expect(error.message).toContain(`${small} has ${FULL - 4096} bytes, want ${FULL}`);
    rig.reactor({ replicaPath: device(FULL) }).close();
    rig.reactor({ replicaPath: device(FULL + (1 << 20)) }).close();
  });

  it('is refused while a file system on it is mounted, and keeps mounts off', async () => {
    const replicaPath = device(FULL);
    const folder = rig.path('mounted');
    mkdirSync(folder);
    expect(mountOn(replicaPath, folder, SIZE)).toBeNull();
    const error = failure(() => rig.reactor({ replicaPath }));
    expect(error.code).toBe('REPLICA_BUSY');
    expect(error.message).toBe(`${replicaPath} is in use (mounted, or another program holds it)`);
    expect(error.remedy.length).toBeGreaterThan(10);
    unmount(folder);
    const reactor = rig.reactor({ replicaPath });
    const mounted = spawnSync('mount', [replicaPath, folder], { encoding: 'utf8' });
    expect(mounted.status).not.toBe(0);
    reactor.close();
    // Given back: it is an ordinary device again, with its file system as it was.
    expect(spawnSync('mount', ['-o', 'ro', replicaPath, folder]).status).toBe(0);
    unmount(folder);
  });

  it('is refused to a second host while the first holds it', async () => {
    const replicaPath = device(FULL);
    const first = rig.reactor({ replicaPath });
    expect(failure(() => rig.reactor({ replicaPath })).code).toBe('REPLICA_BUSY');
    first.close();
    rig.reactor({ replicaPath }).close();
  });

  it('is read and written past the cache wherever its sectors allow', async () => {
    for (const sectorBytes of [512, 4096]) {
      const replicaPath = device(FULL, sectorBytes);
      const reactor = rig.reactor({ replicaPath, blockBytes: 4096, direct: 'on' });
      expect(reactor.direct).toBe(true);
      reactor.close();
    }
    // Blocks that are smaller than the device's sectors cannot be.
    const replicaPath = device(FULL, 4096);
    const error = failure(() => rig.reactor({ replicaPath, blockBytes: 512, direct: 'on' }));
    expect(error.code).toBe('REPLICA_DIRECT');
    expect(error.message).toContain('cannot be opened with O_DIRECT at this block size');
  });

  it('is read past the cache also when its first block cannot be read', async () => {
    const replicaPath = device(FULL);
    truncateSync(rig.path('disk0'), 0);
    const reactor = rig.reactor({ replicaPath, direct: 'auto' });
    expect(reactor.direct).toBe(true);
    reactor.close();
  });

  it('gives its pages as they are there, or says why not', async () => {
    const replicaPath = device(FULL);
    const { readPage } = rig.native;
    const file = openSync(replicaPath, 'r+');
    writeSync(file, Buffer.alloc(4096, 7), 0, 4096, 8192);
    fsyncSync(file);
    expect(readPage(replicaPath, 8192)).toEqual(Buffer.alloc(4096, 7));
    expect(readPage(replicaPath, FULL)).toHaveLength(0);
    // The system still has it in memory, and the device has not.
    truncateSync(rig.path('disk0'), 0);
    expect(readPage(replicaPath, 8192)).toBe(constants.errno.EIO);
    closeSync(file);
    expect(readPage(rig.path('none'), 0)).toBe(constants.errno.ENOENT);
    expect(readPage(rig.replica('file', 4096 + 512), 4096)).toHaveLength(512);
  });

  it('holds what was written and flushed, and its metadata behind the data', async () => {
    const replicaPath = device(FULL);
    const pattern = Buffer.alloc(4096, 'pattern ');
    const file = openSync(replicaPath, 'r+');
    writeSync(file, pattern, 0, 4096, 0);
    fsyncSync(file);
    closeSync(file);
    const engine = new RawEngine(rig.reactor({ replicaPath, direct: 'on' }));
    const done = (decision: RawDecision, op: number): void => {
      engine.decide(decision);
      for (let turns = 0; !engine.turn().some((event) => event.op === op && event.status === 0); ) {
        turns += 1;
        if (turns > 5000) throw new Error('no answer');
      }
    };
    const write = { op: Decision.LocalWrite, slot: SLOT, offset: 8192, length: 4096 };
    done({ op: Decision.LocalRead, slot: SLOT, offset: 0, length: 4096 }, Event.LocalDone);
    done(write, Event.LocalDone);
    done({ op: Decision.LocalFlush, length: 1 }, Event.FlushDone);
    const page = { op: Decision.MetaWrite, offset: 3, length: 7, text: 'page three' };
    done(page, Event.MetaDone);
    engine.reactor.close();
    const bytes = readFileSync(rig.path('disk0'));
    expect(bytes.subarray(8192, 12_288).equals(pattern)).toBe(true);
    expect(bytes.toString('latin1', SIZE + 3 * 4096, SIZE + 3 * 4096 + 10)).toBe('page three');
  });
});
