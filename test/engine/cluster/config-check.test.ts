import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig, leaseArithmetic } from '../../../engine/cluster/config-check.ts';
import type { ClusterConfig } from '../../../engine/core/config.ts';
import { DEFAULT_TIMING } from '../../../engine/core/config.ts';
import { testConfig } from '../../support/control-host.ts';

const BASE = testConfig();
type Path = readonly (string | number)[];

/** The configuration with the value at `path` replaced. */
function withValue(path: Path, value: unknown): ClusterConfig {
  const copy: unknown = JSON.parse(JSON.stringify(BASE));
  let at = copy as { [key: string]: unknown };
  for (const step of path.slice(0, -1)) at = at[String(step)] as { [key: string]: unknown };
  at[String(path[path.length - 1])] = value;
  return copy as ClusterConfig;
}

function codes(config: ClusterConfig): readonly string[] {
  return checkConfig(config).map((problem) => problem.code);
}

const EVERY = { level: 'digest', bytesPerSecond: 0 };
const LAG = { bytes: 1_048_576, pointEvery: 10_000 };
const VOLUME = BASE.volumes[0];
/** The replicas, asynchronous those of these nodes, each with a place for its image or not. */
const shipped = (nodes: readonly number[], sideBytes: number) =>
  VOLUME?.replicas.map((each) =>
    nodes.includes(each.node) ? { ...each, mode: 'async', sideBytes } : each,
  );
/** Those of them that are asynchronous, with a spill. */
const spilled = (replicas: ReturnType<typeof shipped>, spill: string) =>
  replicas?.map((each) => ('mode' in each ? { ...each, spill } : each));
const GROUP = BASE.groups[0];

const CASES: readonly (readonly [string, Path, unknown])[] = [
  ['too-few-voters', ['nodes'], BASE.nodes.slice(0, 2)],
  ['no-witness', ['nodes'], BASE.nodes.slice(0, 2)],
  ['too-few-hosts', ['nodes', 1, 'witness'], true],
  ['too-many-witnesses', ['nodes', 1, 'witness'], true],
  ['bad-node-id', ['nodes', 0, 'id'], 65],
  ['duplicate-node-id', ['nodes', 2, 'id'], 1],
  ['empty-name', ['nodes', 0, 'name'], ''],
  ['duplicate-node-name', ['nodes', 1, 'name'], 'a'],
  ['no-control-address', ['nodes', 0, 'control'], []],
  ['link-count-differs', ['nodes', 1, 'control'], ['10.0.0.2:7400']],
  ['duplicate-address', ['nodes', 1, 'control', 0], '10.0.0.1:7400'],
  ['bad-address', ['nodes', 1, 'control', 0], 'nowhere'],
  ['bad-address', ['nodes', 1, 'control', 0], '10.0.0.9:0'],
  ['no-replication-address', ['nodes', 0, 'replication'], ''],
  ['duplicate-volume-name', ['volumes'], [VOLUME, VOLUME]],
  ['duplicate-uuid', ['volumes'], [VOLUME, { ...VOLUME, name: 'other' }]],
  ['duplicate-path', ['volumes'], [VOLUME, { ...VOLUME, name: 'other' }]],
  ['bad-uuid', ['volumes', 0, 'uuid'], 'xyz'],
  ['bad-size', ['volumes', 0, 'sizeBytes'], 1024 * 1024 + 512],
  ['bad-size', ['volumes', 0, 'sizeBytes'], 4096],
  ['bad-served-size', ['volumes', 0, 'servedBytes'], 1024 * 1024 + 512],
  ['bad-served-size', ['volumes', 0, 'servedBytes'], 4096],
  ['bad-served-size', ['volumes', 0, 'servedBytes'], (VOLUME?.sizeBytes ?? 0) + 4096],
  ['bad-activity-log', ['volumes', 0, 'activityLogExtents'], 1],
  ['bad-activity-log', ['volumes', 0, 'activityLogExtents'], 13_313],
  ['checksums-in-part', ['volumes', 0], { ...VOLUME, logicalBlock: 512, checksums: true }],
  ['bad-disk-timeout', ['volumes', 0, 'diskTimeout'], 999_999],
  ['bad-disk-timeout', ['volumes', 0, 'diskTimeout'], 600_000_001],
  ['bad-split-policy', ['volumes', 0, 'splitBrain'], 'discard-everything'],
  ['bad-verify-every', ['volumes', 0, 'verify'], { ...EVERY, every: 59_999_999 }],
  ['bad-verify-every', ['volumes', 0, 'verify'], { ...EVERY, every: 366 * 86_400_000_000 }],
  ['async-without-side', ['volumes', 0, 'replicas'], shipped([2], 0)],
  ['async-side-small', ['volumes', 0, 'replicas'], shipped([2], 16_777_215)],
  ['all-async', ['volumes', 0, 'replicas'], shipped([1, 2], 16_777_216)],
  [
    'proxy-beside-async',
    ['volumes', 0],
    { ...VOLUME, replicas: shipped([2], 16_777_216), onDiskFailure: 'proxy' },
  ],
  ['bad-lag', ['volumes', 0, 'lag'], { ...LAG, bytes: 1_048_575 }],
  ['bad-lag', ['volumes', 0, 'lag'], { ...LAG, bytes: 68_719_476_737 }],
  [
    'lag-in-memory',
    ['volumes', 0],
    { ...VOLUME, replicas: shipped([2], 16_777_216), lag: { ...LAG, bytes: 1_073_741_825 } },
  ],
  ['spill-of-sync', ['volumes', 0, 'replicas', 0, 'spill'], '/var/spill'],
  ['empty-spill', ['volumes', 0, 'replicas'], spilled(shipped([2], 16_777_216), '')],
  ['bad-point-every', ['volumes', 0, 'lag'], { ...LAG, pointEvery: 9_999 }],
  ['bad-point-every', ['volumes', 0, 'lag'], { ...LAG, pointEvery: 60_000_001 }],
  ['replica-count', ['volumes', 0, 'replicas'], VOLUME?.replicas.slice(0, 1)],
  ['unknown-node', ['volumes', 0, 'replicas', 0, 'node'], 9],
  ['replica-on-witness', ['volumes', 0, 'replicas', 0, 'node'], 3],
  ['duplicate-replica-node', ['volumes', 0, 'replicas', 1, 'node'], 1],
  ['empty-path', ['volumes', 0, 'replicas', 0, 'path'], ''],
  ['nbd-without-replica', ['volumes', 0, 'nbd'], [{ node: 3, listen: ['unix:/x'] }]],
  ['bad-address', ['volumes', 0, 'nbd'], [{ node: 1, listen: ['x'] }]],
  ['unknown-volume', ['groups', 0, 'volume'], 'nothing'],
  ['volume-in-two-groups', ['groups'], [GROUP, { ...GROUP, name: 'second' }]],
  ['duplicate-group-name', ['groups'], [GROUP, GROUP]],
  ['no-group-nodes', ['groups', 0, 'nodes'], []],
  ['duplicate-group-node', ['groups', 0, 'nodes'], [1, 1]],
  ['unknown-node', ['groups', 0, 'nodes'], [1, 9]],
  ['group-on-witness', ['groups', 0, 'nodes'], [1, 3]],
  ['empty-command', ['groups', 0, 'application', 'start'], ''],
  ['bad-duration', ['groups', 0, 'application', 'stopTimeout'], 0],
  ['bad-duration', ['timing', 'heartbeat'], 0],
  ['bad-duration', ['timing', 'grant'], 1.5],
  ['bad-clock-rate', ['timing', 'clockRatePpm'], 200_000],
  ['lease-too-short', ['timing', 'grant'], 3_100_000],
  ['lease-too-short', ['timing', 'ioDelay'], 500_000],
  ['pet-too-short', ['timing', 'heartbeat'], 600_000],
  ['suspect-too-short', ['timing', 'suspect'], 900_000],
  ['election-too-short', ['timing', 'election'], 900_000],
];

describe('the check of a configuration', () => {
  it('finds nothing wrong with the one that the tests run', () => {
    expect(checkConfig(BASE)).toEqual([]);
  });

  for (const [code, path, value] of CASES) {
    it(`finds ${code} when ${path.join('.')} is ${JSON.stringify(value).slice(0, 40)}`, () => {
      expect(codes(withValue(path, value))).toContain(code);
    });
  }

  it('takes an asynchronous replica with room for its image, and a lag between bounds', () => {
    const config = withValue(['volumes', 0, 'replicas'], shipped([2], 16_777_216));
    expect(codes(config)).toEqual([]);
    for (const lag of [LAG, { bytes: 1_073_741_824, pointEvery: 60_000_000, atLimit: 'wait' }]) {
      expect(codes(withValue(['volumes', 0, 'lag'], lag))).toEqual([]);
    }
  });

  it('names a group node that has no replica', () => {
    const nodes = [...BASE.nodes, { ...BASE.nodes[0], id: 4, name: 'd' }];
    const groups = [{ ...GROUP, nodes: [1, 4] }];
    const config = { ...BASE, nodes, groups } as unknown as ClusterConfig;
    expect(codes(config)).toContain('group-node-without-replica');
    expect(codes(config)).toContain('even-voters');
  });

  it('shows the arithmetic of a lease that is too short', () => {
    const [problem] = checkConfig(withValue(['timing', 'grant'], 3_100_000));
    expect(problem?.params).toEqual({
      right: 1_001_002,
      reset: 2_002_000,
      watchdogDelay: 100_000,
      ioDelay: 0,
      needed: 3_103_002,
      promised: 3_096_903,
      grant: 3_100_000,
      least: 3_106_106,
    });
  });

  it('accepts the least grant that it names, and nothing a millisecond shorter', () => {
    const time = fc.integer({ min: 1, max: 20_000_000 });
    fc.assert(
      fc.property(time, time, fc.nat(500_000), fc.nat(50_000), (pet, watchdog, delay, ppm) => {
        const timing = {
          ...DEFAULT_TIMING,
          pet,
          watchdog,
          watchdogDelay: delay,
          clockRatePpm: ppm,
          grant: 1,
        };
        const short = checkConfig({ ...BASE, timing }).find((p) => p.code === 'lease-too-short');
        const least = Number(short?.params['least']);
        const at = (grant: number): boolean => {
          const { needed, promised } = leaseArithmetic({ ...timing, grant });
          return needed <= promised;
        };
        expect(at(least)).toBe(true);
        expect(at(least - 1000)).toBe(false);
      }),
    );
  });
});
