/**
 * The table fault class × law. A law *holds*, or holds under a *named assumption* whose oracle then
 * judges what is still promised, or a breach *must be detected*: no code keeps every promise when a
 * hypervisor stops time. Widening a cell needs a decision record.
 */
import type { FaultFacts } from '../backends/sim/fault-driver.ts';
import type { Law } from '../backends/sim/oracle/verdict.ts';
import type { WorldFacts } from '../backends/sim/outcome.ts';
import { leaseArithmetic } from '../engine/cluster/config-check.ts';
import type { ClusterConfig } from '../engine/core/config.ts';

/** Classes of faults that the laws tell apart. */
export type FaultClass =
  | 'network'
  | 'sector-unreadable'
  | 'process'
  | 'power-of-one'
  | 'power-of-all-holders'
  | 'witness-lost-or-wiped'
  | 'guest-frozen'
  | 'guest-frozen-with-clock'
  | 'clock-rate-within'
  | 'clock-rate-beyond'
  | 'no-watchdog';

export type Cell =
  | { readonly says: 'holds' }
  | { readonly says: 'assumption'; readonly assumption: string }
  | { readonly says: 'detected'; readonly reason: string };

const HOLDS: Cell = { says: 'holds' };

/** Cells other than "holds". */
export const LAW_TABLE: { readonly [fault in FaultClass]: { readonly [law in Law]?: Cell } } = {
  network: {},
  // A read that fails promises nothing, and no other request suffers for it.
  'sector-unreadable': {},
  process: {},
  'power-of-one': {},
  'power-of-all-holders': {
    'LAW-acknowledged': {
      says: 'assumption',
      assumption: 'only flushed writes survive when every holder loses its cache',
    },
    'LAW-register': {
      says: 'assumption',
      assumption: 'a block may go back to any value not older than its last flushed one',
    },
  },
  'witness-lost-or-wiped': {
    'LAW-heals': {
      says: 'assumption',
      assumption: 'a wiped voter is readmitted only while both others are up',
    },
  },
  'guest-frozen': {
    'LAW-one-holder': {
      says: 'detected',
      reason: 'a frozen guest cannot stop what it runs; its watchdog stands still with it',
    },
  },
  'guest-frozen-with-clock': {
    'LAW-one-holder': { says: 'detected', reason: 'the guest does not know that time has passed' },
    'LAW-stop-before-start': {
      says: 'detected',
      reason: 'the lease has run out for the voters, not on the clock of its holder',
    },
    'LAW-register': {
      says: 'detected',
      reason: 'reads under a lease that the holder believes in may be old',
    },
  },
  'clock-rate-within': {},
  'clock-rate-beyond': {
    'LAW-one-holder': { says: 'detected', reason: 'clocks are worse than the configured bound' },
    'LAW-stop-before-start': {
      says: 'detected',
      reason: 'clocks are worse than the configured bound',
    },
    'LAW-register': { says: 'detected', reason: 'clocks are worse than the configured bound' },
  },
  'no-watchdog': {
    'LAW-one-holder': { says: 'detected', reason: 'without a watchdog only data is exclusive' },
  },
};

/**
 * Laws without an oracle of their own, and the law whose oracle sees them broken
 * (docs/decisions/0008).
 */
export const JUDGED_BY: { readonly [law: string]: Law } = { 'LAW-evidence': 'LAW-cover' };

/** The cell of one fault class and law. */
export function cellOf(fault: FaultClass, law: Law): Cell {
  return LAW_TABLE[fault][law] ?? HOLDS;
}

/** Whether a finding breaks its law, given what has happened so far. */
export function breaks(
  law: Law,
  faults: FaultFacts,
  world: WorldFacts,
  config: ClusterConfig,
): boolean {
  return !classesOf(faults, world, config).some((fault) => cellOf(fault, law).says === 'detected');
}

/** The classes that matter to some law and are in effect. */
function classesOf(faults: FaultFacts, world: WorldFacts, config: ClusterConfig): FaultClass[] {
  const classes: FaultClass[] = [];
  const { needed, promised } = leaseArithmetic(config.timing);
  // Anything longer than the slack of the lease's inequality uses it up.
  if (faults.frozen > Math.max(0, promised - needed)) {
    classes.push(faults.clockStopped ? 'guest-frozen-with-clock' : 'guest-frozen');
  }
  if (faults.ppm > config.timing.clockRatePpm) classes.push('clock-rate-beyond');
  if (world.forgot) classes.push('power-of-all-holders');
  if (config.nodes.some(({ witness, watchdog }) => !witness && watchdog === 'none')) {
    classes.push('no-watchdog');
  }
  return classes;
}
