/** What a simulated host makes of a replica when its core starts with another configuration. */
import { describe, expect, it } from 'vitest';
import type { SimHost } from '../../backends/sim/host.ts';
import { type DiskSwap, HostConfigs } from '../../backends/sim/host-configs.ts';
import { Kernel } from '../../backends/sim/kernel.ts';
import type { SimLeg } from '../../backends/sim/volume.ts';
import {
  agreedWith,
  begunOf,
  type ConfigChange,
  holdersOf,
  NOTHING_AGREED,
} from '../../engine/cluster/changes.ts';
import type { Durable } from '../../engine/cluster/interface.ts';
import type { VolumeConfig } from '../../engine/core/config.ts';
import { demoHosts } from '../../scenarios/demo.ts';
import { Ground } from './oracle-ground.ts';

const PAIR = demoHosts([1, 2]);
const THREE = demoHosts([1, 2, 3]);
const volume = 'data';

function host(seed: number, config: typeof PAIR, node: number, change: ConfigChange) {
  const kernel = new Kernel();
  kernel.reset(seed, false);
  const { disk } = new Ground().replica(1);
  const leg = { index: 0, node, volume: 0, side: 0, disk } as unknown as SimLeg;
  const pages = [0, 0, 0].map(() => ({ page: 0, bytes: new Uint8Array(4096).fill(1) }));
  const moved = new Map<number, number>();
  const actors = { relayout: () => pages, fits: () => true, moved: () => moved };
  const configs = new HostConfigs(kernel, config, actors as never, new Set(), 90_000_000);
  configs.begin(0, node, config.volumes[0] as VolumeConfig);
  const { version, changes } = begunOf(agreedWith(NOTHING_AGREED, change));
  const durable = { taken: { version, changes, before: holdersOf(config) } } as unknown as Durable;
  const seen: string[] = [];
  const swap: DiskSwap = {
    replace: (_, old) => seen.push(old ? 'old' : 'empty'),
    giveUp: () => seen.push('gone'),
  };
  const ready = () => configs.ready(leg, configs.of(durable), durable, swap);
  const self = { node, store: { document: null } } as unknown as SimHost;
  const obstacle = () => configs.obstacle(self, 1, changes, [leg]);
  return { kernel, configs, disk, seen, ready, moved, obstacle };
}

const ADD: ConfigChange = {
  kind: 'add-replica',
  volume,
  replica: { node: 3, path: '/dev/c', meta: '' },
  listen: [],
  place: 2,
};
const REPLACE: ConfigChange = { kind: 'replace-replica', volume, node: 2, path: 'x', meta: '' };
const seeds = Array.from({ length: 40 }, (_, seed) => seed);

describe('a replica of a simulated host', () => {
  it('is laid out anew in one life of the core or, cut short, in the next', () => {
    const results = seeds.map((seed) => {
      const { ready, configs, disk } = host(seed, PAIR, 1, ADD);
      const first = ready();
      if (first === 'cut') expect(ready()).not.toBe('cut');
      expect(configs.volumeOf(0)?.replicas.length).toBe(3);
      expect(disk.meta[0]).toBe(1);
      return first === 'cut';
    });
    expect([results.includes(true), results.includes(false)]).toEqual([true, true]);
  });

  it('is given up when it goes, and where its disk does', () => {
    const gone = host(1, THREE, 2, { kind: 'remove-replica', volume, node: 2 });
    expect([gone.ready(), gone.ready(), ...gone.seen]).toEqual([null, null, 'gone']);
    const all = seeds.map((seed) => {
      const { ready, seen } = host(seed, PAIR, 2, REPLACE);
      ready();
      ready();
      return seen.join();
    });
    expect([...new Set(all)].sort()).toEqual(['gone,empty', 'gone,old']);
  });

  it('may lack what its next core needs, for some time', () => {
    const waits = seeds.map((seed) => {
      const { obstacle, kernel } = host(seed, PAIR, 1, ADD);
      const first = obstacle();
      kernel.now = 6_000_000;
      expect(obstacle()).toBe('');
      kernel.now = 10_000_000;
      return `${first} ${obstacle()}`;
    });
    // What was there may be missing later.
    expect([...new Set(waits)].sort()).toEqual([' ', ' missing', 'missing ', 'missing missing']);
  });

  it('lacks nothing any more when all faults are over', () => {
    for (const seed of seeds) {
      const { obstacle, kernel } = host(seed, PAIR, 1, ADD);
      kernel.now = 90_000_000;
      expect(obstacle()).toBe('');
    }
  });

  it('is not laid out anew with blocks in its spare area, where that is to be', () => {
    const leaves = { kind: 'remove-replica', volume, node: 2 } as const;
    for (const [change, said] of [
      [leaves, 'moved-blocks'],
      [{ ...REPLACE, node: 3 }, ''],
    ] as const) {
      const { obstacle, moved, kernel } = host(1, THREE, 1, change);
      kernel.now = 90_000_000;
      moved.set(1, 2);
      expect(obstacle()).toBe(said);
    }
  });
});
