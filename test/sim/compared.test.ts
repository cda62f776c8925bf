import { describe, expect, it } from 'vitest';
import { Ill } from '../../backends/sim/disk-ills.ts';
import { ComparedOracle } from '../../backends/sim/oracle/compared.ts';
import type { VerifyFinding, VerifyReport } from '../../engine/data/messages.ts';
import { Ground } from './oracle-ground.ts';

const RUNNING: VerifyReport = {
  ...{ kind: 'verify', volume: 'v', id: 5, level: 'digest', repair: false, state: 'running' },
  ...{ reason: '', cursor: 0, blocks: 8, checked: 0, differing: 0, repaired: 0, unreadable: 0 },
  findings: [],
  disagreements: [],
};

function run(block: number): VerifyFinding {
  const why = { what: 'differs', right: 0, why: 'no-checksums', repaired: 0 } as const;
  return { block, blocks: 1, ...why, copies: [] };
}

/** A comparison that begins at `from` while sector 20, of block 2, differs. */
function begun(from = 0, level = 'digest') {
  const ground = new Ground();
  ground.replica(2).disk.view[20] = 77;
  const oracle = new ComparedOracle(ground.truth, ground.verdict);
  const d = { volume: 'v', level, from, repair: false };
  const event = { id: 'e', t: 0, node: 1, kind: 'mirror.verify.start', d };
  oracle.event(ground.replica(1), event);
  // Something struck: whoever finds the difference is right.
  ground.ills[1]?.count(Ill.Rot);
  return {
    ground,
    oracle,
    report: (node: number, change: Partial<VerifyReport>) => {
      oracle.report(ground.replica(node), { ...RUNNING, ...change });
    },
  };
}

describe('a comparison', () => {
  it('that is done has named what differed all the time', () => {
    const { ground, report } = begun();
    report(1, {});
    report(1, { state: 'done', cursor: 8 });
    expect(ground.codes).toEqual(['cover.missed']);
  });

  it('may go on elsewhere, and is judged where it ends', () => {
    const { ground, report } = begun();
    report(1, {});
    report(1, { state: 'stopped', reason: 'not-primary' });
    expect(ground.codes).toEqual([]);
    report(2, { state: 'done', cursor: 8 });
    expect(ground.codes).toEqual(['cover.missed']);
  });

  it('is right that names it, or finds it well again', () => {
    const named = begun();
    named.report(1, {});
    named.report(1, { state: 'done', differing: 1, findings: [run(2)] });
    expect(named.ground.codes).toEqual([]);
    const healed = begun();
    healed.report(1, {});
    healed.ground.replica(2).disk.view[20] = 0;
    healed.report(1, { state: 'done' });
    expect(healed.ground.codes).toEqual([]);
    const written = begun();
    written.report(1, {});
    // Another difference than the one of the beginning may have come behind it.
    written.ground.replica(2).disk.view[20] = 78;
    written.report(1, { state: 'done' });
    expect(written.ground.codes).toEqual([]);
  });

  it('is asked for nothing where it began elsewhere, read no data, or disks lied', () => {
    for (const { ground, report } of [begun(3), begun(0, 'quick')]) {
      report(1, {});
      report(1, { state: 'done' });
      expect(ground.codes).toEqual([]);
    }
    const lied = begun();
    lied.ground.ills[0]?.count(Ill.StaleRead);
    lied.report(1, {});
    lied.report(1, { state: 'done' });
    expect(lied.ground.codes).toEqual([]);
  });

  it('of disks that have kept their word finds nothing, and metadata agree', () => {
    const says = [
      { node: 1, value: '0' },
      { node: 2, value: '1' },
    ];
    const wrong: readonly Partial<VerifyReport>[] = [
      { differing: 1, findings: [run(2)] },
      { level: 'quick', disagreements: [{ what: 'map', says }] },
    ];
    for (const change of wrong) {
      const ground = new Ground();
      const oracle = new ComparedOracle(ground.truth, ground.verdict);
      oracle.report(ground.replica(1), { ...RUNNING, ...change });
      expect(ground.codes).toEqual(['cover.compared']);
    }
  });

  it('has repaired what it says it repaired', () => {
    const ground = new Ground();
    const oracle = new ComparedOracle(ground.truth, ground.verdict);
    const d = { volume: 'v', block: 2 };
    const event = { id: 'e', t: 0, node: 1, kind: 'mirror.verify.repaired', d };
    oracle.event(ground.replica(1), event);
    expect(ground.codes).toEqual([]);
    ground.replica(2).disk.media[20] = 77;
    oracle.event(ground.replica(1), event);
    expect(ground.codes).toEqual(['cover.not-repaired']);
  });
});
