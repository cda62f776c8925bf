import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Control } from '../../engine/cluster/control.ts';
import { CLUSTER_MARKS } from '../../engine/cluster/events.ts';
import type { Durable } from '../../engine/cluster/interface.ts';
import { amendEntry } from '../../engine/cluster/transfer.ts';
import { Rng } from '../../engine/core/rng.ts';
import { Decision, Event, PAGE_BYTES } from '../../engine/data/abi.ts';
import { DataMemory } from '../../engine/data/memory.ts';
import { MIRROR_MARKS } from '../../engine/mirror/catalogue.ts';
import { decodePeerMessage, encodePeerMessage } from '../../engine/mirror/messages.ts';
import { metadataLayout } from '../../engine/mirror/metadata.ts';
import { Turn } from '../../engine/mirror/turn.ts';
import { type UndoLayout, undoLayout } from '../../engine/mirror/undo-log.ts';
import { type CampaignResult, campaignScenario, runCampaign } from '../../scenarios/campaign.ts';
import { COMPLETE_RUNS, DECLARED, ELSEWHERE, notExercised } from '../../scenarios/coverage.ts';
import { DEMO_CONFIG, demoWith } from '../../scenarios/demo.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { runScenario } from '../../scenarios/run.ts';
import { CONFIG, OWNED, onlyGroup } from '../support/control-fixtures.ts';
import { testConfig } from '../support/control-host.ts';
import { ControlNet, GROUP, S, VOLUME } from '../support/control-net.ts';
import { orderOf, setup } from '../support/control-split.ts';
import { besideLone, farBehind, following, membersFirst } from '../support/mirror-async.ts';
import { brokenTaker, olderDisk, recordBetween, tell } from '../support/mirror-cases.ts';
import {
  askedByStrangers,
  askOf,
  bothBad,
  lateAnswer,
  refusedRead,
  wornOut,
  written,
} from '../support/mirror-errors.ts';
import { INPUT, SIDE_PAGE } from '../support/mirror-hosts.ts';
import { lapped } from '../support/mirror-hot.ts';
import { damagedBranch, droppedBranch, heldByBranch, keptOf } from '../support/mirror-kept.ts';
import {
  copyLost,
  moved,
  movedThenRestarted,
  noPlace,
  refusedPart,
  refusedWhole,
  tableLost,
} from '../support/mirror-moved.ts';
import { PAIR_CONFIG, Pair } from '../support/mirror-pair.ts';
import { oneOwed } from '../support/mirror-planted.ts';
import { failsAndGoesOn, survivorLost } from '../support/mirror-proxied.ts';
import { diesWithReceipts, flushedMeanwhile, receiving } from '../support/mirror-receipts.ts';
import { skipSwarm, vouched } from '../support/mirror-skip.ts';
import { forked, givenUp } from '../support/mirror-split.ts';
import { rottenSource, rotting, spoiltSums } from '../support/mirror-sums.ts';
import { balancedReads, blinked, started } from '../support/mirror-swarm.ts';
import { backAgain, copying, SIDE_CONFIG } from '../support/mirror-undo.ts';
import { order, quickThroughFaults, verified } from '../support/mirror-verify.ts';
import { spoilt } from '../support/spoilt-pages.ts';

const layout = metadataLayout(PAIR_CONFIG);
const MINUTE = 60_000;

/** The core of host 1 begins anew, and control hands it the record under which it led before. */
function restarted(): Pair {
  const pair = started(9);
  pair.runFor(200_000);
  pair.crashCore(1, 5_000);
  pair.runFor(300_000);
  return pair;
}

function cutOffWhileComparing(): Pair {
  const pair = written(3);
  order(pair, 1, { bytesPerSecond: 4 * 1024 * 1024 });
  pair.runFor(100_000);
  pair.cut();
  pair.runFor(20_000);
  return pair;
}

function comparedBadSector(): Pair {
  const pair = written(7);
  pair.host(1).unreadable.add(2400);
  verified(pair, 1);
  return pair;
}

/** Replicas that RULE-03 dropped took for equal are compared by their metadata. */
function comparedMaps(): ReadonlySet<string> {
  for (let seed = 1; seed <= 12; seed += 1) {
    const pair = blinked(seed, ['RULE-03']);
    const { primary } = pair.record;
    if (pair.host(primary).linkState === 'Connected') verified(pair, primary, { level: 'quick' });
    if (pair.marks.has('mirror.verify.disagrees')) return pair.marks;
  }
  return new Set();
}

/** Host 1 comes back with pages of its metadata as they were when it was made. */
function aged(pages: readonly number[]): Pair {
  const pair = new Pair({ seed: 5 });
  const made = new Map(pair.hosts[0].meta);
  pair.runFor(300_000);
  pair.load(true);
  pair.runFor(100_000);
  pair.powerOff(2);
  pair.runFor(900_000);
  pair.powerOff(1);
  for (const page of pages) pair.hosts[0].meta.set(page, made.get(page) as Uint8Array);
  pair.powerOn(1);
  pair.runFor(100_000);
  return pair;
}

/** Host 2 alone hears of a record that nobody decided. */
/** What a schedule reaches with any of the first seeds: which one does is a matter of chance. */
function withSeeds(count: number, run: (seed: number) => Pair): ReadonlySet<string> {
  const marks = new Set<string>();
  for (let seed = 1; seed <= count; seed += 1) for (const mark of run(seed).marks) marks.add(mark);
  return marks;
}

/** A run with an ill disk in which every copy compares. */
function comparing(seed: number): ReadonlySet<string> {
  const config = demoWith({ skipEqual: 'on' });
  const scenario = campaignScenario({ config, mode: 'disks', runs: 1, seed }, seed);
  return new Set(Object.keys(runScenario(scenario, seed).statesReached));
}

function named(change: Parameters<typeof tell>[2], seed = 4): Pair {
  const pair = started(seed);
  pair.runFor(200_000);
  pair.isolate(1, true);
  tell(pair, [2], { primary: 2, ...change });
  pair.runFor(60_000);
  return pair;
}

function otherDecision(): Pair {
  const pair = new Pair({ seed: 2 });
  const give = pair.give.bind(pair);
  pair.give = (h, input) => {
    const heard = input.page ? decodePeerMessage(input.page, PAIR_CONFIG.volume) : null;
    if (heard?.message.kind !== 'decision') return give(h, input);
    const page = new Uint8Array(PAGE_BYTES);
    const { hash } = heard.message;
    const message = { ...heard.message, hash: (hash ^ 1) >>> 0 };
    const length = encodePeerMessage(message, heard.cause, page);
    return give(h, { ...input, page, length });
  };
  pair.runFor(300_000);
  return pair;
}

function garbage(): Pair {
  const pair = started(3);
  pair.runFor(300_000);
  const page = new Uint8Array(PAGE_BYTES).fill(2);
  const { link } = pair.hosts[0];
  pair.give(pair.hosts[0], { ...INPUT, op: Event.PeerMessage, link, length: 40, page });
  pair.runFor(10_000);
  return pair;
}

function emptyRequest(): Pair {
  const pair = new Pair({ seed: 1 });
  pair.runFor(300_000);
  pair.complete = () => {};
  pair.give(pair.hosts[0], { ...INPUT, op: Event.ReqWrite, slot: 0, offset: 0, length: 0 });
  pair.runFor(1_000);
  return pair;
}

function askedEarly(): ReadonlySet<string> {
  const pair = written(4);
  askOf(pair, pair.host(2), pair.record.epoch + 1, 1, 4096);
  pair.runFor(30_000);
  return pair.marks;
}

function fullTurn(): ReadonlySet<string> {
  const slots = { frontSlots: 1, peerSlots: 1, engineSlots: 1, slotBytes: 4096 };
  const rings = { events: 1, decisions: 4, inPages: 1, outPages: 1 };
  const marks = new Set<string>();
  const turn = new Turn(
    new DataMemory({ ...slots, ...rings }),
    { inbox: [], outbox: [] },
    1,
    1,
    'r0',
    (mark) => marks.add(mark),
  );
  turn.begin(0);
  for (let i = 0; i < 5; i += 1) turn.emit(Decision.Free, 0, 0, 0, i, 0, 0);
  return marks;
}

function twoAnswers(): ReadonlySet<string> {
  const marks = new Set<string>();
  const control = new Control({
    config: CONFIG,
    node: 1,
    rng: new Rng(1, 1),
    canaries: new Set(),
    reached: (mark) => marks.add(mark),
  });
  const entry = amendEntry(onlyGroup(OWNED), { failed: [2] }, '1.1.c1', null);
  const entries = [entry, entry].map((each) => ({ term: 1, entry: each }));
  const raft = { term: 1, votedFor: 0, snapIndex: 4, snapTerm: 1, commit: 6 };
  const durable = {
    version: 1,
    identity: 101,
    raft: { ...raft, snapState: OWNED, entries },
    formation: { accepted: null, dead: [] },
    attested: [],
    running: [],
  } as unknown as Durable;
  control.step([{ kind: 'start', boot: 11, session: 2, durable }], 0);
  return marks;
}

function formed(seed: number): ControlNet {
  const net = new ControlNet({ seed });
  net.await(() => net.whole(), 20 * S);
  net.pass(S);
  return net;
}

function replacedWhileForming(): ReadonlySet<string> {
  const marks = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const net = new ControlNet({ seed, loss: 100_000 });
    const node = 1 + (seed % 3);
    net.pass(900_000 + seed * 10_000);
    net.powerOff(node);
    net.powerOn(node, 'blank');
    net.await(() => net.whole(), 30 * S);
    for (const mark of net.marks.keys()) marks.add(mark);
  }
  return marks;
}

function application(how: (net: ControlNet) => void): ReadonlySet<string> {
  const net = formed(5);
  how(net);
  net.pass(20 * S);
  return new Set(net.marks.keys());
}

/** A cluster whose volume is compared every minute. */
function scheduled(): { readonly marks: ReadonlySet<string> } {
  const verify = { every: 60 * S, level: 'digest', bytesPerSecond: 0 } as const;
  const { volumes, ...config } = testConfig();
  const net = new ControlNet({
    seed: 5,
    config: { ...config, volumes: volumes.map((volume) => ({ ...volume, verify })) },
  });
  net.await(() => net.whole(), 20 * S);
  net.pass(70 * S);
  return { marks: new Set(net.marks.keys()) };
}

/** How each mark of the table is reached. */
/** The order that stands means a generation that the victim no longer has. */
function voidOrder(): ReadonlySet<string> {
  const { plan, marks } = setup({ record: { discard: orderOf(1, { generation: 19 }) } });
  plan();
  return new Set(marks);
}

/** A person's order, and a person who takes it back. */
function takenBack(): ReadonlySet<string> {
  const { takeBack, marks } = setup({ record: { discard: orderOf(1) } });
  takeBack(5);
  return new Set(marks);
}

/** What the scenario of this name reaches. */
function inLibrary(wanted: string): ReadonlySet<string> {
  const scenario = LIBRARY.find(({ name }) => name === wanted);
  if (scenario === undefined) throw new Error(`the library has ${wanted}`);
  return new Set(Object.keys(runScenario(scenario, 1).statesReached));
}

/** A copy whose target has a small side area. */
function overfull(undoRequired: boolean): Pair {
  const { pair } = copying(4, [], { ...SIDE_CONFIG, sideBytes: 64 * 4096, undoRequired });
  pair.runFor(2_000_000);
  return pair;
}

/** A page of an undo log is lost in both places. */
function damagedLog(): Pair {
  const { pair } = copying(6);
  pair.runFor(60_000);
  pair.powerOff(2);
  const { copies } = undoLayout(SIDE_CONFIG.sideBytes) as UndoLayout;
  for (const first of copies) pair.hosts[1].meta.delete(SIDE_PAGE + first + 1);
  pair.powerOn(2);
  pair.runFor(100_000);
  return pair;
}

const DRIVERS: { readonly [mark: string]: () => ReadonlySet<string> } = {
  'mirror.branch.found': () => forked(1).pair.marks,
  'mirror.branch.given-up': () => givenUp(1).marks,
  'mirror.branch.ahead': () => forked(1, { ahead: 40 }).pair.marks,
  'branch-discarded': () => inLibrary('old-disk-leads'),
  'loss-accepted': () => inLibrary('promoted-by-accepted-loss'),
  'config-taken': () => inLibrary('replica-added-under-load'),
  'volume-grown': () => inLibrary('volume-grows-under-load'),
  'branch-order-void': voidOrder,
  'branch-order-confirmed': () => inLibrary('old-disk-leads'),
  'branch-order-taken-back': takenBack,
  'mirror.attach.failed': () => spoilt([layout.slotA, layout.slotB]).marks,
  'mirror.promote.disk': () => brokenTaker(1, 'broken', false).marks,
  'mirror.peer.refused-write': () => named({}, 1).marks,
  'mirror.meta.one-slot': () => spoilt([layout.slotA]).marks,
  'mirror.meta.journal-lost': () =>
    spoilt(Array.from({ length: layout.journalPages }, (_, i) => layout.journal + i)).marks,
  'mirror.meta.stale-map': () => aged([layout.map]).marks,
  'mirror.meta.stale-superblock': () => aged([layout.slotA, layout.slotB]).marks,
  'mirror.meta.bad-map-page': () => spoilt([layout.map]).marks,
  'mirror.link.disagree': () => otherDecision().marks,
  'mirror.link.overdue': () => oneOwed('write', 1).marks,
  'mirror.link.garbage': () => garbage().marks,
  'mirror.peer.stale-epoch': () => withSeeds(12, (seed) => named({}, seed)),
  'mirror.promote.generation': () => named({ generation: 4711 }).marks,
  'mirror.promote.earlier-session': () => restarted().marks,
  'mirror.promote.other-boot': () => named({ members: [{ node: 2, boot: 4711 }] }).marks,
  'mirror.promote.not-member': () => named({ members: [{ node: 1, boot: 10 }] }).marks,
  'mirror.verify.paused': () => cutOffWhileComparing().marks,
  'mirror.verify.disagrees': comparedMaps,
  'mirror.verify.unsettled': () => withSeeds(6, quickThroughFaults),
  'mirror.verify.unreadable': () => comparedBadSector().marks,
  'mirror.read.both-bad': () => bothBad(3).marks,
  'mirror.repair.peer': () => bothBad(3).marks,
  'mirror.read.again': () => lateAnswer(2).marks,
  'mirror.read.lost': () => bothBad(3).marks,
  'mirror.read.parked': () => lateAnswer(2).marks,
  'mirror.read.late-answer': () => lateAnswer(2).marks,
  'mirror.read.refused': () => refusedRead(1).marks,
  'mirror.read.stale-epoch': () => askedByStrangers(1).marks,
  'mirror.read.epoch-wait': askedEarly,
  'mirror.repair.elsewhere': () => moved(1)[0].marks,
  'mirror.repair.moved': () => moved(2)[0].marks,
  'mirror.repair.read-back': () => noPlace(5, 'lies').marks,
  'mirror.spare.attached': () => movedThenRestarted(1).marks,
  'mirror.spare.lost': () => tableLost(1).marks,
  'mirror.spare.mended': () => copyLost(1).marks,
  'mirror.spare.met': () => movedThenRestarted(2).marks,
  'mirror.write.lost': () => refusedPart(2, 1).marks,
  'mirror.write.moved': () => refusedWhole(1).marks,
  'mirror.write.no-spare': () => refusedPart(3, 2).marks,
  'mirror.write.refused': () => refusedWhole(2).marks,
  'mirror.repair.rewrite': () => noPlace(5, 'refuses').marks,
  'mirror.disk.failing': () => wornOut(6).marks,
  'mirror.resync.everything': () => olderDisk(2).marks,
  'mirror.request.invalid': () => emptyRequest().marks,
  'mirror.turn.overflow': fullTurn,
  'committed-entry-lost-race': twoAnswers,
  'genesis-replaced': replacedWhileForming,
  'mirror.sums.mismatch': () => rotting(1).marks,
  'mirror.sums.lost-copied': () => rottenSource(1).marks,
  'mirror.sums.page-lost': () => spoiltSums(1).marks,
  'mirror.resync.equal': () => skipSwarm(1).marks,
  'mirror.resync.uncompared': () => comparing(16),
  'mirror.resync.vouched': () => vouched(1).marks,
  'mirror.read.balanced': () => balancedReads(1).marks,
  'mirror.read.came-back': () => withSeeds(24, balancedReads),
  'mirror.receipt.given': () => receiving(1).marks,
  'mirror.receipt.flush-waits': () => flushedMeanwhile(1).marks,
  'mirror.receipt.lost': () => diesWithReceipts(1).marks,
  'mirror.proxy.begun': () => failsAndGoesOn(1).marks,
  'mirror.proxy.on': () => failsAndGoesOn(1).marks,
  'mirror.proxy.ended': () => survivorLost(1).marks,
  'mirror.al.lap': () => lapped(1).marks,
  'mirror.attach.long': () => lapped(1).marks,
  'mirror.al.suspects': () => besideLone(1).pair.marks,
  'mirror.lag.passed': () => farBehind(1, false).marks,
  'mirror.lag.waits': () => farBehind(1, true).marks,
  'mirror.point': () => following(1).pair.marks,
  'mirror.resync.drains': () => following(1).pair.marks,
  'mirror.resync.makes-way': () => membersFirst(1).marks,
  'mirror.branch.kept': () => keptOf(1).pair.marks,
  'mirror.branch.damaged': () => damagedBranch().marks,
  'mirror.branch.dropped': () => droppedBranch().marks,
  'mirror.branch.holds': () => heldByBranch(5).pair.marks,
  'mirror.undo.begun': () => backAgain(2).marks,
  'mirror.undo.given-up': () => overfull(false).marks,
  'mirror.undo.held': () => overfull(true).marks,
  'mirror.undo.damaged': () => damagedLog().marks,
  'mirror.resync.proves': () => inLibrary('last-copy-in-doubt'),
  'mirror.resync.record-between': () => withSeeds(20, recordBetween),
  'mirror.resync.held': () => overfull(true).marks,
  'mirror.return.begun': () => backAgain(2).marks,
  'mirror.return.done': () => backAgain(2).marks,
  'group-restart-in-place': () => application((net) => net.failApp(1)),
  'group-rollback': () =>
    application((net) => {
      net.host(2).startFails = true;
      net.command(1, 1, { kind: 'switch', group: GROUP, to: 2 });
    }),
  'verify-continued': () =>
    application((net) => {
      const how = { level: 'digest', from: 0, repair: false, bytesPerSecond: 0 } as const;
      const leader = net.status(1).volumes[0]?.primary ?? 0;
      net.command(leader, 1, { kind: 'verify', volume: VOLUME, ...how });
      net.pass(S);
      net.killCore(leader);
      net.startCore(leader);
    }),
  'verify-scheduled': () => scheduled().marks,
  'stop-failed': () =>
    application((net) => {
      net.host(1).stopFails = true;
      net.command(1, 1, { kind: 'switch', group: GROUP, to: 2 });
    }),
};

describe('a branch that swarms do not reach is reached by', () => {
  it('a test for every row of the table, and the table by every test', () => {
    expect(Object.keys(DRIVERS)).toEqual(ELSEWHERE.map(({ mark }) => mark));
    const all: readonly string[] = [...MIRROR_MARKS, ...CLUSTER_MARKS];
    for (const { mark, reason } of ELSEWHERE) {
      expect(all).toContain(mark);
      expect(reason.length).toBeGreaterThan(20);
    }
    expect(new Set(all).size).toBe(all.length);
    expect(DECLARED.marks.length + ELSEWHERE.length).toBe(all.length);
  });

  for (const { mark, test } of ELSEWHERE) {
    it(`${test} (${mark})`, () => {
      expect([...(DRIVERS[mark]?.() ?? [])]).toContain(mark);
    });
  }
});

describe('what a campaign exercised', () => {
  const everything = {
    faultsFired: Object.fromEntries(DECLARED.faults.map((kind) => [kind, 1])),
    statesReached: Object.fromEntries(DECLARED.marks.map((mark) => [mark, 1])),
  };

  it('is complete only when every declared fault fired and every declared mark was reached', () => {
    expect(notExercised(everything, COMPLETE_RUNS)).toEqual({ faults: [], marks: [], due: false });
    for (const mark of DECLARED.marks) {
      const statesReached = { ...everything.statesReached, [mark]: 0 };
      const found = notExercised({ ...everything, statesReached }, COMPLETE_RUNS);
      expect(found).toEqual({ faults: [], marks: [mark], due: true });
    }
    for (const kind of DECLARED.faults) {
      const { [kind]: _, ...faultsFired } = everything.faultsFired;
      const found = notExercised({ ...everything, faultsFired }, COMPLETE_RUNS);
      expect(found).toEqual({ faults: [kind], marks: [], due: true });
    }
  });

  it('is told of a planted dead mark and a planted fault, which no run can meet', () => {
    const planted = {
      faults: [...DECLARED.faults, 'meteor'],
      marks: [...DECLARED.marks, 'mirror.dead-branch'],
    };
    expect(notExercised(everything, COMPLETE_RUNS, planted)).toEqual({
      faults: ['meteor'],
      marks: ['mirror.dead-branch'],
      due: true,
    });
  });

  it('is only listed where the swarm was short', () => {
    const none = { faultsFired: {}, statesReached: {} };
    const found = notExercised(none, COMPLETE_RUNS - 1);
    expect(found.faults).toEqual(DECLARED.faults);
    expect(found.due).toBe(false);
  });

  it('is declared, and outside the table, in a short swarm', { timeout: 2 * MINUTE }, () => {
    const shard = { config: DEMO_CONFIG, mode: 'swarm', seed: 1, runs: 60 } as const;
    const { statesReached } = runCampaign(shard);
    const all: readonly string[] = [...MIRROR_MARKS, ...CLUSTER_MARKS];
    for (const mark of Object.keys(statesReached)) expect(all).toContain(mark);
    for (const { mark, swarm } of ELSEWHERE) {
      if (swarm === 'never') expect([mark, statesReached[mark] ?? 0]).toEqual([mark, 0]);
    }
  });
});

/** What `rehearse --runs 2000 --faults swarm --seed 1 --json` said, where it has just been run. */
function completeSwarm(): Pick<CampaignResult, 'violations' | 'faultsFired' | 'statesReached'> {
  const path = process.env['UNDERSTUDY_COMPLETE_SWARM'];
  if (path === undefined) {
    return runCampaign({ config: DEMO_CONFIG, mode: 'swarm', seed: 1, runs: COMPLETE_RUNS });
  }
  const said = JSON.parse(readFileSync(path, 'utf8')) as CampaignResult;
  expect(said.runs).toBe(COMPLETE_RUNS);
  return said;
}

const LONG = 'takes minutes of processor time; UNDERSTUDY_CI=1 runs it';

describe('a complete swarm', () => {
  it(`exercises in ${COMPLETE_RUNS} runs everything declared, and nothing of the table`, {
    timeout: 60 * MINUTE,
  }, (context) => {
    if (process.env['UNDERSTUDY_CI'] !== '1') context.skip(LONG);
    const result = completeSwarm();
    expect(result.violations).toEqual([]);
    expect(notExercised(result, COMPLETE_RUNS)).toEqual({ faults: [], marks: [], due: false });
    const never = ELSEWHERE.filter(({ swarm }) => swarm === 'never').map(({ mark }) => mark);
    expect(never.filter((mark) => (result.statesReached[mark] ?? 0) > 0)).toEqual([]);
  });
});
