import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../../engine/cluster/config-check.ts';
import { checkParts } from '../../../engine/cluster/parts-check.ts';
import type { ClusterConfig, PartConfig, VolumeConfig } from '../../../engine/core/config.ts';
import { testConfig } from '../../support/control-host.ts';

const MIB = 1_048_576;
const BASE = testConfig();
const PARTS: readonly PartConfig[] = [
  { name: 'data', sizeBytes: 8 * MIB },
  { name: 'log', sizeBytes: 2 * MIB },
];

/** The first volume, in parts. */
function volume(change: Partial<VolumeConfig> = {}): VolumeConfig {
  const [first] = BASE.volumes as [VolumeConfig];
  const replicas = first.replicas.map((replica) => {
    return { ...replica, path: '/log', parts: ['/data', '/log'] };
  });
  return { ...first, sizeBytes: 10 * MIB, parts: PARTS, replicas, ...change };
}

function codes(change: Partial<VolumeConfig>): readonly string[] {
  const found: string[] = [];
  checkParts(volume(change), ['volumes', 0], (_, code) => found.push(code));
  return found;
}

function withPart(index: number, change: Partial<PartConfig>): Partial<VolumeConfig> {
  const parts = PARTS.map((part, i) => (i === index ? { ...part, ...change } : part));
  return { parts, sizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0) };
}

function replicasWith(parts: readonly string[], path = '/log'): Partial<VolumeConfig> {
  return { replicas: volume().replicas.map((replica) => ({ ...replica, path, parts })) };
}

describe('a volume in parts', () => {
  it('is sound with a size, a name and a path for each', () => {
    expect(codes({})).toEqual([]);
    const config: ClusterConfig = { ...BASE, volumes: [volume()] };
    expect(checkConfig(config)).toEqual([]);
  });

  it('has 2 to 16 of them, each with a name of its own that an export can have', () => {
    expect(codes(withPart(1, { name: 'data' }))).toEqual(['duplicate-part']);
    for (const name of ['', '1st', 'a b', 'x'.repeat(33)]) {
      expect(codes(withPart(0, { name }))).toEqual(['bad-part-name']);
    }
    const one = { parts: [{ name: 'all', sizeBytes: 10 * MIB }] };
    expect(codes({ ...one, ...replicasWith(['/log']) })).toEqual(['part-count']);
    const names = Array.from({ length: 17 }, (_, i) => `p${i}`);
    const parts = names.map((name) => ({ name, sizeBytes: MIB }));
    const many = { parts, sizeBytes: 17 * MIB, ...replicasWith([...names.slice(1), '/log']) };
    expect(codes(many)).toEqual(['part-count']);
  });

  it('has whole MiB in each, so that no extent lies on two disks', () => {
    for (const sizeBytes of [0, 4096, MIB + 4096, MIB * 1.5, Number.NaN]) {
      expect(codes(withPart(0, { sizeBytes }))).toContain('bad-part-size');
    }
    expect(codes({ sizeBytes: 11 * MIB })).toEqual(['parts-sum']);
  });

  it('has a path for each part on every host, and the last of them is that of the replica', () => {
    expect(codes(replicasWith(['/log']))).toContain('part-paths');
    expect(codes(replicasWith(['/data', '/other']))).toContain('part-paths');
    expect(codes(replicasWith(['', '/log']))).toContain('empty-path');
    const { parts: _, ...whole } = volume();
    const found: string[] = [];
    checkParts(whole, [], (__, code) => found.push(code));
    expect(found).toContain('part-paths');
  });

  it('shares no disk between two parts, and none with its metadata', () => {
    const check = (change: Partial<VolumeConfig>) => {
      return checkConfig({ ...BASE, volumes: [volume(change)] }).map(({ code, path }) => {
        return `${code} ${path.slice(2).join('.')}`;
      });
    };
    expect(check(replicasWith(['/log', '/log']))).toContain('duplicate-path replicas.0.parts.1');
    const [first, ...others] = volume().replicas as [VolumeConfig['replicas'][0]];
    const meta = { replicas: [{ ...first, meta: '/data' }, ...others] };
    expect(check(meta)).toEqual(['duplicate-path replicas.0.meta']);
  });
});
