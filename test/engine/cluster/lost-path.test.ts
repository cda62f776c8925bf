import { describe, expect, it } from 'vitest';
import { Applications } from '../../../engine/cluster/applications.ts';
import { flagsOf } from '../../../engine/cluster/canaries.ts';
import { Context } from '../../../engine/cluster/context.ts';
import { LOOK_MOST, LostPath, type PathLooks } from '../../../engine/cluster/lost-path.ts';
import { Durability } from '../../../engine/cluster/persist.ts';
import { Volumes } from '../../../engine/cluster/volumes.ts';
import type { VolumeConfig } from '../../../engine/core/config.ts';
import { Rng } from '../../../engine/core/rng.ts';
import type { DataReport } from '../../../engine/data/messages.ts';
import { ofKind } from '../../support/control-fixtures.ts';
import { GROUP, testConfig, VOLUME } from '../../support/control-host.ts';

const SECOND = 1_000_000;
const OTHER = 'other';
const PLAIN = testConfig();
const [FIRST] = PLAIN.volumes as readonly [VolumeConfig];
const [GROUP_ON_IT] = PLAIN.groups;
/** Two volumes, each with a group and its application. */
const CONFIG = testConfig({
  volumes: [FIRST, { ...FIRST, name: OTHER, uuid: 'f'.repeat(32) }],
  groups: GROUP_ON_IT ? [GROUP_ON_IT, { ...GROUP_ON_IT, name: 'second', volume: OTHER }] : [],
});

type State = Extract<DataReport, { kind: 'state' }>;

/** One life of the core of node 1, whose volumes are well at first. */
function life(
  canaries: readonly string[] = [],
  before: { readonly now: number; readonly looks: PathLooks | undefined; seed: number } = {
    now: 0,
    looks: undefined,
    seed: 1,
  },
) {
  const flags = flagsOf(new Set(canaries));
  const context = new Context(CONFIG, 1, new Rng(before.seed, 1), flags, () => {});
  context.boot = 11;
  context.now = before.now;
  const durability = new Durability(context);
  const volumes = new Volumes(context);
  const applications = new Applications(context);
  const network = { heard: true };
  const path = new LostPath(context, durability, volumes.all, applications, () => network.heard);
  path.restore(before.looks);
  const known = { generation: 7, epoch: 1, hot: false, doubted: false } as const;
  for (const volume of [VOLUME, OTHER]) {
    volumes.report(
      { kind: 'attached', cause: '', volume, disk: 'UpToDate', ...known },
      () => 0,
      null,
    );
  }
  const say = (volume: string, change: Partial<State>): void => {
    const plain = { epoch: 1, link: 'Connecting', dirty: 0, pending: 0, failure: '1.1.9' } as const;
    const well = { disk: 'UpToDate', role: 'Secondary' } as const;
    volumes.report({ kind: 'state', volume, ...plain, ...well, ...change }, () => 0, null);
  };
  const away = { disk: 'Failed', role: 'Idle', pathLost: true } as const;
  const lose = (): void => say(VOLUME, away);
  const loseAll = (): void => {
    lose();
    say(OTHER, away);
  };
  /** So many beats of a second, or until the core ends; whether it did, and what it said. */
  const run = (seconds: number, write = true) => {
    for (let n = 0; n < seconds; n += 1) {
      context.now += SECOND;
      path.tick();
      durability.flush(() => ({}));
      const decisions = context.take();
      for (const { token } of ofKind(decisions, 'persist')) if (write) durability.persisted(token);
      const [end] = ofKind(decisions, 'restart-core');
      if (end) return { end, said: ofKind(decisions, 'event').map(({ event }) => event) };
    }
    return null;
  };
  return { context, volumes, applications, network, path, say, lose, loseAll, run };
}

/** Lives one after the other while the path stays away: when each began, in microseconds. */
function starts(
  minutes: number,
  canaries: readonly string[] = [],
  seed = 1,
  beside = false,
): readonly number[] {
  const at: number[] = [0];
  let looks: PathLooks | undefined;
  let now = 0;
  while (now < minutes * 60 * SECOND) {
    const { context, path, lose, loseAll, run } = life(canaries, {
      now,
      looks,
      seed: seed + at.length,
    });
    if (beside) lose();
    else loseAll();
    if (run(800) === null) throw new Error('it is not tried again');
    looks = path.looks;
    now = context.now;
    at.push(now);
  }
  return at;
}

/** Whether the monitor of a real host would have waited before one of these starts. */
function exhausts(at: readonly number[]): boolean {
  return at.some((now, n) => at.slice(0, n).filter((t) => now - t < 60 * SECOND).length >= 5);
}

describe('a replica whose path is lost', () => {
  it('has its core start anew, and says why', () => {
    const { lose, run } = life();
    lose();
    expect(run(9)).toBeNull();
    const ended = run(5);
    const [event] = ended?.said ?? [];
    expect(event).toMatchObject({ kind: 'data.path', d: { volume: VOLUME }, cause: '1.1.9' });
    expect(ended?.end.cause).toBe(event?.id);
  });

  it('is not tried again, with the planted bug', () => {
    const { lose, run } = life(['path-given-up']);
    lose();
    expect(run(120)).toBeNull();
  });

  it('is left alone where the disk itself failed, or is there again', () => {
    const { say, lose, run } = life();
    say(VOLUME, { disk: 'Failed', role: 'Idle' });
    expect(run(60)).toBeNull();
    lose();
    run(5);
    say(VOLUME, {});
    expect(run(60)).toBeNull();
  });

  it('is looked at ever less often, within what the monitor allows, and never given up', () => {
    for (const seed of [1, 50, 100]) {
      const at = starts(60, [], seed);
      const waits = at.slice(1).map((end, n) => end - (at[n] as number));
      expect(waits[0]).toBeLessThan(15 * SECOND);
      expect(waits[1]).toBeGreaterThanOrEqual(20 * SECOND);
      for (const wait of waits.slice(2)) {
        expect(wait).toBeGreaterThanOrEqual(40 * SECOND);
        expect(wait).toBeLessThanOrEqual(LOOK_MOST + SECOND);
      }
      expect(exhausts(at)).toBe(false);
      // There is room for two deaths that nobody ordered.
      expect(exhausts([...at, SECOND, 25 * SECOND].sort((a, b) => a - b))).toBe(false);
    }
  });

  it('is looked at every ten minutes at most where the host holds another replica', () => {
    const at = starts(120, [], 1, true);
    const waits = at.slice(1).map((end, n) => end - (at[n] as number));
    expect(waits[0]).toBeLessThan(15 * SECOND);
    for (const wait of waits.slice(6)) expect(wait).toBeGreaterThanOrEqual(600 * SECOND);
    expect(waits.length).toBeGreaterThan(8);
  });

  it('does not have hosts that lost one array look at the same moment', () => {
    const at = [1, 2, 3, 4].map((seed) => starts(1, [], 10 * seed)[1]);
    expect(new Set(at).size).toBeGreaterThan(1);
  });

  it('costs the lease, with the planted bug: the monitor starts no core for a while', () => {
    expect(exhausts(starts(5, ['path-hammered']))).toBe(true);
  });

  it('is not looked at where accidents have used up what the monitor allows', () => {
    const found = [50, 52, 54].map((at) => at * SECOND);
    const before = { now: 60 * SECOND, looks: { boot: 11, found }, seed: 1 };
    const { lose, run, context } = life([], before);
    lose();
    expect(run(300)).not.toBeNull();
    expect(context.now).toBeGreaterThanOrEqual(110 * SECOND);
    // Those of another boot are none of this one's.
    const other = life([], { ...before, looks: { boot: 12, found } });
    other.lose();
    expect(other.run(15)).not.toBeNull();
  });

  it('is looked at only when the next life knows that this one has found it lost', () => {
    const { lose, run, path } = life();
    expect(path.looks).toBeUndefined();
    lose();
    expect(run(120, false)).toBeNull();
    expect(path.looks).toEqual({ boot: 11, found: [SECOND] });
  });
});

describe('a core whose host may have to take another volume over', () => {
  it('does not end for a lost path while somebody is not heard', () => {
    const { lose, run, network } = life();
    lose();
    network.heard = false;
    expect(run(300)).toBeNull();
    network.heard = true;
    expect(run(2)).not.toBeNull();
  });

  it('does not end for a lost path while the log has it lead one', () => {
    const { lose, run, volumes } = life();
    const other = volumes.get(OTHER);
    lose();
    if (other) other.engaged = true;
    expect(run(300)).toBeNull();
    if (other) other.engaged = false;
    expect(run(2)).not.toBeNull();
  });

  it('ends where it holds nothing else, whoever is heard: nobody is better off for waiting', () => {
    const { loseAll, run, network } = life();
    loseAll();
    network.heard = false;
    expect(run(20)).not.toBeNull();
  });
});

describe('a core that serves', () => {
  const BUSY: readonly (readonly [string, (on: ReturnType<typeof life>) => void])[] = [
    ['is primary of another volume', ({ say }) => say(OTHER, { role: 'Primary' })],
    ['waits for a grant to be', ({ say }) => say(OTHER, { role: 'Suspended' })],
    ['copies another volume', ({ say }) => say(OTHER, { link: 'SyncSource' })],
    ['is copied to', ({ say }) => say(OTHER, { disk: 'Inconsistent', link: 'SyncTarget' })],
    [
      'runs an application',
      ({ applications }) => {
        applications.report('second', 3, 'running');
      },
    ],
  ];

  for (const [what, begin] of BUSY) {
    it(`does not end for a lost path while it ${what}`, () => {
      const on = life();
      begin(on);
      on.lose();
      expect(on.run(300)).toBeNull();
      on.say(OTHER, {});
      on.applications.report('second', 3, 'stopped');
      expect(on.run(2)).not.toBeNull();
    });

    it(`ends all the same with the planted bug, though it ${what}`, () => {
      const on = life(['path-over-clients']);
      begin(on);
      on.lose();
      expect(on.run(20)).not.toBeNull();
    });
  }

  it('does not end for a lost path while its volume is served through another replica', () => {
    const { say, run } = life();
    const away = { disk: 'Failed', pathLost: true, role: 'Primary' } as const;
    say(VOLUME, { ...away, proxies: true });
    expect(run(60)).toBeNull();
    say(VOLUME, { ...away, role: 'Secondary' });
    expect(run(20)).not.toBeNull();
  });

  it('does not wait for what stands on the lost replica itself', () => {
    const { lose, run, applications } = life();
    applications.report(GROUP, 3, 'running');
    lose();
    expect(run(20)).not.toBeNull();
  });
});
