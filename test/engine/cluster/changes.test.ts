import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Agreed,
  agreedWith,
  bearerOf,
  begunOf,
  bytesOf,
  type ConfigChange,
  changesLayout,
  configInUse,
  configWith,
  contradictions,
  differenceOf,
  doneOf,
  holdersOf,
  leaves,
  NOTHING_AGREED,
  nodeOf,
  ownView,
  sameConfig,
  servedOf,
  takesBack,
  usableOf,
  withdrawnOf,
} from '../../../engine/cluster/changes.ts';
import type { Durable } from '../../../engine/cluster/interface.ts';
import type { ClusterConfig, VolumeConfig } from '../../../engine/core/config.ts';
import { TWO_OF_THREE as PAIR, THREE_OF_THREE as THREE } from '../../support/trio-configs.ts';

const volume = 'data';
const at = (node: number, path = `/dev/${'abc'[node - 1]}`) => ({ node, path, meta: '' });

const add = (node: number, place = -1): ConfigChange => {
  return { kind: 'add-replica', volume, replica: at(node), listen: [`unix:/${node}`], place };
};
const remove = (node: number): ConfigChange => ({ kind: 'remove-replica', volume, node });
const replace = (node: number, path: string): ConfigChange => {
  return { kind: 'replace-replica', volume, node, path, meta: '' };
};

const grow = (bytes: number): ConfigChange => ({
  kind: 'grow-volume',
  volume,
  servedBytes: bytes,
});

function agreed(...changes: readonly ConfigChange[]): Agreed {
  const inUse = (before: Agreed, change: ConfigChange) => doneOf(agreedWith(before, change));
  return changes.reduce(inUse, NOTHING_AGREED);
}

function dataOf(config: ClusterConfig): VolumeConfig {
  return config.volumes[0] as VolumeConfig;
}

const nodesOf = (config: ClusterConfig): number[] => {
  return dataOf(config)
    .replicas.map(({ node }) => node)
    .sort((a, b) => a - b);
};

const changes: fc.Arbitrary<readonly ConfigChange[]> = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: 3 }).map((node) => add(node)),
    fc.integer({ min: 1, max: 3 }).map(remove),
    fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }))
      .map(([node, n]) => replace(node, `/dev/new${n}`)),
    fc.integer({ min: 1, max: 8 }).map((n) => grow((dataOf(PAIR).sizeBytes * n) / 8)),
  ),
  { maxLength: 8 },
);

describe('agreed changes', () => {
  it('mean the same whether a file has them already or not', () => {
    fc.assert(
      fc.property(changes, fc.nat(8), (list, upTo) => {
        const all = agreed(...list);
        const file = configWith(PAIR, agreed(...list.slice(0, upTo)).changes);
        const [left, right] = [configWith(PAIR, all.changes), configWith(file, all.changes)];
        expect(nodesOf(left)).toEqual(nodesOf(right));
        for (const { node, path } of dataOf(left).replicas) {
          const other = dataOf(right).replicas.find((each) => each.node === node);
          expect(other?.path).toBe(path);
        }
      }),
    );
  });

  it('come to what they come to one by one, though some are left out as meaningless', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const all = agreed(...list);
        expect(all.version).toBe(list.length);
        // Two of each replica, and one of the size.
        expect(all.changes.length <= 7).toBe(true);
        let plain = PAIR;
        list.forEach((change, i) => {
          plain = configWith(plain, [{ version: i + 1, change }]);
        });
        const whole = configWith(PAIR, all.changes);
        expect(nodesOf(whole)).toEqual(nodesOf(plain));
        expect(dataOf(whole).layout).toBe(dataOf(plain).layout);
        expect(servedOf(dataOf(whole))).toBe(servedOf(dataOf(plain)));
        expect(dataOf(whole).sizeBytes).toBe(dataOf(PAIR).sizeBytes);
      }),
    );
  });

  it('can be taken back as long as nobody may take them, and are counted all the same', () => {
    fc.assert(
      fc.property(
        changes,
        changes.filter((list) => list.length > 0),
        (list, more) => {
          const before = agreed(...list);
          const ordered = agreedWith(before, more[0] as ConfigChange);
          expect(usableOf(ordered)).toEqual(before);
          expect(withdrawnOf(ordered)).toEqual({ ...before, version: before.version + 2 });
        },
      ),
    );
  });

  it('are given no more room than they take in a message', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text, fc.boolean()), { maxLength: 9 }), (paths) => {
        const list = paths.map(([path, meta, adds], i) => {
          const plain: ConfigChange = { kind: 'replace-replica', volume, node: 64, path, meta };
          const replica = { node: 64, path, meta };
          const more = { kind: 'add-replica', volume, replica, listen: [meta, path], place: 63 };
          return { version: i + 1_000_000, change: adds ? (more as ConfigChange) : plain };
        });
        const bytes = new TextEncoder().encode(JSON.stringify(list)).length;
        expect(bytes <= bytesOf(list) + '[]'.length).toBe(true);
      }),
    );
  });

  it('count up to the last one that changed who holds a replica', () => {
    const config = configWith(PAIR, agreed(add(3, 2), replace(3, '/dev/other')).changes);
    expect(dataOf(config).layout).toBe(1);
    expect(dataOf(config).replicas.at(-1)).toEqual(at(3, '/dev/other'));
    expect(config.groups[0]?.nodes).toEqual([1, 2, 3]);
    expect(dataOf(config).nbd).toEqual([{ node: 3, listen: ['unix:/3'] }]);
    expect(configWith(PAIR, []).volumes).toBe(PAIR.volumes);
  });
});

describe('what a file asks for', () => {
  it('is found again as the one change that leads there', () => {
    const groups = PAIR.groups.map((group) => ({ ...group, nodes: [1, 2, 3] }));
    const wanted = { ...PAIR, groups, volumes: THREE.volumes };
    const [change] = differenceOf(PAIR, wanted).changes;
    expect(change).toEqual({ ...add(3, 2), listen: [] });
    expect(differenceOf(THREE, PAIR).changes).toEqual([remove(3)]);
    const volumes = PAIR.volumes.map((each) => ({ ...each, replicas: [at(1), at(2, '/dev/x')] }));
    expect(differenceOf(PAIR, { ...PAIR, volumes }).changes).toEqual([replace(2, '/dev/x')]);
    const { sizeBytes } = dataOf(PAIR);
    const shows = (servedBytes: number): ClusterConfig => {
      return { ...PAIR, volumes: [{ ...dataOf(PAIR), servedBytes }] };
    };
    const half = sizeBytes / 2;
    expect(differenceOf(shows(half), PAIR)).toEqual({ changes: [grow(sizeBytes)], refused: [] });
    expect(differenceOf(shows(half / 2), shows(half)).changes).toEqual([grow(half)]);
    // All of it, said so or not.
    expect(sameConfig(shows(sizeBytes), PAIR)).toBe(true);
    const roomier = { ...PAIR, volumes: [{ ...dataOf(PAIR), sizeBytes: 2 * sizeBytes }] };
    expect(differenceOf(PAIR, roomier).refused).toEqual(['volumes.data.size']);
    expect(differenceOf(shows(half), roomier).refused).toEqual(['volumes.data.room']);
    expect(sameConfig(PAIR, PAIR)).toBe(true);
  });

  it('is refused by name where it cannot be changed online', () => {
    const [data] = PAIR.volumes as [VolumeConfig];
    const refused = (wanted: ClusterConfig): readonly string[] => {
      return differenceOf(PAIR, wanted).refused;
    };
    expect(refused({ ...PAIR, timing: { ...PAIR.timing, grant: 9_000_000 } })).toEqual(['timing']);
    expect(refused({ ...PAIR, nodes: PAIR.nodes.slice(1) })).toEqual(['nodes']);
    expect(refused({ ...PAIR, volumes: [] })).toEqual(['volumes.data']);
    const late = { ...data, replicas: [at(1), { ...at(2), mode: 'async' as const }] };
    expect(refused({ ...PAIR, volumes: [late] })).toEqual(['volumes.data.replicas.2']);
    const renamed = PAIR.groups.map((group) => ({ ...group, name: 'other' }));
    expect(refused({ ...PAIR, groups: renamed })).toEqual(['groups.shop', 'groups.other']);
    // A replica is added, and with it something else is changed.
    const more = { ...(THREE.volumes[0] as VolumeConfig), reads: 'balanced' as const };
    expect(refused({ ...THREE, volumes: [more] })).toEqual(['volumes.data']);
  });
});

describe('a volume that grows', () => {
  const size = dataOf(PAIR).sizeBytes / 4;
  const SMALL = { ...PAIR, volumes: [{ ...dataOf(PAIR), servedBytes: size }] };

  it('shows what was agreed on last, of what its replicas have as ever', () => {
    const done = [grow(2 * size), add(3, 2), remove(1), grow(3 * size)].reduce(
      (all, change) => doneOf(begunOf(agreedWith(all, change))),
      NOTHING_AGREED,
    );
    // The first says nothing any more.
    expect(done.changes.map(({ version, change }) => [version, change.kind])).toEqual([
      [2, 'add-replica'],
      [3, 'remove-replica'],
      [4, 'grow-volume'],
    ]);
    const config = configWith(SMALL, done.changes);
    const { sizeBytes, layout } = dataOf(config);
    expect([servedOf(dataOf(config)), sizeBytes, layout]).toEqual([3 * size, 4 * size, 3]);
    expect(nodesOf(config)).toEqual([2, 3]);
    // With all that there is it is a volume as any other.
    const whole = dataOf(configWith(SMALL, agreed(grow(4 * size)).changes));
    expect('servedBytes' in whole).toBe(false);
    expect(servedOf(whole)).toBe(4 * size);
  });

  it('has replicas that are laid out as before', () => {
    const taken = { ...agreed(grow(2 * size)), before: holdersOf(SMALL) };
    const inUse = configInUse(SMALL, { version: 1, taken } as unknown as Durable);
    expect(dataOf(inUse.before as ClusterConfig)).toEqual(dataOf(inUse.config));
    expect(dataOf(inUse.config).layout).toBe(undefined);
  });

  it('concerns all replicas, of which none goes or is another, and needs no node', () => {
    const change = grow(2 * size);
    const told = [nodeOf(change), bearerOf(change), leaves(change), changesLayout(change)];
    expect(told).toEqual([0, 0, false, false]);
    expect([bearerOf(remove(2)), bearerOf(add(3, 2)), bearerOf(replace(2, '/x'))]).toEqual([
      0, 3, 2,
    ]);
  });

  it('does not grow after all by the size of before, until that has begun', () => {
    const ordered = agreedWith(NOTHING_AGREED, grow(2 * size));
    expect(takesBack(SMALL, ordered, grow(size))).toBe(true);
    expect(takesBack(SMALL, ordered, grow(size / 2))).toBe(false);
    expect(takesBack(SMALL, begunOf(ordered), grow(size))).toBe(false);
  });
});

describe('a file', () => {
  it('may lack what is agreed on, or have it, and is named where it says a third thing', () => {
    const { changes: list } = agreed(add(3, 2), replace(3, '/dev/other'), replace(1, '/dev/x'));
    const whole = configWith(PAIR, list);
    const with3 = (more: object): ClusterConfig => {
      const replicas = dataOf(whole).replicas.map((each) => {
        return each.node === 3 ? { ...each, ...more } : each;
      });
      return { ...whole, volumes: [{ ...dataOf(whole), replicas }] };
    };
    for (const file of [PAIR, whole, configWith(PAIR, list.slice(0, 1))]) {
      expect(contradictions(file, list)).toEqual([]);
    }
    expect(contradictions(with3({ sideBytes: 1 << 24 }), list)).toEqual([
      'volumes.data.replicas.3',
    ]);
  });
});

describe('what a node runs by', () => {
  it('is its file, and over that what its store says was agreed on', () => {
    expect(configInUse(PAIR, null)).toEqual({
      config: PAIR,
      before: null,
      version: 0,
    });
    const all = agreed(add(3), remove(2));
    const taken = { ...all, before: holdersOf(PAIR) };
    const inUse = configInUse(PAIR, { version: 1, taken } as unknown as Durable);
    expect([inUse.version, nodesOf(inUse.config)]).toEqual([2, [1, 3]]);
    // What its replicas may still be made for names who held one, though nobody knows where.
    expect(nodesOf(inUse.before as ClusterConfig)).toEqual([1, 2]);
    expect(dataOf(inUse.before as ClusterConfig).layout).toBe(undefined);
  });

  it('does not change with where others keep their replicas', () => {
    const moved = configWith(PAIR, agreed(replace(2, '/dev/x')).changes);
    expect(ownView(moved, 1)).toEqual(ownView(PAIR, 1));
    expect(ownView(moved, 2)).not.toEqual(ownView(PAIR, 2));
  });
});
