/**
 * The groups that the engine runs: those of the configuration and, for each volume that no group
 * holds, one of its own without an application, so that its primary is placed the same way.
 */
import type { ClusterConfig, GroupConfig, VolumeConfig } from '../core/config.ts';
import type { NodeId } from '../core/units.ts';

/** A group with its volume. */
export interface Unit {
  readonly group: GroupConfig;
  readonly volume: VolumeConfig;
  /** True for a volume that no configured group holds. */
  readonly implicit: boolean;
  /** Nodes that may run it, in order of preference. */
  readonly nodes: readonly NodeId[];
}

/** All units, groups of the configuration first. */
export function unitsOf(config: ClusterConfig): readonly Unit[] {
  const units: Unit[] = [];
  const held = new Set<string>();
  for (const group of config.groups) {
    const volume = config.volumes.find((v) => v.name === group.volume);
    if (volume === undefined) continue;
    held.add(volume.name);
    const nodes = group.nodes.filter((node) => volume.replicas.some((r) => r.node === node));
    units.push({ group, volume, implicit: false, nodes });
  }
  for (const volume of config.volumes) {
    if (held.has(volume.name)) continue;
    const nodes = volume.replicas.map((replica) => replica.node);
    const group = { name: `volume/${volume.name}`, volume: volume.name, application: null, nodes };
    units.push({ group, volume, implicit: true, nodes });
  }
  return units;
}
