import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FaultFacts } from '../../backends/sim/fault-driver.ts';
import { LAWS } from '../../backends/sim/oracle/verdict.ts';
import type { Moment } from '../../backends/sim/outcome.ts';
import { MIRROR_MARKS } from '../../engine/mirror/catalogue.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { breaks, cellOf, type FaultClass, JUDGED_BY, LAW_TABLE } from '../../scenarios/laws.ts';

/** The short names of the properties of mirrors, in the order of the table in ARCHITECTURE.md. */
const PROPERTIES = 'W1 W2 S1 S2 S3 S4 O1 A1 C1 E1 E2 G1 G2 M1 M2 D1 R1 T1 P1 L1 L2 L3 L4 L5'.split(
  ' ',
);
/** They call the oracles, or judge what one of another name does. */
const HELPERS: readonly string[] = ['oracles.ts'];

const calm: FaultFacts = { freezes: [], ppm: 0, wiped: new Set() };
const now: Moment = { t: 20_000_000, nodes: [1, 2] };

/** Host 1 stood still for so long, until now. */
function frozen(micros: number, clockStops = false, node = 1): FaultFacts {
  const freeze = { node, from: now.t - micros, until: now.t, clockStops };
  return { ...calm, freezes: [freeze] };
}
const world = { forgot: false };

describe('the table of laws', () => {
  it('has an oracle for every law that is promised, or says which one sees it broken', () => {
    const page = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
    const promised = [...page.matchAll(/^\| (LAW-[a-z-]+) \|/gm)].map((match) => match[1] ?? '');
    const judged: readonly string[] = [...LAWS, ...Object.keys(JUDGED_BY)];
    expect(promised.length).toBeGreaterThan(8);
    expect(promised.filter((law) => !judged.includes(law))).toEqual([]);
    expect(judged.filter((law) => !promised.includes(law))).toEqual([]);
    for (const [law, by] of Object.entries(JUDGED_BY)) {
      expect(LAWS).toContain(by);
      expect(LAWS).not.toContain(law);
    }
  });

  it('has a row for every property of mirrors, and every oracle judges by one of its laws', () => {
    const page = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
    const cells = /^\| ([A-Z]\d) \| [^|]+ \| (LAW-[a-z-]+|none) \| `([^`]+)` \| ([^|]*)\|$/gm;
    const rows = [...page.matchAll(cells)].map(([, name, law, file, lacks]) => {
      return { name: name ?? '', law: law ?? '', file: file ?? '', lacks: lacks ?? '' };
    });
    expect(rows.map(({ name }) => name)).toEqual(PROPERTIES);
    const read = (file: string): string => {
      return readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    };
    for (const { name, law, file, lacks } of rows) {
      const source = read(file);
      // Whoever has no oracle says what is not seen.
      if (law === 'none') expect([name, lacks.length > 8]).toEqual([name, true]);
      else if (file.startsWith('backends/')) {
        expect([name, source.includes(`'${JUDGED_BY[law] ?? law}'`)]).toEqual([name, true]);
      }
    }
    // The other way round: no law is judged that is neither a property's nor the cluster's.
    const named = [...rows.map(({ law }) => law), 'LAW-one-holder', 'LAW-stop-before-start'];
    expect(LAWS.filter((law) => !named.includes(law))).toEqual([]);
    const folder = new URL('../../backends/sim/oracle/', import.meta.url);
    for (const name of readdirSync(folder)) {
      const found = [...read(`backends/sim/oracle/${name}`).matchAll(/find\(\s*'(LAW-[a-z-]+)'/g)];
      for (const [, law] of found)
        expect([name, LAWS]).toEqual([name, expect.arrayContaining([law])]);
      const own = found.length > 0 && !HELPERS.includes(name);
      const stands = page.includes(`\`backends/sim/oracle/${name}\``);
      if (own) expect([name, stands]).toEqual([name, true]);
    }
  });

  it('makes every finding a breach where no fault excuses it', () => {
    for (const law of LAWS) expect(breaks(law, calm, world, DEMO_CONFIG, now)).toBe(true);
  });

  it('never excuses data: no law that speaks of it is given up under any fault', () => {
    const faults = { ...frozen(9_000_000, true), ppm: 9_000, wiped: new Set([3]) };
    const ofData = ['LAW-acknowledged', 'LAW-flushed', 'LAW-one-epoch', 'LAW-cover'] as const;
    for (const law of [...ofData, 'LAW-prefix'] as const) {
      expect(breaks(law, faults, { forgot: true }, DEMO_CONFIG, now)).toBe(true);
      for (const fault of Object.keys(LAW_TABLE) as FaultClass[]) {
        expect(cellOf(fault, law).says).not.toBe('detected');
      }
    }
  });

  it('lets a frozen guest be two holders, but only when it was frozen for long enough', () => {
    expect(breaks('LAW-one-holder', frozen(50_000), world, DEMO_CONFIG, now)).toBe(true);
    expect(breaks('LAW-one-holder', frozen(5_000_000), world, DEMO_CONFIG, now)).toBe(false);
    expect(breaks('LAW-register', frozen(5_000_000), world, DEMO_CONFIG, now)).toBe(true);
    const stopped = frozen(5_000_000, true);
    expect(breaks('LAW-register', stopped, world, DEMO_CONFIG, now)).toBe(false);
  });

  it('excuses nobody but the frozen guest, and not for ever', () => {
    const long = frozen(5_000_000);
    const broken = (moment: Moment): boolean => {
      return breaks('LAW-one-holder', long, world, DEMO_CONFIG, moment);
    };
    expect(broken(now)).toBe(false);
    expect(broken({ ...now, nodes: [2, 3] })).toBe(true);
    expect(broken({ ...now, t: now.t + 5_000_000 })).toBe(false);
    expect(broken({ ...now, t: now.t + 6_000_000 })).toBe(true);
    // The witness runs nothing.
    const witness = frozen(5_000_000, false, 3);
    expect(breaks('LAW-one-holder', witness, world, DEMO_CONFIG, now)).toBe(true);
  });

  it('excuses clocks only beyond the configured bound', () => {
    const wrong = (ppm: number): FaultFacts => ({ ...calm, ppm });
    const bound = DEMO_CONFIG.timing.clockRatePpm;
    expect(breaks('LAW-one-holder', wrong(bound), world, DEMO_CONFIG, now)).toBe(true);
    expect(breaks('LAW-one-holder', wrong(bound + 1), world, DEMO_CONFIG, now)).toBe(false);
  });

  const DISKS = [
    'flush-lied',
    'data-spoiled',
    'metadata-spoiled',
    'disk-old',
    'disk-error',
    'disk-stalled',
  ] as const;

  it('says by what the engine notices what befalls a disk, or that none can', () => {
    for (const fault of DISKS) {
      for (const cell of Object.values(LAW_TABLE[fault])) {
        expect(cell.says).toBe('assumption');
        if (cell.says !== 'assumption') continue;
        expect(['nobody', ...MIRROR_MARKS]).toContain(cell.seenBy);
      }
    }
  });

  it('excuses no law as a whole for a disk that lies, rots or goes back in time', () => {
    for (const fault of DISKS) {
      for (const law of LAWS) expect(cellOf(fault, law).says).not.toBe('detected');
      for (const law of ['LAW-one-epoch', 'LAW-one-holder', 'LAW-stop-before-start'] as const) {
        expect(cellOf(fault, law)).toEqual({ says: 'holds' });
      }
    }
  });

  it('names an assumption or a reason in every cell that is not plain', () => {
    for (const cells of Object.values(LAW_TABLE)) {
      for (const cell of Object.values(cells)) {
        const words =
          cell.says === 'assumption' ? cell.assumption : 'reason' in cell ? cell.reason : '';
        expect(words.length).toBeGreaterThan(20);
      }
    }
  });
});
