/**
 * Which rows of the table of laws (laws.ts) each kind of fault is in, and who judges what remains
 * promised under each row. A finding that an oracle excuses counts as a breach all the same where
 * nothing that struck has a row that says so.
 */
import type { FaultKind } from '../backends/sim/fault.ts';
import type { Law } from '../backends/sim/oracle/verdict.ts';
import type { ClusterConfig } from '../engine/core/config.ts';
import { cellOf, type FaultClass } from './laws.ts';

const NETWORK: readonly FaultClass[] = ['network'];
const PROCESS: readonly FaultClass[] = ['process', 'receipt-lost'];
/** Every holder may be among them, in turn or at once, and each may have received only. */
const POWER: readonly FaultClass[] = ['power-of-one', 'power-of-all-holders', 'receipt-lost'];
const PEOPLE: readonly FaultClass[] = ['people'];
const SPOILED: readonly FaultClass[] = ['data-spoiled', 'data-spoiled-summed'];
const ANYWHERE: readonly FaultClass[] = [...SPOILED, 'metadata-spoiled'];

/** The rows of each kind. A new kind needs an entry, by type. */
export const FAULT_CLASSES: { readonly [kind in FaultKind]: readonly FaultClass[] } = {
  cut: NETWORK,
  clog: NETWORK,
  loss: NETWORK,
  'power-off': POWER,
  reboot: POWER,
  'power-off-hosts': POWER,
  'power-off-all': POWER,
  'kill-core': PROCESS,
  'kill-monitor': PROCESS,
  'pause-core': PROCESS,
  freeze: ['guest-frozen', 'guest-frozen-with-clock'],
  'clock-rate': ['clock-rate-within', 'clock-rate-beyond'],
  wipe: ['witness-lost-or-wiped'],
  switch: PEOPLE,
  verify: PEOPLE,
  quiesce: PEOPLE,
  return: ['branch-given-up'],
  'read-error': ['sector-unreadable'],
  'lying-flush': ['flush-lied', 'metadata-spoiled'],
  'lost-write': ANYWHERE,
  'misdirected-write': ANYWHERE,
  'stale-read': ANYWHERE,
  'write-error': ['disk-error'],
  'disk-stall': ['disk-stalled', 'disk-error'],
  'bit-rot': ANYWHERE,
  'old-disk': ['disk-old', 'power-of-one'],
  'new-disk': ['disk-old', 'power-of-one'],
  resolve: ['branch-given-up'],
  'take-back': PEOPLE,
  'path-loss': ['path-lost'],
  'take-over': ['branch-given-up'],
  'add-replica': PEOPLE,
  'remove-replica': PEOPLE,
  'replace-replica': PEOPLE,
  'grow-volume': PEOPLE,
  'lose-folder': ['witness-lost-or-wiped'],
};

/**
 * The file that reads a row, or judges what remains promised under it: classes that laws.ts tells
 * from the world's facts, and those whose oracles know of each sector or replica what befell it.
 */
export const JUDGED_IN: { readonly [fault in FaultClass]: string } = {
  network: 'nothing to excuse',
  'sector-unreadable': 'nothing to excuse',
  process: 'nothing to excuse',
  people: 'nothing to excuse',
  'power-of-one': 'nothing to excuse',
  'clock-rate-within': 'nothing to excuse',
  'disk-stalled': 'nothing to excuse',
  'guest-frozen': 'scenarios/laws.ts',
  'guest-frozen-with-clock': 'scenarios/laws.ts',
  'clock-rate-beyond': 'scenarios/laws.ts',
  'no-watchdog': 'scenarios/laws.ts',
  'witness-lost-or-wiped': 'backends/sim/oracle/heals.ts',
  'power-of-all-holders': 'backends/sim/oracle/truth.ts',
  'disk-error': 'backends/sim/oracle/truth.ts',
  'receipt-lost': 'backends/sim/oracle/truth.ts',
  'path-lost': 'backends/sim/oracle/truth.ts',
  'flush-lied': 'backends/sim/spoils.ts',
  'data-spoiled': 'backends/sim/spoils.ts',
  'data-spoiled-summed': 'backends/sim/oracle/register.ts',
  'metadata-spoiled': 'backends/sim/oracle/unnamed.ts',
  'disk-old': 'backends/sim/oracle/oracles.ts',
  'branch-given-up': 'backends/sim/oracle/decision.ts',
};

/** Whether some row in effect, of what struck or of the configuration, excuses a finding. */
export function mayExcuse(
  law: Law,
  fired: { readonly [kind: string]: number },
  config: ClusterConfig,
): boolean {
  const classes = new Set<FaultClass>();
  for (const [kind, rows] of Object.entries(FAULT_CLASSES)) {
    if ((fired[kind] ?? 0) > 0) for (const row of rows) classes.add(row);
  }
  if (config.nodes.some(({ witness, watchdog }) => !witness && watchdog === 'none')) {
    classes.add('no-watchdog');
  }
  return [...classes].some((row) => cellOf(row, law).says !== 'holds');
}
