import { describe, expect, it } from 'vitest';
import { CLUSTER_SCHEDULES, SCHEDULES } from '../../scenarios/cluster-schedules.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { newWorld, type RunResult, runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

const world = newWorld();
/** Other ones than in library.test.ts. */
const SEEDS = [5, 6, 7];
const S = 1_000_000;
const [A, B, C, W, E] = [1, 2, 3, 3, 5];

/** What is read from a run's timeline. Times in µs; NaN, which is before and after nothing. */
class Seen {
  readonly #run: RunResult;
  constructor(run: RunResult) {
    this.#run = run;
  }

  /** When events of this kind came, on this node or (0) any, with these parameters. */
  times(kind: string, node = 0, d: { readonly [name: string]: unknown } = {}): readonly number[] {
    const found = this.#run.timeline.filter((event) => {
      const fits = Object.keys(d).every((name) => event.d[name] === d[name]);
      return event.kind === kind && (node === 0 || event.node === node) && fits;
    });
    return found.map(({ t }) => t);
  }

  /** The first one from a time on. */
  first(kind: string, node = 0, d: { readonly [name: string]: unknown } = {}, from = 0): number {
    return this.times(kind, node, d).find((t) => t >= from) ?? Number.NaN;
  }

  /** How many there were between two times. */
  count(
    kind: string,
    node: number,
    d: { readonly [name: string]: unknown },
    from: number,
    to: number,
  ): number {
    return this.times(kind, node, d).filter((t) => t >= from && t < to).length;
  }

  get run(): RunResult {
    return this.#run;
  }
}

/** Each time is before the next one; one that is NaN is not. */
function inOrder(...times: readonly number[]): void {
  for (let i = 1; i < times.length; i += 1) {
    expect(times[i - 1], `time ${i} of ${times.join(' ')}`).toBeLessThan(times[i] as number);
  }
}

const STARTS = 'world.application-starting';
const RUNS = 'world.application-running';
const STOPPED = 'world.application-stopped';

/** The application has stopped on `giver` when it starts on `taker`, and both happen after `t`. */
function stopsFirst(seen: Seen, giver: number, taker: number, t: number): void {
  inOrder(t, seen.first(STOPPED, giver, {}, t), seen.first(STARTS, taker, {}, t));
}

/** What must have happened in each run of a scenario, or it shows nothing of its schedule. */
const HAPPENS: { readonly [scenario: string]: (seen: Seen) => void } = {
  'stuck-joiner-stops-nobody': (seen) => {
    // It stands still within a millisecond of its start, then after it has been greeted.
    const [first, second] = seen.times('fault.pause-core', E);
    const starts = seen.times('core.start', E);
    expect(starts).toHaveLength(3);
    inOrder(starts[1] as number, first as number, (starts[1] as number) + 1000);
    inOrder(starts[2] as number, seen.first('peer.life', A, { peer: E }, starts[2]));
    inOrder(seen.first('peer.life', A, { peer: E }, starts[2]), second as number);
    for (const at of [first, second]) {
      inOrder(at as number, seen.first('peer.suspect', A, { peer: E }, at));
    }
    for (const node of [1, 2, 3, 4]) {
      expect(seen.times('lease.lapsed', node)).toEqual([]);
      expect(seen.times('world.power-lost', node)).toEqual([]);
      for (const peer of [1, 2, 3, 4]) {
        expect(seen.times('peer.suspect', node, { peer })).toEqual([]);
      }
    }
    expect(seen.run.groups.map(({ tookOver }) => tookOver)).toEqual([[], []]);
  },
  'isolated-host-stops-first': (seen) => {
    const cut = seen.first('fault.cut', A);
    stopsFirst(seen, A, B, cut);
    // The majority has chosen a leader before the minority gives up leading.
    inOrder(cut, seen.first('log.leader', 0, {}, cut), seen.first('log.resigned', A, {}, cut));
    inOrder(seen.first(STARTS, B), seen.first('fault.over', A, { kind: 'cut' }));
  },
  'clock-rates-apart': (seen) => {
    const cut = seen.first('fault.cut', A);
    inOrder(seen.first('fault.clock-rate', A, { ppm: -900 }), cut);
    inOrder(seen.first('fault.clock-rate', B, { ppm: 900 }), cut);
    stopsFirst(seen, A, B, cut);
    inOrder(seen.first(STARTS, B), seen.first('fault.over', A, { kind: 'clock-rate' }));
  },
  'interface-down-for-minutes': (seen) => {
    const cut = seen.first('fault.cut', A);
    const over = seen.first('fault.over', A, { kind: 'cut' });
    expect(over - cut).toBe(300 * S);
    stopsFirst(seen, A, B, cut);
    // Back again, it hears who leads, and starts nothing.
    inOrder(over - 1, seen.first('log.following', A, {}, over));
    expect(seen.count(STARTS, A, {}, cut, 340 * S)).toBe(0);
  },
  'one-network-down-then-the-other': (seen) => {
    for (const [link, from] of [
      [0, 6 * S],
      [1, 18 * S],
    ] as const) {
      for (const peer of [B, W]) {
        inOrder(from, seen.first('link.down', A, { peer, link }, from), from + 3 * S);
        expect(seen.count('link.down', A, { peer, link: 1 - link }, from, from + 10 * S)).toBe(0);
      }
    }
    expect(seen.times('peer.suspect')).toEqual([]);
    expect(seen.times('lease.lapsed')).toEqual([]);
  },
  'first-host-returns-to-the-split': (seen) => {
    const taken = seen.first('group.takeover', 0, { from: A, to: B });
    const back = seen.times('core.start', A)[1] as number;
    const healed = seen.first('fault.over', 0, { kind: 'cut' });
    inOrder(6 * S, taken, back, seen.first('peer.up', A, { peer: W }, back), healed);
    // It is told by way of the witness who serves, and has a lease, and nothing moves.
    inOrder(seen.first('group.owner', A, { owner: B, phase: 'online' }, back), healed);
    expect(seen.count('group.owner', 0, { owner: A, epoch: 3 }, 0, 70 * S)).toBe(0);
    expect(seen.count(STARTS, A, {}, taken, 70 * S)).toBe(0);
    expect(seen.count('world.application-stopping', B, {}, taken, 70 * S)).toBe(0);
    expect(seen.count('peer.up', A, { peer: B }, back, healed)).toBe(0);
  },
  'split-network': (seen) => {
    const cut = seen.first('fault.cut', A);
    inOrder(cut, seen.first('peer.suspect', B, { peer: A }, cut));
    inOrder(cut, seen.first('volume.record', W, { primary: A, members: '1' }, cut));
    expect(seen.times('world.application-stopping', A)).toEqual([]);
    expect(seen.times(STARTS, B)).toEqual([]);
  },
  'reboot-before-the-proof': (seen) => {
    const clog = seen.first('fault.clog', W);
    const told = seen.first('fault.over', W, { kind: 'clog' });
    const said = seen.first('lease.attested', W, { peer: A });
    const back = seen.times('core.start', A)[1] as number;
    // The word is given in the clog, and let go only when the node has its new life.
    inOrder(clog, said, back, told);
    const taken = seen.times('group.takeover', 0, { from: A });
    inOrder(back, taken.at(-1) as number);
    expect(seen.run.groups[0]?.tookOver).toEqual([B]);
    expect(seen.count(STARTS, A, {}, 6 * S, 61 * S)).toBe(0);
    inOrder(back, seen.first('lease.held', A, {}, back));
  },
  'reboot-faster-than-suspicion': (seen) => {
    const [off, back] = [seen.first('world.power-lost', A), seen.times('core.start', A)[1]];
    inOrder(off, back as number);
    expect(seen.count('peer.suspect', 0, { peer: A }, off, 61 * S)).toBe(0);
    const known = seen.first('peer.life', 0, { peer: A, rebooted: true });
    inOrder(off, known, seen.first('group.takeover', 0, { proof: 'rebooted' }));
    expect(seen.count(STARTS, A, {}, off, 61 * S)).toBe(0);
  },
  'renewals-answered-late': (seen) => {
    const answered = seen.first('fault.over', A, { kind: 'clog' });
    const alone = seen.times('fault.cut', A)[1] as number;
    inOrder(seen.first('lease.lapsed', A), answered, alone);
    // No answer could help it: what they answer was sent three seconds before.
    expect(seen.count(STARTS, A, {}, 6 * S, 61 * S)).toBe(0);
    inOrder(answered, seen.first('lease.attested', B, { peer: A }), seen.first(STARTS, B));
    inOrder(seen.first(STARTS, B), answered + S);
  },
  'old-leader-back-with-old-data': (seen) => {
    const dies = seen.first('world.power-lost', B);
    const over = seen.first('fault.over', A, { kind: 'cut' });
    const back = seen.times('core.start', B)[1] as number;
    inOrder(seen.first(STARTS, B), over, dies, back);
    expect(dies - over).toBeLessThan(2 * S);
    const blocked = seen.first('group.blocked', 0, { reason: 'not-in-sync' }, dies);
    inOrder(dies, blocked, back, seen.first(RUNS, B, {}, dies));
    expect(seen.count(STARTS, A, {}, over, back)).toBe(0);
  },
  'pause-longer-than-lease': (seen) => {
    const paused = seen.first('fault.pause-core', A);
    inOrder(
      paused,
      seen.first('world.power-lost', A),
      seen.first('group.takeover', 0, { from: A }),
    );
    stopsFirst(seen, A, B, paused);
  },
  'pause-without-a-watchdog': (seen) => {
    const paused = seen.first('fault.pause-core', A);
    const over = seen.first('fault.over', A, { kind: 'pause-core' });
    // Nobody resets it: it goes on as it was, long after another one serves.
    expect(seen.times('world.power-lost')).toEqual([]);
    expect(seen.times('core.start', A)).toHaveLength(1);
    inOrder(paused, seen.first(RUNS, B), over);
    inOrder(over - 1, seen.first('lease.lapsed', A));
    inOrder(over - 1, seen.first('group.owner', A, { owner: B }, over));
    expect(seen.count(STARTS, A, {}, paused, 61 * S)).toBe(0);
  },
  'guest-suspended-with-its-clock': (seen) => {
    const frozen = seen.first('fault.freeze', A);
    const over = seen.first('fault.over', A, { kind: 'freeze' });
    expect(over - frozen).toBe(60 * S);
    // It wakes with an application that runs, long after another one serves, and then stops.
    inOrder(frozen, seen.first(RUNS, B), over, seen.first('lease.lapsed', A, {}, over));
    expect(seen.count(STOPPED, A, {}, frozen, over)).toBe(0);
    inOrder(over, seen.first(STOPPED, A, {}, over));
    expect(seen.count(STARTS, A, {}, over, 100 * S)).toBe(0);
  },
  'freeze-longer-than-lease': (seen) => {
    const frozen = seen.first('fault.freeze', A);
    inOrder(frozen, seen.first(STARTS, B), seen.first('fault.over', A, { kind: 'freeze' }));
  },
  'thawed-host-stops-slowly': (seen) => {
    const frozen = seen.first('fault.freeze', A);
    inOrder(frozen, seen.first(RUNS, B), seen.first('fault.over', A, { kind: 'freeze' }));
    inOrder(seen.first('operator.command', 0, { command: 'switch' }), seen.first(RUNS, C));
  },
  'witness-flaps-then-split': (seen) => {
    const [, , away] = seen.times('fault.power-off', W);
    const cut = seen.first('fault.cut', A);
    const healed = seen.first('fault.over', A, { kind: 'cut' });
    const witness = seen.times('fault.over', W, { kind: 'power-off' }).at(-1) as number;
    inOrder(18 * S - 1, away as number, cut, healed, witness);
    // Until the cut nothing has happened, whatever the witness did.
    expect(seen.times('fault.over', W).filter((t) => t < cut)).toHaveLength(3);
    expect(seen.count('world.application-stopping', 0, {}, 0, cut)).toBe(0);
    expect(seen.count('lease.lapsed', A, {}, 0, cut)).toBe(0);
    inOrder(cut, seen.first(STOPPED, A), healed, seen.first(STARTS, A, {}, cut), witness);
    expect(seen.times(STARTS, B)).toEqual([]);
  },
  'secondary-sends-and-is-not-heard': (seen) => {
    const cut = seen.first('fault.cut', B);
    const over = seen.first('fault.over', B, { kind: 'cut' });
    for (const link of [0, 1]) {
      inOrder(cut, seen.first('link.down', A, { peer: B, link, reason: 'silence' }), over);
      inOrder(cut, seen.first('link.down', B, { peer: A, link, reason: 'unheard' }), over);
    }
    inOrder(cut, seen.first('volume.record', A, { primary: A, members: '1' }, cut), over);
    expect(seen.times('group.takeover')).toEqual([]);
    expect(seen.times('world.power-lost')).toEqual([]);
  },
  'one-way-cut': (seen) => {
    const cut = seen.first('fault.cut', A, { ways: 'out' });
    inOrder(cut, seen.first('link.down', A, { reason: 'unheard' }, cut));
    stopsFirst(seen, A, B, cut);
    inOrder(seen.first(STARTS, B), seen.first('fault.over', A, { kind: 'cut' }));
  },
  'old-words-come-late': (seen) => {
    const clog = seen.first('fault.clog', A);
    const late = seen.first('fault.over', A, { kind: 'clog' });
    expect(late - clog).toBe(30 * S);
    // It stops in order, says so into the clog, and the others have to find out without that.
    inOrder(clog - 1, seen.first('data.stopped', A));
    const handed = seen.first('group.handover', A, { from: A, to: B });
    inOrder(clog - 1, handed, seen.first('group.takeover', 0, { proof: 'lease-expired' }));
    inOrder(seen.first('group.online', 0, { owner: B, epoch: 2 }), late);
    // When it is heard, nothing comes of it.
    expect(seen.count('group.owner', 0, {}, late, 54 * S)).toBe(0);
    expect(seen.count('world.application-stopping', B, {}, 0, 54 * S)).toBe(0);
    inOrder(54 * S, seen.first('group.online', 0, { owner: A, epoch: 3 }));
  },
  'outdated-promoted-by-accepted-loss': (seen) => {
    const lost = seen.first('world.power-lost', A);
    const back = seen.times('core.start', B)[1] as number;
    const order = seen.first('operator.command', 0, { command: 'take-over' });
    // Nobody serves while what is there is old, and nobody has said that it may.
    inOrder(lost, back, order, seen.first(STARTS, B));
    expect(seen.count(STARTS, 0, {}, lost, order)).toBe(0);
  },
  'power-returns-oldest-first': (seen) => {
    const [older] = seen.times('fault.over', B, { kind: 'power-off' });
    const [voter] = seen.times('fault.over', W, { kind: 'power-off' });
    const [newer] = seen.times('fault.over', A, { kind: 'power-off' });
    inOrder(14 * S, older as number, (voter as number) - 290 * S);
    inOrder(voter as number, (newer as number) - 290 * S);
    // The oldest one serves neither alone nor with a majority.
    expect(seen.count(STARTS, 0, {}, 6 * S, newer as number)).toBe(0);
    inOrder(voter as number, seen.first('group.blocked', 0, { reason: 'not-in-sync' }));
    inOrder(seen.first('group.blocked'), newer as number, seen.first(STARTS, A, {}, newer));
  },
  'edits-of-a-minority': (seen) => {
    const cut = seen.first('fault.cut', A);
    const over = seen.first('fault.over', A, { kind: 'cut' });
    const mine = seen.first('config.changed', A, { change: 'grow-volume', version: 1 });
    const theirs = seen.first('config.changed', 0, { change: 'add-replica', version: 1 });
    inOrder(cut, mine, theirs, seen.first('config.taken', B), over);
    expect(seen.times('config.changed', A, { change: 'add-replica' })).toEqual([]);
    // Whoever ordered it is told no, unless its slow application had the host reset meanwhile.
    expect(seen.times('operator.answer', A, { ok: true })).toEqual([]);
    const refused = seen.times('operator.answer', A, { ok: false, reason: 'no-majority' });
    expect(refused).toHaveLength(seen.run.watchdogResets === 0 ? 1 : 0);
    // What it takes into use is theirs.
    inOrder(over, seen.first('config.taken', A, { version: 1 }));
    expect(seen.times('config.taken', A)).toHaveLength(1);
    expect(seen.times('data.size')).toEqual([]);
  },
  'removed-replica-returns': (seen) => {
    const removed = seen.first('config.done', 0, { version: 1 });
    inOrder(seen.first('world.power-lost', B), removed, seen.times('core.start', B)[1] as number);
    const lost = seen.first('world.power-lost', A, {}, removed);
    inOrder(lost, seen.first(STARTS, C, {}, lost));
    expect(seen.times(STARTS, B)).toEqual([]);
  },
  'slow-disk-of-the-primary': (seen) => {
    const stalls = seen.first('fault.disk-stall', A);
    const over = seen.first('fault.over', A, { kind: 'disk-stall' });
    expect(over - stalls).toBe(30 * S);
    expect(seen.times('peer.suspect', B, { peer: A })).toEqual([]);
    stopsFirst(seen, A, B, stalls);
    inOrder(seen.first(RUNS, B), over);
    expect(seen.count(STARTS, A, {}, stalls, 80 * S)).toBe(0);
  },
  'disk-stalls-without-failing': (seen) => {
    expect(seen.times('peer.suspect')).toEqual([]);
    const stalls = seen.first('fault.disk-stall', B);
    inOrder(stalls, seen.first('volume.record', A, { members: '1' }, stalls));
    inOrder(stalls, seen.first('fault.disk-stall', A));
    expect(seen.times(STARTS, B)).toEqual([]);
  },
};

/** Planted bugs that are the wrong outcome of a schedule, and a law that they break in it. */
const PLANTED: readonly (readonly [scenario: string, canary: string, law: string])[] = [
  ['isolated-host-stops-first', 'lease-never-checked', 'LAW-stop-before-start'],
  ['isolated-host-stops-first', 'RULE-01', 'LAW-one-holder'],
  ['interface-down-for-minutes', 'lease-never-checked', 'LAW-stop-before-start'],
  ['first-host-returns-to-the-split', 'RULE-01', 'LAW-stop-before-start'],
  ['reboot-faster-than-suspicion', 'boot-rule-skipped', 'LAW-stop-before-start'],
  ['renewals-answered-late', 'holder-from-receipt', 'LAW-one-holder'],
  ['old-leader-back-with-old-data', 'outdated-promoted', 'LAW-acknowledged'],
  ['pause-longer-than-lease', 'guardian-never-armed', 'LAW-one-holder'],
  ['pause-without-a-watchdog', 'lease-never-checked', 'LAW-stop-before-start'],
  ['guest-suspended-with-its-clock', 'ack-early', 'LAW-one-epoch'],
  ['witness-flaps-then-split', 'RULE-01', 'LAW-heals'],
  ['secondary-sends-and-is-not-heard', 'RULE-01', 'LAW-stop-before-start'],
  ['old-words-come-late', 'stale-epoch', 'LAW-heals'],
  ['power-returns-oldest-first', 'outdated-promoted', 'LAW-acknowledged'],
  ['edits-of-a-minority', 'stale-leader-commits', 'LAW-acknowledged'],
];

const named = CLUSTER_SCHEDULES.flatMap(({ scenarios }) => scenarios);

describe('the table of adversarial schedules', () => {
  it('has each of the fifty once, and says what shows it or what is missing', () => {
    expect(CLUSTER_SCHEDULES.map(({ number }) => number)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    for (const { number, what, scenarios, missing } of CLUSTER_SCHEDULES) {
      expect([number, what]).not.toContain('');
      expect([number, scenarios.length > 0 || missing !== '']).toEqual([number, true]);
    }
  });

  it('names scenarios of the library, each with what must have happened in it', () => {
    const library = new Set(LIBRARY.map(({ name }) => name));
    for (const name of named) expect(library).toContain(name);
    const sorted = [...new Set(named)].sort((a, b) => (a < b ? -1 : 1));
    expect(Object.keys(HAPPENS).sort((a, b) => (a < b ? -1 : 1))).toEqual(sorted);
  });

  it('names every scenario that is there for a schedule', () => {
    for (const { name } of SCHEDULES) expect(named).toContain(name);
  });
});

describe('a schedule', () => {
  for (const { number, what, scenarios } of CLUSTER_SCHEDULES) {
    for (const name of scenarios) {
      it(`${number}, ${what}: happens in ${name}, and breaks no law`, () => {
        for (const seed of SEEDS) {
          const run = runScenario(scenarioOf(name), seed, { timeline: true }, world);
          expect([seed, ...run.violations]).toEqual([seed]);
          (HAPPENS[name] as (seen: Seen) => void)(new Seen(run));
        }
      });
    }
  }

  it.each(PLANTED)('as in %s finds %s within six seeds', (name, canary, law) => {
    const broken = new Set<string>();
    for (const seed of [1, 2, 3, ...SEEDS]) {
      if (broken.has(law)) break;
      const run = runScenario(scenarioOf(name), seed, { canaries: new Set([canary]) }, world);
      for (const finding of run.violations) broken.add(finding.law);
    }
    expect([...broken]).toContain(law);
  });
});

function scenarioOf(name: string): Scenario {
  const found = LIBRARY.find((each) => each.name === name);
  if (found === undefined) throw new Error(`the library lacks ${name}`);
  return found;
}
