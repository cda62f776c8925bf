/**
 * Everything that the simulated world itself puts on the timeline, and the codes of its oracles'
 * findings. The viewer's prose is checked against these lists.
 */
import { FAULT_KINDS } from './fault.ts';

const FAULT: readonly string[] = [
  'fault',
  'for',
  'peer',
  'links',
  'ways',
  'cache',
  'ppm',
  'area',
  'age',
];

/** Event kinds with the names of their parameters; a finding has those of its code as well. */
export const SIM_EVENTS: { readonly [kind: string]: readonly string[] } = {
  ...Object.fromEntries(FAULT_KINDS.map((kind) => [`fault.${kind}`, FAULT])),
  'fault.over': ['fault', 'kind'],
  'fault.healed': [],
  'world.core-started': [],
  'world.core-died': [],
  'world.power-lost': ['ioInFlight'],
  'world.application-starting': ['group'],
  'world.application-running': ['group'],
  'world.application-stopping': ['group'],
  'world.application-stopped': ['group'],
  'world.disk-failed': ['cache'],
  'world.receipt-lost': [],
  'world.mended': [],
  'watchdog.reset': [],
  violation: ['law', 'code'],
  detected: ['law', 'code'],
};

/**
 * The world has no causes: what it does is what the schedule or a host does to the engine from
 * outside, and what oracles find they find by themselves. So each of its events begins a chain.
 */
export function isOfSimulation(kind: string): boolean {
  return Object.hasOwn(SIM_EVENTS, kind);
}

/** What the oracles can find, with the names of the parameters. */
export const FINDING_CODES: { readonly [code: string]: readonly string[] } = {
  'acknowledged.joined-without': ['volume', 'sector', 'found'],
  'acknowledged.promoted-without': ['volume', 'sector', 'found'],
  'acknowledged.lost-at-takeover': ['write'],
  'acknowledged.lost-while-held': ['volume', 'sector', 'found', 'held'],
  'acknowledged.lost': ['volume', 'sector', 'found'],
  'cover.crash': ['volume', 'block', 'left', 'right'],
  'cover.quiet': ['volume', 'block', 'left', 'right'],
  'acknowledged.given-up': ['volume', 'sectors'],
  'cover.accused': ['volume', 'block'],
  'acknowledged.order-covers-more': ['volume', 'order', 'write'],
  'acknowledged.order-dropped-unsaid': ['volume', 'order'],
  'acknowledged.order-repeated': ['volume', 'order', 'takenBack'],
  'acknowledged.order-unconfirmed': ['volume', 'order'],
  'cover.compared': ['volume', 'block', 'differing'],
  'cover.missed': ['volume', 'block', 'left', 'right'],
  'cover.not-repaired': ['volume', 'block', 'here', 'there'],
  'cover.forgotten': ['volume', 'sectors', 'back'],
  'epoch.not-primary': ['volume', 'epoch', 'highest'],
  'epoch.went-back': ['volume', 'epoch', 'highest'],
  'epoch.two-hosts': ['volume', 'epoch', 'highest'],
  'epoch.stale-write-accepted': ['volume', 'epoch', 'highest'],
  'flushed.not-stable': ['volume', 'sector', 'found', 'needed'],
  'flushed.joined-without': ['volume', 'sector', 'found', 'needed'],
  'flushed.lost-at-crash': ['volume', 'sector', 'found', 'needed'],
  'flushed.lost': ['volume', 'sector', 'found', 'needed'],
  'heals.blocked': ['group', 'blocked'],
  'heals.not-running': ['group', 'running'],
  'heals.not-served': ['volume'],
  'heals.not-online': ['group', 'state'],
  'heals.not-up-to-date': ['volume', 'state', 'link'],
  'heals.not-in-sync': ['volume', 'members'],
  'heals.replicas-differ': ['volume', 'sector'],
  'heals.config-behind': ['volume'],
  'heals.request-stuck': ['volume', 'requests'],
  'holder.two': ['group', 'nodes', 'state'],
  'panic.invariant': ['belief'],
  'panic.livelock': ['kind'],
  'panic.storm': ['kind'],
  'register.stale-read': ['sector', 'got', 'expected', 'read'],
  'register.spoiled-read': ['sector', 'got', 'expected'],
  'register.acknowledged-after-takeover': ['write'],
  'stop.none': ['volume', 'before', 'left'],
};
