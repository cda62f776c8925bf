import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TimelineEvent } from '../../engine/timeline/event.ts';
import { plantedBugs } from '../../scenarios/canaries.ts';
import { WAITS_FOR } from '../../scenarios/history.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { newWorld, type RunResult, runScenario } from '../../scenarios/run.ts';
import { HISTORY_BUGS, type Scenario } from '../../scenarios/scenario.ts';
import { stepsOf } from '../../scenarios/sweep.ts';

const MINUTE = 60_000;
const SEEDS = [1, 2, 3];
/** A quick run takes few steps of each sweep, spread over it; CI takes them all. */
const EVERY = process.env['UNDERSTUDY_CI'] === '1' ? 1 : 7;

/** That an old disk has come back is detected as it does; what comes of it is another matter. */
const RETURNED: readonly string[] = ['cover.forgotten'];
/** Where the old disk leads, it is read, until its branch is given up. */
const LED: { readonly [name: string]: readonly string[] } = {
  'branch-given-up-in-full': ['register.spoiled-read', 'acknowledged.given-up'],
  'loss-accepted-as-the-other-returns': ['acknowledged.given-up'],
};

/** Whose bugs the oracle sees in what the disks hold at every flush, whatever strikes. */
const SEEN_AT_ONCE: readonly string[] = ['secondary-dark-after-its-word'];

/** Where no planted bug tells that the instant is met: what the timeline says when it is. */
const INSTANTS: { readonly [name: string]: (timeline: readonly TimelineEvent[]) => boolean } = {
  'secondary-dark-after-its-word': (timeline) => {
    return timeline.some(({ kind }) => kind === 'fault.power-off');
  },
  'one-end-gives-the-link-up-first': (timeline) => {
    const downs = timeline.filter(({ kind, d }) => kind === 'mirror.link' && d['state'] === 'down');
    return downs.some(({ node, t, d }) => {
      return downs.some((other) => {
        return other.node !== node && other.d['link'] === d['link'] && other.t > t + 10_000;
      });
    });
  },
  'record-comes-while-a-disk-attaches': (timeline) => {
    return timeline.some((attached, at) => {
      if (attached.kind !== 'mirror.attach') return false;
      const before = timeline.slice(0, at).filter(({ node }) => node === attached.node);
      const start = before.findLastIndex(({ kind }) => kind === 'core.start');
      const life = before.slice(start + 1);
      const linked = life.some(({ kind, d }) => kind === 'mirror.link' && d['state'] === 'up');
      return (
        linked &&
        life.some(({ kind, d }) => {
          return kind === 'volume.record' && Number(d['epoch']) > Number(attached.d['epoch']);
        })
      );
    });
  },
};

const page = readFileSync(new URL('../../docs/history.md', import.meta.url), 'utf8');
const rows = page.split('\n').flatMap((line) => {
  const cells = line.split('|').map((cell) => cell.trim());
  return /^\d+$/.test(cells[1] ?? '') ? [cells.slice(1, -1)] : [];
});
/** Number, scenario and planted bugs of each row that has a scenario. */
const shown = rows.flatMap(([number, , link, bugs]) => {
  const name = /^\[([a-z-]+)\]\(\.\.\/scenarios\/library\/\1\.ts\)$/.exec(link ?? '')?.[1];
  return name === undefined ? [] : [{ number: Number(number), name, bugs: bugsOf(bugs ?? '') }];
});
const others = rows.filter(([number]) => !shown.some((each) => each.number === Number(number)));

function bugsOf(cell: string): readonly (readonly [id: string, law: string])[] {
  return cell
    .split(', ')
    .filter((part) => part !== '–')
    .map((part) => {
      const match = /^`([A-Za-z0-9-]+)` → (LAW-[a-z-]+(?: \/ LAW-[a-z-]+)?)$/.exec(part);
      if (match === null)
        throw new Error(`docs/history.md: "${part}" is no planted bug with a law`);
      return [match[1] as string, match[2] as string];
    });
}

function scenarioOf(name: string): Scenario {
  const found = LIBRARY.find((each) => each.name === name);
  if (found === undefined) throw new Error(`the library lacks ${name}`);
  return found;
}

const seedOf = (step: number): number => SEEDS[step % SEEDS.length] as number;

describe('the page about old bugs', () => {
  it('says of each bug once what becomes of it', () => {
    const numbers = rows.map(([number]) => Number(number)).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: HISTORY_BUGS }, (_, i) => i + 1));
  });

  it('names every scenario that has a number, and none that lacks it', () => {
    const numbered = LIBRARY.flatMap(({ name, history }) => {
      return history === undefined ? [] : [`${history} ${name}`];
    });
    expect(shown.map(({ number, name }) => `${number} ${name}`)).toEqual(numbered);
  });

  it('names planted bugs that exist', () => {
    const ids = plantedBugs().map(({ id }) => id);
    for (const { bugs } of shown) for (const [id] of bugs) expect(ids).toContain(id);
  });

  it('says of the others what they wait for, or which test shows the refusal', () => {
    for (const [number, , why] of others) {
      const test = /(test\/\S+\.ts): «(.+)»$/.exec(why ?? '');
      const waits = WAITS_FOR[Number(number)];
      if (waits !== undefined) {
        expect([number, why]).toEqual([number, `waits for: ${waits}`]);
        continue;
      }
      const known = /^(never|tested): /.test(why ?? '');
      expect([number, known, test !== null]).toEqual([number, true, true]);
      const [, file, title] = test as RegExpExecArray;
      const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      expect(source).toContain(`'${title}'`);
    }
  });
});

describe('an old bug', () => {
  const world = newWorld();

  for (const { name, bugs } of shown) {
    const scenario = scenarioOf(name);
    const steps = stepsOf(scenario);
    const known = [...RETURNED, ...(LED[name] ?? [])];

    it(`does not happen, whenever it strikes: ${scenario.title.toLowerCase()}`, {
      timeout: 10 * MINUTE,
    }, () => {
      expect(steps.length).toBeGreaterThanOrEqual(20);
      const fired = new Set<string>();
      let served = 0;
      for (let step = 0; step < steps.length; step += EVERY) {
        const run = runScenario(steps[step] as Scenario, seedOf(step), {}, world);
        const found = [
          ...run.violations,
          ...run.detected.filter(({ code }) => !known.includes(code)),
        ];
        expect([step, found]).toEqual([step, []]);
        for (const kind of Object.keys(run.faultsFired)) fired.add(kind);
        served += run.ios;
      }
      expect([...fired].sort()).toEqual(
        [...new Set(scenario.faults.map(({ kind }) => kind))].sort(),
      );
      expect(served).toBeGreaterThan(0);
    });

    const told = INSTANTS[name];
    it(`is met at its instant, as a planted bug or the timeline tells: ${name}`, {
      timeout: 10 * MINUTE,
    }, () => {
      const tells = bugs.length > 0 && !SEEN_AT_ONCE.includes(name);
      expect([name, tells]).toEqual([name, told === undefined]);
      if (told === undefined) return;
      const options = { timeline: true };
      const met = quick(steps).filter(([step, seed]) => {
        return told(runScenario(step, seed, options, world).timeline);
      });
      expect(met.length * 2).toBeGreaterThanOrEqual(quick(steps).length);
      for (const seed of SEEDS) {
        expect(told(runScenario(withoutSwept(scenario), seed, options, world).timeline)).toBe(
          false,
        );
      }
    });

    for (const [id, law] of bugs) {
      const options = { canaries: new Set([id]), stopAtFirst: true };
      const lawsOf = (run: RunResult): string[] => {
        const seen = run.detected.filter(({ code }) => !known.includes(code));
        return [...run.violations, ...seen].map((finding) => finding.law);
      };
      it(`happens where ${id} is planted, and breaks ${law}: ${name}`, {
        timeout: 10 * MINUTE,
      }, () => {
        const laws = new Set<string>();
        for (const step of spread(steps.length)) {
          const run = runScenario(steps[step] as Scenario, seedOf(step), options, world);
          for (const each of lawsOf(run)) laws.add(each);
          if (law.split(' / ').some((one) => laws.has(one))) return;
        }
        expect([...laws]).toContain(law);
      });

      if (SEEN_AT_ONCE.includes(name)) continue;
      it(`does not without what the sweep moves: ${id} in ${name}`, {
        timeout: 10 * MINUTE,
      }, () => {
        for (const seed of SEEDS) {
          const run = runScenario(withoutSwept(scenario), seed, options, world);
          const laws = lawsOf(run).filter((one) => law.split(' / ').includes(one));
          expect([seed, ...laws]).toEqual([seed]);
        }
      });
    }
  }
});

/** The scenario without the faults at its critical instant. */
function withoutSwept({ sweep, ...rest }: Scenario): Scenario {
  return { ...rest, faults: rest.faults.filter((_, at) => !sweep?.faults.includes(at)) };
}

/** What a quick run takes of all steps, each with its seed. */
function quick(steps: readonly Scenario[]): readonly (readonly [Scenario, number])[] {
  return steps.flatMap((step, at) => (at % EVERY === 0 ? [[step, seedOf(at)] as const] : []));
}

/** All steps, far ones first: what a bug needs may be at one end. */
function spread(steps: number): number[] {
  const order: number[] = [];
  for (let from = 0; from < 7; from += 1) {
    for (let step = from; step < steps; step += 7) order.push(step);
  }
  return order;
}
