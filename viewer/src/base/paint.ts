/** How a state is painted: colour, hatch and whether it is pale with an outline. */
import { servers } from '../model/servers.ts';
import type { Attribute, TrackValue } from '../model/tracks.ts';
import type { StateColour } from './palette.ts';

export interface Paint {
  readonly colour: StateColour | 'none';
  /** 'rising' for unknown and waiting, 'falling' for down and broken. */
  readonly hatch: '' | 'rising' | 'falling';
}

const NONE: Paint = { colour: 'none', hatch: '' };

const PAINTS: { readonly [state: string]: Paint } = {
  Primary: { colour: 'primary', hatch: '' },
  Secondary: { colour: 'secondary', hatch: '' },
  Suspended: { colour: 'unknown', hatch: 'rising' },
  Fenced: { colour: 'fence', hatch: 'falling' },
  Idle: NONE,
  UpToDate: { colour: 'ok', hatch: '' },
  Consistent: { colour: 'ok', hatch: 'rising' },
  Outdated: { colour: 'resync', hatch: 'rising' },
  Inconsistent: { colour: 'resync', hatch: 'falling' },
  Failed: { colour: 'bad', hatch: 'falling' },
  Diskless: { colour: 'bad', hatch: 'falling' },
  Connected: { colour: 'ok', hatch: '' },
  SyncSource: { colour: 'resync', hatch: '' },
  SyncTarget: { colour: 'resync', hatch: '' },
  Connecting: { colour: 'unknown', hatch: 'rising' },
  Refused: { colour: 'bad', hatch: 'falling' },
  up: { colour: 'secondary', hatch: '' },
  leader: { colour: 'primary', hatch: '' },
  candidate: { colour: 'unknown', hatch: 'rising' },
  paused: { colour: 'unknown', hatch: 'rising' },
  silent: { colour: 'unknown', hatch: 'rising' },
  stopped: { colour: 'bad', hatch: 'falling' },
  held: { colour: 'ok', hatch: '' },
  lapsed: { colour: 'unknown', hatch: 'rising' },
  follower: { colour: 'secondary', hatch: '' },
  off: { colour: 'bad', hatch: 'falling' },
};

/** Owners take turns of colour by node, so that a change of owner is seen from afar. */
const OWNERS: readonly StateColour[] = ['primary', 'ok', 'fence', 'secondary'];

export function paintOf(attribute: Attribute, value: TrackValue): Paint {
  if (value === '') return NONE;
  if (attribute === 'serving') return servingPaint(servers(value));
  return PAINTS[String(value)] ?? NONE;
}

/** Nobody and several are both the trouble that the ribbon exists to show. */
function servingPaint(nodes: readonly number[]): Paint {
  if (nodes.length !== 1) return { colour: 'bad', hatch: 'falling' };
  return { colour: OWNERS[(nodes[0]! - 1) % OWNERS.length]!, hatch: '' };
}
