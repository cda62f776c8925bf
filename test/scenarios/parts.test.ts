/** Volumes in parts: a disk for each, which may fail by itself, and all laws as for one disk. */
import { describe, expect, it } from 'vitest';
import { PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { PrefixOracle } from '../../backends/sim/oracle/prefix.ts';
import { checkConfig } from '../../engine/cluster/config-check.ts';
import { runCampaign } from '../../scenarios/campaign.ts';
import { demoAsync, demoInParts, demoThird } from '../../scenarios/demo.ts';
import { describeFault } from '../../scenarios/describe.ts';
import { type Swarm, scheduleOf } from '../../scenarios/generate.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';
import { PARTED, readScenario, type Scenario, writeScenario } from '../../scenarios/scenario.ts';

const CONFIG = demoInParts();
/** Sectors of the first part: the log is behind them. */
const PAGES = (8 * 1024 * 1024) / 512;
const world = newWorld();

/** The laws that a campaign found broken. */
function campaign(mode: Swarm, runs: number, canary = ''): { readonly found: readonly string[] } {
  const found: string[] = [];
  const canaries = new Set(canary === '' ? [] : [canary]);
  const shard = { config: CONFIG, mode, seed: 500_000, runs, canaries, shrinkBudget: 0 };
  runCampaign(shard, (run) => {
    for (const { law, code } of run.violations) found.push(`${run.seed}: ${law} ${code}`);
  });
  return { found };
}

function far(): Scenario {
  const name = 'far-database-dark-again-and-again';
  return LIBRARY.find((scenario) => scenario.name === name) as Scenario;
}

describe('a volume in parts', () => {
  it('keeps every law in a swarm', { timeout: 300_000 }, () => {
    expect(checkConfig(CONFIG)).toEqual([]);
    expect(campaign('swarm', 16).found).toEqual([]);
  });

  it('keeps every law in a swarm of disks that do wrong', { timeout: 300_000 }, () => {
    expect(campaign('disks', 20).found).toEqual([]);
  });

  // An undo log knows nothing of it: what it would give back is another image from then on.
  it('keeps every law where one disk of an asynchronous replica has old data', {
    timeout: 300_000,
  }, () => {
    let fired = 0;
    for (const part of ['pages', 'log']) {
      const old = { ...PLAIN_FAULT, kind: 'old-disk', target: 2, part } as const;
      const faults = [{ ...old, at: 12_160_000, for: 2_000_000, age: 2_000_000 }];
      const run = runScenario({ ...far(), faults }, 1, {}, world);
      expect([part, ...run.violations]).toEqual([part]);
      fired += run.faultsFired['old-disk'] ?? 0;
    }
    expect(fired).toBe(2);
  });

  for (const kind of PARTED) {
    it(`keeps every law where one of its disks suffers from ${kind}`, { timeout: 120_000 }, () => {
      let fired = 0;
      for (const part of ['pages', 'log']) {
        for (const target of ['primary', 'secondary'] as const) {
          const plain = { ...PLAIN_FAULT, kind, target, part, for: 3_000_000, age: 2_000_000 };
          const ppm = kind === 'lost-write' || kind === 'stale-read' ? 20_000 : 0;
          const faults = [
            { ...plain, at: 9_000_000, ppm },
            { ...PLAIN_FAULT, kind: 'power-off', target, at: 13_000_000, for: 900_000 },
          ] as const;
          const run = runScenario({ ...far(), config: CONFIG, faults }, 7, {}, world);
          expect([part, target, ...run.violations]).toEqual([part, target]);
          fired += run.faultsFired[kind] ?? 0;
        }
      }
      // Of what reads would show there is nothing on a host that nobody reads from.
      expect(fired).toBeGreaterThan(kind === 'stale-read' ? 0 : 3);
    });
  }

  it('shows flush-first-part: what the log was told to keep is lost with the power', {
    timeout: 120_000,
  }, () => {
    const { found } = campaign('swarm', 2, 'flush-first-part');
    expect(found.map((each) => each.slice(each.indexOf('LAW')))).toContain(
      'LAW-flushed flushed.not-stable',
    );
  });

  it('is one moment of all parts on a far replica, whenever that loses power', {
    timeout: 300_000,
  }, () => {
    const images = { looked: 0, both: 0 };
    const oracles = new Set<PrefixOracle>();
    const { look } = PrefixOracle.prototype;
    PrefixOracle.prototype.look = function (this: PrefixOracle, ...args) {
      const { media } = args[0].disk;
      const has = (from: number, to: number) => media.subarray(from, to).some((stamp) => stamp > 0);
      images.looked += 1;
      if (has(0, PAGES) && has(PAGES, media.length)) images.both += 1;
      oracles.add(this);
      look.apply(this, args);
    };
    try {
      for (const seed of [11, 12])
        expect(runScenario(far(), seed, {}, world).violations).toEqual([]);
    } finally {
      PrefixOracle.prototype.look = look;
    }
    expect([...oracles].reduce((sum, oracle) => sum + oracle.looks, 0)).toBeGreaterThan(100);
    expect(images.both).toBeGreaterThan(images.looked / 2);
  });

  it.each(['flush-first-part', 'point-unstable'])('shows %s on a far replica', (canary) => {
    const laws = new Set<string>();
    const options = { canaries: new Set([canary]) };
    for (const seed of [1, 2]) {
      for (const { law } of runScenario(far(), seed, options, world).violations) laws.add(law);
    }
    expect([...laws]).toContain('LAW-prefix');
  });

  it('may have an asynchronous replica, and three', () => {
    for (const config of [demoAsync(), demoThird()]) {
      expect(checkConfig(demoInParts(config))).toEqual([]);
    }
  });
});

describe('a fault of one disk of several', () => {
  const one = { ...PLAIN_FAULT, kind: 'write-error', at: 3_000_000, target: 1 } as const;
  const text = {
    ...{ name: 'x', title: 'x', about: 'x', config: CONFIG },
    faults: [{ at: '3s', kind: 'write-error', target: 'a', part: 'log' }],
  };

  it('is read and written with the name of the part, and told with it', () => {
    const read = readScenario(text);
    expect(read.ok && read.scenario.faults[0]).toEqual({ ...one, part: 'log' });
    expect(read.ok && writeScenario(read.scenario).faults).toEqual(text.faults);
    const said = describeFault({ ...one, part: 'log' }, () => 'a');
    expect(said).toContain('writes on the disk of part log of node a fail');
  });

  it('is refused where there is no such part, and for what concerns all', () => {
    const reason = (fault: object): string => {
      const read = readScenario({ ...text, faults: [fault] });
      return read.ok ? '' : `${read.problems[0]?.place} ${read.problems[0]?.reason}`;
    };
    expect(reason({ ...text.faults[0], part: 'wal' })).toBe(
      'faults[0].part there is no part «wal»',
    );
    const all = { at: '3s', kind: 'kill-core', target: 'a', part: 'log' };
    expect(reason(all)).toBe('faults[0].part this fault concerns every part');
    const { config: _, ...whole } = text;
    expect(readScenario(whole).ok).toBe(false);
  });

  it('is drawn where the volume has parts, and never elsewhere', () => {
    const seeds = Array.from({ length: 60 }, (_, i) => 900 + i);
    const drawn = (config: Scenario['config']) => {
      return seeds.flatMap((seed) => scheduleOf(seed, config, 'disks')).map(({ part }) => part);
    };
    const parts = new Set(drawn(CONFIG));
    expect([parts.has('pages'), parts.has('log'), parts.has(undefined)]).toEqual([
      true,
      true,
      true,
    ]);
    const { parts: __, ...volume } = CONFIG.volumes[0] as Scenario['config']['volumes'][0];
    expect(drawn({ ...CONFIG, volumes: [volume] }).every((part) => part === undefined)).toBe(true);
  });
});
