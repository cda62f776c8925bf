/** Schedules over the pair harness that lead to one rare situation each. */
import { Decision, Event, Status } from '../../engine/data/abi.ts';
import type { DataReport, VolumeRecord } from '../../engine/data/messages.ts';
import { decodeJournal } from '../../engine/mirror/journal.ts';
import { metadataLayout } from '../../engine/mirror/metadata.ts';
import { type Host, INPUT, type PairHosts } from './mirror-hosts.ts';
import { PAIR_CONFIG, Pair } from './mirror-pair.ts';
import { replicaOf } from './mirror-spare.ts';
import { started } from './mirror-swarm.ts';

const MS = 1000;

export interface Seen {
  readonly at: number;
  readonly node: number;
  readonly report: DataReport;
}

/** Notes every report from now on; those that `pass` turns away never reach control. */
export function watched(pair: Pair, pass: (report: DataReport) => boolean = () => true): Seen[] {
  const seen: Seen[] = [];
  const report = pair.report.bind(pair);
  pair.report = (h: Host, r: DataReport) => {
    seen.push({ at: pair.now, node: h.node, report: r });
    if (pass(r)) report(h, r);
  };
  return seen;
}

/** Lets time pass until `done`; false when it does not come. */
export function until(hosts: PairHosts, done: () => boolean, limit = 4_000 * MS): boolean {
  const end = hosts.now + limit;
  while (!done() && hosts.now < end) hosts.runFor(200);
  return done();
}

/** The record becomes `change`, and only `nodes` are told. */
export function tell(pair: Pair, nodes: readonly number[], change: Partial<VolumeRecord>): void {
  pair.record = { ...pair.record, epoch: pair.record.epoch + 1, ...change };
  const { record } = pair;
  for (const node of nodes) pair.command(pair.host(node), { kind: 'record', record, cause: 'c' });
}

/** The group is stopped in the middle of a resync, and the target loses power right after. */
export function releasedInCopy(seed: number): Pair {
  const pair = started(seed);
  pair.runFor(500 * MS);
  pair.powerOff(2);
  pair.runFor(1_500 * MS);
  pair.load(false);
  pair.runFor(200 * MS);
  pair.powerOn(2);
  if (!until(pair, () => pair.host(1).linkState === 'SyncSource')) throw new Error('no resync');
  pair.runFor((seed % 8) * MS);
  pair.release();
  if (!until(pair, () => pair.record.primary === 0)) throw new Error('not stopped');
  pair.runFor(30 * MS);
  pair.powerOff(2);
  pair.runFor(100 * MS);
  pair.powerOn(2);
  pair.runFor(200 * MS);
  pair.commit({ primary: 1 });
  pair.settle();
  return pair;
}

/**
 * The record that admits the target comes late, when the link it was wished on is lost and the
 * next one copies again; then the target is gone. Null when the seed does not lead there.
 */
export function lateAddition(seed: number): Pair | null {
  const pair = started(seed);
  pair.runFor(400 * MS);
  pair.powerOff(2);
  pair.runFor(1_200 * MS);
  pair.powerOn(2);
  let held = true;
  const seen = watched(pair, (r) => !held || r.kind !== 'want');
  const event = (kind: string, from: number) =>
    seen.slice(from).find(({ node, report: r }) => {
      return node === 1 && r.kind === 'event' && r.event.kind === kind;
    });
  const wished = () => seen.some(({ report: r }) => r.kind === 'want' && r.members.length === 2);
  if (!until(pair, wished)) return null;
  pair.runFor(15 * MS);
  pair.cut();
  pair.runFor(20 * MS);
  const from = seen.length;
  pair.heal();
  if (!until(pair, () => event('mirror.resync.start', from) !== undefined)) return null;
  const members = pair.hosts.map(({ node, boot }) => ({ node, boot }));
  tell(pair, [], { members });
  const command = { kind: 'record', record: pair.record, cause: 'c' } as const;
  pair.give(pair.host(1), { ...INPUT, op: Event.Control, command });
  held = false;
  if (!until(pair, () => event('mirror.link.drop', from) !== undefined, 20 * MS)) return null;
  const drop = event('mirror.link.drop', from)?.report;
  if (drop?.kind !== 'event' || drop.event.d['reason'] !== 'member-changed') return null;
  pair.cut();
  pair.powerOff(2);
  return pair;
}

/** Host 1 alone, with dirty blocks; two journal blocks rot, and it restarts twice. */
export function rottenJournal(seed: number): { readonly pair: Pair; readonly dirty: number[] } {
  const pair = new Pair({ seed, config: { ...PAIR_CONFIG, journalPages: 8, alExtents: 16 } });
  pair.runFor(300 * MS);
  pair.load(true);
  pair.runFor(500 * MS);
  pair.powerOff(2);
  pair.runFor(900 * MS);
  pair.load(false);
  pair.runFor(300 * MS);
  pair.crashCore(1, 50 * MS);
  const { meta } = pair.host(1);
  const { journal, journalPages } = metadataLayout(pair.config);
  const { device } = replicaOf(pair.config, meta);
  let newest = 0;
  let best = -1;
  for (let i = 0; i < journalPages; i += 1) {
    const read = decodeJournal(device, journal + i, meta.get(journal + i) as Uint8Array);
    if (read === null || read.seq <= best) continue;
    best = read.seq;
    newest = i;
  }
  for (const after of [1, 2]) {
    const page = journal + ((newest + after) % journalPages);
    const bytes = (meta.get(page) as Uint8Array).slice();
    bytes.fill(0xee);
    meta.set(page, bytes);
  }
  pair.runFor(900 * MS);
  const dirty = [pair.host(1).dirty];
  // One journal block is written, over the first of them.
  pair.load(true, 1);
  pair.runFor(6 * MS);
  pair.load(false);
  pair.runFor(100 * MS);
  pair.crashCore(1, 50 * MS);
  pair.runFor(900 * MS);
  dirty.push(pair.host(1).dirty);
  pair.powerOn(2);
  pair.settle();
  return { pair, dirty };
}

/** Host 2 is named alone while its disk, or its metadata, takes no write any more. */
export function brokenTaker(seed: number, how: 'broken' | 'metaBroken', load: boolean): Pair {
  const pair = started(seed);
  pair.load(load);
  pair.runFor(100 * MS);
  pair.isolate(1, true);
  pair.cut();
  const b = pair.host(2);
  b[how] = true;
  tell(pair, [2], { primary: 2, members: [{ node: 2, boot: b.boot }], generation: 5_001 });
  if (!until(pair, () => b.disk === 'Failed')) throw new Error('not failed');
  return pair;
}

/** The primary's disk forgets its cache and says so; then its core restarts, its peer away. */
export function forgetful(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(200 * MS);
  pair.cut();
  pair.isolate(2, true);
  pair.hosts[0].forgetful = true;
  if (!until(pair, () => pair.hosts[0].disk === 'Failed')) throw new Error('no flush came');
  pair.runFor(20 * MS);
  // It had asked to go on alone right before, with everything stable: that is another story.
  if (pair.record.members.length === 1) return forgetful(seed + 1000, canaries);
  pair.crashCore(1, 5 * MS);
  pair.runFor(600 * MS);
  return pair;
}

/**
 * Host 2 is named alone, and its disk forgets its cache and says so. Its core starts again, and its
 * control, which knows better now, tells it nothing; but its peer tells it what was committed.
 */
export function hearsay(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(200 * MS);
  pair.cut();
  pair.isolate(1, true);
  const b = pair.host(2);
  b.forgetful = true;
  tell(pair, [2], { primary: 2, members: [{ node: 2, boot: b.boot }], generation: 5_001 });
  if (!until(pair, () => b.disk === 'Failed')) throw new Error('no flush came');
  pair.runFor(20 * MS);
  pair.isolate(2, true);
  pair.crashCore(2, 5 * MS);
  pair.runFor(50 * MS);
  const command = { kind: 'record', record: pair.record, cause: 'c' } as const;
  pair.give(pair.host(1), { ...INPUT, op: Event.Control, command });
  pair.heal();
  pair.runFor(500 * MS);
  const { node, boot } = pair.hosts[0];
  pair.isolate(1, false);
  pair.isolate(2, false);
  pair.commit({ primary: node, members: [{ node, boot }] });
  pair.settle();
  return pair;
}

/** The same, and the peer comes back. */
export function forgotten(seed: number, canaries: readonly string[] = []): Pair {
  const pair = forgetful(seed, canaries);
  pair.isolate(2, false);
  pair.settle();
  return pair;
}

/** The primary's disk ends nothing for so long; then it is well again. */
export function hangs(seed: number, micros: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(200 * MS);
  pair.hosts[0].hung = true;
  pair.runFor(micros);
  pair.hosts[0].hung = false;
  return pair;
}

/** A disk that hangs longer than anybody waits; who still waits for it breaks LAW-heals. */
export function hung(seed: number, canaries: readonly string[] = []): Pair {
  const pair = hangs(seed, 14_000 * MS, canaries);
  if (pair.record.primary === 1) pair.violations.push('LAW-heals: a hung disk is waited for');
  return pair;
}

/**
 * A path that hangs longer than anybody waits, and is then lost: its replica has to be known for
 * one that may come back by itself. Then it does.
 */
export function hungThenLost(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(200 * MS);
  const seen = watched(pair);
  const [host] = pair.hosts;
  const isKnown = (): boolean => {
    const said = seen.filter(({ node, report: r }) => node === 1 && r.kind === 'state');
    const last = said[said.length - 1]?.report;
    return last?.kind === 'state' && last.pathLost === true;
  };
  host.hung = true;
  pair.runFor(14_000 * MS);
  if (host.disk !== 'Failed' || isKnown()) pair.violations.push('it hangs, and no more is known');
  host.pathLost = true;
  host.hung = false;
  pair.runFor(1_000 * MS);
  if (!isKnown()) pair.violations.push('LAW-heals: a lost path counts as a failed disk');
  host.pathLost = false;
  pair.crashCore(1, 5 * MS);
  pair.settle();
  return pair;
}

/** The only copy's disk ends nothing for so long that another would be given up. */
export function loneHang(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(200 * MS);
  pair.powerOff(2);
  pair.runFor(1_500 * MS);
  pair.hosts[0].hung = true;
  pair.runFor(14_000 * MS);
  pair.hosts[0].hung = false;
  pair.runFor(500 * MS);
  const done = pair.completedBy(1);
  pair.runFor(500 * MS);
  if (pair.completedBy(1) === done) pair.violations.push('LAW-heals: the last copy was given up');
  pair.powerOn(2);
  pair.settle();
  return pair;
}

/** The disks of both hosts, on one storage perhaps, end nothing for a while. */
export function bothHang(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(200 * MS);
  for (const host of pair.hosts) host.hung = true;
  pair.runFor(14_000 * MS);
  for (const host of pair.hosts) host.hung = false;
  pair.runFor(3_000 * MS);
  return pair;
}

/** The disk of host 1 ends nothing while its new core attaches to it, and then does after all. */
export function lateAttach(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(300 * MS);
  pair.hosts[0].hung = true;
  pair.crashCore(1, 5 * MS);
  pair.runFor(14_000 * MS);
  pair.hosts[0].hung = false;
  pair.runFor(3_000 * MS);
  return pair;
}

/** The same, and host 1 is whole again and takes over: who refuses for ever breaks LAW-heals. */
export function revived(seed: number, canaries: readonly string[] = []): Pair {
  const pair = lateAttach(seed, canaries);
  if (pair.hosts[0].disk === 'Failed') pair.crashCore(1, 5 * MS);
  pair.runFor(2_000 * MS);
  pair.switchOver();
  pair.runFor(2_000 * MS);
  const done = pair.completedBy(1);
  pair.runFor(500 * MS);
  if (pair.completedBy(1) === done) pair.violations.push('LAW-heals: a primary refuses everything');
  return pair;
}

/** The primary's metadata refuse a write while a flush is out, which then fails with the cache. */
export function metadataFirst(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(200 * MS);
  pair.cut();
  pair.isolate(2, true);
  const [h] = pair.hosts;
  pair.onDecision = (at, op) => {
    if (at !== h || op !== Decision.LocalFlush) return;
    pair.onDecision = null;
    h.forgetful = true;
    pair.give(h, { ...INPUT, op: Event.MetaDone, offset: 9_999, status: Status.Io });
  };
  if (!until(pair, () => h.disk === 'Failed')) throw new Error('nothing failed');
  pair.runFor(20 * MS);
  pair.crashCore(1, 5 * MS);
  pair.runFor(600 * MS);
  return pair;
}

/**
 * The copy to host 2 is done, and the wish to admit it waits, when the disk of its source forgets
 * its cache and says so; then host 2 is admitted, cut off, and the source's core starts again. Null
 * where the failure came too late.
 */
export function sourceForgets(seed: number, canaries: readonly string[] = []): Pair | null {
  const pair = started(seed, canaries);
  pair.runFor(300 * MS);
  pair.powerOff(2);
  pair.runFor(1_500 * MS);
  const report = pair.report.bind(pair);
  const wishes: (() => void)[] = [];
  pair.report = (h: Host, r: DataReport) => {
    if (r.kind === 'want' && r.reason === 'resync-done') wishes.push(() => report(h, r));
    else report(h, r);
  };
  pair.powerOn(2);
  if (!until(pair, () => wishes.length > 0)) return null;
  const [source] = pair.hosts;
  source.forgetful = true;
  if (!until(pair, () => source.disk === 'Failed')) return null;
  pair.report = report;
  for (const wish of wishes) wish();
  if (!until(pair, () => pair.record.members.length === 2, 100 * MS)) return null;
  pair.isolate(2, true);
  pair.cut();
  pair.runFor(50 * MS);
  pair.crashCore(1, 5 * MS);
  pair.runFor(1_500 * MS);
  pair.heal();
  pair.isolate(2, false);
  return pair;
}

/**
 * Host 2 is away and copied to, once or more often, and then comes back with its disk as it was
 * before all that: with an older generation than the one that the map of host 1 began with.
 */
export function olderDisk(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  pair.runFor(200 * MS);
  const host = pair.host(2);
  const stable = host.stable.slice();
  const meta = new Map([...host.meta].map(([page, bytes]) => [page, bytes.slice()] as const));
  for (let outage = 0; outage <= seed % 3; outage += 1) {
    pair.powerOff(2);
    pair.runFor(700 * MS);
    pair.powerOn(2);
    if (!until(pair, () => pair.record.members.length === 2)) throw new Error('not copied to');
    pair.runFor(200 * MS);
  }
  pair.powerOff(2);
  host.stable.set(stable);
  host.cache.set(stable);
  host.meta = meta;
  pair.runFor(700 * MS);
  pair.powerOn(2);
  pair.settle();
  return pair;
}

/**
 * Control commits another record that leaves host 2 out, while the two agree on a copy to it: the
 * target goes by it at once, the source when it has flushed.
 */
export function recordBetween(seed: number, canaries: readonly string[] = []): Pair {
  const pair = started(seed, canaries);
  for (let n = 0; n < 3; n += 1) {
    pair.runFor(50 * MS);
    pair.cut();
    until(pair, () => pair.record.members.length === 1);
    pair.heal();
    const target = pair.host(3 - pair.record.primary);
    until(pair, () => target.disk === 'Inconsistent');
    pair.runFor(((3 * seed + n) % 10) * 100);
    pair.commit({ generation: 5000 + n });
    // Far less than after what a peer that owes an answer is given up.
    if (until(pair, () => pair.record.members.length === 2, 1500 * MS)) continue;
    pair.violations.push('LAW-heals: a copy does not end when a record comes as it is agreed on');
    break;
  }
  return pair;
}

/** What went wrong in the runs of so many seeds. */
export function wrong(
  run: (seed: number) => { violations: readonly string[] },
  seeds = 40,
): string[] {
  const found: string[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    for (const violation of run(seed).violations) found.push(`seed ${seed}: ${violation}`);
  }
  return found;
}
