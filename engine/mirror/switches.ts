/** A switch for each planted bug of the data actor. All are off unless a campaign asks. */
import type { MIRROR_CANARIES } from './canaries.ts';

/** `RULE-01` is the switch rule01, `ack-early` is ackEarly. */
type SwitchOf<Id extends string> = Id extends `RULE-${infer N}`
  ? `rule${N}`
  : Id extends `${infer Word}-${infer Rest}`
    ? `${Word}${Capitalize<SwitchOf<Rest>>}`
    : Id;

/** A switch for each planted bug: plain booleans, so that a guard costs one load. */
export type CanarySwitches = {
  readonly [Bug in (typeof MIRROR_CANARIES)[number] as SwitchOf<Bug['id']>]: boolean;
};

/** The ids that are asked for. */
class Asked {
  readonly #ids: ReadonlySet<string>;

  constructor(ids: ReadonlySet<string>) {
    this.#ids = ids;
  }

  protected has(id: string): boolean {
    return this.#ids.has(id);
  }
}

/**
 * A class, not a literal: V8 makes a hash table of a literal with 128 names or more, and each guard
 * would be a look-up that no compiler sees through. There are some at each step of each write.
 */
class Switches extends Asked implements CanarySwitches {
  readonly epochUnsynced: boolean = this.has('epoch-unsynced');
  readonly rule02: boolean = this.has('RULE-02');
  readonly rule03: boolean = this.has('RULE-03');
  readonly rule04: boolean = this.has('RULE-04');
  readonly rule05: boolean = this.has('RULE-05');
  readonly rebootUnnoticed: boolean = this.has('reboot-unnoticed');
  readonly rule07: boolean = this.has('RULE-07');
  readonly rule08: boolean = this.has('RULE-08');
  readonly survivorYields: boolean = this.has('survivor-yields');
  readonly rule10: boolean = this.has('RULE-10');
  readonly rule11: boolean = this.has('RULE-11');
  readonly rule12: boolean = this.has('RULE-12');
  readonly rule13: boolean = this.has('RULE-13');
  readonly rule14: boolean = this.has('RULE-14');
  readonly rule15: boolean = this.has('RULE-15');
  readonly rule17: boolean = this.has('RULE-17');
  readonly rule18: boolean = this.has('RULE-18');
  readonly rule19: boolean = this.has('RULE-19');
  readonly rule20: boolean = this.has('RULE-20');
  readonly flushFirstOnly: boolean = this.has('flush-first-only');
  readonly survivorsEqual: boolean = this.has('survivors-equal');
  readonly removedFreesAll: boolean = this.has('removed-frees-all');
  readonly ackEarly: boolean = this.has('ack-early');
  readonly clearAtSend: boolean = this.has('clear-at-send');
  readonly balanceInCopy: boolean = this.has('balance-in-copy');
  readonly longWriteCut: boolean = this.has('long-write-cut');
  readonly clearPartly: boolean = this.has('clear-partly');
  readonly zeroUnsaid: boolean = this.has('zero-unsaid');
  readonly staleEpoch: boolean = this.has('stale-epoch');
  readonly overlapOrder: boolean = this.has('overlap-order');
  readonly resyncRace: boolean = this.has('resync-race');
  readonly flushUnawaited: boolean = this.has('flush-unawaited');
  readonly fuaDropped: boolean = this.has('fua-dropped');
  readonly barrierOvertaken: boolean = this.has('barrier-overtaken');
  readonly hotForgotten: boolean = this.has('hot-forgotten');
  readonly fewerChangesLose: boolean = this.has('fewer-changes-lose');
  readonly generationUnsynced: boolean = this.has('generation-unsynced');
  readonly oldGenerationTrusted: boolean = this.has('old-generation-trusted');
  readonly lateWriteAnswer: boolean = this.has('late-write-answer');
  readonly endNotMapped: boolean = this.has('end-not-mapped');
  readonly watchRestarted: boolean = this.has('watch-restarted');
  readonly owedForEver: boolean = this.has('owed-for-ever');
  readonly peerErrorIgnored: boolean = this.has('peer-error-ignored');
  readonly readErrorPassed: boolean = this.has('read-error-passed');
  readonly earlyAlone: boolean = this.has('early-alone');
  readonly hungForEver: boolean = this.has('hung-for-ever');
  readonly latePathIgnored: boolean = this.has('late-path-ignored');
  readonly pathUndoubted: boolean = this.has('path-undoubted');
  readonly attachRevived: boolean = this.has('attach-revived');
  readonly lastCopyGivenUp: boolean = this.has('last-copy-given-up');
  readonly ledByHearsay: boolean = this.has('led-by-hearsay');
  readonly failureForgotten: boolean = this.has('failure-forgotten');
  readonly readNoWait: boolean = this.has('read-no-wait');
  readonly aloneUnmarked: boolean = this.has('alone-unmarked');
  readonly peerMapIgnored: boolean = this.has('peer-map-ignored');
  readonly equalClears: boolean = this.has('equal-clears');
  readonly flushUnasked: boolean = this.has('flush-unasked');
  readonly failedReadOk: boolean = this.has('failed-read-ok');
  readonly skipIsStable: boolean = this.has('skip-is-stable');
  readonly skipClearsEarly: boolean = this.has('skip-clears-early');
  readonly skipNoLock: boolean = this.has('skip-no-lock');
  readonly doubtUnheard: boolean = this.has('doubt-unheard');
  readonly skipSourceInDoubt: boolean = this.has('skip-source-in-doubt');
  readonly skipInDoubt: boolean = this.has('skip-in-doubt');
  readonly skipSettlesLate: boolean = this.has('skip-settles-late');
  readonly skipSendsMismatch: boolean = this.has('skip-sends-mismatch');
  readonly skipUnnoted: boolean = this.has('skip-unnoted');
  readonly skipAsksAgain: boolean = this.has('skip-asks-again');
  readonly skipMisses: boolean = this.has('skip-misses');
  readonly copyIsStable: boolean = this.has('copy-is-stable');
  readonly joiningNotNeeded: boolean = this.has('joining-not-needed');
  readonly journalErrorIgnored: boolean = this.has('journal-error-ignored');
  readonly copySlotLost: boolean = this.has('copy-slot-lost');
  readonly readyByOldRecord: boolean = this.has('ready-by-old-record');
  readonly proxyUnflushed: boolean = this.has('proxy-unflushed');
  readonly proxyUntold: boolean = this.has('proxy-untold');
  readonly proxyReadsCopy: boolean = this.has('proxy-reads-copy');
  readonly halfCopyTaken: boolean = this.has('half-copy-taken');
  readonly proxyAcksAlone: boolean = this.has('proxy-acks-alone');
  readonly proxyCools: boolean = this.has('proxy-cools');
  readonly proxyRepairsFromOwn: boolean = this.has('proxy-repairs-from-own');
  readonly proxyReceipt: boolean = this.has('proxy-receipt');
  readonly proxyLateRepair: boolean = this.has('proxy-late-repair');
  readonly relationKept: boolean = this.has('relation-kept');
  readonly mapOfAnother: boolean = this.has('map-of-another');
  readonly receiptUnflushed: boolean = this.has('receipt-unflushed');
  readonly receiptTrusted: boolean = this.has('receipt-trusted');
  readonly receiptSettledEarly: boolean = this.has('receipt-settled-early');
  readonly receiptUnnoted: boolean = this.has('receipt-unnoted');
  readonly receiptOvertaken: boolean = this.has('receipt-overtaken');
  readonly receiptForFua: boolean = this.has('receipt-for-fua');
  readonly unprovedTrusted: boolean = this.has('unproved-trusted');
  readonly slotLetGo: boolean = this.has('slot-let-go');
  readonly journalTornGuessed: boolean = this.has('journal-torn-guessed');
  readonly saltIgnored: boolean = this.has('salt-ignored');
  readonly namingForgets: boolean = this.has('naming-forgets');
  readonly namingCrowded: boolean = this.has('naming-crowded');
  readonly windowShort: boolean = this.has('window-short');
  readonly windowUnsaid: boolean = this.has('window-unsaid');
  readonly gapPassed: boolean = this.has('gap-passed');
  readonly longUnmapped: boolean = this.has('long-unmapped');
  readonly mapPageTrusted: boolean = this.has('map-page-trusted');
  readonly slotSingle: boolean = this.has('slot-single');
  readonly staleTrusted: boolean = this.has('stale-trusted');
  readonly refusedGivenUp: boolean = this.has('refused-given-up');
  readonly rescueUnread: boolean = this.has('rescue-unread');
  readonly failingUnsaid: boolean = this.has('failing-unsaid');
  readonly spareUnrecorded: boolean = this.has('spare-unrecorded');
  readonly spareSingle: boolean = this.has('spare-single');
  readonly spareReadsOnly: boolean = this.has('spare-reads-only');
  readonly tableLostIgnored: boolean = this.has('table-lost-ignored');
  readonly repairFromDirty: boolean = this.has('repair-from-dirty');
  readonly repairNoLock: boolean = this.has('repair-no-lock');
  readonly repairNotReadBack: boolean = this.has('repair-not-read-back');
  readonly peerReadAnyEpoch: boolean = this.has('peer-read-any-epoch');
  readonly lateReadAnswer: boolean = this.has('late-read-answer');
  readonly verifyNoLock: boolean = this.has('verify-no-lock');
  readonly verifyNoFua: boolean = this.has('verify-no-fua');
  readonly paddingCounted: boolean = this.has('padding-counted');
  readonly discardAny: boolean = this.has('discard-any');
  readonly discardByMap: boolean = this.has('discard-by-map');
  readonly orderUnconfirmed: boolean = this.has('order-unconfirmed');
  readonly branchAsAncestor: boolean = this.has('branch-as-ancestor');
  readonly agreedBefore: boolean = this.has('agreed-before');
  readonly headOverImage: boolean = this.has('head-over-image');
  readonly disksUntold: boolean = this.has('disks-untold');
  readonly diskUnchecked: boolean = this.has('disk-unchecked');
  readonly apartUnsaid: boolean = this.has('apart-unsaid');
  readonly clearedFirst: boolean = this.has('cleared-first');
  readonly equalOvertold: boolean = this.has('equal-overtold');
  readonly tailUnseen: boolean = this.has('tail-unseen');
  readonly marksAsChanges: boolean = this.has('marks-as-changes');
  readonly keptFlushUnawaited: boolean = this.has('kept-flush-unawaited');
  readonly paceDeaf: boolean = this.has('pace-deaf');
  readonly paceStarved: boolean = this.has('pace-starved');
  readonly digestUnchecked: boolean = this.has('digest-unchecked');
  readonly recheckAnyLink: boolean = this.has('recheck-any-link');
  readonly rewriteUnread: boolean = this.has('rewrite-unread');
  readonly verifySkips: boolean = this.has('verify-skips');
  readonly verifyGreedy: boolean = this.has('verify-greedy');
  readonly quickOnce: boolean = this.has('quick-once');
  readonly quiesceMoved: boolean = this.has('quiesce-moved');
  readonly refusedUnmarked: boolean = this.has('refused-unmarked');
  readonly rescueOutlivesDisk: boolean = this.has('rescue-outlives-disk');
  readonly readWaitsOn: boolean = this.has('read-waits-on');
  readonly copyGivesUp: boolean = this.has('copy-gives-up');
  readonly metersBlind: boolean = this.has('meters-blind');
  readonly quiesceUndrained: boolean = this.has('quiesce-undrained');
  readonly quiesceUnflushed: boolean = this.has('quiesce-unflushed');
  readonly quiescePastGrant: boolean = this.has('quiesce-past-grant');
  readonly sumsUnopened: boolean = this.has('sums-unopened');
  readonly sumsUnflushed: boolean = this.has('sums-unflushed');
  readonly sumOfAnother: boolean = this.has('sum-of-another');
  readonly sumMismatchIgnored: boolean = this.has('sum-mismatch-ignored');
  readonly sumUnknownAccused: boolean = this.has('sum-unknown-accused');
  readonly sumUnknownVouches: boolean = this.has('sum-unknown-vouches');
  readonly sumOpenTrusted: boolean = this.has('sum-open-trusted');
  readonly sumBlessed: boolean = this.has('sum-blessed');
  readonly sumHealedWrong: boolean = this.has('sum-healed-wrong');
  readonly pointCrossed: boolean = this.has('point-crossed');
  readonly pointUnstable: boolean = this.has('point-unstable');
  readonly pointOvertakes: boolean = this.has('point-overtakes');
  readonly pointUnflushed: boolean = this.has('point-unflushed');
  readonly laterForgotten: boolean = this.has('later-forgotten');
  readonly overflowDropsOldest: boolean = this.has('overflow-drops-oldest');
  readonly openUnwaited: boolean = this.has('open-unwaited');
  readonly undoUnwaited: boolean = this.has('undo-unwaited');
  readonly undoTakenLate: boolean = this.has('undo-taken-late');
  readonly undoCopiesOnly: boolean = this.has('undo-copies-only');
  readonly undoDroppedEarly: boolean = this.has('undo-dropped-early');
  readonly areaMoves: boolean = this.has('area-moves');
  readonly branchForgotten: boolean = this.has('branch-forgotten');
  readonly branchPartly: boolean = this.has('branch-partly');
  readonly branchOverwritten: boolean = this.has('branch-overwritten');
  readonly branchFreedEarly: boolean = this.has('branch-freed-early');
  readonly waiterForgotten: boolean = this.has('waiter-forgotten');
  readonly branchHoldUnsaid: boolean = this.has('branch-hold-unsaid');
  readonly returnClaimed: boolean = this.has('return-claimed');
  readonly returnUnmarked: boolean = this.has('return-unmarked');
  readonly returnUnread: boolean = this.has('return-unread');
  readonly returnOvertaken: boolean = this.has('return-overtaken');
  readonly otherDiskAdmitted: boolean = this.has('other-disk-admitted');
  readonly layoutIgnored: boolean = this.has('layout-ignored');
  readonly relayoutClean: boolean = this.has('relayout-clean');
  readonly relayoutUnmarked: boolean = this.has('relayout-unmarked');
}

/** Turns ids into switches; ids of other parts (control's) are ignored. */
export function canarySwitches(ids: ReadonlySet<string>): CanarySwitches {
  return new Switches(ids);
}
