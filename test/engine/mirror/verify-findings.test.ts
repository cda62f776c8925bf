import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockLook } from '../../../engine/mirror/verify-chunk.ts';
import { VERIFY_RUNS_MAX, VerifyFindings } from '../../../engine/mirror/verify-findings.ts';

function look(block: number, change: Partial<BlockLook> = {}): BlockLook {
  return {
    block,
    own: `own ${block}`,
    other: `other ${block}`,
    lost: null,
    dirty: false,
    right: null,
    ...change,
  };
}

describe('the findings of a verification', () => {
  it('count every block, and name each once, in runs of one kind', () => {
    const kinds = fc.constantFrom('differs', 'dirty', 'own-disk', 'other-disk', 'both-disks');
    const blocks = fc.uniqueArray(fc.nat(400), { maxLength: 60 });
    fc.assert(
      fc.property(blocks, fc.array(kinds, { minLength: 60, maxLength: 60 }), (places, what) => {
        const findings = new VerifyFindings(1, 2);
        findings.begin(undefined);
        const told = new Map<number, string>();
        for (const [at, block] of [...places].sort((a, b) => a - b).entries()) {
          const kind = what[at] as string;
          if (kind === 'differs' || kind === 'dirty') {
            findings.differs(look(block, { dirty: kind === 'dirty' }));
          } else findings.unreadable(look(block, { lost: kind as 'own-disk' }));
          told.set(block, kind);
        }
        const { differing, unreadable, findings: runs } = findings.tally;
        expect(differing + unreadable).toBe(places.length);
        const named = runs.flatMap((run) =>
          Array.from({ length: run.blocks }, (_, i) => [run.block + i, run] as const),
        );
        expect(named.map(([block]) => block)).toEqual([...told.keys()]);
        for (const [block, { right, why, copies }] of named) {
          const judged = {
            differs: [0, 'no-checksums'],
            dirty: [1, 'dirty'],
            'own-disk': [2, 'medium-error'],
            'other-disk': [1, 'medium-error'],
            'both-disks': [0, 'both-lost'],
          }[told.get(block) as 'differs'];
          expect([right, why]).toEqual(judged);
          // Nobody is right whose disk did not give its copy.
          const lost = copies.filter(({ holds }) => holds === 'unreadable').map(({ node }) => node);
          expect(lost).not.toContain(right);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('tell what the first block of a run holds on each', () => {
    const findings = new VerifyFindings(1, 2);
    findings.begin(undefined);
    findings.differs(look(7));
    findings.differs(look(8));
    expect(findings.tally.findings).toMatchObject([
      {
        block: 7,
        blocks: 2,
        copies: [
          { node: 1, holds: 'own 7' },
          { node: 2, holds: 'other 7' },
        ],
      },
    ]);
  });

  it('say of each run how much of it was written anew', () => {
    const findings = new VerifyFindings(1, 2);
    findings.begin(undefined);
    for (const block of [3, 4, 5]) {
      findings.differs(look(block));
      if (block !== 4) findings.repaired(block);
    }
    expect(findings.tally).toMatchObject({ repaired: 2, findings: [{ blocks: 3, repaired: 2 }] });
  });

  it('go on behind what others found, and have an end', () => {
    const first = new VerifyFindings(1, 2);
    first.begin(undefined);
    first.checked = 40;
    first.differs(look(7));
    // Whoever goes on may be the other one.
    const second = new VerifyFindings(2, 1);
    second.begin(first.tally);
    second.differs(look(8));
    expect(second.tally).toMatchObject({ checked: 40, differing: 2, findings: [{ blocks: 2 }] });
    for (let block = 20; block < 2000; block += 2) second.differs(look(block));
    expect(second.tally.findings).toHaveLength(VERIFY_RUNS_MAX);
    expect(second.tally.differing).toBe(992);
    second.begin(undefined);
    expect(second.tally).toMatchObject({ checked: 0, differing: 0, findings: [] });
  });
});
