/** The names that a configuration gives to nodes, volumes and groups, read from a header. */

import type { TimelineEvent } from '../../../engine/timeline/event.ts';

export interface NodeName {
  readonly id: number;
  readonly name: string;
  readonly witness: boolean;
}

export interface VolumeName {
  readonly name: string;
  readonly uuid: string;
  readonly nodes: readonly number[];
}

export interface GroupName {
  readonly name: string;
  readonly volume: string;
  /** Without one, the group serves when its volume is online. */
  readonly application: boolean;
}

/** Tolerant of anything: a header may come from a damaged or an older file. */
export class Names {
  readonly cluster: string;
  readonly nodes: readonly NodeName[];
  readonly volumes: readonly VolumeName[];
  /** Those of the configuration, and one for each volume that none of them holds. */
  readonly groups: readonly GroupName[];
  /** A simulated world says itself what became of its hosts; of a real one it must be concluded. */
  readonly simulated: boolean;

  constructor(config: unknown, simulated = false) {
    this.simulated = simulated;
    const raw = fields(config);
    this.cluster = text(raw['name']);
    this.nodes = list(raw['nodes']).flatMap((node) => {
      const id = node['id'];
      if (typeof id !== 'number') return [];
      return [{ id, name: text(node['name']) || String(id), witness: node['witness'] === true }];
    });
    this.volumes = list(raw['volumes']).flatMap((volume) => {
      const name = text(volume['name']);
      const nodes = list(volume['replicas']).flatMap((replica) => {
        const node = replica['node'];
        return typeof node === 'number' ? [node] : [];
      });
      return name === '' ? [] : [{ name, uuid: text(volume['uuid']), nodes }];
    });
    const groups = list(raw['groups']).flatMap((group): GroupName[] => {
      const name = text(group['name']);
      const volume = text(group['volume']);
      const application = typeof group['application'] === 'object' && group['application'] !== null;
      return name === '' ? [] : [{ name, volume, application }];
    });
    const held = new Set(groups.map((group) => group.volume));
    const free = this.volumes.filter((volume) => !held.has(volume.name));
    this.groups = [
      ...groups,
      ...free.map(({ name }) => ({ name: `volume/${name}`, volume: name, application: false })),
    ];
  }

  /** "a" for node 1; the number itself when the configuration does not name it. */
  node(id: number): string {
    return this.nodes.find((node) => node.id === id)?.name ?? String(id);
  }

  isWitness(id: number): boolean {
    return this.nodes.find((node) => node.id === id)?.witness ?? false;
  }

  /**
   * The volume that an event is about, '' for none. A data actor's events need not name it: a node
   * with one replica leaves no doubt.
   */
  volumeOf({ kind, node, d }: TimelineEvent): string {
    const named = d['volume'];
    if (typeof named === 'string') return this.volume(named);
    if (!kind.startsWith('mirror.')) return '';
    const here = this.volumes.filter((volume) => volume.nodes.includes(node));
    return here.length === 1 ? here[0]!.name : '';
  }

  /** Events may name a volume by its name or by its 128-bit identifier. */
  volume(nameOrUuid: string): string {
    return this.volumes.find((volume) => volume.uuid === nameOrUuid)?.name ?? nameOrUuid;
  }
}

type Fields = { readonly [name: string]: unknown };

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.slice(0, 1024).map(fields) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
