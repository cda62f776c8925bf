/** `understudy replica`, as people run it. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mirrorConfig } from '../../../backends/real/mirror-config.ts';
import { hasNative, loadNative } from '../../../backends/real/native.ts';
import { checkReplica } from '../../../backends/real/replica-check.ts';
import { loadConfig } from '../../../cli/config/load.ts';
import type { ReplicaConfig, VolumeConfig } from '../../../engine/core/config.ts';
import { ownFeatures, withBranch } from '../../../engine/mirror/features.ts';
import {
  DiskFlag,
  decodeSuperblock,
  formatMetadata,
  metadataLayout,
} from '../../../engine/mirror/metadata.ts';
import {
  attachLoop,
  detachLoop,
  loopMissing,
  makeFile,
  mountOn,
  unmount,
} from '../../real/support/loop-device.ts';
import { runUnderstudy } from '../../real/support/test-cluster.ts';

const SIZE = 8 << 20;
let folder: string;
let config: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'us-'));
  config = join(folder, 'understudy.yaml');
  const made = runUnderstudy('init', folder, '--size', '8MiB');
  expect([made.code, made.err]).toEqual([0, '']);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function target(name: string): { volume: VolumeConfig; replica: ReplicaConfig } {
  const loaded = loadConfig(config).config;
  const [volume] = loaded.volumes as [VolumeConfig];
  const id = loaded.nodes.find((node) => node.name === name)?.id;
  const replica = volume.replicas.find(({ node }) => node === id) as ReplicaConfig;
  return { volume, replica };
}

function superblock(name: string): { generation: number; flags: number } {
  const { volume, replica } = target(name);
  const mirror = mirrorConfig(volume);
  const { slotA } = metadataLayout(mirror);
  const at = SIZE + slotA * 4096;
  const page = readFileSync(replica.path).subarray(at, at + 4096);
  const found = decodeSuperblock(mirror, replica.node, slotA, page);
  if (!found.ok) throw new Error(found.fault);
  return found.block;
}

function replica(...words: string[]): { code: number | null; out: string; err: string } {
  const [verb, ...rest] = words as [string, ...string[]];
  return runUnderstudy('replica', verb, config, ...rest);
}

describe('a new replica', () => {
  it('is made where none is, and waits to be filled', () => {
    const { path } = target('b').replica;
    rmSync(path);
    const { code, out } = replica('new', '--name', 'b', '--json');
    expect([code, JSON.parse(out)]).toEqual([0, { volume: 'data', node: 'b', path }]);
    const { volume, replica: made } = target('b');
    expect(checkReplica(volume, made)).toEqual({ damagedSlots: 0, damagedLabels: [] });
    expect(superblock('b')).toMatchObject({ generation: 0, flags: DiskFlag.Inconsistent });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('takes the place of another only when that is said', () => {
    const before = readFileSync(target('b').replica.path);
    const refused = replica('new', '--name', 'b');
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/holds a replica already(?:.|\n)*--overwrite/);
    expect(readFileSync(target('b').replica.path).equals(before)).toBe(true);
    expect(replica('new', '--name', 'b', '--overwrite').code).toBe(0);
    expect(superblock('b').generation).toBe(0);
  });

  it('costs a branch that is kept there only when that is said as well, and tells of it', () => {
    const { volume, replica: own } = target('b');
    const mirror = mirrorConfig(volume);
    const { slotA, slotB } = metadataLayout(mirror);
    const features = withBranch(ownFeatures(mirror), true);
    const keeps = (slots: readonly number[]): void => {
      expect(replica('new', '--name', 'b', '--overwrite', '--drop-branch').code).toBe(0);
      const file = openSync(own.path, 'r+');
      const pages = formatMetadata(mirror, own.node, 7, 'UpToDate', 'ab'.repeat(16), features);
      for (const { page, bytes } of pages) {
        if (!slots.includes(page)) continue;
        writeSync(file, bytes, 0, bytes.length, SIZE + page * 4096);
      }
      closeSync(file);
    };
    // One superblock that says so is enough: the other may be damaged, or older.
    for (const slots of [[slotA, slotB], [slotA], [slotB]]) {
      keeps(slots);
      const before = readFileSync(own.path);
      for (const words of [['--overwrite'], ['--drop-branch'], []]) {
        const refused = replica('new', '--name', 'b', ...words);
        expect([words, refused.code]).toEqual([words, 2]);
        const why = words[0] === '--overwrite' ? 'keeps a branch' : 'holds a replica already';
        expect(refused.err).toContain(why);
      }
      expect(replica('new', '--name', 'b', '--overwrite').err).toContain(
        'understudy branch export',
      );
      expect(readFileSync(own.path).equals(before)).toBe(true);
    }
    const done = replica('new', '--name', 'b', '--overwrite', '--drop-branch');
    expect([done.code, done.out.includes('was kept there is lost')]).toEqual([0, true]);
    keeps([slotA, slotB]);
    const { out } = replica('new', '--name', 'b', '--overwrite', '--drop-branch', '--json');
    expect(JSON.parse(out)).toMatchObject({ node: 'b', droppedBranch: true });
    const plain = replica('new', '--name', 'b', '--overwrite', '--drop-branch', '--json');
    expect(JSON.parse(plain.out)).not.toHaveProperty('droppedBranch');
  });

  it('is not made in a file of another size, nor without a folder, nor for nobody', () => {
    const { path } = target('b').replica;
    truncateSync(path, SIZE);
    const refused = replica('new', '--name', 'b', '--overwrite');
    expect([refused.code, statSync(path).size]).toEqual([2, SIZE]);
    expect(refused.err).toMatch(/has 8388608 bytes, and \d+ are needed/);
    rmSync(join(folder, 'b'), { recursive: true });
    expect(replica('new').err).toContain('it is not clear which name');
    expect(replica('new', '--name', 'w').err).toContain('no name "w"');
  });
});

describe('a replica that is in use, or somebody else’s', () => {
  it('is written over by nobody, whatever is said', () => {
    const { path } = target('b').replica;
    const before = readFileSync(path);
    // As a node holds it: see backends/real/native.ts.
    const lock = hasNative() ? loadNative().lockFile(path) : -1;
    if (lock >= 0) {
      const refused = replica('new', '--name', 'b', '--overwrite');
      expect([refused.code, refused.err.includes('is in use')]).toEqual([2, true]);
      closeSync(lock);
    }
    // The configuration names the other host's replica by mistake.
    const yaml = readFileSync(config, 'utf8');
    writeFileSync(config, yaml.replace('b: { path: b/data.img }', 'b: { path: a/data.img }'));
    const other = replica('new', '--name', 'b', '--overwrite');
    expect([other.code, other.err.includes('another node or volume')]).toEqual([2, true]);
    writeFileSync(config, yaml);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('nor is anything else that is not empty, unless that is said', () => {
    const { path } = target('b').replica;
    const bytes = Buffer.alloc(statSync(path).size);
    bytes.write('a file system', 1080);
    writeFileSync(path, bytes);
    const refused = replica('new', '--name', 'b');
    expect([refused.code, refused.err.includes('is not empty')]).toEqual([2, true]);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(replica('new', '--name', 'b', '--overwrite').code).toBe(0);
    // An empty file of the right size needs no such word.
    writeFileSync(path, Buffer.alloc(bytes.length));
    expect(replica('new', '--name', 'b').code).toBe(0);
  });

  it('on a device is refused while it is mounted, or full to its end', (context) => {
    const missing = loopMissing();
    if (missing !== null) context.skip(missing);
    const { path } = target('b').replica;
    const bytes = statSync(path).size;
    const device = attachLoop(makeFile(join(folder, 'disk'), 2 * bytes));
    const mounted = join(folder, 'mounted');
    mkdirSync(mounted);
    writeFileSync(
      config,
      readFileSync(config, 'utf8').replace('path: b/data.img', `path: ${device}`),
    );
    try {
      expect(mountOn(device, mounted, 2 * bytes)).toBe(null);
      for (const words of [['adopt'], ['new'], ['new', '--overwrite']]) {
        const refused = replica(words[0] as string, '--name', 'b', ...words.slice(1));
        expect([words, refused.code, refused.err.includes('is in use')]).toEqual([words, 2, true]);
      }
      // As much as there is room for.
      spawnSync('sh', ['-c', `yes > ${join(mounted, 'full')}`]);
      unmount(mounted);
      const refused = replica('adopt', '--name', 'b');
      expect([refused.code, refused.err.includes('is not empty behind byte')]).toEqual([2, true]);
      expect(replica('new', '--name', 'b').err).toContain('is not empty');
    } finally {
      unmount(mounted);
      detachLoop(device);
    }
  });
});

describe('an adopted replica', () => {
  it('keeps every byte of its data, and counts as current', () => {
    const { path } = target('a').replica;
    const data = Buffer.alloc(SIZE, 'what people want to keep');
    writeFileSync(path, data);
    expect(replica('adopt', '--name', 'a').code).toBe(0);
    expect(readFileSync(path).subarray(0, SIZE).equals(data)).toBe(true);
    const { volume, replica: made } = target('a');
    expect(checkReplica(volume, made)).toEqual({ damagedSlots: 0, damagedLabels: [] });
    expect(superblock('a').flags).toBe(0);
    expect(superblock('a').generation).toBeGreaterThan(0);
    // What an adoption that was cut short leaves is not taken for a lost replica.
    writeFileSync(path, Buffer.concat([data, Buffer.alloc(statSync(path).size - SIZE)]));
    const cut = replica('adopt', '--name', 'a');
    expect([cut.code, cut.err.includes(`truncate -s ${SIZE}`)]).toEqual([2, true]);
    truncateSync(path, SIZE);
    expect(replica('adopt', '--name', 'a').code).toBe(0);
    // Once: a second time it is a replica.
    const again = replica('adopt', '--name', 'a');
    expect([again.code, again.err.includes('holds a replica already')]).toEqual([2, true]);
  });

  it('may have no more than what clients see: room is made behind that', () => {
    const { path } = target('a').replica;
    const data = Buffer.alloc(SIZE, 'what people want to keep');
    writeFileSync(path, data);
    const yaml = readFileSync(config, 'utf8');
    writeFileSync(config, yaml.replace(/^( *)(size: .*)$/m, '$1$2\n$1room: 24MiB'));
    expect(replica('adopt', '--name', 'a').code).toBe(0);
    const { volume, replica: made } = target('a');
    expect([volume.sizeBytes, volume.servedBytes]).toEqual([24 << 20, SIZE]);
    expect(checkReplica(volume, made)).toEqual({ damagedSlots: 0, damagedLabels: [] });
    const whole = readFileSync(path);
    expect(whole.subarray(0, SIZE).equals(data)).toBe(true);
    expect(whole.subarray(SIZE, 24 << 20).equals(Buffer.alloc((24 << 20) - SIZE))).toBe(true);
  });

  it('is not made of a disk of another size, nor of none; nothing is changed', () => {
    const { path } = target('a').replica;
    writeFileSync(path, Buffer.alloc(SIZE + 4096, 1));
    expect(replica('adopt', '--name', 'a').code).toBe(2);
    expect(statSync(path).size).toBe(SIZE + 4096);
    rmSync(path);
    const refused = replica('adopt', '--name', 'a');
    expect([refused.code, refused.err.includes('does not exist')]).toEqual([2, true]);
  });
});
