/**
 * Planted bugs: each switches one guard of the data actor off. A campaign that does not find one
 * has a blind oracle or a soft world. Nothing here is on unless a campaign asks.
 */
export interface Canary {
  readonly id: string;
  /** What goes wrong, in one sentence. */
  readonly what: string;
}

export const MIRROR_CANARIES: readonly Canary[] = [
  {
    id: 'RULE-01',
    what: 'A replica acts and acknowledges in an epoch that it never made durable.',
  },
  { id: 'RULE-02', what: 'A lost peer is left out at once, without a committed record.' },
  {
    id: 'RULE-03',
    what: 'Equal generations are taken for equal data, whatever the dirty maps say.',
  },
  { id: 'RULE-04', what: 'Data is written before its extent is durably hot.' },
  { id: 'RULE-05', what: 'A flush completes when it is stable on the local replica alone.' },
  { id: 'RULE-06', what: 'A rebooted replica is taken for one that never lost its cache.' },
  { id: 'RULE-07', what: 'An extent goes cold before its writes are stable on both replicas.' },
  { id: 'RULE-08', what: 'Writes not known stable on a lost peer are not made dirty.' },
  { id: 'RULE-09', what: 'The rebooted replica becomes the source, not the survivor.' },
  {
    id: 'RULE-10',
    what: 'A resync target counts as equal, and as a member, from the start of the copy.',
  },
  { id: 'RULE-11', what: 'A replica goes on alone without flushing first.' },
  { id: 'RULE-12', what: 'A resync starts although the source flushed neither for it nor before.' },
  { id: 'RULE-13', what: 'Writes are acknowledged alone under the generation that the peer has.' },
  { id: 'RULE-14', what: 'A fenced primary never becomes a secondary.' },
  {
    id: 'RULE-15',
    what: 'Among several, a follower writes before the extent is durably hot there.',
  },
  {
    id: 'RULE-17',
    what: 'Among several, a follower does not note who lacks what it writes.',
  },
  {
    id: 'RULE-18',
    what: 'Among several, writes are acknowledged before all know who was left out.',
  },
  {
    id: 'RULE-19',
    what: 'Among several, one that stays does not flush before another is left out.',
  },
  {
    id: 'RULE-20',
    what: 'Among several, a copy to one clears what is noted of all.',
  },
  {
    id: 'flush-first-only',
    what: 'Among several, a flush waits for the first peer alone.',
  },
  {
    id: 'survivors-equal',
    what: 'Among several, the survivors of a primary take each other for equal.',
  },
  {
    id: 'removed-frees-all',
    what: 'Among several, nobody is needed any more when one was left out.',
  },
  { id: 'ack-early', what: 'A write is acknowledged when the local disk has it.' },
  { id: 'clear-at-send', what: 'A dirty block is cleared when its copy is sent.' },
  { id: 'balance-in-copy', what: 'Reads go to a peer that is still being copied to.' },
  { id: 'long-write-cut', what: 'Of zeroes longer than a slot, only a slot is noted as unstable.' },
  { id: 'clear-partly', what: 'A write to a part of a dirty block counts as a copy of it.' },
  { id: 'zero-unsaid', what: 'A copy is sent as zeroes whatever was read.' },
  { id: 'stale-epoch', what: "A deposed primary's write is carried out and acknowledged." },
  { id: 'overlap-order', what: 'Overlapping writes are issued at once, in no order.' },
  { id: 'resync-race', what: 'A resync copy takes no range lock: old data may overwrite new.' },
  { id: 'flush-unawaited', what: 'A flush is acknowledged when it is issued.' },
  { id: 'fua-dropped', what: 'A write that must be stable is done like any other.' },
  {
    id: 'barrier-overtaken',
    what: 'A write that ends while a barrier runs counts as made stable by it.',
  },
  { id: 'hot-forgotten', what: 'What was hot at a crash is not dirty afterwards.' },
  { id: 'fewer-changes-lose', what: 'Of two equal generations the one with more dirty wins.' },
  {
    id: 'generation-unsynced',
    what: 'Writes are acknowledged alone under a generation that is only in memory.',
  },
  {
    id: 'old-generation-trusted',
    what: "A member is believed although its generation is not the record's.",
  },
  { id: 'late-write-answer', what: 'The answer to a write is taken although its link is gone.' },
  { id: 'end-not-mapped', what: 'The last block of the volume is never dirty.' },
  {
    id: 'watch-restarted',
    what: 'Any answer of a disk starts the time anew that its others may take.',
  },
  {
    id: 'owed-for-ever',
    what: 'One answer that the peer never gives is waited for while it gives others.',
  },
  { id: 'peer-error-ignored', what: 'A write that failed on the secondary is acknowledged.' },
  { id: 'read-error-passed', what: 'A read that failed is not asked of the peer.' },
  {
    id: 'early-alone',
    what: 'Writes do without the peer once the record comes, not once it is acted on.',
  },
  { id: 'hung-for-ever', what: 'A local disk that answers nothing is waited for without end.' },
  {
    id: 'last-copy-given-up',
    what: 'A disk that hangs is given up, though no other copy is left.',
  },
  { id: 'attach-revived', what: 'A replica given up while it attached comes back, and refuses.' },
  { id: 'led-by-hearsay', what: 'A host leads by a record that only its peer told it of.' },
  { id: 'failure-forgotten', what: 'A replica whose flush failed is sound after a restart.' },
  {
    id: 'journal-torn-guessed',
    what: 'An unreadable journal block after the newest is taken for a torn one, whatever it was.',
  },
  {
    id: 'salt-ignored',
    what: 'A metadata page written for another place, or by another replica, is taken.',
  },
  { id: 'map-page-trusted', what: 'A map page is believed although its checksum does not fit.' },
  {
    id: 'slot-single',
    what: 'A superblock update counts as durable when one of the two slots has it.',
  },
  {
    id: 'stale-trusted',
    what: 'What pages of the metadata say of writes that are missing in others is not heeded.',
  },
  {
    id: 'refused-given-up',
    what: 'A block that the medium refuses costs the replica, or its reads.',
  },
  { id: 'rescue-unread', what: 'What was written to a spare block is not read before it counts.' },
  { id: 'failing-unsaid', what: 'Nobody is told that a disk loses block after block.' },
  {
    id: 'spare-unrecorded',
    what: 'A block is taken for moved before it is written down where it stands.',
  },
  { id: 'spare-single', what: 'A block counts as moved when one copy of the table says so.' },
  { id: 'spare-reads-only', what: 'A block that was moved is written where it stood before.' },
  { id: 'table-lost-ignored', what: 'A lost table of spare blocks is taken for an empty one.' },
  {
    id: 'repair-from-dirty',
    what: 'A read that failed is served by a peer that has not been copied to yet.',
  },
  {
    id: 'repair-no-lock',
    what: 'A block is repaired without its range lock: old data may overwrite new.',
  },
  { id: 'repair-not-read-back', what: 'A repaired block counts as well without being read.' },
  { id: 'peer-read-any-epoch', what: "Anybody's read is answered, whoever is followed." },
  {
    id: 'late-read-answer',
    what: 'The answer to a read is taken although its link is gone.',
  },
  { id: 'verify-no-lock', what: 'Replicas are compared while a write is between them.' },
  {
    id: 'verify-no-fua',
    what: 'A repaired block counts though the peer only has it in its cache.',
  },
  {
    id: 'discard-any',
    what: 'An order to give a branch up counts for whatever that host has by now.',
  },
  {
    id: 'discard-by-map',
    what: 'Where a branch is given up, only what a map names is copied.',
  },
  {
    id: 'order-unconfirmed',
    what: 'A branch is overwritten though nobody looked again at what it has.',
  },
  {
    id: 'kept-flush-unawaited',
    what: 'While an order stands, flushes of the side that is kept complete at once.',
  },
  {
    id: 'branch-as-ancestor',
    what: 'Data that went through generations of their own are taken for older ones of the same.',
  },
  {
    id: 'marks-as-changes',
    what: 'What is dirty for a link lost or a copy of everything counts as changed.',
  },
  { id: 'padding-counted', what: 'What is dirty for a crash only counts as changed.' },
  { id: 'pace-deaf', what: 'A resync yields to nobody, however long requests take.' },
  { id: 'pace-starved', what: 'A resync that yields stops, however long that goes on.' },
  {
    id: 'digest-unchecked',
    what: 'A digest that the peer sent counts as equal without being held against the own disk.',
  },
  {
    id: 'recheck-any-link',
    what: 'What a peer said before it was lost clears a block that is copied to it since.',
  },
  {
    id: 'rewrite-unread',
    what: 'What a read that failed left is written over the other replica.',
  },
  {
    id: 'verify-skips',
    what: 'A verification that goes on elsewhere begins behind what was in hand.',
  },
  { id: 'verify-greedy', what: 'A verification leaves clients no room between two chunks.' },
  {
    id: 'quick-once',
    what: 'What metadata say in the midst of a change counts as a disagreement.',
  },
  { id: 'quiesce-undrained', what: 'A quiesce point is reported while requests are in flight.' },
  { id: 'quiesce-unflushed', what: 'A quiesce point is reported before anything is flushed.' },
  {
    id: 'quiesce-past-grant',
    what: 'A quiesce point stands on when this host may act as primary no more.',
  },
  { id: 'quiesce-moved', what: 'A quiesce point names replicas that have blocks elsewhere.' },
  { id: 'meters-blind', what: 'What the mirror adds to a write is not measured.' },
  { id: 'read-no-wait', what: 'A read does not wait for the write in flight that it overlaps.' },
  { id: 'alone-unmarked', what: 'What is written without the peer is not noted as different.' },
  { id: 'peer-map-ignored', what: 'A copy leaves out what only its target knows to differ.' },
  { id: 'equal-clears', what: 'Equal generations clear what was noted as different.' },
  { id: 'flush-unasked', what: 'A secondary answers a flush that it never gave to its disk.' },
  { id: 'failed-read-ok', what: 'A read that no disk could do is answered as if one had.' },
  { id: 'copy-is-stable', what: 'A copy counts as stable before a barrier has said so.' },
  {
    id: 'joining-not-needed',
    what: 'Writes do without a finished target that is about to become a member.',
  },
  { id: 'journal-error-ignored', what: 'A journal block that could not be written counts as one.' },
  { id: 'copy-slot-lost', what: 'The slot of a copy whose link is lost never comes back.' },
  { id: 'relation-kept', what: 'What a link was agreed on for outlives the record it rested on.' },
  { id: 'map-of-another', what: 'A map is copied by to a peer older than what it began with.' },
  { id: 'slot-let-go', what: 'What a failed disk still has in hand is given back at once.' },
  {
    id: 'sums-unopened',
    what: 'Data is written before the page of its checksums is durably open.',
  },
  {
    id: 'sums-unflushed',
    what: 'Checksums are durable before the data that they are of.',
  },
  {
    id: 'sum-of-another',
    what: 'A write leaves the checksum of another of its blocks.',
  },
  {
    id: 'sum-mismatch-ignored',
    what: 'What contradicts its checksum is served.',
  },
  {
    id: 'sum-unknown-accused',
    what: 'A block without a checksum counts as one that contradicts it.',
  },
  {
    id: 'sum-unknown-vouches',
    what: 'A block without a checksum counts as one that agrees with it.',
  },
  {
    id: 'sum-open-trusted',
    what: 'What a page of checksums said when a crash found it open is believed.',
  },
  {
    id: 'sum-blessed',
    what: 'A block that a crash may have torn gets the checksum of what is read there.',
  },
  {
    id: 'sum-healed-wrong',
    what: "The primary's copy is written over the other, though that one is right.",
  },
  {
    id: 'undo-unwaited',
    what: 'A block is overwritten before the undo log has what it held durably.',
  },
  { id: 'undo-taken-late', what: 'What a block held is read when it is overwritten already.' },
  {
    id: 'undo-copies-only',
    what: 'What clients write during a resync overwrites without an entry in the undo log.',
  },
  {
    id: 'undo-dropped-early',
    what: "The undo log is given up before the copy's generation is durable.",
  },
  {
    id: 'return-claimed',
    what: 'A replica counts as an image again before all of it has been put back.',
  },
  { id: 'return-unmarked', what: 'What is put back is not noted as different.' },
  { id: 'return-unread', what: 'A return begins before all of the undo log is read.' },
  {
    id: 'return-overtaken',
    what: 'A copy that was about to begin goes on beside the return of its target.',
  },
];

/** The switches, as plain booleans so that a guard costs one load. */
export interface CanarySwitches {
  readonly rule01: boolean;
  readonly rule02: boolean;
  readonly rule03: boolean;
  readonly rule04: boolean;
  readonly rule05: boolean;
  readonly rule06: boolean;
  readonly rule07: boolean;
  readonly rule08: boolean;
  readonly rule09: boolean;
  readonly rule10: boolean;
  readonly rule11: boolean;
  readonly rule12: boolean;
  readonly rule13: boolean;
  readonly rule14: boolean;
  readonly rule15: boolean;
  readonly rule17: boolean;
  readonly rule18: boolean;
  readonly rule19: boolean;
  readonly rule20: boolean;
  readonly flushFirstOnly: boolean;
  readonly survivorsEqual: boolean;
  readonly removedFreesAll: boolean;
  readonly ackEarly: boolean;
  readonly clearAtSend: boolean;
  readonly balanceInCopy: boolean;
  readonly longWriteCut: boolean;
  readonly clearPartly: boolean;
  readonly zeroUnsaid: boolean;
  readonly staleEpoch: boolean;
  readonly overlapOrder: boolean;
  readonly resyncRace: boolean;
  readonly flushUnawaited: boolean;
  readonly fuaDropped: boolean;
  readonly barrierOvertaken: boolean;
  readonly hotForgotten: boolean;
  readonly fewerChangesLose: boolean;
  readonly generationUnsynced: boolean;
  readonly oldGenerationTrusted: boolean;
  readonly lateWriteAnswer: boolean;
  readonly endNotMapped: boolean;
  readonly watchRestarted: boolean;
  readonly owedForEver: boolean;
  readonly peerErrorIgnored: boolean;
  readonly readErrorPassed: boolean;
  readonly earlyAlone: boolean;
  readonly failureForgotten: boolean;
  readonly ledByHearsay: boolean;
  readonly hungForEver: boolean;
  readonly lastCopyGivenUp: boolean;
  readonly attachRevived: boolean;
  readonly readNoWait: boolean;
  readonly aloneUnmarked: boolean;
  readonly peerMapIgnored: boolean;
  readonly equalClears: boolean;
  readonly flushUnasked: boolean;
  readonly failedReadOk: boolean;
  readonly copyIsStable: boolean;
  readonly joiningNotNeeded: boolean;
  readonly journalErrorIgnored: boolean;
  readonly copySlotLost: boolean;
  readonly relationKept: boolean;
  readonly mapOfAnother: boolean;
  readonly slotLetGo: boolean;
  readonly tornGuessed: boolean;
  readonly saltIgnored: boolean;
  readonly mapPageTrusted: boolean;
  readonly slotSingle: boolean;
  readonly staleTrusted: boolean;
  readonly refusedGivenUp: boolean;
  readonly rescueUnread: boolean;
  readonly failingUnsaid: boolean;
  readonly spareUnrecorded: boolean;
  readonly spareSingle: boolean;
  readonly spareReadsOnly: boolean;
  readonly tableLostIgnored: boolean;
  readonly repairFromDirty: boolean;
  readonly repairNoLock: boolean;
  readonly repairNotReadBack: boolean;
  readonly peerReadAnyEpoch: boolean;
  readonly lateReadAnswer: boolean;
  readonly verifyNoLock: boolean;
  readonly verifyNoFua: boolean;
  readonly paddingCounted: boolean;
  readonly discardAny: boolean;
  readonly discardByMap: boolean;
  readonly orderUnconfirmed: boolean;
  readonly branchAsAncestor: boolean;
  readonly marksAsChanges: boolean;
  readonly keptUnawaited: boolean;
  readonly paceDeaf: boolean;
  readonly paceStarved: boolean;
  readonly digestUnchecked: boolean;
  readonly recheckAnyLink: boolean;
  readonly rewriteUnread: boolean;
  readonly verifySkips: boolean;
  readonly verifyGreedy: boolean;
  readonly quickOnce: boolean;
  readonly quiesceMoved: boolean;
  readonly metersBlind: boolean;
  readonly quiesceUndrained: boolean;
  readonly quiesceUnflushed: boolean;
  readonly quiescePastGrant: boolean;
  readonly sumsUnopened: boolean;
  readonly sumsUnflushed: boolean;
  readonly sumOfAnother: boolean;
  readonly sumMismatchIgnored: boolean;
  readonly sumUnknownAccused: boolean;
  readonly sumUnknownVouches: boolean;
  readonly sumOpenTrusted: boolean;
  readonly sumBlessed: boolean;
  readonly sumHealedWrong: boolean;
  readonly undoUnwaited: boolean;
  readonly undoTakenLate: boolean;
  readonly undoCopiesOnly: boolean;
  readonly undoDroppedEarly: boolean;
  readonly returnClaimed: boolean;
  readonly returnUnmarked: boolean;
  readonly returnUnread: boolean;
  readonly returnOvertaken: boolean;
}

/** Turns ids into switches; ids of other parts (control's) are ignored. */
export function canarySwitches(ids: ReadonlySet<string>): CanarySwitches {
  return {
    rule01: ids.has('RULE-01'),
    rule02: ids.has('RULE-02'),
    rule03: ids.has('RULE-03'),
    rule04: ids.has('RULE-04'),
    rule05: ids.has('RULE-05'),
    rule06: ids.has('RULE-06'),
    rule07: ids.has('RULE-07'),
    rule08: ids.has('RULE-08'),
    rule09: ids.has('RULE-09'),
    rule10: ids.has('RULE-10'),
    rule11: ids.has('RULE-11'),
    rule12: ids.has('RULE-12'),
    rule13: ids.has('RULE-13'),
    rule14: ids.has('RULE-14'),
    rule15: ids.has('RULE-15'),
    rule17: ids.has('RULE-17'),
    rule18: ids.has('RULE-18'),
    rule19: ids.has('RULE-19'),
    rule20: ids.has('RULE-20'),
    flushFirstOnly: ids.has('flush-first-only'),
    survivorsEqual: ids.has('survivors-equal'),
    removedFreesAll: ids.has('removed-frees-all'),
    ackEarly: ids.has('ack-early'),
    clearAtSend: ids.has('clear-at-send'),
    balanceInCopy: ids.has('balance-in-copy'),
    longWriteCut: ids.has('long-write-cut'),
    clearPartly: ids.has('clear-partly'),
    zeroUnsaid: ids.has('zero-unsaid'),
    staleEpoch: ids.has('stale-epoch'),
    overlapOrder: ids.has('overlap-order'),
    resyncRace: ids.has('resync-race'),
    flushUnawaited: ids.has('flush-unawaited'),
    fuaDropped: ids.has('fua-dropped'),
    barrierOvertaken: ids.has('barrier-overtaken'),
    hotForgotten: ids.has('hot-forgotten'),
    fewerChangesLose: ids.has('fewer-changes-lose'),
    generationUnsynced: ids.has('generation-unsynced'),
    oldGenerationTrusted: ids.has('old-generation-trusted'),
    lateWriteAnswer: ids.has('late-write-answer'),
    endNotMapped: ids.has('end-not-mapped'),
    watchRestarted: ids.has('watch-restarted'),
    owedForEver: ids.has('owed-for-ever'),
    peerErrorIgnored: ids.has('peer-error-ignored'),
    readErrorPassed: ids.has('read-error-passed'),
    earlyAlone: ids.has('early-alone'),
    hungForEver: ids.has('hung-for-ever'),
    attachRevived: ids.has('attach-revived'),
    lastCopyGivenUp: ids.has('last-copy-given-up'),
    ledByHearsay: ids.has('led-by-hearsay'),
    failureForgotten: ids.has('failure-forgotten'),
    readNoWait: ids.has('read-no-wait'),
    aloneUnmarked: ids.has('alone-unmarked'),
    peerMapIgnored: ids.has('peer-map-ignored'),
    equalClears: ids.has('equal-clears'),
    flushUnasked: ids.has('flush-unasked'),
    failedReadOk: ids.has('failed-read-ok'),
    copyIsStable: ids.has('copy-is-stable'),
    joiningNotNeeded: ids.has('joining-not-needed'),
    journalErrorIgnored: ids.has('journal-error-ignored'),
    copySlotLost: ids.has('copy-slot-lost'),
    relationKept: ids.has('relation-kept'),
    mapOfAnother: ids.has('map-of-another'),
    slotLetGo: ids.has('slot-let-go'),
    tornGuessed: ids.has('journal-torn-guessed'),
    saltIgnored: ids.has('salt-ignored'),
    mapPageTrusted: ids.has('map-page-trusted'),
    slotSingle: ids.has('slot-single'),
    staleTrusted: ids.has('stale-trusted'),
    refusedGivenUp: ids.has('refused-given-up'),
    rescueUnread: ids.has('rescue-unread'),
    failingUnsaid: ids.has('failing-unsaid'),
    spareUnrecorded: ids.has('spare-unrecorded'),
    spareSingle: ids.has('spare-single'),
    spareReadsOnly: ids.has('spare-reads-only'),
    tableLostIgnored: ids.has('table-lost-ignored'),
    repairFromDirty: ids.has('repair-from-dirty'),
    repairNoLock: ids.has('repair-no-lock'),
    repairNotReadBack: ids.has('repair-not-read-back'),
    peerReadAnyEpoch: ids.has('peer-read-any-epoch'),
    lateReadAnswer: ids.has('late-read-answer'),
    verifyNoLock: ids.has('verify-no-lock'),
    verifyNoFua: ids.has('verify-no-fua'),
    paddingCounted: ids.has('padding-counted'),
    discardAny: ids.has('discard-any'),
    discardByMap: ids.has('discard-by-map'),
    orderUnconfirmed: ids.has('order-unconfirmed'),
    branchAsAncestor: ids.has('branch-as-ancestor'),
    marksAsChanges: ids.has('marks-as-changes'),
    keptUnawaited: ids.has('kept-flush-unawaited'),
    paceDeaf: ids.has('pace-deaf'),
    paceStarved: ids.has('pace-starved'),
    digestUnchecked: ids.has('digest-unchecked'),
    recheckAnyLink: ids.has('recheck-any-link'),
    rewriteUnread: ids.has('rewrite-unread'),
    verifySkips: ids.has('verify-skips'),
    verifyGreedy: ids.has('verify-greedy'),
    quickOnce: ids.has('quick-once'),
    quiesceMoved: ids.has('quiesce-moved'),
    metersBlind: ids.has('meters-blind'),
    quiesceUndrained: ids.has('quiesce-undrained'),
    quiesceUnflushed: ids.has('quiesce-unflushed'),
    quiescePastGrant: ids.has('quiesce-past-grant'),
    sumsUnopened: ids.has('sums-unopened'),
    sumsUnflushed: ids.has('sums-unflushed'),
    sumOfAnother: ids.has('sum-of-another'),
    sumMismatchIgnored: ids.has('sum-mismatch-ignored'),
    sumUnknownAccused: ids.has('sum-unknown-accused'),
    sumUnknownVouches: ids.has('sum-unknown-vouches'),
    sumOpenTrusted: ids.has('sum-open-trusted'),
    sumBlessed: ids.has('sum-blessed'),
    sumHealedWrong: ids.has('sum-healed-wrong'),
    undoUnwaited: ids.has('undo-unwaited'),
    undoTakenLate: ids.has('undo-taken-late'),
    undoCopiesOnly: ids.has('undo-copies-only'),
    undoDroppedEarly: ids.has('undo-dropped-early'),
    returnClaimed: ids.has('return-claimed'),
    returnUnmarked: ids.has('return-unmarked'),
    returnUnread: ids.has('return-unread'),
    returnOvertaken: ids.has('return-overtaken'),
  };
}
