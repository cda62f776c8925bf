import { describe, expect, it } from 'vitest';
import { PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import { readScenario, type Scenario, writeScenario } from '../../scenarios/scenario.ts';
import { SCHEDULE_SHOWS } from '../support/schedule-shows.ts';

const world = newWorld();
/** Those of old bugs, which are sweeps, are judged in history.test.ts. */
const OWN = LIBRARY.filter(({ history }) => history === undefined);

/** What each scenario is there to show, beside that all laws hold and all its faults fire. */
const SHOWS: {
  readonly [name: string]: {
    readonly takeOvers?: number;
    readonly watchdogResets?: number;
    readonly resyncs?: number;
    readonly detects?: string;
    /** What some seeds detect, and others do not. */
    readonly mayDetect?: string;
    /** Rare branches of which each run reaches one. */
    readonly reaches?: readonly string[];
    /** Longest outage in seconds, where the scenario promises one. */
    readonly outage?: number;
    /** Branches of the engine that it is about, and those that it must keep out of. */
    readonly reachesAll?: readonly string[];
    readonly avoids?: readonly string[];
  };
} = {
  'split-network': { takeOvers: 0, outage: 2, resyncs: 1 },
  'one-way-cut': { takeOvers: 1, outage: 5 },
  'deaf-primary': { takeOvers: 1, outage: 6 },
  'primary-power-loss': { takeOvers: 1, outage: 5, resyncs: 1 },
  'target-crash-during-resync': { takeOvers: 0, resyncs: 2 },
  'source-crash-during-resync': { resyncs: 2 },
  'source-lost-for-good': { resyncs: 2 },
  'primary-dies-as-a-copy-ends': { resyncs: 1 },
  'each-voter-in-turn': { takeOvers: 1, outage: 5, resyncs: 2 },
  'witness-restarted-empty': { takeOvers: 0 },
  'most-voters-wiped': { takeOvers: 1, detects: 'LAW-heals' },
  'leader-change-during-removal': { resyncs: 1 },
  'pause-longer-than-lease': { takeOvers: 1, watchdogResets: 1, outage: 5 },
  'freeze-longer-than-lease': { takeOvers: 1, detects: 'LAW-one-holder', outage: 5 },
  'both-hosts-lose-power': { resyncs: 1 },
  'clock-rates-apart': { takeOvers: 1, outage: 5 },
  'core-killed-under-load': { takeOvers: 0, resyncs: 2 },
  'clogged-then-dead': { takeOvers: 0 },
  'switch-into-failure': { takeOvers: 1 },
  'core-killed-while-stopping': { takeOvers: 1 },
  'disk-fails-and-service-stays': {
    takeOvers: 1,
    resyncs: 1,
    reachesAll: ['mirror.proxy.on'],
    avoids: ['mirror.proxy.ended'],
  },
  'only-copy-lost': {
    takeOvers: 1,
    resyncs: 1,
    reachesAll: ['mirror.proxy.on', 'mirror.proxy.ended'],
  },
  'host-dies-without-its-disk': {
    takeOvers: 1,
    outage: 5,
    resyncs: 1,
    reachesAll: ['mirror.proxy.on'],
  },
  'failed-disk-shows-old-content': {
    takeOvers: 1,
    resyncs: 1,
    reachesAll: ['mirror.proxy.on', 'mirror.resync.everything'],
  },
  'bad-sectors-under-load': {
    // Where part of a block is refused, the replica is given up and the group moves.
    outage: 5,
    reachesAll: ['mirror.read.served-by-peer', 'mirror.repair.done'],
  },
  'one-answer-never-comes': {
    takeOvers: 0,
    resyncs: 1,
    outage: 5,
    reaches: ['mirror.link.overdue', 'mirror.link.timeout'],
  },
  'both-copies-bad': {
    takeOvers: 0,
    outage: 0.5,
    reachesAll: ['mirror.read.lost', 'mirror.read.both-bad'],
    avoids: ['mirror.disk.failed'],
  },
  'bad-sectors-on-the-source': {
    takeOvers: 0,
    resyncs: 1,
    outage: 2,
    reachesAll: ['mirror.resync.unreadable'],
    avoids: ['mirror.disk.failed'],
  },
  'lying-flush-on-one-host': { takeOvers: 2, outage: 5, resyncs: 1, detects: 'LAW-register' },
  'disk-stalls-without-failing': {
    takeOvers: 0,
    outage: 4,
    resyncs: 1,
    reaches: ['mirror.link.timeout'],
  },
  'disk-returns-with-old-content': { takeOvers: 1, resyncs: 1, detects: 'LAW-register' },
  'old-disk-leads': {
    takeOvers: 2,
    outage: 8,
    resyncs: 2,
    detects: 'LAW-register',
    reachesAll: ['mirror.branch.found', 'branch-discarded', 'mirror.branch.given-up'],
  },
  'metadata-rot': {
    takeOvers: 0,
    outage: 2,
    resyncs: 1,
    mayDetect: 'LAW-cover',
    reaches: ['mirror.meta.one-slot', 'mirror.meta.journal-lost', 'mirror.attach.failed'],
  },
  'disk-fails-under-load': {
    takeOvers: 1,
    outage: 12,
    resyncs: 1,
    reaches: ['mirror.disk.failed'],
  },
  'failed-disk-and-silent-peer': {
    takeOvers: 1,
    outage: 16,
    resyncs: 1,
    reachesAll: ['mirror.disk.failed'],
  },
  'last-copy-in-doubt': { resyncs: 1, reachesAll: ['mirror.disk.failed', 'mirror.resync.proves'] },
  'copies-compare-in-doubt': {
    resyncs: 2,
    reachesAll: ['mirror.disk.failed', 'mirror.resync.equal', 'mirror.resync.proves'],
  },
  'path-lost-and-back': {
    takeOvers: 1,
    outage: 12,
    resyncs: 1,
    reachesAll: ['mirror.disk.failed', 'mirror.attach.failed'],
  },
  'promoted-by-accepted-loss': {
    // What was lost is said; nothing that was acknowledged since is.
    detects: 'LAW-acknowledged',
    takeOvers: 2,
    outage: 16,
    resyncs: 2,
    reachesAll: ['loss-accepted', 'branch-order-confirmed', 'mirror.point'],
  },
  'outdated-promoted-by-accepted-loss': {
    detects: 'LAW-acknowledged',
    takeOvers: 1,
    outage: 16,
    resyncs: 1,
    reachesAll: ['loss-accepted', 'branch-order-confirmed'],
  },
  'rebooted-promoted-by-accepted-loss': {
    detects: 'LAW-acknowledged',
    takeOvers: 1,
    outage: 16,
    resyncs: 1,
    reachesAll: ['loss-accepted', 'branch-order-confirmed'],
  },
  'semi-sync-primary-power-loss': {
    takeOvers: 1,
    outage: 8,
    resyncs: 1,
    reachesAll: ['mirror.receipt.given', 'mirror.receipt.flush-waits'],
    avoids: ['mirror.receipt.lost'],
  },
  'receiver-dies-with-receipts': {
    takeOvers: 0,
    resyncs: 1,
    reachesAll: ['mirror.receipt.given', 'mirror.receipt.lost', 'group-blocked'],
  },
  'link-flaps-as-a-receiver-attaches': {
    takeOvers: 0,
    resyncs: 1,
    reachesAll: ['mirror.receipt.given', 'mirror.receipt.lost'],
  },
  'record-while-a-copy-is-agreed-on': { takeOvers: 0, resyncs: 2, avoids: ['mirror.link.overdue'] },
  'receiver-restarts-then-primary-dark': {
    takeOvers: 1,
    watchdogResets: 1,
    outage: 9,
    resyncs: 1,
    reachesAll: ['mirror.receipt.lost', 'taker-rebooted'],
  },
  'async-replica-dark-again-and-again': {
    takeOvers: 0,
    outage: 1,
    resyncs: 4,
    reachesAll: ['mirror.point', 'mirror.undo.begun'],
    avoids: ['mirror.resync.everything', 'mirror.lag.waits'],
  },
  'async-wire-cut-for-long': {
    takeOvers: 0,
    outage: 1.5,
    resyncs: 2,
    reachesAll: ['mirror.point', 'mirror.undo.begun', 'mirror.resync.drains'],
    avoids: ['mirror.resync.everything', 'mirror.undo.given-up', 'mirror.lag.waits'],
  },
  'async-third-follows-new-primary': {
    takeOvers: 1,
    outage: 5,
    resyncs: 3,
    reachesAll: ['mirror.point'],
    avoids: ['mirror.resync.everything', 'mirror.undo.given-up'],
  },
  'async-lag-holds-writes': {
    takeOvers: 0,
    outage: 4,
    reachesAll: ['mirror.point', 'mirror.lag.waits'],
    avoids: ['mirror.lag.passed', 'mirror.resync.everything'],
  },
  'log-disk-fails-alone': { takeOvers: 1, outage: 5, resyncs: 1, reaches: ['mirror.disk.failed'] },
  'far-database-dark-again-and-again': {
    takeOvers: 0,
    outage: 1,
    resyncs: 3,
    reachesAll: ['mirror.point', 'mirror.undo.begun'],
    avoids: ['mirror.resync.everything', 'mirror.lag.waits'],
  },
  'replica-added-under-load': {
    takeOvers: 1,
    outage: 5,
    resyncs: 3,
    reachesAll: ['config-taken'],
  },
  'owner-dies-as-it-changes': { takeOvers: 1, outage: 6, reachesAll: ['config-taken'] },
  'removed-replica-returns': { takeOvers: 1, outage: 5, reachesAll: ['config-taken'] },
  'holders-change-while-one-is-away': {
    takeOvers: 0,
    outage: 5,
    resyncs: 2,
    reachesAll: ['config-taken'],
  },
  'disk-replaced-under-load': {
    takeOvers: 1,
    outage: 5,
    resyncs: 2,
    reachesAll: ['config-taken'],
  },
  'volume-grows-under-load': {
    takeOvers: 1,
    outage: 5,
    resyncs: 1,
    reachesAll: ['config-taken', 'volume-grown'],
  },
  'write-fails-unheard': { takeOvers: 1, outage: 6, resyncs: 1, reaches: ['mirror.disk.failed'] },
  ...SCHEDULE_SHOWS,
};

describe('the library', () => {
  it('has at least ten scenarios, each with a name of its own and a purpose that is tested', () => {
    const all = LIBRARY.map(({ name }) => name);
    expect(new Set(all).size).toBe(all.length);
    const names = OWN.map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(10);
    expect([...names].sort((a, b) => (a < b ? -1 : 1))).toEqual(
      Object.keys(SHOWS).sort((a, b) => (a < b ? -1 : 1)),
    );
  });

  it('is read back as it is written', () => {
    for (const scenario of LIBRARY) {
      const again = readScenario(writeScenario(scenario));
      expect(again.ok && again.scenario).toEqual(scenario);
    }
  });

  for (const scenario of OWN) {
    it(`breaks no law when this happens: ${scenario.title.toLowerCase()}`, () => {
      const shows = SHOWS[scenario.name] ?? {};
      const declared: { [kind: string]: number } = {};
      for (const { kind } of scenario.faults) declared[kind] = (declared[kind] ?? 0) + 1;
      for (const seed of [1, 2, 3]) {
        const run = runScenario(scenario, seed, {}, world);
        expect(run.violations).toEqual([]);
        expect(run.faultsFired).toEqual(declared);
        const [group] = run.groups;
        expect(group).toBeDefined();
        if (shows.takeOvers !== undefined) expect(group?.tookOver.length).toBe(shows.takeOvers);
        if (shows.outage !== undefined) {
          expect(group?.outage ?? 0).toBeLessThan(shows.outage * 1e6);
        }
        expect(run.watchdogResets).toBe(shows.watchdogResets ?? 0);
        expect(run.resyncs).toBeGreaterThanOrEqual(shows.resyncs ?? 0);
        const { reaches } = shows;
        expect(reaches?.some((mark) => (run.statesReached[mark] ?? 0) > 0) ?? true).toBe(true);
        for (const mark of shows.reachesAll ?? [])
          expect(Object.keys(run.statesReached)).toContain(mark);
        for (const mark of shows.avoids ?? []) expect(run.statesReached[mark]).toBeUndefined();
        const detected = run.detected
          .map(({ law }) => law)
          .filter((law) => law !== shows.mayDetect);
        if (shows.detects === undefined) expect(detected).toEqual([]);
        else expect(detected).toContain(shows.detects);
      }
    });
  }
});

describe('what the world saw', () => {
  it.each(['lying-flush-on-one-host', 'disk-returns-with-old-content'])(
    'in %s comes of the disk alone: without its ill nothing is to be seen',
    (name) => {
      const scenario = inLibrary(name);
      const faults = scenario.faults.flatMap((fault) => {
        if (fault.kind === 'lying-flush') return [];
        return fault.kind === 'old-disk' ? [{ ...fault, kind: 'power-off' as const }] : [fault];
      });
      for (const seed of [1, 2, 3]) {
        const run = runScenario({ ...scenario, faults }, seed, {}, world);
        expect([run.violations, run.detected]).toEqual([[], []]);
      }
    },
  );
});

function inLibrary(name: string): Scenario {
  const scenario = LIBRARY.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`the library has ${name}`);
  return scenario;
}

/** The laws that a planted bug breaks in twelve seeds of a scenario; without it none is broken. */
function brokenBy(name: string, ...planted: string[]): ReadonlySet<string> {
  const scenario = inLibrary(name);
  const laws = new Set<string>();
  for (let seed = 1; seed <= 12; seed += 1) {
    const run = runScenario(scenario, seed, { canaries: new Set(planted) }, world);
    for (const { law } of run.violations) laws.add(law);
    expect(runScenario(scenario, seed, {}, world).violations).toEqual([]);
  }
  return laws;
}

describe('the library finds', () => {
  /** What only a world with applications that take their time to stop can show. */
  it.each([
    ['clean-while-running', 'core-killed-while-stopping'],
    ['guardian-never-armed', 'pause-longer-than-lease'],
  ])('%s in %s, within twelve seeds', (canary, name) => {
    expect([...brokenBy(name, canary)]).toContain('LAW-one-holder');
  });

  it('unproved-trusted in last-copy-in-doubt, within twelve seeds', () => {
    expect([...brokenBy('last-copy-in-doubt', 'unproved-trusted')]).toContain('LAW-cover');
  });

  it('skip-in-doubt in copies-compare-in-doubt, if the source does not ask itself either', () => {
    const both = ['skip-in-doubt', 'skip-source-in-doubt'];
    const broken = [...brokenBy('copies-compare-in-doubt', ...both)];
    expect(broken).toEqual(expect.arrayContaining(['LAW-cover', 'LAW-acknowledged']));
  });

  it('receipt-trusted in receiver-dies-with-receipts, within twelve seeds', () => {
    const broken = [...brokenBy('receiver-dies-with-receipts', 'receipt-trusted')];
    expect(broken).toEqual(expect.arrayContaining(['LAW-acknowledged', 'LAW-register']));
  });

  it('receipt-settled-early in link-flaps-as-a-receiver-attaches, within twelve seeds', () => {
    const broken = [...brokenBy('link-flaps-as-a-receiver-attaches', 'receipt-settled-early')];
    expect(broken).toContain('LAW-acknowledged');
  });

  it('lacking-like-power in receiver-restarts-then-primary-dark, within twelve seeds', () => {
    const broken = [...brokenBy('receiver-restarts-then-primary-dark', 'lacking-like-power')];
    expect(broken).toContain('LAW-acknowledged');
  });

  it('ready-by-old-record in record-while-a-copy-is-agreed-on, within twelve seeds', () => {
    const broken = [...brokenBy('record-while-a-copy-is-agreed-on', 'ready-by-old-record')];
    expect(broken).toEqual(['LAW-heals']);
  });

  it('nothing in last-copy-in-doubt when the core of the last copy dies once more', () => {
    const scenario = inLibrary('last-copy-in-doubt');
    let proved = 0;
    for (let seed = 1; seed <= 24; seed += 1) {
      const again = { ...PLAIN_FAULT, kind: 'kill-core', at: 12_500_000 + seed * 40_000 } as const;
      const later = scenario.faults.map((fault) => {
        return fault.kind === 'kill-core' && fault.target === 1
          ? { ...fault, at: 14_000_000 }
          : fault;
      });
      const faults = [...later, { ...again, target: 2 }].sort((a, b) => a.at - b.at);
      const run = runScenario({ ...scenario, faults }, seed, {}, world);
      expect([seed, ...run.violations]).toEqual([seed]);
      if ((run.statesReached['mirror.resync.proves'] ?? 0) > 0) proved += 1;
    }
    expect(proved).toBeGreaterThan(12);
  });

  it('no doubt in a replica whose failed disk was filled again: quiesce points stand', () => {
    const plain = { ...PLAIN_FAULT, target: 2 } as const;
    const faults = [
      { ...plain, kind: 'write-error', at: 8_000_000, for: 1_000_000, area: 'everything' },
      { ...plain, kind: 'kill-core', at: 11_000_000 },
      { ...plain, kind: 'switch', at: 20_000_000 },
      { ...plain, kind: 'quiesce', at: 26_000_000, for: 1_000_000 },
    ] as const;
    const base = inLibrary('disk-fails-under-load');
    let stood = 0;
    for (let seed = 1; seed <= 6; seed += 1) {
      const run = runScenario({ ...base, faults }, seed, { timeline: true }, world);
      const kinds = run.timeline.map(({ kind, d }) => `${kind} ${d['reason'] ?? ''}`);
      expect([seed, ...run.violations]).toEqual([seed]);
      expect(run.groups[0]?.tookOver).toEqual([2]);
      expect(kinds).toContain('mirror.disk.failed ');
      expect(kinds).not.toContain('mirror.quiesce.end in-doubt');
      if (kinds.includes('mirror.quiesce.end released')) stood += 1;
    }
    // A person's question may get lost.
    expect(stood).toBeGreaterThanOrEqual(5);
  });

  it('path-given-up in path-lost-and-back: nobody else brings the replica back', () => {
    const scenario = LIBRARY.find(({ name }) => name === 'path-lost-and-back');
    if (scenario === undefined) throw new Error('the library has path-lost-and-back');
    const run = runScenario(scenario, 1, { canaries: new Set(['path-given-up']) }, world);
    expect(new Set(run.violations.map(({ law }) => law))).toEqual(new Set(['LAW-heals']));
  });

  it('discard-by-map in old-disk-leads, within four seeds', () => {
    const scenario = inLibrary('old-disk-leads');
    const laws = new Set<string>();
    for (let seed = 1; seed <= 4; seed += 1) {
      const canaries = new Set(['discard-by-map']);
      for (const { law } of runScenario(scenario, seed, { canaries }, world).violations) {
        laws.add(law);
      }
    }
    expect([...laws]).toContain('LAW-acknowledged');
  });

  it('failure-forgotten in failed-disk-and-silent-peer, within twelve seeds', () => {
    const scenario = inLibrary('failed-disk-and-silent-peer');
    const laws = new Set<string>();
    for (let seed = 1; seed <= 12; seed += 1) {
      const run = runScenario(scenario, seed, { canaries: new Set(['failure-forgotten']) }, world);
      for (const { law } of run.violations) laws.add(law);
    }
    expect([...laws]).toContain('LAW-acknowledged');
  });

  it('repair-from-dirty in bad-sectors-on-the-source, within three seeds', () => {
    const scenario = inLibrary('bad-sectors-on-the-source');
    const laws = new Set<string>();
    for (const seed of [1, 2, 3]) {
      const run = runScenario(scenario, seed, { canaries: new Set(['repair-from-dirty']) }, world);
      for (const { law } of run.violations) laws.add(law);
    }
    expect([...laws]).toContain('LAW-register');
  });
});
