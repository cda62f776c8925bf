/**
 * The table fault class × law. A law *holds*, or holds under a *named assumption* whose oracle then
 * judges what is still promised, or a breach *must be detected*: no code keeps every promise when a
 * hypervisor stops time. Widening a cell needs a decision record.
 */
import type { FaultFacts, Freeze } from '../backends/sim/fault-driver.ts';
import type { Law } from '../backends/sim/oracle/verdict.ts';
import type { Moment, WorldFacts } from '../backends/sim/outcome.ts';
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
  | 'no-watchdog'
  | 'flush-lied'
  | 'data-spoiled'
  | 'data-spoiled-summed'
  | 'metadata-spoiled'
  | 'disk-old'
  | 'disk-error'
  | 'receipt-lost'
  | 'disk-stalled'
  | 'path-lost'
  | 'people'
  | 'branch-given-up';

export type Cell =
  | { readonly says: 'holds' }
  | {
      readonly says: 'assumption';
      readonly assumption: string;
      /**
       * How the engine notices what befell a disk, by its mark; or 'nobody', where no engine could
       * without a checksum of every block. Absent where there is nothing to notice.
       */
      readonly seenBy?: string;
    }
  | { readonly says: 'detected'; readonly reason: string };

const HOLDS: Cell = { says: 'holds' };
/** Of LAW-register where the caches of all holders may be gone with their disks. */
const GOES_BACK: Cell = {
  says: 'assumption',
  assumption: 'a block may go back to any value not older than its last flushed one',
  seenBy: 'mirror.disk.failed',
};

/** Cells other than "holds". */
export const LAW_TABLE: { readonly [fault in FaultClass]: { readonly [law in Law]?: Cell } } = {
  network: {},
  // A read that fails promises nothing, and no other request suffers for it.
  'sector-unreadable': {},
  process: {},
  people: {},
  // Two histories, of which a person or a policy kept one: docs/decisions/0020, 0029.
  'branch-given-up': {
    'LAW-acknowledged': {
      says: 'assumption',
      assumption: "what only the branch had that was given up is the volume's no more",
    },
  },
  'power-of-one': {},
  'power-of-all-holders': {
    'LAW-prefix': {
      says: 'assumption',
      assumption:
        'what no flush had covered when every holder lost its cache need not be in an image',
    },
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
      assumption:
        'a wiped voter is readmitted only while both others are up; where most are wiped at once ' +
        'a person forms the log anew',
    },
  },
  'guest-frozen': {
    'LAW-one-holder': {
      says: 'detected',
      reason: 'a frozen guest cannot stop what it runs; its watchdog stands still with it',
    },
  },
  'guest-frozen-with-clock': {
    'LAW-quiesced': {
      says: 'detected',
      reason: 'a point that the holder believes in may be over, and another host may write',
    },
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
    'LAW-quiesced': { says: 'detected', reason: 'clocks are worse than the configured bound' },
    'LAW-one-holder': { says: 'detected', reason: 'clocks are worse than the configured bound' },
    'LAW-stop-before-start': {
      says: 'detected',
      reason: 'clocks are worse than the configured bound',
    },
    'LAW-register': { says: 'detected', reason: 'clocks are worse than the configured bound' },
  },
  // The oracles know of every sector what a disk that keeps its word would hold, and judge that:
  // a law is never excused for a run, only for the very sectors (docs/decisions/0013).
  'flush-lied': {
    'LAW-prefix': {
      says: 'assumption',
      assumption:
        'a sector that the disk lied about may be older than the image that it is part of',
      seenBy: 'nobody',
    },
    'LAW-flushed': {
      says: 'assumption',
      assumption: 'a replica keeps what its disk only promised to have written',
      seenBy: 'nobody',
    },
    'LAW-acknowledged': {
      says: 'assumption',
      assumption: 'a replica keeps what its disk only promised to have written',
      seenBy: 'nobody',
    },
    'LAW-register': {
      says: 'assumption',
      assumption: 'a read of a sector whose disk lied, on that disk, may be old after a power loss',
      seenBy: 'nobody',
    },
    'LAW-cover': {
      says: 'assumption',
      assumption: 'no replica knows of a difference that a lie about a flush has made',
      seenBy: 'nobody',
    },
  },
  'data-spoiled': {
    'LAW-prefix': {
      says: 'assumption',
      assumption:
        'the other sectors are an image; which moment a spoiled one is of nobody can tell',
      seenBy: 'nobody',
    },
    'LAW-register': {
      says: 'assumption',
      assumption: 'a read returns what the sector of that disk holds, rotten, stale or misplaced',
      seenBy: 'nobody',
    },
    'LAW-acknowledged': {
      says: 'assumption',
      assumption:
        'the other sectors of the replica, and these ones on the other replica, are whole',
      seenBy: 'nobody',
    },
    'LAW-flushed': {
      says: 'assumption',
      assumption:
        'the other sectors of the replica, and these ones on the other replica, are whole',
      seenBy: 'nobody',
    },
    'LAW-cover': {
      says: 'assumption',
      assumption: 'no replica knows of a difference that a disk has made behind its back',
      seenBy: 'nobody',
    },
  },
  // The same under a volume with checksums: docs/decisions/0023. LAW-register is judged in full for
  // every block that the present life of a core has written.
  'data-spoiled-summed': {
    'LAW-prefix': {
      says: 'assumption',
      assumption:
        'the other sectors are an image; a spoiled one is found when it is read or compared',
      seenBy: 'mirror.sums.mismatch',
    },
    'LAW-register': {
      says: 'assumption',
      assumption:
        'a block without a checksum is served as its disk holds it: one never written, or one ' +
        'that was being written at a crash, until it is written, copied or compared',
      seenBy: 'mirror.sums.mismatch',
    },
    'LAW-acknowledged': {
      says: 'assumption',
      assumption: 'one replica at most has spoiled a block; of two, a read of it fails',
      seenBy: 'mirror.sums.mismatch',
    },
    'LAW-flushed': {
      says: 'assumption',
      assumption: 'one replica at most has spoiled a block; of two, a read of it fails',
      seenBy: 'mirror.sums.mismatch',
    },
    'LAW-cover': {
      says: 'assumption',
      assumption: 'a difference that a disk has made is known when the block is read or compared',
      seenBy: 'mirror.sums.mismatch',
    },
  },
  'metadata-spoiled': {
    'LAW-cover': {
      says: 'assumption',
      assumption:
        'a page that fails its checksum names everything; one that is whole and old, less',
      seenBy: 'mirror.meta.bad-map-page',
    },
    'LAW-acknowledged': {
      says: 'assumption',
      assumption: 'of what only the lost metadata named as different, either copy may be the one',
      seenBy: 'mirror.meta.journal-lost',
    },
    'LAW-flushed': {
      says: 'assumption',
      assumption: 'of what only the lost metadata named as different, either copy may be the one',
      seenBy: 'mirror.meta.journal-lost',
    },
    'LAW-register': {
      says: 'assumption',
      assumption: 'of what only the lost metadata named as different, either copy may be the one',
      seenBy: 'mirror.meta.journal-lost',
    },
    'LAW-heals': {
      says: 'assumption',
      assumption:
        'a replica that forgot itself is replaced; the last one waits for a person, and says so',
      seenBy: 'mirror.attach.failed',
    },
  },
  'disk-old': {
    'LAW-prefix': {
      says: 'assumption',
      assumption: 'a sector of the old image counts as what it was before the disk went back',
      seenBy: 'nobody',
    },
    'LAW-cover': {
      says: 'assumption',
      assumption:
        'what was written after the image, in the generation of the image, is missed only where ' +
        'the other copy names it; and that one names nothing of what its own cache loses',
      seenBy: 'mirror.resync.everything',
    },
    'LAW-acknowledged': {
      says: 'assumption',
      assumption: 'a sector of the old image counts as what it was before the disk went back',
      seenBy: 'nobody',
    },
    'LAW-flushed': {
      says: 'assumption',
      assumption: 'a sector of the old image counts as what it was before the disk went back',
      seenBy: 'nobody',
    },
    'LAW-register': {
      says: 'assumption',
      assumption: 'a read of a sector of the old image, on that disk, may be old',
      seenBy: 'nobody',
    },
    'LAW-heals': {
      says: 'assumption',
      assumption:
        'of two lineages without a common end a person chooses one: the other is replaced',
      seenBy: 'mirror.link.refused',
    },
  },
  // Judged replica by replica: see shakenAt in backends/sim/oracle/truth.ts.
  'disk-error': {
    'LAW-acknowledged': {
      says: 'assumption',
      assumption: 'only flushed writes survive when the disks of all holders have failed',
      seenBy: 'mirror.disk.failed',
    },
    'LAW-register': GOES_BACK,
    'LAW-heals': {
      says: 'assumption',
      assumption: 'a person starts the core of a failed disk again, or replaces the disk',
      seenBy: 'mirror.disk.failed',
    },
  },
  // Of semi-synchronous volumes, judged in the same way: docs/decisions/0028. As long as another
  // member has lost nothing since, every law holds.
  'receipt-lost': {
    'LAW-acknowledged': {
      says: 'assumption',
      assumption:
        'only flushed writes survive when the primary is lost while the core of each receiver ' +
        'dies with what it had not written',
      seenBy: 'mirror.receipt.lost',
    },
    'LAW-register': {
      says: 'assumption',
      assumption: 'a block may then go back to any value not older than its last flushed one',
      seenBy: 'mirror.receipt.lost',
    },
  },
  'disk-stalled': {},
  // A cache beyond the path may have lost what was acknowledged: docs/decisions/0027.
  'path-lost': {
    'LAW-acknowledged': {
      says: 'assumption',
      assumption: 'only flushed writes survive when the paths to the disks of all holders are lost',
      seenBy: 'mirror.disk.failed',
    },
    'LAW-register': GOES_BACK,
    'LAW-heals': {
      says: 'assumption',
      assumption:
        'the host looks again within its back-off; not while it serves or copies another volume',
      seenBy: 'mirror.disk.failed',
    },
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
  moment: Moment,
): boolean {
  const classes = classesOf(faults, world, config, moment);
  return !classes.some((fault) => cellOf(fault, law).says === 'detected');
}

/** The classes that matter to some law and are in effect. */
function classesOf(
  faults: FaultFacts,
  world: WorldFacts,
  config: ClusterConfig,
  moment: Moment,
): FaultClass[] {
  const classes: FaultClass[] = [];
  for (const freeze of faults.freezes) {
    if (!explains(freeze, config, moment)) continue;
    classes.push(freeze.clockStops ? 'guest-frozen-with-clock' : 'guest-frozen');
  }
  if (faults.ppm > config.timing.clockRatePpm) classes.push('clock-rate-beyond');
  if (faults.wiped.size > 0) classes.push('witness-lost-or-wiped');
  if (world.forgot) classes.push('power-of-all-holders');
  if (config.nodes.some(({ witness, watchdog }) => !witness && watchdog === 'none')) {
    classes.push('no-watchdog');
  }
  return classes;
}

/**
 * Whether this guest's standing still can be why: it is one of those that the finding is about, it
 * stood longer than the slack of the lease's inequality, and is still at it, or has not had the
 * time since in which its lease ends and its watchdog bites.
 */
function explains(freeze: Freeze, { timing }: ClusterConfig, { t, nodes }: Moment): boolean {
  if (nodes.length > 0 && !nodes.includes(freeze.node)) return false;
  const { needed, promised } = leaseArithmetic(timing);
  const stood = Math.min(freeze.until, t) - freeze.from;
  const over = freeze.until + timing.grant + timing.watchdog + timing.watchdogDelay;
  return stood > Math.max(0, promised - needed) && t <= over;
}
