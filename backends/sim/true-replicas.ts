/** What the oracles of one volume see of a world: its replicas, and nothing that an engine says. */
import type { VolumeConfig } from '../../engine/core/config.ts';
import type { ArrayPool } from './arrays.ts';
import { SECTOR_BYTES } from './disk.ts';
import type { History } from './history.ts';
import type { SimHost } from './host.ts';
import type { HostConfigs } from './host-configs.ts';
import type { Kernel } from './kernel.ts';
import type { ReplicaTruth, VolumeTruth } from './oracle/truth.ts';
import type { SimLeg } from './volume.ts';

/** Where it is looked up. */
export interface TruthGround {
  readonly kernel: Kernel;
  readonly configs: HostConfigs;
  readonly pool: ArrayPool;
  readonly host: (node: number) => SimHost;
}

export function truthOf(
  index: number,
  config: VolumeConfig,
  legs: readonly SimLeg[],
  history: History,
  { kernel, configs, pool, host: hostOf }: TruthGround,
): VolumeTruth {
  const sectors = config.sizeBytes / SECTOR_BYTES;
  const replicas = legs.map((leg): ReplicaTruth => {
    const host = hostOf(leg.node);
    return {
      leg: leg.index,
      node: leg.node,
      disk: leg.disk,
      volume: () => configs.volumeOf(leg.index),
      receivedAt: (sector) => leg.receivedAt(sector),
      boot: () => (host.power ? host.boot : 0),
      isEarlier: false,
      record: null,
      acting: null,
      granted: 0,
      clock: () => host.clock.at(kernel.now),
      state: 'Off',
      role: 'Idle',
      link: 'Connecting',
      dirty: 0,
      memberBoot: 0,
      memberDisk: 1,
      serialOf: (tag) => {
        const { shelf } = leg.disk;
        const found = tag === 0 ? 0 : shelf.find((meta) => configs.tagOf(meta) === tag);
        return found === 0 ? shelf.serial : found;
      },
      heldUntil: 0,
      copiedUntil: 0,
      leftAt: -1,
      shakenAt: -1,
      doubtful: false,
      selfForgotten: false,
      linkMoments: [],
    };
  });
  const flushed = pool.ints(`${config.name}.flushed`, sectors);
  const orphaned = pool.bytes(`${config.name}.orphaned`, sectors);
  const { spoils } = (legs[0] as SimLeg).disk;
  return {
    index,
    config,
    sectors,
    history,
    replicas,
    record: null,
    records: new Map(),
    recordedAt: [],
    saidBack: new Set(),
    flushed,
    spoils,
    orphaned,
  };
}
