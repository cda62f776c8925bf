/** The names that a configuration gives to nodes, volumes and groups, read from a header. */

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

/** Tolerant of anything: a header may come from a damaged or an older file. */
export class Names {
  readonly cluster: string;
  readonly nodes: readonly NodeName[];
  readonly volumes: readonly VolumeName[];
  readonly groups: readonly { readonly name: string; readonly volume: string }[];

  constructor(config: unknown) {
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
    this.groups = list(raw['groups']).flatMap((group) => {
      const name = text(group['name']);
      return name === '' ? [] : [{ name, volume: text(group['volume']) }];
    });
  }

  /** "a" for node 1; the number itself when the configuration does not name it. */
  node(id: number): string {
    return this.nodes.find((node) => node.id === id)?.name ?? String(id);
  }

  isWitness(id: number): boolean {
    return this.nodes.find((node) => node.id === id)?.witness ?? false;
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
