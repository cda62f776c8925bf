/**
 * Replicas on other disks, amid hosts that forget the cluster: what a host opens is at the path of
 * the configuration that it goes by, and may be of any time. And a leader of the log that cannot
 * follow the others into a configuration.
 */
import { describe, expect, it } from 'vitest';
import { EngineActors } from '../../backends/sim/engine-actors.ts';
import { type Fault, type FaultKind, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { OnDisk } from '../../backends/sim/operators.ts';
import { World } from '../../backends/sim/world.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { demoHosts } from '../../scenarios/demo.ts';
import { newWorld, type RunResult, runScenario } from '../../scenarios/run.ts';
import { forgetting, shelves } from '../support/holder-changes.ts';

const world = newWorld();
const S = 1_000_000;
const PAIR = demoHosts([1, 2]);
const THREE = demoHosts([1, 2, 3]);

function fault(kind: FaultKind, at: number, more: Partial<Fault> = {}): Fault {
  return { ...PLAIN_FAULT, kind, at: at * S, cache: 'none', ...more };
}

function play(
  config: ClusterConfig,
  faults: readonly Fault[],
  seed: number,
  canaries: readonly string[] = [],
  on: World = world,
): RunResult {
  const base = campaignScenario({ config, mode: 'none', seed, runs: 1 }, seed);
  const options = { canaries: new Set(canaries), stopAtFirst: false, timeline: true };
  return runScenario({ ...base, faults: [...faults] }, seed, options, on);
}

const broken = ({ violations }: RunResult): readonly string[] => {
  return [...new Set(violations.map(({ code }) => code))];
};

describe('a replica that is put on other disks, and back', () => {
  const run = (seed: number): RunResult => play(seed % 2 === 0 ? PAIR : THREE, shelves(seed), seed);

  it('keeps every law, whatever a host finds at its path', { timeout: 600_000 }, () => {
    let taken = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const result = run(seed);
      expect([seed, ...broken(result)]).toEqual([seed]);
      taken += result.statesReached['config-taken'] ?? 0;
    }
    expect(taken).toBeGreaterThan(80);
  });

  // The only member lost what it had taken into use, opened the disk of before, and did not put
  // that one out of use because it led: nobody had the other one open any more.
  it('is found again by a host that lost which one counts', { timeout: 120_000 }, () => {
    for (const seed of [206, 254, 342]) expect([seed, ...broken(run(seed))]).toEqual([seed]);
  });

  it('is not led from the disk that it had before another one was agreed on', {
    timeout: 120_000,
  }, () => {
    const faults = [
      fault('replace-replica', 5, { target: 2 }),
      fault('switch', 14, { target: 2 }),
      fault('power-off-all', 20, { for: 2 * S }),
      fault('wipe', 20.5, { target: 2, for: S }),
    ];
    let led = 0;
    for (let seed = 1; seed <= 12; seed += 1) {
      expect([seed, ...broken(play(PAIR, faults, seed))]).toEqual([seed]);
      // Either guard is enough here: that of what the node has in use, and that of the disk itself.
      const bug = broken(play(PAIR, faults, seed, ['other-disk-leads', 'other-disk-counts']));
      if (bug.includes('flushed.joined-without')) led += 1;
    }
    expect(led).toBeGreaterThan(2);
  });

  it('keeps every law while one host forgets again and again', { timeout: 600_000 }, () => {
    let taken = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const result = play(seed % 3 === 0 ? PAIR : THREE, forgetting(seed), seed);
      expect([seed, ...broken(result)]).toEqual([seed]);
      taken += result.statesReached['config-taken'] ?? 0;
    }
    expect(taken).toBeGreaterThan(120);
  });

  // A host loses its folder as it runs, and opens the disk of before. What is known of it is of
  // its life before, in which it had the other one, while it is copied to: as long as a heartbeat.
  it('is no member because another disk of its host would be', { timeout: 120_000 }, () => {
    const forgets = (cut: number): readonly Fault[] => [
      fault('replace-replica', 4, { target: 2 }),
      fault('cut', 11.9, { target: 2, for: cut * S }),
      fault('lose-folder', 12.2, { target: 2 }),
    ];
    const first = (result: RunResult, kind: string, node: number, says = ''): number => {
      const found = result.timeline.find(({ kind: its, node: at, t, d }) => {
        return its === kind && at === node && t > 12.2 * S && `${d?.['members']}`.includes(says);
      });
      return found?.t ?? Number.POSITIVE_INFINITY;
    };
    const bug = ['other-disk-counts'];
    let met = 0;
    for (let seed = 1; seed <= 6; seed += 1) {
      const faults = forgets(seed % 2 === 0 ? 1.2 : 2.1);
      const planted = play(PAIR, faults, seed, bug);
      const admitted = first(planted, 'volume.record', 1, '2');
      const taken = first(planted, 'config.taken', 2, '');
      const sound = play(PAIR, faults, seed);
      expect(first(sound, 'volume.record', 1, '2')).toBeGreaterThan(
        first(sound, 'config.taken', 2),
      );
      if (admitted + 20_000 > taken) continue;
      // The primary loses power while the disk of before is a member, and is about to be left.
      const at = Math.round(admitted + 0.7 * (taken - admitted)) / S;
      const off = [...faults, fault('power-off', at, { target: 1, for: 3 * S })];
      expect([seed, ...broken(play(PAIR, off, seed))]).toEqual([seed]);
      expect(broken(play(PAIR, off, seed, bug))).toContain('acknowledged.promoted-without');
      met += 1;
    }
    expect(met).toBeGreaterThan(2);
  });

  // The log takes its time to admit one disk; meanwhile its host has another one open, which is
  // copied to, and in step, as the record comes that names the first.
  it('is not in step by a record that names another disk', { timeout: 120_000 }, () => {
    const bug = ['other-disk-admitted'];
    let met = 0;
    for (let seed = 1; seed <= 12; seed += 1) {
      const base = [
        fault('replace-replica', 4, { target: 2 }),
        fault('kill-core', 14, { target: 2 }),
      ];
      const first = play(PAIR, base, seed).timeline.find(({ kind, t, d, node }) => {
        return kind === 'mirror.want' && node === 1 && t > 14.2 * S && d?.['reason'] !== 'settle';
      });
      if (first === undefined) continue;
      const at = first.t / S;
      const faults = [
        ...base,
        fault('cut', at - 0.005, { target: 1, for: 0.8 * S, links: 'control' }),
        fault('lose-folder', at + 0.003, { target: 2 }),
      ];
      const { timeline } = play(PAIR, faults, seed, bug);
      const next = (wanted: string, node: number): number => {
        const found = timeline.find(({ kind, node: on, t }) => {
          return kind === wanted && on === node && t > first.t;
        });
        return found?.t ?? Number.POSITIVE_INFINITY;
      };
      const [inStep, taken] = [next('mirror.resync.end', 1), next('config.taken', 2)];
      if (inStep + 50_000 > taken) continue;
      const end = Math.min(taken - 20_000, inStep + S);
      const off = [...faults, fault('power-off', end / S, { target: 1, for: 5 * S })];
      expect([seed, ...broken(play(PAIR, off, seed))]).toEqual([seed]);
      expect(broken(play(PAIR, off, seed, bug))).toContain('acknowledged.promoted-without');
      met += 1;
    }
    expect(met).toBeGreaterThan(1);
  });

  // The first change lays nothing out there, as nothing can be read; a second one must not come.
  it('waits until a disk that cannot be reached is laid out for the change before', {
    timeout: 120_000,
  }, () => {
    const away = { for: 10 * S, ppm: 1_000_000, area: 'everything' } as const;
    const faults = [
      fault('add-replica', 6, { target: 3 }),
      fault('path-loss', 6.05, { target: 2, ...away }),
      fault('replace-replica', 11, { target: 3 }),
    ];
    for (const seed of [1, 3, 5]) {
      expect(broken(play(PAIR, faults, seed))).toEqual([]);
      expect(broken(play(PAIR, faults, seed, ['failed-counted']))).toContain('heals.dirty');
    }
  });

  it('is copied whole when it comes back while the other disk is being filled', {
    timeout: 120_000,
  }, () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const first = fault('replace-replica', 5, { target: 2 });
      const { timeline } = play(PAIR, [first], seed);
      const start = timeline.find(({ kind }) => kind === 'mirror.resync.start')?.t ?? 0;
      const end = timeline.find(({ kind }) => kind === 'mirror.resync.end')?.t ?? 0;
      const back = fault('replace-replica', 0, { target: 2, ppm: OnDisk.Before });
      const off = fault('power-off', 30, { target: 1, for: 8 * S });
      const at = Math.round((start + end) / 2);
      const faults = [first, { ...back, at }, off];
      expect([seed, ...broken(play(PAIR, faults, seed))]).toEqual([seed]);
    }
  });
});

describe('a host that has lost its folder, and the disk that was agreed on', () => {
  it('is given another one', { timeout: 120_000 }, () => {
    for (const next of ['replace-replica', 'remove-replica'] as const) {
      const run = (canaries: readonly string[]): readonly string[] => {
        const gone = actorsWhere(2, (version, start) => start > 2 && version === 1);
        const faults = [
          fault('replace-replica', 4, { target: 2 }),
          fault('wipe', 14, { target: 2, for: S }),
          fault(next, 20, { target: 2 }),
        ];
        return broken(play(THREE, faults, 3, canaries, new World(gone)));
      };
      expect([next, ...run([])]).toEqual([next]);
      expect(run(['lost-disk-awaited'])).toContain('heals.config-behind');
    }
  });

  // Whoever leads the log had two reasons, of who owns the group and of who else could have it, and
  // wrote them down in turns, as quickly as the log takes entries.
  it('is told of once, not with each entry of the log', { timeout: 120_000 }, () => {
    const gone = actorsWhere(2, (version, start) => start > 2 && version === 1);
    const faults = [
      fault('replace-replica', 4, { target: 2 }),
      fault('switch', 12, { target: 2 }),
      fault('path-loss', 16, { target: 1, for: 20 * S, ppm: 1_000_000, area: 'everything' }),
      fault('lose-folder', 18, { target: 2 }),
    ];
    const { timeline } = play(PAIR, faults, 1, [], new World(gone));
    const said = timeline.filter(({ kind, t }) => kind === 'group.blocked' && t < 36 * S);
    expect([said.length > 0, said.length < 6]).toEqual([true, true]);
  });
});

/** Node `at` says of some versions, in some starts of its core, that its next core lacks a disk. */
function actorsWhere(at: number, lacks: (version: number, start: number) => boolean): EngineActors {
  let starts = 0;
  const sound = new EngineActors(null, 'dev');
  const control: EngineActors['control'] = (ground) => {
    const made = sound.control(ground);
    if (ground.node !== at) return made;
    starts += 1;
    const start = starts;
    const step: typeof made.step = (inputs, now) => {
      const told = inputs.map((input) => {
        const missing = input.kind === 'prepared' && lacks(input.version, start);
        return missing ? { ...input, reason: 'no such disk' } : input;
      });
      return made.step(told, now);
    };
    return { step, status: (now) => made.status(now) };
  };
  return Object.assign(Object.create(sound) as EngineActors, { control });
}

describe('a leader of the log whose host cannot follow', () => {
  /** Node 5 is away while node 1 gets a replica; then its host says that something is missing. */
  const stuck = (canaries: readonly string[]): RunResult => {
    const actors = actorsWhere(5, (_, start) => start > 1);
    const { nodes, ...rest } = demoHosts([2, 3]);
    const witness = (id: number, name: string): ClusterConfig['nodes'][number] => {
      const control = [`10.0.0.${id}:7001`, `10.1.0.${id}:7001`];
      return { id, name, witness: true, control, replication: '', watchdog: 'none' };
    };
    const config = { ...rest, nodes: [...nodes, witness(4, 'w'), witness(5, 'x')] };
    const faults = [
      fault('power-off', 5.5, { target: 5, for: 3 * S }),
      fault('add-replica', 6, { target: 1 }),
      fault('power-off', 13, { target: 3, for: 22 * S }),
      fault('pause-core', 14, { target: 'leader', for: 2 * S }),
      fault('power-off', 20, { target: 2, for: 12 * S }),
    ];
    return play(config, faults, 21, canaries, new World(actors));
  };
  const runsOn = ({ timeline }: RunResult): readonly number[] => {
    const running = timeline.filter(({ kind, d, t }) => {
      return kind === 'application.state' && d?.['state'] === 'running' && t > 20 * S;
    });
    return running.map(({ node }) => node);
  };

  it('moves a group to a replica that it learned of from the log', { timeout: 120_000 }, () => {
    const sound = stuck([]);
    const led = sound.timeline.filter(({ kind, t }) => kind === 'log.leader' && t < 20 * S);
    expect(led.at(-1)?.node).toBe(5);
    expect([broken(sound), runsOn(sound)]).toEqual([['heals.config-behind'], [1]]);
    const bug = stuck(['led-by-own-file']);
    expect([broken(bug).includes('heals.not-running'), runsOn(bug)]).toEqual([true, []]);
  });
});
