/** What a kind of event looks like: how grave it is, and its glyph. Its words are the catalogue's. */
import type { TimelineEvent, TimelineValue } from '../../../engine/timeline/event.ts';
import type { Attribute } from './tracks.ts';

/** Routine: only a tick in the strip. */
export const SEVERITY_DETAIL = 0;
/** Worth a glyph when there is room. */
export const SEVERITY_NOTE = 1;
/** A state changed hands. */
export const SEVERITY_CHANGE = 2;
/** Something failed. */
export const SEVERITY_TROUBLE = 3;
/** A law was broken. */
export const SEVERITY_VIOLATION = 4;

export type Glyph =
  | 'dot'
  | 'promote'
  | 'fence'
  | 'violation'
  | 'operator'
  | 'cut'
  | 'disk'
  | 'power'
  | 'clock'
  | 'heal';

export interface KindLook {
  readonly severity: number;
  readonly glyph: Glyph;
}

const PLAIN: KindLook = { severity: SEVERITY_NOTE, glyph: 'dot' };

function look(glyph: Glyph, severity: number): KindLook {
  return { glyph, severity };
}

/** Kinds that are not plain; a test checks that each one exists. */
export const KIND_LOOKS: { readonly [kind: string]: KindLook } = {
  'core.start': look('heal', SEVERITY_CHANGE),
  'link.up': look('heal', SEVERITY_NOTE),
  'link.down': look('cut', SEVERITY_TROUBLE),
  'peer.up': look('heal', SEVERITY_NOTE),
  'peer.suspect': look('clock', SEVERITY_TROUBLE),
  'log.formed': look('heal', SEVERITY_CHANGE),
  'log.campaign': look('clock', SEVERITY_NOTE),
  'log.leader': look('promote', SEVERITY_CHANGE),
  'log.resigned': look('fence', SEVERITY_TROUBLE),
  'voter.blank': look('disk', SEVERITY_TROUBLE),
  'voter.readmitted': look('heal', SEVERITY_CHANGE),
  'lease.held': look('dot', SEVERITY_NOTE),
  'lease.lapsed': look('fence', SEVERITY_TROUBLE),
  'lease.attested': look('clock', SEVERITY_TROUBLE),
  'lease.settled': look('dot', SEVERITY_CHANGE),
  'group.start': look('promote', SEVERITY_CHANGE),
  'group.takeover': look('promote', SEVERITY_TROUBLE),
  'group.handover': look('promote', SEVERITY_CHANGE),
  'group.readopt': look('promote', SEVERITY_CHANGE),
  'group.stop': look('fence', SEVERITY_CHANGE),
  'group.stopped': look('fence', SEVERITY_CHANGE),
  'group.release': look('fence', SEVERITY_CHANGE),
  'group.online': look('heal', SEVERITY_CHANGE),
  'group.blocked': look('violation', SEVERITY_TROUBLE),
  'group.owner': look('promote', SEVERITY_CHANGE),
  'volume.record': look('dot', SEVERITY_CHANGE),
  'application.start': look('heal', SEVERITY_CHANGE),
  'application.stop': look('fence', SEVERITY_CHANGE),
  'data.active': look('promote', SEVERITY_CHANGE),
  'data.stopped': look('fence', SEVERITY_CHANGE),
  'data.want': look('clock', SEVERITY_NOTE),
  'data.refused': look('fence', SEVERITY_TROUBLE),
  'data.attached': look('disk', SEVERITY_NOTE),
  'operator.command': look('operator', SEVERITY_CHANGE),
  'operator.answer': look('operator', SEVERITY_NOTE),
  'canary.alone': look('violation', SEVERITY_TROUBLE),
};

export function lookOf(kind: string): KindLook {
  return Object.hasOwn(KIND_LOOKS, kind) ? KIND_LOOKS[kind]! : PLAIN;
}

export function severityOf(event: TimelineEvent): number {
  return lookOf(event.kind).severity;
}

/** How bad a state is: a pixel column shows the worst that it went through. */
const STATE_SEVERITIES: { readonly [state: string]: number } = {
  Primary: 2,
  Suspended: 3,
  Fenced: 3,
  UpToDate: 1,
  Consistent: 2,
  Outdated: 2,
  Inconsistent: 3,
  Failed: 4,
  Diskless: 4,
  Connected: 1,
  SyncSource: 2,
  SyncTarget: 2,
  Connecting: 3,
  Refused: 4,
  up: 1,
  leader: 1,
  paused: 3,
  stopped: 3,
  off: 4,
};

export function severityOfState(attribute: Attribute, value: TimelineValue): number {
  if (attribute === 'owner') return value === 0 ? 4 : 1;
  return STATE_SEVERITIES[String(value)] ?? 0;
}
