import { describe, expect, it } from 'vitest';
import type { SplitPolicy } from '../../engine/core/config.ts';
import type { TimelineEvent } from '../../engine/timeline/event.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { newWorld, type RunResult, runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

const world = newWorld();
const SEEDS = [1, 2, 3, 4];

function scenario(policy: SplitPolicy, change: Partial<Scenario> = {}): Scenario {
  const known = LIBRARY.find(({ name }) => name === 'old-disk-leads');
  if (known === undefined) throw new Error('the library has old-disk-leads');
  const volumes = known.config.volumes.map((volume) => ({ ...volume, splitBrain: policy }));
  return { ...known, config: { ...known.config, volumes }, ...change };
}

/** The newer data are at hand when the old disk comes back: it leads, and is written to no more. */
function caughtAtOnce(policy: SplitPolicy): Scenario {
  const base = scenario(policy);
  const [away, lost, old] = base.faults;
  if (away === undefined || lost === undefined || old === undefined) throw new Error('three');
  const faults = [away, { ...lost, for: 5_000_000 }, { ...old, for: 4_000_000 }];
  return { ...base, faults };
}

interface Ended {
  /** Whether the primary of the record was the one whose branch was given up. */
  readonly victim: 'primary' | 'other' | 'nobody';
  readonly reason: string;
}

function ended(run: RunResult): Ended {
  const order = run.timeline.findIndex(({ kind }) => kind === 'volume.discard');
  const event = run.timeline[order];
  if (event === undefined) return { victim: 'nobody', reason: '' };
  const said = (e: TimelineEvent) => e.kind === 'mirror.record';
  const primary = run.timeline.slice(0, order).findLast(said)?.d['primary'];
  const victim = event.d['node'] === primary ? 'primary' : 'other';
  return { victim, reason: String(event.d['reason']) };
}

/** What a policy comes to in every seed; all laws hold, and everything heals. */
function endings(what: Scenario): Set<string> {
  const found = new Set<string>();
  for (const seed of SEEDS) {
    const run = runScenario(what, seed, { timeline: true }, world);
    expect([seed, run.violations]).toEqual([seed, []]);
    const { victim, reason } = ended(run);
    found.add(`${victim} ${reason}`.trim());
  }
  return found;
}

describe('a split brain, by policy', () => {
  it.each([
    ['discard-younger-primary', 'primary younger'],
    ['discard-older-primary', 'other older'],
    ['discard-local', 'primary local'],
    ['discard-remote', 'other remote'],
    // Both were written to, and what the newer side wrote before is in no map.
    ['discard-unchanged', 'nobody'],
    ['discard-fewer-changes', 'nobody'],
    ['manual', 'nobody'],
  ] as const)('%s gives up: %s', (policy, ending) => {
    expect(endings(scenario(policy))).toEqual(new Set([ending]));
  });

  it('gives up an old disk to which nobody wrote, because nothing is lost with it', () => {
    expect(endings(caughtAtOnce('discard-unchanged'))).toEqual(new Set(['primary unchanged']));
  });

  it('gives up an old disk to which less was written than the other side wrote alone', () => {
    const fewer = endings(caughtAtOnce('discard-fewer-changes'));
    expect(fewer).toEqual(new Set(['primary fewer-blocks']));
  });

  it('stops what runs over a branch before it is overwritten', () => {
    for (const seed of SEEDS) {
      const { timeline } = runScenario(scenario('discard-local'), seed, { timeline: true }, world);
      const at = (kind: string): number => timeline.findIndex((event) => event.kind === kind);
      const order = at('volume.discard');
      const rest = timeline.slice(order);
      const stopped = rest.findIndex(({ kind }) => kind === 'world.application-stopped');
      const begun = rest.findIndex(({ kind }) => kind === 'mirror.target.start');
      expect(order).toBeGreaterThan(0);
      expect(stopped).toBeGreaterThan(0);
      expect(begun).toBeGreaterThan(stopped);
    }
  });

  it('holds its laws when a host loses power on the way, in the copy or before it', () => {
    const reached = new Set<string>();
    for (const seed of [232, 244, 268, 304, 468, 484]) {
      const base = scenario(seed % 3 === 0 ? 'discard-local' : 'discard-younger-primary');
      const [away, lost] = base.faults;
      if (away === undefined || lost === undefined) throw new Error('the scenario has faults');
      const later = { at: 26_500_000, for: 1_000_000 + ((seed * 104_729) % 4_000_000) };
      const when = seed % 3 === 0 ? 'hand-over' : 'resync';
      for (const { target } of [away, lost]) {
        const faults = [...base.faults, { ...away, ...later, when, target } as const];
        const run = runScenario({ ...base, faults }, seed, {}, world);
        expect([seed, run.violations]).toEqual([seed, []]);
        for (const mark of Object.keys(run.statesReached)) reached.add(mark);
      }
    }
    expect([...reached]).toContain('mirror.resync.interrupted');
  });

  it('lets no flushed write of the side that is kept be lost unseen', () => {
    const base = scenario('discard-younger-primary');
    const [away] = base.faults;
    if (away === undefined) throw new Error('the scenario has faults');
    // It loses power while the other one is filled.
    const at = { at: 26_500_000, for: 3_000_000, when: 'resync', target: 'primary' } as const;
    const cut = { ...away, ...at, cache: 'none' } as const;
    const after = { ...base, faults: [...base.faults, cut] };
    const lost = (canaries: ReadonlySet<string>): number =>
      SEEDS.filter((seed) => {
        const { violations } = runScenario(after, seed, { canaries }, world);
        return violations.some(({ law }) => law === 'LAW-flushed');
      }).length;
    expect(lost(new Set())).toBe(0);
    expect(lost(new Set(['kept-flush-unawaited']))).toBeGreaterThan(0);
  });
});
