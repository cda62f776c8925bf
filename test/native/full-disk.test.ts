/**
 * Zeroes on a file system without a free block: where making a hole or a zeroed range needs room
 * for its own notes, writing does not, and no replica is lost for it.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { hasNative, replicaFileBytes } from '../../backends/real/native.ts';
import { itUnless } from '../real/support/hosts.ts';
import {
  attachLoop,
  detachLoop,
  loopMissing,
  makeFile,
  mountOn,
  unmount,
} from '../real/support/loop-device.ts';
import { NbdSocket } from './support/nbd-socket.ts';
import { META_PAGES, Rig, SIZE } from './support/rig.ts';

const FULL_BYTES = 96 << 20;
const missing = hasNative()
  ? loopMissing()
  : 'the native addon is not built (npm run build:native)';

describe.each(['io_uring', 'epoll'] as const)('a full disk by %s', (personality) => {
  let rig: Rig;
  let device = '';
  let folder = '';
  beforeEach(() => {
    rig = new Rig();
    if (missing !== null) return;
    folder = rig.path('full');
    mkdirSync(folder);
    device = attachLoop(makeFile(rig.path('full.img'), FULL_BYTES));
    const refused = mountOn(device, folder, FULL_BYTES);
    if (refused !== null) throw new Error(refused);
  });
  afterEach(() => {
    rig.end(() => {
      if (missing !== null) return;
      unmount(folder);
      detachLoop(device);
    });
  });

  itUnless(missing)('takes every trim and every zeroing of what it holds', async () => {
    const path = join(folder, 'replica');
    const file = openSync(path, 'w');
    writeSync(file, Buffer.alloc(replicaFileBytes(SIZE, META_PAGES), 7));
    fsyncSync(file);
    closeSync(file);
    for (const bytes of ['1M', '4k', '1k']) {
      spawnSync('dd', ['if=/dev/zero', `of=${join(folder, `fill${bytes}`)}`, `bs=${bytes}`]);
    }
    spawnSync('sync', ['-f', folder]);
    const engine = rig.engine({ replicaPath: path, personality });
    rig.serve(engine);
    const client = await NbdSocket.open(rig, { path: rig.path('vol.sock') });
    await client.go('vol');
    const errors = new Map<number, number>();
    for (let n = 0; n < 2000; n += 1) {
      // Every other block, so that extents are split as often as can be.
      client.request(n % 2 === 0 ? 4 : 6, n % 2 === 0 ? 0 : 2, n + 1, n * 8192, 4096);
      const [answer] = await client.answers(1);
      const error = answer?.error ?? -1;
      errors.set(error, (errors.get(error) ?? 0) + 1);
    }
    client.socket.destroy();
    expect(Object.fromEntries(errors)).toEqual({ 0: 2000 });
    rmSync(path);
  });
});
