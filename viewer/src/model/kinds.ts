/** How grave a kind of event is, and its glyph. Its words are the catalogue's. */
import type { TimelineEvent, TimelineValue } from '../../../engine/timeline/event.ts';
import { servers } from './servers.ts';
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
  'volume.discard': look('operator', SEVERITY_TROUBLE),
  'volume.discard.confirmed': look('operator', SEVERITY_TROUBLE),
  'volume.discard.off': look('operator', SEVERITY_CHANGE),
  'volume.record': look('dot', SEVERITY_CHANGE),
  'application.state': look('dot', SEVERITY_CHANGE),
  'application.start': look('heal', SEVERITY_CHANGE),
  'application.stop': look('fence', SEVERITY_CHANGE),
  'data.size': look('dot', SEVERITY_CHANGE),
  'data.active': look('promote', SEVERITY_CHANGE),
  'data.stopped': look('fence', SEVERITY_CHANGE),
  'data.want': look('clock', SEVERITY_NOTE),
  'data.refused': look('fence', SEVERITY_TROUBLE),
  'data.attached': look('dot', SEVERITY_NOTE),
  'data.path': look('disk', SEVERITY_TROUBLE),
  'operator.command': look('operator', SEVERITY_CHANGE),
  'config.changed': look('operator', SEVERITY_CHANGE),
  'config.begun': look('operator', SEVERITY_NOTE),
  'config.done': look('operator', SEVERITY_NOTE),
  'config.withdrawn': look('operator', SEVERITY_CHANGE),
  'config.taken': look('operator', SEVERITY_NOTE),
  'config.restart': look('heal', SEVERITY_CHANGE),
  'operator.answer': look('operator', SEVERITY_NOTE),
  'mirror.attach': look('dot', SEVERITY_NOTE),
  'mirror.attach.failed': look('disk', SEVERITY_TROUBLE),
  'mirror.role': look('promote', SEVERITY_CHANGE),
  'mirror.disk': look('dot', SEVERITY_CHANGE),
  'mirror.disk.failing': look('disk', SEVERITY_TROUBLE),
  'mirror.disk.failed': look('disk', SEVERITY_TROUBLE),
  'mirror.read.peer': look('disk', SEVERITY_CHANGE),
  'mirror.read.lost': look('disk', SEVERITY_TROUBLE),
  'mirror.spill.on': look('heal', SEVERITY_NOTE),
  'mirror.spill.off': look('disk', SEVERITY_TROUBLE),
  'mirror.sums.mismatch': look('disk', SEVERITY_TROUBLE),
  'mirror.sums.lost': look('disk', SEVERITY_TROUBLE),
  'mirror.sums.page-lost': look('disk', SEVERITY_CHANGE),
  'mirror.repair.done': look('heal', SEVERITY_CHANGE),
  'mirror.repair.failed': look('disk', SEVERITY_TROUBLE),
  'verify.scheduled': look('operator', SEVERITY_NOTE),
  'verify.continue': look('operator', SEVERITY_NOTE),
  'mirror.verify.start': look('operator', SEVERITY_NOTE),
  'mirror.verify.differs': look('disk', SEVERITY_TROUBLE),
  'mirror.verify.disagrees': look('disk', SEVERITY_TROUBLE),
  'mirror.verify.repaired': look('heal', SEVERITY_CHANGE),
  'mirror.verify.unreadable': look('disk', SEVERITY_TROUBLE),
  'mirror.verify.end': look('operator', SEVERITY_NOTE),
  'mirror.quiesce': look('operator', SEVERITY_NOTE),
  'mirror.quiesced': look('operator', SEVERITY_CHANGE),
  'mirror.quiesce.end': look('operator', SEVERITY_NOTE),
  'mirror.block.moved': look('heal', SEVERITY_CHANGE),
  'mirror.block.rewritten': look('heal', SEVERITY_CHANGE),
  'mirror.resync.unreadable': look('disk', SEVERITY_TROUBLE),
  'mirror.link': look('cut', SEVERITY_NOTE),
  'mirror.link.drop': look('cut', SEVERITY_TROUBLE),
  'mirror.link.sync': look('heal', SEVERITY_CHANGE),
  'mirror.link.follow': look('heal', SEVERITY_CHANGE),
  'mirror.link.refused': look('fence', SEVERITY_TROUBLE),
  'mirror.branch': look('violation', SEVERITY_TROUBLE),
  'mirror.peer.refused': look('disk', SEVERITY_TROUBLE),
  'mirror.receipt.lost': look('disk', SEVERITY_TROUBLE),
  'mirror.record': look('dot', SEVERITY_CHANGE),
  'mirror.record.refused': look('fence', SEVERITY_TROUBLE),
  'mirror.want': look('clock', SEVERITY_CHANGE),
  'mirror.active': look('promote', SEVERITY_CHANGE),
  'mirror.proxy': look('promote', SEVERITY_TROUBLE),
  'mirror.proxy.end': look('fence', SEVERITY_TROUBLE),
  'mirror.fenced': look('fence', SEVERITY_TROUBLE),
  'mirror.demote': look('fence', SEVERITY_CHANGE),
  'mirror.stopped': look('fence', SEVERITY_CHANGE),
  'mirror.resync.start': look('heal', SEVERITY_CHANGE),
  'mirror.resync.progress': look('dot', SEVERITY_DETAIL),
  'mirror.resync.interrupted': look('cut', SEVERITY_TROUBLE),
  'mirror.resync.end': look('heal', SEVERITY_CHANGE),
  'mirror.resync.compared': look('dot', SEVERITY_DETAIL),
  'mirror.target.start': look('heal', SEVERITY_CHANGE),
  'mirror.target.end': look('heal', SEVERITY_CHANGE),
  'mirror.point': look('dot', SEVERITY_DETAIL),
  'mirror.branch.kept': look('disk', SEVERITY_NOTE),
  'mirror.branch.damaged': look('disk', SEVERITY_TROUBLE),
  'mirror.branch.holds': look('clock', SEVERITY_TROUBLE),
  'mirror.branch.drop': look('dot', SEVERITY_NOTE),
  'mirror.branch.drop-refused': look('dot', SEVERITY_NOTE),
  'mirror.branch.dropped': look('disk', SEVERITY_NOTE),
  'mirror.undo.start': look('dot', SEVERITY_NOTE),
  'mirror.undo.found': look('dot', SEVERITY_NOTE),
  'mirror.undo.held': look('clock', SEVERITY_TROUBLE),
  'mirror.undo.lost': look('disk', SEVERITY_TROUBLE),
  'mirror.return.start': look('operator', SEVERITY_CHANGE),
  'mirror.return.refused': look('operator', SEVERITY_NOTE),
  'mirror.return.failed': look('disk', SEVERITY_TROUBLE),
  'mirror.return.end': look('heal', SEVERITY_CHANGE),
  'fault.cut': look('cut', SEVERITY_TROUBLE),
  'fault.clog': look('cut', SEVERITY_TROUBLE),
  'fault.loss': look('cut', SEVERITY_TROUBLE),
  'fault.power-off': look('power', SEVERITY_TROUBLE),
  'fault.reboot': look('power', SEVERITY_TROUBLE),
  'fault.power-off-hosts': look('power', SEVERITY_TROUBLE),
  'fault.power-off-all': look('power', SEVERITY_TROUBLE),
  'fault.kill-core': look('power', SEVERITY_TROUBLE),
  'fault.kill-monitor': look('power', SEVERITY_TROUBLE),
  'fault.pause-core': look('clock', SEVERITY_TROUBLE),
  'fault.freeze': look('clock', SEVERITY_TROUBLE),
  'fault.clock-rate': look('clock', SEVERITY_TROUBLE),
  'fault.read-error': look('disk', SEVERITY_TROUBLE),
  'fault.wipe': look('disk', SEVERITY_TROUBLE),
  'fault.lose-folder': look('disk', SEVERITY_TROUBLE),
  'fault.quiesce': look('operator', SEVERITY_CHANGE),
  'fault.return': look('operator', SEVERITY_CHANGE),
  'fault.verify': look('operator', SEVERITY_CHANGE),
  'fault.switch': look('operator', SEVERITY_CHANGE),
  'fault.lying-flush': look('disk', SEVERITY_TROUBLE),
  'fault.lost-write': look('disk', SEVERITY_TROUBLE),
  'fault.misdirected-write': look('disk', SEVERITY_TROUBLE),
  'fault.stale-read': look('disk', SEVERITY_TROUBLE),
  'fault.write-error': look('disk', SEVERITY_TROUBLE),
  'fault.path-loss': look('disk', SEVERITY_TROUBLE),
  'fault.disk-stall': look('disk', SEVERITY_TROUBLE),
  'fault.bit-rot': look('disk', SEVERITY_TROUBLE),
  'fault.old-disk': look('disk', SEVERITY_TROUBLE),
  'fault.new-disk': look('disk', SEVERITY_TROUBLE),
  'fault.resolve': look('operator', SEVERITY_CHANGE),
  'fault.add-replica': look('operator', SEVERITY_CHANGE),
  'fault.remove-replica': look('operator', SEVERITY_CHANGE),
  'fault.replace-replica': look('operator', SEVERITY_CHANGE),
  'fault.grow-volume': look('operator', SEVERITY_CHANGE),
  'fault.take-back': look('operator', SEVERITY_CHANGE),
  'fault.over': look('heal', SEVERITY_CHANGE),
  'fault.healed': look('heal', SEVERITY_CHANGE),
  'world.core-started': look('heal', SEVERITY_CHANGE),
  'world.core-died': look('power', SEVERITY_TROUBLE),
  'world.power-lost': look('power', SEVERITY_TROUBLE),
  'world.disk-failed': look('disk', SEVERITY_TROUBLE),
  'world.receipt-lost': look('disk', SEVERITY_TROUBLE),
  'world.mended': look('operator', SEVERITY_CHANGE),
  'watchdog.reset': look('fence', SEVERITY_TROUBLE),
  'host.core-ended': look('power', SEVERITY_TROUBLE),
  'host.core-lost': look('power', SEVERITY_TROUBLE),
  'host.core-silent': look('clock', SEVERITY_TROUBLE),
  'host.core-exhausted': look('power', SEVERITY_TROUBLE),
  'host.monitor-started': look('heal', SEVERITY_CHANGE),
  'host.stopping': look('operator', SEVERITY_CHANGE),
  'host.stopped': look('power', SEVERITY_CHANGE),
  'host.refused': look('fence', SEVERITY_TROUBLE),
  detected: look('violation', SEVERITY_TROUBLE),
  violation: look('violation', SEVERITY_VIOLATION),
  'canary.alone': look('violation', SEVERITY_TROUBLE),
};

export function lookOf(kind: string): KindLook {
  return Object.hasOwn(KIND_LOOKS, kind) ? KIND_LOOKS[kind]! : PLAIN;
}

/** Kinds that are trouble in some of their states only. */
const FAILING_STATES: ReadonlyMap<string, readonly string[]> = new Map([
  ['mirror.link', ['down']],
  ['application.state', ['failed', 'stop-failed']],
]);

export function severityOf(event: TimelineEvent): number {
  const { severity } = lookOf(event.kind);
  const fails = FAILING_STATES.get(event.kind)?.includes(String(event.d['state'])) ?? false;
  return fails ? Math.max(severity, SEVERITY_TROUBLE) : severity;
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
  held: 1,
  lapsed: 3,
  candidate: 3,
  up: 1,
  leader: 1,
  paused: 3,
  silent: 3,
  stopped: 3,
  off: 4,
};

export function severityOfState(attribute: Attribute, value: TimelineValue): number {
  if (attribute === 'serving') return servers(String(value)).length === 1 ? 1 : 4;
  return STATE_SEVERITIES[String(value)] ?? 0;
}
