/** The rows of the table of laws that are about disks: who notices what it says is noticed. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, type FaultKind, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { LAWS } from '../../backends/sim/oracle/verdict.ts';
import { metadataLayout } from '../../engine/mirror/metadata.ts';
import { DEMO_CONFIG, demoWith } from '../../scenarios/demo.ts';
import { FAULT_CLASSES, JUDGED_IN, mayExcuse } from '../../scenarios/fault-classes.ts';
import { type FaultClass, LAW_TABLE } from '../../scenarios/laws.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { type RunResult, runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { PAIR_CONFIG } from '../support/mirror-pair.ts';
import { spoilt } from '../support/spoilt-pages.ts';

function named(name: string): Scenario {
  return LIBRARY.find((each) => each.name === name) as Scenario;
}

function reachedIn({ statesReached }: RunResult): readonly string[] {
  return Object.keys(statesReached);
}

function reachedBy(name: string, seed: number): readonly string[] {
  return reachedIn(runScenario(named(name), seed));
}

/** Writes of the primary's disk are lost, where blocks have checksums. */
function summed(): readonly string[] {
  const lost = { ...PLAIN_FAULT, kind: 'lost-write', ppm: 300_000, for: 3_000_000 } as const;
  const config = demoWith({ checksums: true, logicalBlock: 4096 });
  const faults = [{ ...lost, at: 7_000_000 }];
  return reachedIn(runScenario({ ...named('metadata-rot'), config, faults }, 1));
}

/** Each kind of page of a replica's metadata fails its checksum: a swarm seldom meets that. */
function rotting(): readonly string[] {
  const { journal, journalPages, map, slotA, slotB } = metadataLayout(PAIR_CONFIG);
  const pages = Array.from({ length: journalPages }, (_, i) => journal + i);
  return [[map], pages, [slotA, slotB]].flatMap((lost) => [...spoilt(lost).marks]);
}

/** What strikes where a row says that the engine notices, and what is reached by it. */
const NOTICED: { readonly [fault in FaultClass]?: () => readonly string[] } = {
  'disk-error': () => reachedBy('disk-fails-under-load', 1),
  'path-lost': () => reachedBy('path-lost-and-back', 1),
  'receipt-lost': () => reachedBy('receiver-dies-with-receipts', 1),
  'disk-old': () => reachedBy('old-disk-leads', 1),
  'data-spoiled-summed': summed,
  'metadata-spoiled': rotting,
};

/** The marks that a row names. */
function marksOf(fault: FaultClass): readonly string[] {
  const cells = Object.values(LAW_TABLE[fault]);
  const marks = cells.map((cell) => (cell.says === 'assumption' ? cell.seenBy : undefined));
  return [...new Set(marks)].filter((mark) => mark !== undefined && mark !== 'nobody') as string[];
}

describe('a row of the table of laws', () => {
  for (const fault of Object.keys(LAW_TABLE) as FaultClass[]) {
    const marks = marksOf(fault);
    if (marks.length === 0) continue;
    it(`names what the engine does reach when it is struck: ${fault}`, { timeout: 60_000 }, () => {
      const reached = NOTICED[fault]?.() ?? [];
      expect(marks.filter((mark) => !reached.includes(mark))).toEqual([]);
    });
  }

  it('is read by somebody, or has nothing to read', () => {
    for (const fault of Object.keys(LAW_TABLE) as FaultClass[]) {
      const by = JUDGED_IN[fault];
      const plain = Object.keys(LAW_TABLE[fault]).length === 0;
      expect([fault, by === 'nothing to excuse']).toEqual([fault, plain]);
      if (!plain) expect([fault, existsSync(by)]).toEqual([fault, true]);
    }
  });

  it('is there for every kind of fault, and each but one of configurations is used', () => {
    const used = new Set(FAULT_KINDS.flatMap((kind) => FAULT_CLASSES[kind]));
    const rows = Object.keys(LAW_TABLE) as FaultClass[];
    expect(rows.filter((row) => !used.has(row))).toEqual(['no-watchdog']);
  });
});

describe('what an oracle excuses', () => {
  const data = ['LAW-acknowledged', 'LAW-flushed', 'LAW-register', 'LAW-cover'] as const;

  function excused(kind: FaultKind): readonly string[] {
    return LAWS.filter((law) => mayExcuse(law, { [kind]: 1 }, DEMO_CONFIG));
  }

  it('is a breach where nothing has struck, or nothing that has a row for that law', () => {
    for (const law of LAWS) expect([law, mayExcuse(law, {}, DEMO_CONFIG)]).toEqual([law, false]);
    for (const kind of ['cut', 'clog', 'loss', 'read-error', 'switch', 'verify'] as const) {
      expect([kind, excused(kind)]).toEqual([kind, []]);
    }
    for (const law of data) {
      expect(mayExcuse(law, { wipe: 1, 'pause-core': 0 }, DEMO_CONFIG)).toBe(false);
    }
    expect(excused('path-loss')).not.toContain('LAW-cover');
    expect(excused('write-error')).not.toContain('LAW-flushed');
    for (const kind of FAULT_KINDS) {
      expect(excused(kind)).not.toContain('LAW-one-epoch');
      expect(excused(kind)).not.toContain('LAW-no-panic');
    }
  });

  it('is excused where a row says so', () => {
    expect(mayExcuse('LAW-register', { 'lost-write': 1 }, DEMO_CONFIG)).toBe(true);
    expect(mayExcuse('LAW-acknowledged', { resolve: 1 }, DEMO_CONFIG)).toBe(true);
    expect(mayExcuse('LAW-heals', { wipe: 2 }, DEMO_CONFIG)).toBe(true);
  });
});
