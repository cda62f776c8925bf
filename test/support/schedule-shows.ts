/** What the scenarios of scenarios/cluster-schedules.ts show: for library.test.ts. */

/** Of each run: see there. */
export interface ScheduleShows {
  readonly takeOvers?: number;
  readonly watchdogResets?: number;
  readonly resyncs?: number;
  readonly detects?: string;
  readonly mayDetect?: string;
  readonly outage?: number;
  readonly reachesAll?: readonly string[];
  readonly avoids?: readonly string[];
}

/** A group that never moved, and whose owner never lost its right. */
const UNTOUCHED: readonly string[] = ['lease-lapsed', 'voter-attested', 'group-handover'];
/** A take-over by a lease that ran out. */
const EXPIRED: readonly string[] = ['lease-lapsed', 'voter-attested', 'proof-lease-expired'];

export const SCHEDULE_SHOWS: { readonly [name: string]: ScheduleShows } = {
  'stuck-joiner-stops-nobody': { takeOvers: 0, outage: 0.5, avoids: UNTOUCHED },
  'isolated-host-stops-first': { takeOvers: 1, outage: 5, resyncs: 1, reachesAll: EXPIRED },
  'interface-down-for-minutes': { takeOvers: 1, outage: 5, resyncs: 1, reachesAll: EXPIRED },
  'one-network-down-then-the-other': { takeOvers: 0, outage: 0.5, avoids: UNTOUCHED },
  'first-host-returns-to-the-split': {
    takeOvers: 1,
    outage: 5,
    resyncs: 1,
    reachesAll: ['proof-lease-expired', 'relay-used'],
    avoids: ['group-handover'],
  },
  'reboot-before-the-proof': {
    takeOvers: 1,
    outage: 6,
    resyncs: 1,
    reachesAll: ['voter-attested', 'lease-settled', 'boot-unknown-owner'],
  },
  'reboot-faster-than-suspicion': {
    takeOvers: 1,
    outage: 4,
    resyncs: 1,
    reachesAll: ['proof-rebooted', 'boot-unknown-owner'],
    avoids: ['voter-attested'],
  },
  'renewals-answered-late': { takeOvers: 1, outage: 6, resyncs: 1, reachesAll: EXPIRED },
  'old-leader-back-with-old-data': {
    takeOvers: 1,
    outage: 14,
    resyncs: 2,
    reachesAll: [...EXPIRED, 'group-blocked'],
  },
  'pause-without-a-watchdog': {
    takeOvers: 1,
    outage: 5,
    resyncs: 1,
    reachesAll: [...EXPIRED, 'mirror.grant.lapsed', 'mirror.request.held', 'mirror.fenced'],
  },
  'guest-suspended-with-its-clock': {
    takeOvers: 1,
    outage: 5,
    resyncs: 1,
    detects: 'LAW-one-holder',
    reachesAll: [...EXPIRED, 'mirror.grant.lapsed'],
  },
  'witness-flaps-then-split': {
    takeOvers: 0,
    outage: 14,
    resyncs: 1,
    reachesAll: ['lease-lapsed', 'leader-resigned'],
    avoids: ['voter-attested', 'group-handover'],
  },
  'secondary-sends-and-is-not-heard': {
    takeOvers: 0,
    outage: 2,
    resyncs: 1,
    reachesAll: ['link-one-way', 'relay-used'],
    avoids: UNTOUCHED,
  },
  'old-words-come-late': {
    takeOvers: 2,
    outage: 6,
    resyncs: 1,
    reachesAll: [...EXPIRED, 'proof-stopped'],
  },
  'power-returns-oldest-first': {
    takeOvers: 0,
    outage: 612,
    resyncs: 1,
    reachesAll: ['group-blocked', 'proof-rebooted', 'boot-unknown-owner'],
  },
  'edits-of-a-minority': {
    takeOvers: 1,
    outage: 5,
    resyncs: 2,
    reachesAll: ['config-taken', 'leader-resigned'],
    avoids: ['volume-grown'],
  },
  'thawed-host-stops-slowly': { takeOvers: 2, resyncs: 1, detects: 'LAW-one-holder' },
  'slow-disk-of-the-primary': {
    takeOvers: 1,
    outage: 16,
    resyncs: 1,
    reachesAll: ['group-handover', 'proof-stopped'],
    avoids: ['lease-lapsed', 'voter-attested'],
  },
};
