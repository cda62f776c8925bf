/**
 * Planted bugs: each switches one guard of the data actor off. A campaign that does not find one
 * has a blind oracle or a soft world. Nothing here is on unless a campaign asks.
 */

/** Every planted bug of this engine: a stable id, and what goes wrong, in one sentence. */
export const MIRROR_CANARIES = [
  {
    id: 'epoch-unsynced',
    what: 'A replica acts and acknowledges in an epoch that it never made durable.',
  },
  { id: 'RULE-02', what: 'A lost peer is left out at once, without a committed record.' },
  {
    id: 'RULE-03',
    what: 'Equal generations are taken for equal data, whatever the dirty maps say.',
  },
  { id: 'RULE-04', what: 'Data is written before its extent is durably hot.' },
  { id: 'RULE-05', what: 'A flush completes when it is stable on the local replica alone.' },
  {
    id: 'reboot-unnoticed',
    what: 'A rebooted replica is taken for one that never lost its cache.',
  },
  { id: 'RULE-07', what: 'An extent goes cold before its writes are stable on both replicas.' },
  { id: 'RULE-08', what: 'Writes not known stable on a lost peer are not made dirty.' },
  {
    id: 'survivor-yields',
    what: 'Of two replicas, the one that lost power is taken for the source, not the survivor.',
  },
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
  { id: 'RULE-17', what: 'Among several, a follower does not note who lacks what it writes.' },
  {
    id: 'RULE-18',
    what: 'Among several, writes are acknowledged before all know who was left out.',
  },
  {
    id: 'RULE-19',
    what: 'Among several, one that stays does not flush before another is left out.',
  },
  { id: 'RULE-20', what: 'Among several, a copy to one clears what is noted of all.' },
  { id: 'flush-first-only', what: 'Among several, a flush waits for the first peer alone.' },
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
  {
    id: 'late-path-ignored',
    what: 'A path that hung first and was then lost counts as a disk that failed.',
  },
  {
    id: 'path-undoubted',
    what: 'A replica whose path was lost is trusted as before when the path is back.',
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
  { id: 'naming-forgets', what: 'A lap of the journal leaves an extent out that is hot.' },
  { id: 'naming-crowded', what: 'An extent counts as named by a page that has no room for it.' },
  { id: 'window-short', what: 'A journal page says that fewer pages before it are needed.' },
  { id: 'window-unsaid', what: 'No superblock says that a journal page may need those before it.' },
  { id: 'gap-passed', what: 'A page that the newest of the journal needs is done without.' },
  { id: 'long-unmapped', what: 'A long hot set is given up before the map has it durably.' },
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
  { id: 'late-read-answer', what: 'The answer to a read is taken although its link is gone.' },
  { id: 'verify-no-lock', what: 'Replicas are compared while a write is between them.' },
  {
    id: 'verify-no-fua',
    what: 'A repaired block counts though the peer only has it in its cache.',
  },
  {
    id: 'discard-any',
    what: 'An order to give a branch up counts for whatever that host has by now.',
  },
  { id: 'discard-by-map', what: 'Where a branch is given up, only what a map names is copied.' },
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
  { id: 'agreed-before', what: 'A copy that was agreed on begins though a record has come since.' },
  {
    id: 'head-over-image',
    what: 'An undo log begins where another one stands that is not durably given up.',
  },
  {
    id: 'equal-overtold',
    what: 'Followers hear of more than an asynchronous replica had when it was filled.',
  },
  {
    id: 'tail-unseen',
    what: 'What was written beyond an image that took over by accepted loss is an ancestor of it.',
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
  { id: 'rewrite-unread', what: 'What a read that failed left is written over the other replica.' },
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
  {
    id: 'refused-unmarked',
    what: 'What the last copy refuses is not noted as different from a target that took it.',
  },
  {
    id: 'rescue-outlives-disk',
    what: 'The rescue of a write waits for its record when the disk has been given up.',
  },
  {
    id: 'read-waits-on',
    what: 'A read that failed goes on waiting for its checksums, with the slot of the next one.',
  },
  {
    id: 'copy-gives-up',
    what: 'A copy does without a block that its source cannot give and another member has.',
  },
  { id: 'meters-blind', what: 'What the mirror adds to a write is not measured.' },
  { id: 'read-no-wait', what: 'A read does not wait for the write in flight that it overlaps.' },
  { id: 'alone-unmarked', what: 'What is written without the peer is not noted as different.' },
  { id: 'peer-map-ignored', what: 'A copy leaves out what only its target knows to differ.' },
  { id: 'equal-clears', what: 'Equal generations clear what was noted as different.' },
  { id: 'flush-unasked', what: 'A secondary answers a flush that it never gave to its disk.' },
  { id: 'failed-read-ok', what: 'A read that no disk could do is answered as if one had.' },
  { id: 'skip-is-stable', what: 'What is equal on both counts as stable without a barrier.' },
  { id: 'skip-clears-early', what: 'What a far replica has equal is clean before both flush.' },
  { id: 'skip-no-lock', what: 'A write overtakes the comparison that spares a copy.' },
  { id: 'skip-in-doubt', what: 'A target says digests of what its disk may not hold.' },
  { id: 'skip-source-in-doubt', what: 'A source compares what its disk may not hold.' },
  {
    id: 'doubt-unheard',
    what: 'A target says digests whatever its control remembers of its disk.',
  },
  {
    id: 'skip-settles-late',
    what: 'A piece that was found equal counts as copied after its link is lost.',
  },
  {
    id: 'skip-sends-mismatch',
    what: 'A block of the source that contradicts its checksum is sent as one that differs.',
  },
  {
    id: 'skip-unnoted',
    what: 'What a copy finds equal is not noted as different from who is left out.',
  },
  { id: 'skip-asks-again', what: 'A target that did not answer for a piece is asked each time.' },
  { id: 'skip-misses', what: 'A digest that differs counts as an equal one.' },
  { id: 'copy-is-stable', what: 'A copy counts as stable before a barrier has said so.' },
  {
    id: 'joining-not-needed',
    what: 'Writes do without a finished target that is about to become a member.',
  },
  { id: 'journal-error-ignored', what: 'A journal block that could not be written counts as one.' },
  { id: 'copy-slot-lost', what: 'The slot of a copy whose link is lost never comes back.' },
  {
    id: 'disks-untold',
    what: 'A primary does not say which disks its partners have.',
  },
  {
    id: 'disk-unchecked',
    what: 'A map that fits by generation is taken for one of that disk.',
  },
  {
    id: 'apart-unsaid',
    what: 'A map that is cleared by a copy of everything still fits a disk of before.',
  },
  {
    id: 'cleared-first',
    what: 'A map is cleared on disk before what it begins with now is.',
  },
  {
    id: 'ready-by-old-record',
    what: 'A copy begins, at both ends, that was agreed on under a record before the present one.',
  },
  { id: 'relation-kept', what: 'What a link was agreed on for outlives the record it rested on.' },
  { id: 'map-of-another', what: 'A map is copied by to a peer older than what it began with.' },
  {
    id: 'receipt-unflushed',
    what: 'A flush does not wait for what a member has received and not written.',
  },
  {
    id: 'receipt-trusted',
    what: 'A member whose core died is believed to have written all that it received.',
  },
  {
    id: 'receipt-settled-early',
    what: 'A link that is lost while a replica attaches takes the note of an earlier core back.',
  },
  {
    id: 'receipt-unnoted',
    what: 'Writes are acknowledged unwritten before a note on the disk says so.',
  },
  {
    id: 'receipt-overtaken',
    what: 'A member takes over before it has written all that it received.',
  },
  {
    id: 'receipt-for-fua',
    what: 'A write that must be durable is acknowledged when it is received.',
  },
  {
    id: 'unproved-trusted',
    what: 'What a disk that has failed shows is copied, and counts as held by both.',
  },
  { id: 'slot-let-go', what: 'What a failed disk still has in hand is given back at once.' },
  {
    id: 'sums-unopened',
    what: 'Data is written before the page of its checksums is durably open.',
  },
  { id: 'sums-unflushed', what: 'Checksums are durable before the data that they are of.' },
  { id: 'sum-of-another', what: 'A write leaves the checksum of another of its blocks.' },
  { id: 'sum-mismatch-ignored', what: 'What contradicts its checksum is served.' },
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
  {
    id: 'point-crossed',
    what: 'A write that comes while an asynchronous replica becomes an image is taken at once.',
  },
  { id: 'proxy-unflushed', what: 'A failed replica is left out before others have all of it.' },
  { id: 'proxy-untold', what: 'A write completes before the only copy knows that it is that.' },
  {
    id: 'proxy-reads-copy',
    what: 'A primary whose disk failed reads from a replica that is half copied to.',
  },
  { id: 'half-copy-taken', what: 'A replica that is half copied to leads by accepted loss.' },
  { id: 'point-unstable', what: 'An asynchronous replica is called an image before it is stable.' },
  {
    id: 'point-unflushed',
    what: 'What an asynchronous replica has for good is clean, before the primary has it so.',
  },
  { id: 'point-overtakes', what: 'A point clears what is on its way to the own disk still.' },
  {
    id: 'overflow-drops-oldest',
    what: 'At the limit of a lag the oldest writes on their way to the replica are forgotten.',
  },
  { id: 'later-forgotten', what: 'A point clears blocks that have been written again since.' },
  { id: 'open-unwaited', what: 'An image is overwritten before its undo log is durably named.' },
  { id: 'undo-taken-late', what: 'What a block held is read when it is overwritten already.' },
  {
    id: 'undo-copies-only',
    what: 'What clients write during a resync overwrites without an entry in the undo log.',
  },
  {
    id: 'undo-dropped-early',
    what: "The undo log is given up before the copy's generation is durable.",
  },
  { id: 'area-moves', what: 'An undo log is laid out anew when its area has become larger.' },
  { id: 'branch-forgotten', what: 'A branch that was given up is not kept when its copy is done.' },
  {
    id: 'branch-partly',
    what: 'A branch counts as kept without the blocks that its copy did not overwrite.',
  },
  { id: 'branch-overwritten', what: 'The next undo log takes the place of a kept branch.' },
  {
    id: 'branch-freed-early',
    what: 'A side area is free before it is durable that its branch is dropped.',
  },
  {
    id: 'waiter-forgotten',
    what: 'A new primary does not go on with who was told to wait until it leads.',
  },
  { id: 'branch-hold-unsaid', what: 'Nobody is told of a copy that waits for a kept branch.' },
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
  {
    id: 'proxy-acks-alone',
    what: 'A primary whose disk failed acknowledges what no other member has yet.',
  },
  {
    id: 'proxy-cools',
    what: 'Who goes on for a primary whose disk failed does not note that all may differ there.',
  },
  {
    id: 'proxy-repairs-from-own',
    what: 'A comparison goes on with the disk of a primary that has failed.',
  },
  {
    id: 'proxy-receipt',
    what: 'A primary without a replica acknowledges what the other member has only received.',
  },
  {
    id: 'proxy-late-repair',
    what: 'A repair that was under way as the disk failed goes on when others serve.',
  },
  {
    id: 'other-disk-admitted',
    what: 'A record admits whatever disk is at the other end of the link.',
  },
  { id: 'layout-ignored', what: 'Hosts that do not agree on who holds a replica link.' },
  { id: 'relayout-clean', what: 'Metadata laid out anew forget what was dirty.' },
  {
    id: 'relayout-unmarked',
    what: 'Metadata that are being laid out anew still pass for those of before.',
  },
] as const;
