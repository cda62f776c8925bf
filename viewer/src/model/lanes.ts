/** The rows of the picture: which there are, in which order, and which events stand in which. */
import type { TimelineEvent } from '../../../engine/timeline/event.ts';
import type { Names } from './names.ts';
import { Series } from './series.ts';
import type { Attribute, Track, Tracks } from './tracks.ts';

export type LaneKind = 'owner' | 'world' | 'node' | 'volume';

/** One row: bars of states above a strip of events. */
export interface Lane {
  readonly id: string;
  /** Number in the order of their making, which does not change when rows are added. */
  readonly index: number;
  readonly kind: LaneKind;
  readonly node: number;
  /** Group or volume, else ''. */
  readonly object: string;
  readonly bars: readonly Track[];
  readonly events: Series;
}

const BARS: { readonly [kind in LaneKind]: readonly Attribute[] } = {
  owner: ['serving'],
  world: [],
  node: ['state', 'rank', 'lease'],
  volume: ['role', 'disk', 'link'],
};

/** A witness votes and holds nothing. */
const WITNESS_BARS: readonly Attribute[] = ['state', 'rank'];

export class Lanes {
  /** In the order of the picture. */
  list: readonly Lane[] = [];
  /** In the order of their making. */
  readonly all: Lane[] = [];
  #byId = new Map<string, Lane>();
  #tracks: Tracks;
  #names: Names;

  /** Starts with what the configuration names; others come as events mention them. */
  constructor(names: Names, tracks: Tracks) {
    this.#names = names;
    this.#tracks = tracks;
    for (const group of names.groups) this.get('owner', 0, group.name);
    if (names.simulated) this.get('world', 0, '');
    for (const node of names.nodes) this.get('node', node.id, '');
    for (const volume of names.volumes) {
      for (const node of volume.nodes) this.get('volume', node, volume.name);
    }
  }

  get(kind: LaneKind, node: number, object: string): Lane {
    const id = `${kind}|${node}|${object}`;
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const attributes = this.#names.isWitness(node) ? WITNESS_BARS : BARS[kind];
    const bars = attributes.map((attribute) => this.#tracks.get(attribute, node, object));
    const index = this.all.length;
    const lane: Lane = { id, index, kind, node, object, bars, events: new Series() };
    this.#byId.set(id, lane);
    this.all.push(lane);
    this.list = [...this.all].sort(inOrder);
    return lane;
  }

  /** The lane that an event belongs to. */
  of(event: TimelineEvent): Lane {
    const group = event.d['group'];
    if (event.kind === 'group.owner' && typeof group === 'string') this.get('owner', 0, group);
    if (event.node === 0 || isOfWorld(event.kind)) return this.get('world', 0, '');
    const volume = this.#names.volumeOf(event);
    if (volume !== '' && !this.#names.isWitness(event.node)) {
      return this.get('volume', event.node, volume);
    }
    return this.get('node', event.node, '');
  }
}

/** What is done to machines, and what oracles find, stands in one place, whichever node it hit. */
function isOfWorld(kind: string): boolean {
  return kind.startsWith('fault.') || kind === 'violation' || kind === 'detected';
}

/** Groups, the world, then each node with its volumes beneath. */
function inOrder(one: Lane, other: Lane): number {
  return (
    one.node - other.node ||
    rank(one.kind) - rank(other.kind) ||
    (one.object < other.object ? -1 : 1)
  );
}

function rank(kind: LaneKind): number {
  return ['owner', 'world', 'node', 'volume'].indexOf(kind);
}
