/** The named scenarios, in the order in which they are worth reading. */
import { invariant } from '../engine/core/invariant.ts';
import { SCHEDULES } from './cluster-schedules.ts';
import { HISTORY } from './history.ts';
import { asyncLagHoldsWrites } from './library/async-lag-holds-writes.ts';
import { asyncReplicaDarkAgainAndAgain } from './library/async-replica-dark-again-and-again.ts';
import { asyncThirdFollowsNewPrimary } from './library/async-third-follows-new-primary.ts';
import { asyncWireCutForLong } from './library/async-wire-cut-for-long.ts';
import { badSectorsOnTheSource } from './library/bad-sectors-on-the-source.ts';
import { badSectorsUnderLoad } from './library/bad-sectors-under-load.ts';
import { bothCopiesBad } from './library/both-copies-bad.ts';
import { bothHostsLosePower } from './library/both-hosts-lose-power.ts';
import { clockRatesApart } from './library/clock-rates-apart.ts';
import { cloggedThenDead } from './library/clogged-then-dead.ts';
import { copiesCompareInDoubt } from './library/copies-compare-in-doubt.ts';
import { coreKilledUnderLoad } from './library/core-killed-under-load.ts';
import { coreKilledWhileStopping } from './library/core-killed-while-stopping.ts';
import { deafPrimary } from './library/deaf-primary.ts';
import { diskFailsAndServiceStays } from './library/disk-fails-and-service-stays.ts';
import { diskFailsUnderLoad } from './library/disk-fails-under-load.ts';
import { diskReplacedUnderLoad } from './library/disk-replaced-under-load.ts';
import { diskReturnsWithOldContent } from './library/disk-returns-with-old-content.ts';
import { diskStallsWithoutFailing } from './library/disk-stalls-without-failing.ts';
import { eachVoterInTurn } from './library/each-voter-in-turn.ts';
import { failedDiskAndSilentPeer } from './library/failed-disk-and-silent-peer.ts';
import { failedDiskShowsOldContent } from './library/failed-disk-shows-old-content.ts';
import { farDatabaseDarkAgainAndAgain } from './library/far-database-dark-again-and-again.ts';
import { freezeLongerThanLease } from './library/freeze-longer-than-lease.ts';
import { holdersChangeWhileOneIsAway } from './library/holders-change-while-one-is-away.ts';
import { hostDiesWithoutItsDisk } from './library/host-dies-without-its-disk.ts';
import { lastCopyInDoubt } from './library/last-copy-in-doubt.ts';
import { leaderChangeDuringRemoval } from './library/leader-change-during-removal.ts';
import { linkFlapsAsAReceiverAttaches } from './library/link-flaps-as-a-receiver-attaches.ts';
import { logDiskFailsAlone } from './library/log-disk-fails-alone.ts';
import { lyingFlushOnOneHost } from './library/lying-flush-on-one-host.ts';
import { metadataRot } from './library/metadata-rot.ts';
import { mostVotersWiped } from './library/most-voters-wiped.ts';
import { oldDiskLeads } from './library/old-disk-leads.ts';
import { oneAnswerNeverComes } from './library/one-answer-never-comes.ts';
import { oneWayCut } from './library/one-way-cut.ts';
import { onlyCopyLost } from './library/only-copy-lost.ts';
import { outdatedPromotedByAcceptedLoss } from './library/outdated-promoted-by-accepted-loss.ts';
import { ownerDiesAsItChanges } from './library/owner-dies-as-it-changes.ts';
import { pathLostAndBack } from './library/path-lost-and-back.ts';
import { pauseLongerThanLease } from './library/pause-longer-than-lease.ts';
import { primaryDiesAsACopyEnds } from './library/primary-dies-as-a-copy-ends.ts';
import { primaryPowerLoss } from './library/primary-power-loss.ts';
import { promotedByAcceptedLoss } from './library/promoted-by-accepted-loss.ts';
import { rebootedPromotedByAcceptedLoss } from './library/rebooted-promoted-by-accepted-loss.ts';
import { receiverDiesWithReceipts } from './library/receiver-dies-with-receipts.ts';
import { receiverRestartsThenPrimaryDark } from './library/receiver-restarts-then-primary-dark.ts';
import { recordWhileACopyIsAgreedOn } from './library/record-while-a-copy-is-agreed-on.ts';
import { removedReplicaReturns } from './library/removed-replica-returns.ts';
import { replicaAddedUnderLoad } from './library/replica-added-under-load.ts';
import { semiSyncPrimaryPowerLoss } from './library/semi-sync-primary-power-loss.ts';
import { sourceCrashDuringResync } from './library/source-crash-during-resync.ts';
import { sourceLostForGood } from './library/source-lost-for-good.ts';
import { splitNetwork } from './library/split-network.ts';
import { switchIntoFailure } from './library/switch-into-failure.ts';
import { targetCrashDuringResync } from './library/target-crash-during-resync.ts';
import { volumeGrowsUnderLoad } from './library/volume-grows-under-load.ts';
import { witnessRestartedEmpty } from './library/witness-restarted-empty.ts';
import { writeFailsUnheard } from './library/write-fails-unheard.ts';
import { readScenario, type Scenario, type ScenarioText } from './scenario.ts';

const TEXTS: readonly ScenarioText[] = [
  splitNetwork,
  oneWayCut,
  deafPrimary,
  primaryPowerLoss,
  targetCrashDuringResync,
  sourceCrashDuringResync,
  sourceLostForGood,
  primaryDiesAsACopyEnds,
  eachVoterInTurn,
  witnessRestartedEmpty,
  mostVotersWiped,
  leaderChangeDuringRemoval,
  pauseLongerThanLease,
  freezeLongerThanLease,
  bothHostsLosePower,
  clockRatesApart,
  coreKilledUnderLoad,
  cloggedThenDead,
  switchIntoFailure,
  coreKilledWhileStopping,
  badSectorsUnderLoad,
  bothCopiesBad,
  badSectorsOnTheSource,
  lyingFlushOnOneHost,
  diskStallsWithoutFailing,
  oneAnswerNeverComes,
  diskReturnsWithOldContent,
  oldDiskLeads,
  metadataRot,
  diskFailsUnderLoad,
  failedDiskShowsOldContent,
  hostDiesWithoutItsDisk,
  onlyCopyLost,
  diskFailsAndServiceStays,
  lastCopyInDoubt,
  copiesCompareInDoubt,
  pathLostAndBack,
  failedDiskAndSilentPeer,
  writeFailsUnheard,
  promotedByAcceptedLoss,
  outdatedPromotedByAcceptedLoss,
  rebootedPromotedByAcceptedLoss,
  semiSyncPrimaryPowerLoss,
  receiverDiesWithReceipts,
  linkFlapsAsAReceiverAttaches,
  recordWhileACopyIsAgreedOn,
  receiverRestartsThenPrimaryDark,
  asyncReplicaDarkAgainAndAgain,
  asyncWireCutForLong,
  asyncThirdFollowsNewPrimary,
  asyncLagHoldsWrites,
  logDiskFailsAlone,
  farDatabaseDarkAgainAndAgain,
  replicaAddedUnderLoad,
  ownerDiesAsItChanges,
  removedReplicaReturns,
  holdersChangeWhileOneIsAway,
  diskReplacedUnderLoad,
  volumeGrowsUnderLoad,
  ...SCHEDULES,
  ...HISTORY,
];

/**
 * All of them, checked. They aim at roles, not at names, so that they fit any configuration of two
 * hosts and a witness.
 */
export const LIBRARY: readonly Scenario[] = TEXTS.map((text) => {
  const read = readScenario(text);
  invariant(read.ok, 'a scenario of the library is well-formed');
  return read.scenario;
});
