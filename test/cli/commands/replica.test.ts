/** `understudy replica`, as people run it. */
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mirrorConfig } from '../../../backends/real/mirror-config.ts';
import { checkReplica } from '../../../backends/real/replica-check.ts';
import { loadConfig } from '../../../cli/config/load.ts';
import type { ReplicaConfig, VolumeConfig } from '../../../engine/core/config.ts';
import { DiskFlag, decodeSuperblock, metadataLayout } from '../../../engine/mirror/metadata.ts';
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
    expect(checkReplica(volume, made)).toEqual({ damagedSlots: 0 });
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

describe('an adopted replica', () => {
  it('keeps every byte of its data, and counts as current', () => {
    const { path } = target('a').replica;
    const data = Buffer.alloc(SIZE, 'what people want to keep');
    writeFileSync(path, data);
    expect(replica('adopt', '--name', 'a').code).toBe(0);
    expect(readFileSync(path).subarray(0, SIZE).equals(data)).toBe(true);
    const { volume, replica: made } = target('a');
    expect(checkReplica(volume, made)).toEqual({ damagedSlots: 0 });
    expect(superblock('a').flags).toBe(0);
    expect(superblock('a').generation).toBeGreaterThan(0);
    // Once: a second time it is a replica.
    const again = replica('adopt', '--name', 'a');
    expect([again.code, again.err.includes('holds a replica already')]).toEqual([2, true]);
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
