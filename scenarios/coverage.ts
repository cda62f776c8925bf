/**
 * Whether a campaign met everything that is declared: every kind of fault, and every rare branch of
 * the engine. What no run exercised is not tested, however many laws held. Branches that a swarm
 * over two nodes cannot meet, or hardly, stand in one table with the reason and the test that does.
 */
import { AIMED_KINDS, FAULT_KINDS, SPLIT_FAULTS } from '../backends/sim/fault.ts';
import { CLUSTER_MARKS } from '../engine/cluster/events.ts';
import { MIRROR_MARKS } from '../engine/mirror/catalogue.ts';
import type { CampaignResult } from './campaign.ts';

/** A rare branch that campaigns need not reach. */
export interface Elsewhere {
  readonly mark: string;
  /** Whether a swarm never reaches it, or so seldom that a complete one may miss it. */
  readonly swarm: 'never' | 'seldom';
  /** Why. */
  readonly reason: string;
  /** The test in test/scenarios/coverage.test.ts that reaches it. */
  readonly test: string;
}

const DISK = 'disks fail and rot in one schedule of six, and seldom where this takes';
const APPLICATION = 'applications of the simulated world start and stop when they are told to';
const BALANCED = 'only volumes whose configuration says so read from both copies';
const SEMI = 'only members of semi-synchronous volumes give receipts';
const PROXIED = 'only where the configuration says so does a primary go on when its disk fails';
const SENT_ON = 'only asynchronous replicas are sent writes that nobody waits for';
const LONG = 'only a volume of more than 896 MiB can have more hot than a journal page names';
const COMPARED = 'copies are compared only where the configuration says so';
const SUMMED = 'checksums are kept only where the configuration says so';
const SIDE = 'only replicas that have a side area keep what a resync overwrites';
const CONTRACT = 'control commits no such record; the data actor refuses it all the same';

const SPLIT = 'without a policy nobody in a campaign orders what is to become of two branches';

const LOSS = 'in a campaign nobody accepts that something is lost';

const WORN = 'sectors that no write heals are few, and what befalls them later is rarer yet';

export const ELSEWHERE: readonly Elsewhere[] = [
  {
    mark: 'mirror.branch.found',
    swarm: 'seldom',
    reason: 'a disk must come back from before a take-over, lead, and then meet the other one',
    test: 'two replicas that went on apart',
  },
  {
    mark: 'mirror.branch.given-up',
    swarm: 'never',
    reason: SPLIT,
    test: 'a branch that is given up by order',
  },
  {
    mark: 'mirror.branch.ahead',
    swarm: 'never',
    reason: SPLIT,
    test: 'a disk from a place where epochs went further',
  },
  {
    mark: 'branch-discarded',
    swarm: 'never',
    reason: SPLIT,
    test: 'a branch that is given up by policy',
  },
  {
    mark: 'loss-accepted',
    swarm: 'never',
    reason: LOSS,
    test: 'an asynchronous replica that takes over by accepted loss',
  },
  {
    mark: 'config-taken',
    swarm: 'never',
    reason: 'nobody changes the configuration in a swarm',
    test: 'a replica that is added under load',
  },
  {
    mark: 'volume-grown',
    swarm: 'never',
    reason: 'nobody changes the configuration in a swarm',
    test: 'a replica that is added under load',
  },
  {
    mark: 'branch-order-void',
    swarm: 'never',
    reason: SPLIT,
    test: 'an order that means data of before',
  },
  {
    mark: 'branch-order-confirmed',
    swarm: 'never',
    reason: SPLIT,
    test: 'an order that is confirmed when nobody serves by the victim any more',
  },
  {
    mark: 'branch-order-taken-back',
    swarm: 'never',
    reason: SPLIT,
    test: 'an order that a person takes back',
  },
  {
    mark: 'mirror.attach.failed',
    swarm: 'seldom',
    reason: DISK,
    test: 'a replica both of whose superblocks are spoiled',
  },
  {
    mark: 'mirror.promote.disk',
    swarm: 'seldom',
    reason: DISK,
    test: 'a taker whose disk fails before it leads',
  },
  {
    mark: 'mirror.peer.refused-write',
    swarm: 'seldom',
    reason: 'it takes a secondary whose disk fails in the middle of a write of its primary',
    test: 'a primary whose secondary is named primary as well',
  },
  {
    mark: 'mirror.meta.one-slot',
    swarm: 'seldom',
    reason: DISK,
    test: 'a replica one of whose superblocks is spoiled',
  },
  {
    mark: 'mirror.meta.journal-lost',
    swarm: 'seldom',
    reason: DISK,
    test: 'a replica whose journal is spoiled',
  },
  {
    mark: 'mirror.meta.stale-map',
    swarm: 'seldom',
    reason: DISK,
    test: 'a replica whose map is older than its journal says',
  },
  {
    mark: 'mirror.meta.stale-superblock',
    swarm: 'seldom',
    reason: DISK,
    test: 'a replica both of whose superblocks are older than its journal says',
  },
  {
    mark: 'mirror.meta.bad-map-page',
    swarm: 'seldom',
    reason: 'what changes in the map of a rehearsed volume lies mostly in one sector of its page',
    test: 'a replica whose map is spoiled',
  },
  {
    mark: 'mirror.link.disagree',
    swarm: 'never',
    reason: 'both hosts run one version: one function over the same two views gives one hash',
    test: 'a peer that comes to another decision',
  },
  {
    mark: 'mirror.link.overdue',
    swarm: 'seldom',
    reason: 'most faults are over before one operation that hangs has been waited for',
    test: 'a peer that owes one answer while it gives others',
  },
  {
    mark: 'mirror.link.garbage',
    swarm: 'never',
    reason: 'the transport is authenticated: what arrives was sent by the peer',
    test: 'a peer that sends what is no message',
  },
  {
    mark: 'mirror.peer.stale-epoch',
    swarm: 'never',
    reason: CONTRACT,
    test: 'a secondary that is named primary while writes come in',
  },
  {
    mark: 'mirror.promote.generation',
    swarm: 'never',
    reason: CONTRACT,
    test: 'a taker that is named with data that it does not have',
  },
  {
    mark: 'mirror.promote.earlier-session',
    swarm: 'never',
    reason: CONTRACT,
    test: 'a restarted core that is handed the record of its earlier life',
  },
  {
    mark: 'mirror.promote.other-boot',
    swarm: 'never',
    reason: CONTRACT,
    test: 'a taker that is named in a boot that is over',
  },
  {
    mark: 'mirror.promote.not-member',
    swarm: 'never',
    reason: CONTRACT,
    test: 'a taker that is named primary and no member',
  },
  {
    mark: 'mirror.verify.paused',
    swarm: 'seldom',
    reason: 'a peer must go away within the seconds of a comparison',
    test: 'a comparison whose peer is cut off',
  },
  {
    mark: 'mirror.verify.disagrees',
    swarm: 'never',
    reason:
      'metadata of replicas in step disagree where an engine is wrong, and ours is not known to',
    test: 'a comparison of metadata that a planted bug let differ',
  },
  {
    mark: 'mirror.verify.unsettled',
    swarm: 'seldom',
    reason: 'a record must be on its way within the moments of a comparison of metadata',
    test: 'comparisons of metadata through take-overs',
  },
  {
    mark: 'mirror.verify.unreadable',
    swarm: 'seldom',
    reason: 'few schedules have both a comparison and bad sectors',
    test: 'a comparison of a sector that cannot be read',
  },
  {
    mark: 'mirror.read.both-bad',
    swarm: 'seldom',
    reason: 'few schedules spoil both disks, and a read has to meet the very sectors',
    test: 'a block that both hosts have lost',
  },
  {
    mark: 'mirror.repair.peer',
    swarm: 'seldom',
    reason: 'few schedules spoil both disks, and the repair has to meet the very sectors',
    test: 'the repair of a block that both hosts have lost',
  },
  {
    mark: 'mirror.read.again',
    swarm: 'seldom',
    reason: 'a bad sector must be met where no other host has the block',
    test: 'a read whose peer is given up while it is asked',
  },
  {
    mark: 'mirror.read.lost',
    swarm: 'seldom',
    reason: 'a bad sector must be met where no other host has the block',
    test: 'a read of a block that both hosts have lost',
  },
  {
    mark: 'mirror.read.parked',
    swarm: 'seldom',
    reason: 'the link must be lost, and not yet decided upon, when a read meets a bad sector',
    test: 'a read that needs a peer whose link is lost',
  },
  {
    mark: 'mirror.read.late-answer',
    swarm: 'seldom',
    reason: 'the primary must give the link up in the instant in which an answer arrives',
    test: 'an answer that comes when its link is given up',
  },
  {
    mark: 'mirror.read.refused',
    swarm: 'seldom',
    reason: 'the secondary must have heard of another primary while the old one still reads',
    test: 'a peer that follows somebody else when it is asked',
  },
  {
    mark: 'mirror.read.stale-epoch',
    swarm: 'seldom',
    reason: 'the secondary must have heard of another primary while the old one still reads',
    test: 'a host that is asked and follows nobody',
  },
  {
    mark: 'mirror.read.epoch-wait',
    swarm: 'seldom',
    reason: 'a bad sector must be met in the milliseconds in which an epoch becomes durable',
    test: 'a read of an epoch that is not durable there yet',
  },
  {
    mark: 'mirror.repair.elsewhere',
    swarm: 'seldom',
    reason: WORN,
    test: 'a block that cannot be put right where it is',
  },
  {
    mark: 'mirror.repair.moved',
    swarm: 'seldom',
    reason: WORN,
    test: 'a block that moves to the spare area',
  },
  {
    mark: 'mirror.repair.read-back',
    swarm: 'seldom',
    reason: WORN,
    test: 'a block that no place gives back',
  },
  {
    mark: 'mirror.spare.attached',
    swarm: 'seldom',
    reason: WORN,
    test: 'a replica that knows of moved blocks',
  },
  {
    mark: 'mirror.spare.lost',
    swarm: 'seldom',
    reason: WORN,
    test: 'a replica that has lost the table of moved blocks',
  },
  {
    mark: 'mirror.spare.mended',
    swarm: 'seldom',
    reason: WORN,
    test: 'a replica that has lost one copy of the table',
  },
  {
    mark: 'mirror.spare.met',
    swarm: 'seldom',
    reason: WORN,
    test: 'a request that meets a moved block',
  },
  {
    mark: 'mirror.write.lost',
    swarm: 'seldom',
    reason: WORN,
    test: 'a write that the last copy refuses',
  },
  {
    mark: 'mirror.write.moved',
    swarm: 'seldom',
    reason: WORN,
    test: 'a block that moves because its write is refused',
  },
  {
    mark: 'mirror.write.no-spare',
    swarm: 'seldom',
    reason: WORN,
    test: 'part of a block that is refused',
  },
  {
    mark: 'mirror.write.refused',
    swarm: 'seldom',
    reason: WORN,
    test: 'a write that the medium refuses',
  },
  {
    mark: 'mirror.repair.rewrite',
    swarm: 'seldom',
    reason: 'a spare block takes what its place refuses, as long as there is one',
    test: 'a bad block that the disk does not take',
  },
  {
    mark: 'mirror.disk.failing',
    swarm: 'never',
    reason: 'schedules spoil so few blocks that no disk reaches the limit',
    test: 'a disk that goes bad block by block',
  },
  {
    mark: 'mirror.resync.everything',
    swarm: 'seldom',
    reason: 'a disk must come back from before an outage that is over, or be replaced',
    test: 'a disk that comes back from before an outage',
  },
  {
    mark: 'mirror.request.invalid',
    swarm: 'never',
    reason: 'simulated clients ask for whole blocks within the volume',
    test: 'a client that asks for nothing',
  },
  {
    mark: 'mirror.turn.overflow',
    swarm: 'never',
    reason: 'the rings of the simulated world hold what any of its turns decides',
    test: 'a turn with more decisions than its ring holds',
  },
  {
    mark: 'committed-entry-lost-race',
    swarm: 'never',
    reason: 'a leader plans on what it has applied, and proposes one entry per subject at a time',
    test: 'a log that holds two answers to one state',
  },
  {
    mark: 'genesis-replaced',
    swarm: 'seldom',
    reason: 'the witness must lose its disk in the milliseconds in which the cluster forms',
    test: 'a voter that loses its disk while the cluster forms',
  },
  {
    mark: 'mirror.sums.mismatch',
    swarm: 'never',
    reason: SUMMED,
    test: 'a disk that rots under a volume with checksums',
  },
  {
    mark: 'mirror.sums.lost-copied',
    swarm: 'never',
    reason: SUMMED,
    test: 'a source that rots where nothing was copied yet',
  },
  {
    mark: 'mirror.sums.page-lost',
    swarm: 'never',
    reason: SUMMED,
    test: 'a replica whose checksums are spoiled',
  },
  { mark: 'mirror.resync.equal', swarm: 'never', reason: COMPARED, test: 'a copy that compares' },
  {
    mark: 'mirror.resync.uncompared',
    swarm: 'never',
    reason: COMPARED,
    test: 'a copy to a target that says no digests',
  },
  {
    mark: 'mirror.resync.vouched',
    swarm: 'never',
    reason: COMPARED,
    test: 'a copy that compares what has no checksum at its target',
  },
  {
    mark: 'mirror.read.balanced',
    swarm: 'never',
    reason: BALANCED,
    test: 'a volume that reads from both copies',
  },
  {
    mark: 'mirror.read.came-back',
    swarm: 'never',
    reason: BALANCED,
    test: 'a read that the other copy was asked for when its link was lost',
  },
  { mark: 'mirror.receipt.given', swarm: 'never', reason: SEMI, test: 'a semi-synchronous volume' },
  {
    mark: 'mirror.receipt.flush-waits',
    swarm: 'never',
    reason: SEMI,
    test: 'a flush while a member has not written what it received',
  },
  {
    mark: 'mirror.receipt.lost',
    swarm: 'never',
    reason: SEMI,
    test: 'a member whose core dies with what it has received',
  },
  {
    mark: 'mirror.proxy.begun',
    swarm: 'never',
    reason: PROXIED,
    test: 'a primary whose disk fails, and that goes on',
  },
  {
    mark: 'mirror.proxy.on',
    swarm: 'never',
    reason: PROXIED,
    test: 'a primary whose disk fails, and that goes on',
  },
  {
    mark: 'mirror.proxy.ended',
    swarm: 'never',
    reason: PROXIED,
    test: 'the last copy is lost while others are served through it',
  },
  { mark: 'mirror.al.lap', swarm: 'never', reason: LONG, test: 'a hot set of several pages' },
  { mark: 'mirror.attach.long', swarm: 'never', reason: LONG, test: 'a crash amid such laps' },
  {
    mark: 'mirror.al.suspects',
    swarm: 'never',
    reason: SENT_ON,
    test: 'an asynchronous replica without room for what its lone primary writes',
  },
  {
    mark: 'mirror.lag.passed',
    swarm: 'never',
    reason: SENT_ON,
    test: 'an asynchronous replica that is further behind than it may be',
  },
  {
    mark: 'mirror.lag.waits',
    swarm: 'never',
    reason: SENT_ON,
    test: 'writes that wait for an asynchronous replica',
  },
  { mark: 'mirror.point', swarm: 'never', reason: SENT_ON, test: 'an asynchronous replica' },
  {
    mark: 'mirror.resync.drains',
    swarm: 'never',
    reason: SENT_ON,
    test: 'the end of a copy to an asynchronous replica',
  },
  {
    mark: 'mirror.resync.makes-way',
    swarm: 'never',
    reason: SENT_ON,
    test: 'a member that returns while an asynchronous replica is copied to',
  },
  { mark: 'mirror.branch.kept', swarm: 'never', reason: SIDE, test: 'a branch that is given up' },
  { mark: 'mirror.branch.damaged', swarm: 'never', reason: SIDE, test: 'a branch that lost some' },
  { mark: 'mirror.branch.dropped', swarm: 'never', reason: SIDE, test: 'a branch that is dropped' },
  { mark: 'mirror.branch.holds', swarm: 'never', reason: SIDE, test: 'a branch in the way' },
  { mark: 'mirror.undo.begun', swarm: 'never', reason: SIDE, test: 'a target with a side area' },
  { mark: 'mirror.undo.given-up', swarm: 'never', reason: SIDE, test: 'an undo log that is full' },
  {
    mark: 'mirror.undo.held',
    swarm: 'never',
    reason: SIDE,
    test: 'an undo log that is full, where one is required',
  },
  {
    mark: 'mirror.undo.damaged',
    swarm: 'never',
    reason: SIDE,
    test: 'an undo log that lost a page',
  },
  {
    mark: 'mirror.resync.proves',
    swarm: 'seldom',
    reason: 'both disks must fail, and the last copy lead again within the same boot',
    test: 'a last copy whose disk failed',
  },
  {
    mark: 'mirror.resync.record-between',
    swarm: 'seldom',
    reason: 'a record must come within the millisecond in which two agree on a copy',
    test: 'a record that comes as a copy is agreed on',
  },
  {
    mark: 'mirror.resync.held',
    swarm: 'never',
    reason: SIDE,
    test: 'a copy that its target holds back',
  },
  { mark: 'mirror.return.begun', swarm: 'never', reason: SIDE, test: 'a replica that is put back' },
  { mark: 'mirror.return.done', swarm: 'never', reason: SIDE, test: 'a replica that is put back' },
  {
    mark: 'group-restart-in-place',
    swarm: 'never',
    reason: APPLICATION,
    test: 'an application that fails',
  },
  {
    mark: 'group-rollback',
    swarm: 'never',
    reason: APPLICATION,
    test: 'an application that does not start where it is switched to',
  },
  {
    mark: 'verify-continued',
    swarm: 'seldom',
    reason: 'a comparison must be interrupted within its seconds, and its copies in step again',
    test: 'a comparison whose core is killed',
  },
  {
    mark: 'verify-scheduled',
    swarm: 'never',
    reason: 'the demonstration has no schedule, and runs last a minute',
    test: 'a comparison that is due',
  },
  {
    mark: 'stop-failed',
    swarm: 'never',
    reason: APPLICATION,
    test: 'an application that does not stop',
  },
];

/** Everything that a campaign is asked to exercise. */
export interface Declared {
  readonly faults: readonly string[];
  readonly marks: readonly string[];
}

const outside: ReadonlySet<string> = new Set(ELSEWHERE.map(({ mark }) => mark));

export const DECLARED: Declared = {
  // Those have a campaign of their own, --faults splits, or ask for a side area.
  faults: FAULT_KINDS.filter((kind) => !SPLIT_FAULTS.has(kind) && !AIMED_KINDS.includes(kind)),
  marks: [...MIRROR_MARKS, ...CLUSTER_MARKS].filter((mark) => !outside.has(mark)),
};

/** A swarm of so many runs is long enough to meet everything. */
export const COMPLETE_RUNS = 2_000;

/** What no run of a campaign exercised. */
export interface NotExercised {
  readonly faults: readonly string[];
  readonly marks: readonly string[];
  /** Whether the swarm was long enough that this is a fault of the campaign, not of its length. */
  readonly due: boolean;
}

/** Holds a campaign, of which `swarmRuns` runs were a swarm's, against what is declared. */
export function notExercised(
  campaign: Pick<CampaignResult, 'faultsFired' | 'statesReached'>,
  swarmRuns: number,
  declared: Declared = DECLARED,
): NotExercised {
  const faults = declared.faults.filter((kind) => (campaign.faultsFired[kind] ?? 0) === 0);
  const marks = declared.marks.filter((mark) => (campaign.statesReached[mark] ?? 0) === 0);
  const missing = faults.length + marks.length > 0;
  return { faults, marks, due: missing && swarmRuns >= COMPLETE_RUNS };
}
