/**
 * By what each planted bug is shown: by random campaigns, which must find it, or by a test that
 * leads to it, and then why no campaign is asked to. tools/canary-page.ts writes what they took to
 * docs/canaries.md.
 */
import type { ClusterConfig } from '../engine/core/config.ts';
import { invariant } from '../engine/core/invariant.ts';
import { demoAsync, demoHosts, demoWith } from './demo.ts';
import type { Swarm } from './generate.ts';

export type ShownBy =
  /**
   * Random campaigns with faults of this kind: over the bundled configuration, or the one named,
   * and from seed 1, or `from`.
   */
  | { readonly campaign: Swarm; readonly on?: On; readonly from?: number }
  /** A test file that plants it, and why campaigns do not show it. */
  | { readonly test: string; readonly why: string };

/**
 * Configurations for bugs that the bundled one has no place for: a primary with an asynchronous
 * replica, three replicas, and reads from both copies.
 */
const CONFIGS = {
  asynchronous: (): ClusterConfig => demoAsync(),
  three: (): ClusterConfig => demoHosts([1, 2, 3]),
  balanced: (): ClusterConfig => demoWith({ reads: 'balanced' }),
} as const;
export type On = keyof typeof CONFIGS;

/** The configuration of that name. */
export function configOn(on: On): ClusterConfig {
  return CONFIGS[on]();
}

/** What shows the planted bug `id`. A new one needs a row below. */
export function shownBy(id: string): ShownBy {
  const by = BY_ID.get(id);
  invariant(by !== undefined, `scenarios/shown-by.ts says what shows the planted bug ${id}`);
  return by;
}

/** Over which configuration campaigns find `id`, where that is not the command's own. */
export function configurationOf(id: string): On | undefined {
  const by = BY_ID.get(id);
  return by !== undefined && 'on' in by ? by.on : undefined;
}

/** The ids that have a row. */
export function idsShown(): readonly string[] {
  return [...BY_ID.keys()];
}

const IN_SWARMS: readonly string[] = [
  'RULE-01',
  'RULE-02',
  'RULE-03',
  'RULE-04',
  'RULE-05',
  'RULE-06',
  'RULE-07',
  'RULE-08',
  'RULE-09',
  'RULE-10',
  'RULE-11',
  'RULE-12',
  'RULE-13',
  'RULE-14',
  'ack-early',
  'alone-unmarked',
  'barrier-overtaken',
  'boot-rule-skipped',
  'clean-while-running',
  'clear-at-send',
  'clear-partly',
  'early-alone',
  'end-not-mapped',
  'flush-unasked',
  'flush-unawaited',
  'fua-dropped',
  'guardian-never-armed',
  'hot-forgotten',
  'lease-never-checked',
  'outdated-promoted',
  'overlap-order',
  'peer-map-ignored',
  'quiesce-trusted',
  'quiesce-unflushed',
  'read-no-wait',
  'reboot-unnoticed',
  'resync-race',
  'single-attestation',
  'stale-leader-commits',
  'start-before-stop',
  'survivor-yields',
  'zero-unsaid',
];

/** Where every schedule has a disk that does wrong: half as rare as it would be in a swarm. */
const IN_DISK_SWARMS: readonly string[] = [
  'digest-unchecked',
  'failure-forgotten',
  'peer-error-ignored',
  'verify-no-fua',
];

/** In swarms over another configuration than the bundled one. */
const IN_SWARMS_ON: { readonly [id: string]: On } = {
  'RULE-15': 'three',
  'RULE-18': 'three',
  'RULE-20': 'three',
  'flush-first-only': 'three',
  'removed-frees-all': 'three',
  'open-unwaited': 'asynchronous',
  'overflow-drops-oldest': 'asynchronous',
  'point-crossed': 'asynchronous',
  'point-unflushed': 'asynchronous',
  'point-unstable': 'asynchronous',
  'balance-in-copy': 'balanced',
};

/** From another seed than 1: a thousand runs from there did not meet its instant. */
const IN_SWARMS_FROM: { readonly [id: string]: number } = { 'stale-epoch': 500_000 };

const MIRROR = 'test/engine/mirror/canaries.test.ts';
const CLUSTER = 'test/engine/cluster/';

/** What the rules of leases guard is a matter of a few messages at one moment. */
const LEASES =
  'needs one order of a few messages at one moment; the lease rules are explored whole';
const ROT =
  'needs one page of metadata to rot, and the host to lose power or restart before it is rewritten';
const HISTORY = 'test/scenarios/history.test.ts';
const INSTANT =
  'its instant is met by a sweep over the moment, one run in hundreds of a swarm or none';
const SPLIT =
  'in a swarm no replica goes on without the log, and without that there is no split brain';
const SEMI = 'only semi-synchronous volumes give receipts, where the configuration says so';
const SWAPPED = 'needs a disk that is taken out, and put back when others have been copied to';
const REMEMBERED =
  'needs a disk whose metadata fail with it, a core that starts again, and then a loss of power';
const COMPARED = 'copies are compared only where the configuration says so';
const SUMMED = 'checksums are kept only where the configuration says so';
const INSTANT_OF_RECORD = 'a record must come within the millisecond in which two agree on a copy';
const THREE = 'needs three replicas: of two neither has anybody else to differ from';
const LONG = 'only a volume of more than 896 MiB can have more hot than a journal page names';
const SPARE =
  'needs sectors that no write heals, which few schedules have, and what befalls them afterwards';
const SIDE = 'only replicas that have a side area keep what a resync overwrites';
const PROXIED = 'only where the configuration says so does a primary go on when its disk fails';
const FAILING = 'test/scenarios/on-disk-failure.test.ts';
const SENT_ON = 'only asynchronous replicas are sent what nobody waits for';
const PARTED = 'only a volume in parts stands on several disks';
const LATE = 'a refusal must overtake nothing and come after the agreement all the same';
const LOSS = 'no swarm has people who accept that something is lost';
const HOLDERS = 'in no swarm do people change who holds a replica';
const LINK_GONE = 'simulated connections never deliver what belongs to an earlier one';

const IN_TESTS: { readonly [id: string]: readonly [test: string, why: string] } = {
  'RULE-17': [MIRROR, THREE],
  'RULE-19': [MIRROR, THREE],
  'RULE-22': [`${CLUSTER}transfer.test.ts`, THREE],
  'unproved-trusted': [
    'test/scenarios/library.test.ts',
    'needs both disks to fail in turn, both cores to start again, and then a loss of power',
  ],
  'skip-in-doubt': ['test/scenarios/resync-skip.test.ts', REMEMBERED],
  'doubt-unheard': ['test/scenarios/resync-skip.test.ts', REMEMBERED],
  'skip-source-in-doubt': [MIRROR, COMPARED],
  'skip-unnoted': ['test/engine/mirror/resync-compare.test.ts', COMPARED],
  'skip-settles-late': ['test/engine/mirror/resync-compare.test.ts', COMPARED],
  'skip-sends-mismatch': ['test/engine/mirror/resync-compare.test.ts', COMPARED],
  'skip-asks-again': [MIRROR, COMPARED],
  'skip-misses': [MIRROR, COMPARED],
  'skip-is-stable': [MIRROR, INSTANT],
  'skip-clears-early': [MIRROR, SENT_ON],
  'skip-no-lock': [MIRROR, SENT_ON],
  'receipt-unflushed': [MIRROR, SEMI],
  'receipt-trusted': ['test/scenarios/library.test.ts', SEMI],
  'lacking-like-power': ['test/scenarios/library.test.ts', SEMI],
  'receipt-settled-early': [MIRROR, SEMI],
  'receipt-unnoted': [MIRROR, SEMI],
  'receipt-overtaken': [MIRROR, SEMI],
  'receipt-for-fua': [MIRROR, SEMI],
  'proxy-acks-alone': [FAILING, PROXIED],
  'proxy-cools': [FAILING, PROXIED],
  'proxy-repairs-from-own': [FAILING, PROXIED],
  'proxy-receipt': [MIRROR, PROXIED],
  'proxy-late-repair': [MIRROR, PROXIED],
  'proxy-reads-copy': [HISTORY, PROXIED],
  'proxy-unflushed': ['test/engine/mirror/proxy.test.ts', PROXIED],
  'proxy-untold': ['test/engine/mirror/proxy.test.ts', PROXIED],
  'tail-unseen': ['test/engine/mirror/compare.test.ts', LOSS],
  'any-taker': [`${CLUSTER}resolution.test.ts`, LOSS],
  'late-refusal': [`${CLUSTER}replication.test.ts`, LATE],
  'taken-again': [`${CLUSTER}resolution.test.ts`, LOSS],
  'taken-from-members': [`${CLUSTER}resolution.test.ts`, LOSS],
  'doubted-taken': ['test/scenarios/take-over.test.ts', LOSS],
  'half-copy-taken': ['test/scenarios/take-over.test.ts', LOSS],
  'agreed-before': ['test/engine/mirror/resync-target.test.ts', INSTANT],
  'head-over-image': ['test/engine/mirror/undo.test.ts', INSTANT],
  'equal-overtold': ['test/engine/mirror/shipping.test.ts', INSTANT],
  'point-overtakes': [MIRROR, SENT_ON],
  'later-forgotten': [MIRROR, SENT_ON],
  'copy-gives-up': [MIRROR, THREE],
  'disk-unchecked': [MIRROR, SWAPPED],
  'disks-untold': [MIRROR, SWAPPED],
  'apart-unsaid': [MIRROR, SWAPPED],
  'cleared-first': [MIRROR, SWAPPED],
  'ready-by-old-record': [MIRROR, INSTANT_OF_RECORD],
  'read-waits-on': [MIRROR, SUMMED],
  'refused-unmarked': [MIRROR, SPARE],
  'rescue-outlives-disk': [MIRROR, SPARE],
  'naming-forgets': [MIRROR, LONG],
  'naming-crowded': [MIRROR, LONG],
  'window-short': [MIRROR, LONG],
  'window-unsaid': [MIRROR, LONG],
  'gap-passed': [MIRROR, LONG],
  'long-unmapped': [MIRROR, LONG],
  'survivors-equal': [MIRROR, THREE],
  'any-word-answers': [
    `${CLUSTER}applications.test.ts`,
    'costs thousands of messages, and breaks no law of data or of who serves',
  ],
  'attach-revived': [
    MIRROR,
    'needs a disk that hangs while a core attaches to it, and shows as being stuck alone',
  ],
  'attached-by-state': [
    `${CLUSTER}volumes.test.ts`,
    'needs a report of a core that has read nothing yet to come before every other one',
  ],
  'attest-early-after-restart': [`${CLUSTER}lease.test.ts`, LEASES],
  'attest-keeps-renewing': [`${CLUSTER}lease.test.ts`, LEASES],
  'attest-not-persisted': [`${CLUSTER}lease.test.ts`, LEASES],
  'blank-core-clean': [
    `${CLUSTER}executor.test.ts`,
    'needs a host whose store is lost while its application runs on',
  ],
  'blank-voter-votes': [
    `${CLUSTER}canaries.test.ts`,
    'needs a witness that is wiped right after a commit that only it and a dead node had',
  ],
  'overstay-petted': [
    'test/scenarios/thawed-host.test.ts',
    'needs a guest that stands still longer than its lease, and an application that stops slowly',
  ],
  'want-without-lease': [
    'test/scenarios/deaf-primary.test.ts',
    'nobody is promised service while a fault lasts, and all is well when it is over',
  ],
  'deaf-renewed': [
    'test/scenarios/deaf-primary.test.ts',
    'nobody is promised service while a fault lasts, and all is well when it is over',
  ],
  'command-repeated': [
    `${CLUSTER}operator.test.ts`,
    'is seen in what people are answered, of which no law speaks',
  ],
  'copy-is-stable': [HISTORY, INSTANT],
  'copy-slot-lost': [HISTORY, INSTANT],
  'path-given-up': [
    'test/scenarios/library.test.ts',
    'paths are lost where a schedule asks for it only, and campaigns draw none',
  ],
  'path-hammered': [
    `${CLUSTER}lost-path.test.ts`,
    'simulated monitors start a core as often as it ends',
  ],
  'path-over-clients': [
    `${CLUSTER}lost-path.test.ts`,
    'nothing is lost when a core ends: clients wait for its host',
  ],
  'discard-any': [MIRROR, SPLIT],
  'discard-by-map': [MIRROR, SPLIT],
  'ready-for-good': ['test/engine/cluster/readiness.test.ts', INSTANT],
  'epoch-unsynced': [
    MIRROR,
    'whoever writes in a lower epoch has no lease any more, and writes no more',
  ],
  'epoch-not-raised': [
    `${CLUSTER}transfer.test.ts`,
    'what the entry says is judged; runs of a swarm take many times as long under it',
  ],
  'equal-clears': [HISTORY, INSTANT],
  'failed-read-ok': [HISTORY, INSTANT],
  'fewer-changes-lose': [
    'test/engine/mirror/compare.test.ts',
    'the log puts it right: the member that refuses is left out, and then the generations tell',
  ],
  'failing-unsaid': [MIRROR, 'is seen in what people are told of a disk, of which no law speaks'],
  'generation-kept': [
    `${CLUSTER}transfer.test.ts`,
    'what the entry says is judged; no law broke in a swarm under it',
  ],
  'holder-from-receipt': [`${CLUSTER}lease.test.ts`, LEASES],
  'hung-for-ever': [
    MIRROR,
    'faults heal before the end of a run: a disk that hangs for ever is not among them',
  ],
  'path-undoubted': [
    'test/scenarios/lost-paths.test.ts',
    'paths are lost where a schedule asks for it only',
  ],
  'late-path-ignored': [MIRROR, 'paths are lost where a schedule asks for it only'],
  'generation-unsynced': [
    MIRROR,
    'the log keeps a replica without it from leading, and the next superblock makes up for it',
  ],
  'joining-not-needed': [HISTORY, INSTANT],
  'journal-error-ignored': [HISTORY, INSTANT],
  'journal-torn-guessed': [MIRROR, ROT],
  'last-copy-given-up': [
    MIRROR,
    'needs the disk of the only copy to hang for longer than faults last',
  ],
  'late-read-answer': [MIRROR, LINK_GONE],
  'late-write-answer': [MIRROR, LINK_GONE],
  'lease-epoch-ignored': [`${CLUSTER}lease.test.ts`, LEASES],
  'led-by-hearsay': [
    MIRROR,
    'needs a record that names a host whose disk has failed, heard of from the peer alone',
  ],
  'map-of-another': [HISTORY, INSTANT],
  'map-page-trusted': [MIRROR, ROT],
  'old-generation-trusted': [
    MIRROR,
    'needs a disk that is put back to an earlier generation under a host that keeps running',
  ],
  'long-write-cut': [MIRROR, 'requests of the simulated world are never longer than a slot'],
  'recheck-any-link': [
    MIRROR,
    'needs a read that ends only when the peer has lost its disk and is copied to again',
  ],
  'rewrite-unread': [
    MIRROR,
    'needs both disks to fail within one repair, and what a faulty disk holds is excused',
  ],
  'owed-for-ever': [
    MIRROR,
    'needs one operation to hang for longer than faults last, beside others that end',
  ],
  'pace-deaf': [MIRROR, 'how long requests take is promised by no law'],
  'pace-starved': [MIRROR, 'needs requests that stay slow for as long as a resync lasts'],
  'padding-counted': [MIRROR, SPLIT],
  'peer-read-any-epoch': [
    MIRROR,
    'needs a stranger on the link: a peer that follows the record never asks another',
  ],
  'quick-once': [MIRROR, 'is seen in what people are told of metadata, of which no law speaks'],
  'meters-blind': [MIRROR, 'what people are told of the time that requests take no law speaks of'],
  'quiesce-moved': [MIRROR, 'needs a block that has moved, which few schedules have'],
  'quiesce-past-grant': [
    MIRROR,
    'needs another to take over, and write, while somebody cut off still holds a point',
  ],
  'quiesce-undrained': [
    MIRROR,
    'the flush of the point waits for most requests in flight: a swarm met it once in 165 points',
  ],
  'read-error-passed': [
    MIRROR,
    'a read that fails promises nothing, so no law is broken; that it was needless shows here',
  ],
  'relation-kept': [HISTORY, INSTANT],
  'repair-from-dirty': [
    MIRROR,
    'needs a sector of the source to fail among what is not copied yet',
  ],
  'repair-no-lock': [MIRROR, 'needs a client to write a block in the milliseconds of its repair'],
  'repair-not-read-back': [
    MIRROR,
    'needs a disk that takes a write and keeps the sector unreadable',
  ],
  'refused-given-up': [
    MIRROR,
    'a replica that is left out is copied to again, and no law speaks of what that costs',
  ],
  'rescue-unread': [MIRROR, 'needs a spare block that takes a write and does not give it back'],
  'return-claimed': [MIRROR, SIDE],
  'return-overtaken': [MIRROR, SIDE],
  'return-unmarked': [MIRROR, SIDE],
  'return-unread': [MIRROR, SIDE],
  'salt-ignored': [MIRROR, ROT],
  'slot-let-go': [HISTORY, INSTANT],
  'slot-single': [MIRROR, ROT],
  'spare-reads-only': [MIRROR, SPARE],
  'spare-single': [MIRROR, SPARE],
  'spare-unrecorded': [MIRROR, SPARE],
  'branch-as-ancestor': [MIRROR, SPLIT],
  'kept-flush-unawaited': ['test/scenarios/split-brain.test.ts', SPLIT],
  'kept-unjudged': [`${CLUSTER}resolution.test.ts`, SPLIT],
  'marks-as-changes': [MIRROR, 'is seen in what is counted, of which no law speaks'],
  'order-unchecked': [`${CLUSTER}resolution.test.ts`, SPLIT],
  'order-unconfirmed': [MIRROR, SPLIT],
  'order-voided': [`${CLUSTER}transfer.test.ts`, SPLIT],
  'policy-repeats': [`${CLUSTER}resolution.test.ts`, SPLIT],
  'take-back-any': [`${CLUSTER}resolution.test.ts`, SPLIT],
  'split-by-order': [`${CLUSTER}split-brain.test.ts`, SPLIT],
  'split-guessed': [`${CLUSTER}split-brain.test.ts`, SPLIT],
  'split-half-kept': [`${CLUSTER}split-brain.test.ts`, SPLIT],
  'stale-trusted': [MIRROR, ROT],
  'table-lost-ignored': [MIRROR, SPARE],
  'area-moves': ['test/engine/mirror/kept-branch.test.ts', SIDE],
  'branch-forgotten': ['test/engine/mirror/kept-branch.test.ts', SIDE],
  'branch-partly': ['test/engine/mirror/kept-branch.test.ts', SIDE],
  'branch-overwritten': ['test/engine/mirror/kept-branch.test.ts', SIDE],
  'branch-freed-early': ['test/engine/mirror/kept-branch.test.ts', SIDE],
  'branch-hold-unsaid': ['test/engine/mirror/kept-branch.test.ts', SIDE],
  'undo-copies-only': [MIRROR, SIDE],
  'undo-dropped-early': [MIRROR, SIDE],
  'undo-taken-late': [MIRROR, SIDE],
  'undo-unwaited': [MIRROR, SIDE],
  'flush-first-part': ['test/scenarios/parts.test.ts', PARTED],
  'verify-greedy': [MIRROR, 'how long clients wait beside a comparison is promised by no law'],
  'verify-no-lock': [MIRROR, 'needs a comparison in the very moment of a write to the same chunk'],
  'verify-skips': [MIRROR, 'is seen in which chunks a comparison looks at, of which no law speaks'],
  'sum-blessed': [MIRROR, SUMMED],
  'sum-healed-wrong': [MIRROR, SUMMED],
  'sum-mismatch-ignored': ['test/scenarios/checksums.test.ts', SUMMED],
  'sum-of-another': [MIRROR, SUMMED],
  'sum-open-trusted': ['test/scenarios/checksums.test.ts', SUMMED],
  'sum-unknown-accused': [MIRROR, SUMMED],
  'sum-unknown-vouches': [MIRROR, SUMMED],
  'sums-unflushed': ['test/scenarios/checksums.test.ts', SUMMED],
  'sums-unopened': ['test/scenarios/checksums.test.ts', SUMMED],
  'others-unready': [`${CLUSTER}reconfigure.test.ts`, HOLDERS],
  'leaver-counted': ['test/scenarios/reconfigured.test.ts', HOLDERS],
  'relayout-clean': ['test/scenarios/reconfigured.test.ts', HOLDERS],
  'relayout-unmarked': ['test/engine/mirror/relayout.test.ts', HOLDERS],
  'removed-admitted': [`${CLUSTER}state.test.ts`, HOLDERS],
  'last-copy-removed': [`${CLUSTER}state.test.ts`, HOLDERS],
  'copy-unseen': [`${CLUSTER}state.test.ts`, HOLDERS],
  'second-change': ['test/scenarios/reconfigured.test.ts', HOLDERS],
  'size-untold': ['test/scenarios/grown.test.ts', HOLDERS],
  'begun-unconfirmed': ['test/scenarios/reconfigured.test.ts', HOLDERS],
  'unlaid-forgotten': [`${CLUSTER}reconfigure.test.ts`, HOLDERS],
  'unopened-counted': [`${CLUSTER}reconfigure.test.ts`, HOLDERS],
  'failed-counted': ['test/scenarios/earlier-disks.test.ts', HOLDERS],
  'led-by-own-file': ['test/scenarios/earlier-disks.test.ts', HOLDERS],
  'lost-disk-awaited': ['test/scenarios/earlier-disks.test.ts', HOLDERS],
  'branch-of-new': [`${CLUSTER}branch-of-new.test.ts`, HOLDERS],
  'other-disk-counts': ['test/scenarios/earlier-disks.test.ts', HOLDERS],
  'other-disk-leads': [`${CLUSTER}views.test.ts`, HOLDERS],
  'waiter-forgotten': [
    'test/scenarios/three-replicas.test.ts',
    'needs three replicas, and one that is not equal as another one takes over',
  ],
  'other-disk-admitted': ['test/scenarios/earlier-disks.test.ts', HOLDERS],
  'layout-ignored': ['test/engine/mirror/view.test.ts', HOLDERS],
  'vote-not-persisted': [
    `${CLUSTER}canaries.test.ts`,
    'needs a voter that restarts between two candidates of one term',
  ],
  'watch-restarted': [
    MIRROR,
    'simulated disks hang as a whole; here one write is lost and everything else is answered',
  ],
};

const BY_ID: ReadonlyMap<string, ShownBy> = new Map<string, ShownBy>([
  ...IN_SWARMS.map((id) => [id, { campaign: 'swarm' }] as const),
  ...IN_DISK_SWARMS.map((id) => [id, { campaign: 'disks' }] as const),
  ...Object.entries(IN_SWARMS_ON).map(([id, on]) => [id, { campaign: 'swarm', on }] as const),
  ...Object.entries(IN_SWARMS_FROM).map(([id, from]) => [id, { campaign: 'swarm', from }] as const),
  ...Object.entries(IN_TESTS).map(([id, [test, why]]) => [id, { test, why }] as const),
]);
