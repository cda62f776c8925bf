import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isNewer,
  keptOf,
  NOTE_FINDINGS_MAX,
  noteAfter,
  sentOf,
  type VerifyNote,
} from '../../../engine/cluster/verify-note.ts';
import type { VerifyFinding, VerifyReport } from '../../../engine/data/messages.ts';

const NOTE: VerifyNote = {
  serial: 4,
  id: 9,
  level: 'digest',
  repair: true,
  bytesPerSecond: 7,
  state: 'open',
  cursor: 100,
  checked: 90,
  differing: 1,
  repaired: 1,
  unreadable: 0,
  findings: [],
};
const REPORT: VerifyReport = {
  ...{ kind: 'verify', volume: 'v', id: 9, level: 'digest', repair: true, state: 'running' },
  ...{ reason: '', cursor: 140, blocks: 4096, checked: 130, differing: 2, repaired: 2 },
  ...{ unreadable: 1, findings: [], disagreements: [] },
};
const FINDING: VerifyFinding = {
  ...{ block: 3, blocks: 1, what: 'differs', right: 0, why: 'no-checksums', repaired: 0 },
  copies: [],
};

describe('a note of a verification', () => {
  it('says where to go on, and what was found before', () => {
    const next = noteAfter(NOTE, REPORT);
    expect(next).toMatchObject({ serial: 5, id: 9, state: 'open', cursor: 140, differing: 2 });
    // Whoever stopped it did so on purpose, whatever is reported late.
    expect(noteAfter({ ...NOTE, state: 'stopped' }, REPORT).state).toBe('stopped');
    expect(noteAfter(NOTE, { ...REPORT, state: 'done' }).state).toBe('done');
    // An interruption is no end.
    const interrupted = { ...REPORT, state: 'stopped', reason: 'not-primary' } as const;
    expect(noteAfter(NOTE, interrupted).state).toBe('open');
  });

  it('gives way to a newer one only, in whatever order they are heard', () => {
    const serials = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(serials, (heard) => {
        let known: VerifyNote | null = null;
        for (const serial of heard) {
          const note = { ...NOTE, serial };
          if (isNewer(note, known)) known = note;
        }
        expect(known?.serial).toBe(Math.max(...heard));
      }),
    );
  });

  it('is sent with fewer findings the more volumes share the datagram, and with all counts', () => {
    const findings = Array.from({ length: NOTE_FINDINGS_MAX }, (_, block) => ({
      ...FINDING,
      block,
    }));
    const note = { ...NOTE, differing: 50, findings };
    for (const [volumes, sent] of [
      [1, 12],
      [10, 12],
      [21, 5],
      [64, 1],
      [200, 0],
    ] as const) {
      const said = sentOf(note, volumes);
      expect([volumes, said.findings.length, said.differing]).toEqual([volumes, sent, 50]);
    }
  });

  it('keeps only so many findings, and all counts', () => {
    const findings = Array.from({ length: 100 }, (_, block) => ({ ...FINDING, block }));
    const kept = keptOf({ ...REPORT, differing: 100, findings });
    expect(kept.findings).toHaveLength(NOTE_FINDINGS_MAX);
    expect(kept.differing).toBe(100);
    expect(Object.keys(kept).sort()).toEqual(
      ['checked', 'differing', 'findings', 'repaired', 'unreadable'].sort(),
    );
  });
});
