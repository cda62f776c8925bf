/** The scenarios that put the mechanisms of old bugs to the engine, by number: docs/history.md. */
import { badSectorsAsADiskFills } from './library/bad-sectors-as-a-disk-fills.ts';
import { blockWrittenAgainWhileCopied } from './library/block-written-again-while-copied.ts';
import { bothRestartWithDifferentTails } from './library/both-restart-with-different-tails.ts';
import { branchGivenUpInFull } from './library/branch-given-up-in-full.ts';
import { copiesCutShortAgainAndAgain } from './library/copies-cut-short-again-and-again.ts';
import { diskFromBeforeAnOutage } from './library/disk-from-before-an-outage.ts';
import { flushBehindOverlappingWrites } from './library/flush-behind-overlapping-writes.ts';
import { journalWriteFails } from './library/journal-write-fails.ts';
import { lateAnswerOfADiskGivenUp } from './library/late-answer-of-a-disk-given-up.ts';
import { linkLostTwiceWithinMilliseconds } from './library/link-lost-twice-within-milliseconds.ts';
import { newerWriteAsACopyCounts } from './library/newer-write-as-a-copy-counts.ts';
import { nextOutageAsACopyEnds } from './library/next-outage-as-a-copy-ends.ts';
import { oldWriteUnderWayAsACopyEnds } from './library/old-write-under-way-as-a-copy-ends.ts';
import { oneEndGivesTheLinkUpFirst } from './library/one-end-gives-the-link-up-first.ts';
import { partOfAReadFails } from './library/part-of-a-read-fails.ts';
import { partsOfBlocksAreTrimmed } from './library/parts-of-blocks-are-trimmed.ts';
import { primaryDiesAsACopyEnds } from './library/primary-dies-as-a-copy-ends.ts';
import { primaryDiesAsStaleOneJoins } from './library/primary-dies-as-stale-one-joins.ts';
import { primaryForgetsAnAbsentPeer } from './library/primary-forgets-an-absent-peer.ts';
import { recordComesWhileADiskAttaches } from './library/record-comes-while-a-disk-attaches.ts';
import { restartInTheMiddleOfAHandshake } from './library/restart-in-the-middle-of-a-handshake.ts';
import { secondaryBackBeforeTheLog } from './library/secondary-back-before-the-log.ts';
import { secondaryDarkAfterItsWord } from './library/secondary-dark-after-its-word.ts';
import { secondaryDetachedAndAttached } from './library/secondary-detached-and-attached.ts';
import { targetStandsStillInACopy } from './library/target-stands-still-in-a-copy.ts';
import { writeAsThePeerConnects } from './library/write-as-the-peer-connects.ts';
import type { ScenarioText } from './scenario.ts';

export const HISTORY: readonly ScenarioText[] = [
  secondaryBackBeforeTheLog,
  bothRestartWithDifferentTails,
  primaryForgetsAnAbsentPeer,
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
  primaryDiesAsStaleOneJoins,
  restartInTheMiddleOfAHandshake,
  linkLostTwiceWithinMilliseconds,
  journalWriteFails,
  oneEndGivesTheLinkUpFirst,
  recordComesWhileADiskAttaches,
  primaryDiesAsACopyEnds,
  nextOutageAsACopyEnds,
  lateAnswerOfADiskGivenUp,
  partsOfBlocksAreTrimmed,
  copiesCutShortAgainAndAgain,
  writeAsThePeerConnects,
];
