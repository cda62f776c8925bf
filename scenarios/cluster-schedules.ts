/**
 * The adversarial schedules of clusters, by their numbers in the design's list (1 to 50): which
 * scenario shows each of them, and what is missing where none does, or not all of it.
 */
import { editsOfAMinority } from './library/edits-of-a-minority.ts';
import { firstHostReturnsToTheSplit } from './library/first-host-returns-to-the-split.ts';
import { guestSuspendedWithItsClock } from './library/guest-suspended-with-its-clock.ts';
import { interfaceDownForMinutes } from './library/interface-down-for-minutes.ts';
import { isolatedHostStopsFirst } from './library/isolated-host-stops-first.ts';
import { oldLeaderBackWithOldData } from './library/old-leader-back-with-old-data.ts';
import { oldWordsComeLate } from './library/old-words-come-late.ts';
import { oneNetworkDownThenTheOther } from './library/one-network-down-then-the-other.ts';
import { pauseWithoutAWatchdog } from './library/pause-without-a-watchdog.ts';
import { powerReturnsOldestFirst } from './library/power-returns-oldest-first.ts';
import { rebootBeforeTheProof } from './library/reboot-before-the-proof.ts';
import { rebootFasterThanSuspicion } from './library/reboot-faster-than-suspicion.ts';
import { renewalsAnsweredLate } from './library/renewals-answered-late.ts';
import { secondarySendsAndIsNotHeard } from './library/secondary-sends-and-is-not-heard.ts';
import { slowDiskOfThePrimary } from './library/slow-disk-of-the-primary.ts';
import { stuckJoinerStopsNobody } from './library/stuck-joiner-stops-nobody.ts';
import { thawedHostStopsSlowly } from './library/thawed-host-stops-slowly.ts';
import { witnessFlapsThenSplit } from './library/witness-flaps-then-split.ts';
import type { ScenarioText } from './scenario.ts';

/** Scenarios that are there for a schedule of the table, and for nothing else. */
export const SCHEDULES: readonly ScenarioText[] = [
  stuckJoinerStopsNobody,
  isolatedHostStopsFirst,
  interfaceDownForMinutes,
  oneNetworkDownThenTheOther,
  firstHostReturnsToTheSplit,
  rebootBeforeTheProof,
  rebootFasterThanSuspicion,
  renewalsAnsweredLate,
  oldLeaderBackWithOldData,
  pauseWithoutAWatchdog,
  guestSuspendedWithItsClock,
  witnessFlapsThenSplit,
  secondarySendsAndIsNotHeard,
  oldWordsComeLate,
  powerReturnsOldestFirst,
  editsOfAMinority,
  slowDiskOfThePrimary,
  thawedHostStopsSlowly,
];

/** One schedule. */
export interface ClusterSchedule {
  readonly number: number;
  readonly what: string;
  /** Names of the scenarios that show it; none where nothing does yet. */
  readonly scenarios: readonly string[];
  /** What of it no scenario shows, and what that needs; '' where all of it is shown. */
  readonly missing: string;
}

/** All of them, by number. */
export const CLUSTER_SCHEDULES: readonly ClusterSchedule[] = [
  isNot(1, 'load makes health checks fail, and the group moves to and fro', [
    'deep checks, health as a degree, and a guard against moving to and fro',
  ]),
  isNot(2, 'a network stands still for 90 s, and late fence requests kill both of each pair', [
    'fencing',
  ]),
  isNot(3, 'a slave kills its overloaded master, and the kill is not quick enough', [
    'fencing; without it pause-longer-than-lease waits for the lease',
  ]),
  isNot(4, 'a bad configuration is pushed to all machines', [
    'a rehearsal that stands before config apply',
  ]),
  isNot(5, 'a partition between sites, and a promotion that loses what the other site has', [
    'sites; without them async-wire-cut-for-long and promoted-by-accepted-loss are its halves',
  ]),
  is(6, 'one node that joins and stands still makes everybody’s watchdog bite', [
    'stuck-joiner-stops-nobody',
  ]),
  isNot(7, 'one of 28 nodes loses power, and nobody forms a cluster again', [
    'more nodes than voters',
  ]),
  isNot(8, 'a node joins and leaves in the middle of it, and stays a member for ever', [
    'nodes that are admitted online; owner-dies-as-it-changes has a change, and no newcomer',
  ]),
  is(9, 'the minority notices later than the majority takes over', [
    'isolated-host-stops-first',
    'clock-rates-apart',
  ]),
  is(10, 'an interface is down for five minutes, and then two masters', [
    'interface-down-for-minutes',
  ]),
  isNot(11, 'a tie-breaker gives quorum to two of five and to three of five', [
    'votes of other kinds than one for each node: there is no tie-breaker to get wrong',
  ]),
  isNot(12, 'a cluster grows online, and old and new nodes count votes differently', [
    'voters that change online',
  ]),
  is(13, 'one of two links is put down, and the healthy one stops', [
    'one-network-down-then-the-other',
  ]),
  isNot(14, 'one sick host answers with seconds of delay, and the cluster cannot agree', [
    'a fault that delays what passes a link; a clog lets all go at once',
  ]),
  is(15, 'in a split the witness changes sides when the first node is back', [
    'first-host-returns-to-the-split',
    'split-network',
  ]),
  isNot(16, 'a node is fenced in the middle of a live migration', ['fencing and live migration']),
  is(
    17,
    'a node is back before the result of fencing it, which is taken to be about its new life',
    ['reboot-before-the-proof'],
    ['the result is the voters’ word about its lease: there is no fencing'],
  ),
  isNot(18, 'a stop that failed is forgotten while fencing is under way', [
    'fencing, and applications in the simulator whose stop fails',
  ]),
  isNot(19, 'fencing is done, acknowledged late, and done again', ['fencing']),
  isNot(20, 'what stops a resource is gone before the resource, when a host shuts down', [
    'the shutdown of a host, and resources of several kinds',
  ]),
  isNot(21, 'the last announcement of an address is the loser’s', ['addresses as resources']),
  isNot(22, 'both nodes boot and reload their configuration, and both are master', [
    'a configuration that is read again by a core that runs',
  ]),
  is(23, 'a server reboots faster than anybody misses it', ['reboot-faster-than-suspicion']),
  isNot(24, 'one node’s watchdog is armed with another time than is configured', [
    'a watchdog that says its time, and a node that is refused for it',
  ]),
  is(25, 'a lease is counted from when the answer came', ['renewals-answered-late']),
  is(26, 'an old leader is back with old data, and leads', ['old-leader-back-with-old-data']),
  is(27, 'a core stands still, others take over, and it goes on with what it was about to do', [
    'pause-longer-than-lease',
    'pause-without-a-watchdog',
  ]),
  is(
    28,
    'a guest is suspended for a minute, its clock and watchdog with it',
    ['guest-suspended-with-its-clock', 'freeze-longer-than-lease', 'thawed-host-stops-slowly'],
    ['the address that is dropped before the first answer needs addresses as resources'],
  ),
  isNot(29, 'the wall clock is set back an hour, or a day ahead', [
    'something that goes by the wall clock: nothing in the engine does, until groups move back ' +
      'within a window',
  ]),
  isNot(30, 'a stop takes ten minutes', [
    'applications in the simulator whose stop is slow, and a deadline that the leader knows',
  ]),
  isNot(31, 'a stop says that it is done, and the process still writes', [
    'applications in the simulator that lie',
  ]),
  isNot(32, 'a core dies in the middle of a start', [
    'the moment of a start as a moment for faults, and resources of several kinds; ' +
      'core-killed-while-stopping has the other half',
  ]),
  isNot(33, 'a fence device loses power with its node', ['fencing']),
  isNot(34, 'two nodes fence each other at one moment', ['fencing']),
  is(35, 'the witness comes and goes, and is away when the hosts are cut apart', [
    'witness-flaps-then-split',
  ]),
  isNot(36, 'a quorum disk shows old content, stands still, or is torn', ['a quorum disk']),
  is(37, 'what one host sends reaches the other, and nothing comes back, on any link', [
    'secondary-sends-and-is-not-heard',
    'one-way-cut',
  ]),
  is(
    38,
    'old words come half a minute late, twice, and in another order',
    ['old-words-come-late'],
    ['fence orders need fencing; a path that is clogged keeps the first 64 datagrams'],
  ),
  isNot(39, 'the spare of many takes one group, and then another one that is too much', [
    'capacities; examples/spare-host.yaml takes all',
  ]),
  is(40, 'the only node that is left is not in sync', ['outdated-promoted-by-accepted-loss']),
  is(41, 'power fails everywhere and comes back minutes apart, the oldest data first', [
    'power-returns-oldest-first',
  ]),
  isNot(42, 'the window for moving back opens while a copy is nearly done', [
    'groups that move back by themselves',
  ]),
  is(43, 'a node that is cut off has edits of its own, and the majority agrees on others', [
    'edits-of-a-minority',
    'removed-replica-returns',
  ]),
  isNot(44, 'a voter is added during a partition, a dead one removed', [
    'voters that change online; witness-restarted-empty has one that comes back as a stranger',
  ]),
  isNot(45, 'the disk of a voter’s log is full, or fails a flush', [
    'a store that fails, in the simulator and in its port',
  ]),
  isNot(46, 'sixteen of 64 nodes fail together with the leader', ['more nodes than voters']),
  isNot(47, 'a cloned machine joins with the identity of another one', [
    'a fault that puts a second host with one host’s state on the network',
  ]),
  isNot(48, 'a foreign host has the address', ['addresses as resources']),
  isNot(49, 'a node dies in maintenance, which is left later', ['maintenance']),
  is(
    50,
    'heartbeats are fine, and the disk is slow',
    ['slow-disk-of-the-primary', 'disk-stalls-without-failing'],
    ['the application’s own deep check needs applications in the simulator that are checked'],
  ),
];

function is(
  number: number,
  what: string,
  scenarios: readonly string[],
  missing: readonly string[] = [],
): ClusterSchedule {
  return { number, what, scenarios, missing: missing.join(' ') };
}

function isNot(number: number, what: string, missing: readonly string[]): ClusterSchedule {
  return { number, what, scenarios: [], missing: missing.join(' ') };
}
