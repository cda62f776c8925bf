import { describe, expect, it } from 'vitest';
import { scaledConfig } from '../../cli/rehearse/scaled.ts';
import { checkConfig } from '../../engine/cluster/config-check.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { demoWith } from '../../scenarios/demo.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** A volume of 120 GiB, its replicas with side areas of this size, the second asynchronous. */
function large(sides: readonly [number, number]): ClusterConfig {
  const at = (node: number) => ({
    node,
    path: '/dev/x',
    meta: '',
    sideBytes: sides[node - 1] ?? 0,
  });
  const config = demoWith({ replicas: [at(1), { ...at(2), mode: 'async' }] });
  const volumes = config.volumes.map((volume) => ({ ...volume, sizeBytes: 120 * GIB }));
  return { ...config, volumes };
}

function sidesOf(config: ClusterConfig): readonly (number | undefined)[] {
  return (scaledConfig(config).volumes[0]?.replicas ?? []).map(({ sideBytes }) => sideBytes);
}

describe('a configuration as it is rehearsed', () => {
  it('has small volumes, and side areas that are the same part of them', () => {
    expect(scaledConfig(large([0, 16 * MIB])).volumes[0]?.sizeBytes).toBe(12 * MIB);
    expect(sidesOf(large([60 * GIB, 180 * GIB]))).toEqual([6 * MIB, 18 * MIB]);
  });

  it('has side areas that are no smaller than they must be, and no larger than they are', () => {
    expect(sidesOf(large([4 * GIB, 4 * GIB]))).toEqual([102 * 4096, 16 * MIB]);
    expect(sidesOf(large([256 * 1024, 16 * MIB]))).toEqual([256 * 1024, 16 * MIB]);
    expect(sidesOf(large([0, 16 * MIB]))).toEqual([0, 16 * MIB]);
    expect(checkConfig(scaledConfig(large([4 * GIB, 4 * GIB])))).toEqual([]);
  });

  it('has a little room behind what clients see, where there is any', () => {
    const config = demoWith({ replicas: demoWith({}).volumes[0]?.replicas ?? [] });
    const scaled = (sizeBytes: number, servedBytes: number) => {
      const volumes = config.volumes.map((each) => ({ ...each, sizeBytes, servedBytes }));
      const found = scaledConfig({ ...config, volumes });
      expect(checkConfig(found)).toEqual([]);
      return [found.volumes[0]?.sizeBytes, found.volumes[0]?.servedBytes];
    };
    expect(scaled(120 * GIB, 30 * GIB)).toEqual([15 * MIB, 12 * MIB]);
    expect(scaled(120 * GIB, 120 * GIB - MIB)).toEqual([13 * MIB, 12 * MIB]);
    expect(scaled(120 * GIB, 5 * MIB)).toEqual([8 * MIB, 5 * MIB]);
    expect(scaled(8 * MIB, 5 * MIB)).toEqual([8 * MIB, 5 * MIB]);
  });

  it('is itself where it is small already', () => {
    const small = demoWith({ replicas: [{ node: 1, path: '/dev/x', meta: '', sideBytes: MIB }] });
    expect(sidesOf(small)).toEqual([MIB]);
  });

  it('keeps the parts of a volume, each with its share and a whole MiB at least', () => {
    const config = demoWith({});
    const parts = [
      { name: 'data', sizeBytes: 100 * GIB },
      { name: 'log', sizeBytes: 20 * GIB },
      { name: 'notes', sizeBytes: 3 * MIB },
    ];
    const sizeBytes = 120 * GIB + 3 * MIB;
    const replicas = config.volumes[0]?.replicas.map((replica) => {
      return { ...replica, path: '/c', parts: ['/a', '/b', '/c'] };
    });
    const volumes = config.volumes.map((volume) => {
      return { ...volume, sizeBytes, parts, replicas: replicas ?? [] };
    });
    const scaled = scaledConfig({ ...config, volumes });
    expect(scaled.volumes[0]?.parts?.map((part) => part.sizeBytes / MIB)).toEqual([9, 1, 1]);
    expect(scaled.volumes[0]?.sizeBytes).toBe(11 * MIB);
    expect(checkConfig(scaled)).toEqual([]);
  });

  it('has no side area that is larger than the volume could ever use', () => {
    const small = demoWith({ replicas: [{ node: 1, path: '/dev/x', meta: '', sideBytes: GIB }] });
    expect(sidesOf(small)).toEqual([28 * MIB]);
  });
});
