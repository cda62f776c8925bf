/** The scenarios that put the mechanisms of old bugs to the engine, by number: docs/history.md. */
import { badSectorsAsADiskFills } from './library/bad-sectors-as-a-disk-fills.ts';
import { blockWrittenAgainWhileCopied } from './library/block-written-again-while-copied.ts';
import { bothRestartWithDifferentTails } from './library/both-restart-with-different-tails.ts';
import { branchGivenUpInFull } from './library/branch-given-up-in-full.ts';
import { copiedOnwardWhileOneIsAway } from './library/copied-onward-while-one-is-away.ts';
import { copiesCutShortAgainAndAgain } from './library/copies-cut-short-again-and-again.ts';
import { diskFromBeforeAnOutage } from './library/disk-from-before-an-outage.ts';
import { flushBehindOverlappingWrites } from './library/flush-behind-overlapping-writes.ts';
import { followersJournalUnderWay } from './library/followers-journal-under-way.ts';
import { journalWriteFails } from './library/journal-write-fails.ts';
import { lateAnswerOfADiskGivenUp } from './library/late-answer-of-a-disk-given-up.ts';
import { linkLostTwiceWithinMilliseconds } from './library/link-lost-twice-within-milliseconds.ts';
import { lossAcceptedAsTheOtherReturns } from './library/loss-accepted-as-the-other-returns.ts';
import { newerWriteAsACopyCounts } from './library/newer-write-as-a-copy-counts.ts';
import { nextOutageAsACopyEnds } from './library/next-outage-as-a-copy-ends.ts';
import { oldWriteUnderWayAsACopyEnds } from './library/old-write-under-way-as-a-copy-ends.ts';
import { oneEndGivesTheLinkUpFirst } from './library/one-end-gives-the-link-up-first.ts';
import { partOfAReadFails } from './library/part-of-a-read-fails.ts';
import { partsOfBlocksAreTrimmed } from './library/parts-of-blocks-are-trimmed.ts';
import { primaryDiesAsStaleOneJoins } from './library/primary-dies-as-stale-one-joins.ts';
import { primaryForgetsAnAbsentPeer } from './library/primary-forgets-an-absent-peer.ts';
import { quiescedUnderLoad } from './library/quiesced-under-load.ts';
import { readsWithoutADiskDuringACopy } from './library/reads-without-a-disk-during-a-copy.ts';
import { recordComesWhileADiskAttaches } from './library/record-comes-while-a-disk-attaches.ts';
import { restartInTheMiddleOfAHandshake } from './library/restart-in-the-middle-of-a-handshake.ts';
import { secondaryBackBeforeTheLog } from './library/secondary-back-before-the-log.ts';
import { secondaryDarkAfterItsWord } from './library/secondary-dark-after-its-word.ts';
import { secondaryDetachedAndAttached } from './library/secondary-detached-and-attached.ts';
import { survivorsDifferAsOneTakesOver } from './library/survivors-differ-as-one-takes-over.ts';
import { targetStandsStillInACopy } from './library/target-stands-still-in-a-copy.ts';
import { twoLeaveOneAfterTheOther } from './library/two-leave-one-after-the-other.ts';
import { writeAsThePeerConnects } from './library/write-as-the-peer-connects.ts';
import type { ScenarioText } from './scenario.ts';

export const HISTORY: readonly ScenarioText[] = [
  secondaryBackBeforeTheLog,
  bothRestartWithDifferentTails,
  twoLeaveOneAfterTheOther,
  primaryForgetsAnAbsentPeer,
  copiedOnwardWhileOneIsAway,
  blockWrittenAgainWhileCopied,
  oldWriteUnderWayAsACopyEnds,
  diskFromBeforeAnOutage,
  branchGivenUpInFull,
  targetStandsStillInACopy,
  flushBehindOverlappingWrites,
  secondaryDarkAfterItsWord,
  partOfAReadFails,
  newerWriteAsACopyCounts,
  secondaryDetachedAndAttached,
  badSectorsAsADiskFills,
  readsWithoutADiskDuringACopy,
  primaryDiesAsStaleOneJoins,
  lossAcceptedAsTheOtherReturns,
  restartInTheMiddleOfAHandshake,
  linkLostTwiceWithinMilliseconds,
  journalWriteFails,
  oneEndGivesTheLinkUpFirst,
  followersJournalUnderWay,
  quiescedUnderLoad,
  recordComesWhileADiskAttaches,
  survivorsDifferAsOneTakesOver,
  nextOutageAsACopyEnds,
  lateAnswerOfADiskGivenUp,
  partsOfBlocksAreTrimmed,
  copiesCutShortAgainAndAgain,
  writeAsThePeerConnects,
];

/** Bugs that cannot be put to the engine: what they need it does not have, in the page's words. */
export const WAITS_FOR: { readonly [number: number]: string } = {
  9: 'several paths for replication',
  21: 'an order among the copies of several volumes',
};
