/**
 * Folds events into tracks: what each event says about the state of things. Pure, and the only
 * place that knows what a kind of event means; what an event's parameters state outright (a role, a
 * disk's state) needs no rule of its own.
 */
import type { TimelineEvent, TimelineValue } from '../../../engine/timeline/event.ts';
import type { GroupName, Names } from './names.ts';
import { RULES } from './rules.ts';
import type { Attribute, Track, Tracks, TrackValue } from './tracks.ts';

/** What a rule may do: state an attribute of a node, of a volume on it, or of a group. */
export interface Statement {
  readonly event: TimelineEvent;
  readonly isWitness: boolean;
  readonly simulated: boolean;
  readonly groups: readonly GroupName[];
  /** Parameters by name, '' for one that is absent. */
  text(name: string): string;
  number(name: string): number;
  node(attribute: Attribute, value: TrackValue, node?: number): void;
  /** `volume` defaults to the event's own; '*' stands for every volume of the node. */
  volume(attribute: Attribute, value: TrackValue, node?: number, volume?: string): void;
  group(attribute: Attribute, value: TrackValue, group: string): void;
  /** A group's application as it is on one node. */
  application(state: string, group: string, node?: number): void;
  /** The value that holds now. */
  now(attribute: Attribute, node: number, object: string): TrackValue;
}

/** Parameters that say themselves what is so of the event's volume on the event's node. */
const STATED: readonly (readonly [name: string, attribute: Attribute])[] = [
  ['role', 'role'],
  ['disk', 'disk'],
];

/**
 * Applies one event at its place on the axis; `ref` is its index in the run. True when the event
 * moved a group from one node to another.
 */
export function fold(
  tracks: Tracks,
  names: Names,
  event: TimelineEvent,
  time: number,
  ref: number,
): boolean {
  let moved = false;
  const own = names.volumeOf(event);
  const statement: Statement = {
    event,
    isWitness: names.isWitness(event.node),
    simulated: names.simulated,
    groups: names.groups,
    text: (name) => stringOf(event.d[name]),
    number: (name) => numberOf(event.d[name]),
    node: (attribute, value, node = event.node) =>
      tracks.get(attribute, node, '').set(value, time, ref),
    volume(attribute, value, node = event.node, volume = own) {
      const all = names.volumes.filter((one) => one.nodes.includes(node)).map((one) => one.name);
      for (const name of volume === '*' ? all : [volume]) {
        if (name !== '') tracks.get(attribute, node, name).set(value, time, ref);
      }
    },
    group(attribute, value, group) {
      const track = tracks.get(attribute, 0, group);
      if (attribute === 'owner') moved = moved || isMove(track, value);
      track.set(value, time, ref);
    },
    application: (state, group, node = event.node) =>
      tracks.get('application', node, group).set(state, time, ref),
    now: (attribute, node, object) => tracks.find(attribute, node, object)?.current ?? '',
  };
  if (own !== '' && event.node !== 0) {
    for (const [name, attribute] of STATED) {
      const value = event.d[name];
      if (typeof value === 'string' || typeof value === 'number')
        statement.volume(attribute, value);
    }
  }
  // Whoever writes is not silent; a monitor does not speak for its core.
  if (!event.kind.startsWith('host.') && statement.now('state', event.node, '') === 'silent') {
    statement.node('state', 'up');
  }
  if (Object.hasOwn(RULES, event.kind)) RULES[event.kind]!(statement);
  return moved;
}

/** A new owner after another one, even when nobody owned the group in between. */
function isMove(owner: Track, next: TrackValue): boolean {
  if (next === 0 || next === owner.current) return false;
  const { series, values } = owner;
  for (let at = series.length - 1; at >= 0; at--) {
    const value = values[series.values[at]!]!;
    if (typeof value === 'number' && value !== 0) return value !== next;
  }
  return false;
}

function stringOf(value: TimelineValue | undefined): string {
  return value === undefined ? '' : String(value);
}

function numberOf(value: TimelineValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}
