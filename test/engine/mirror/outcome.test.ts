import { describe, expect, it } from 'vitest';
import { Outcome } from '../../../engine/mirror/messages.ts';
import { outcomeOf } from '../../../engine/mirror/outcome.ts';
import type { Partner } from '../../../engine/mirror/partner.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';

const VERDICTS = ['none', 'source', 'target', 'split-brain', 'unrelated'] as const;
const BOTH = [true, false] as const;

/** Every outcome by the old rules, written as a table of what decides. */
function expected(verdict: string, lead: boolean, is: boolean, named: boolean, free: boolean) {
  if (verdict !== 'none' && verdict !== 'source') return Outcome.Refused;
  // RULE-03: who serves and lost the link first leaves the peer out.
  if (verdict === 'none' && !lead && is) return Outcome.Sync;
  return lead && !named && free ? Outcome.Copy : Outcome.Wait;
}

describe('the outcome of a handshake', () => {
  it('is in step, a copy, a refusal or a wait by who leads, who is named and what differs', () => {
    for (const verdict of VERDICTS) {
      for (const lead of BOTH) {
        for (const named of BOTH) {
          for (const isIn of named ? BOTH : [false]) {
            for (const free of BOTH) {
              let made = 0;
              const members = named ? [{ node: 2, boot: 5 }] : [];
              const record = { volume: 'v', epoch: 1, primary: 1, members, generation: 1 };
              const partner = { node: 2, isOpen: false, isIn: () => isIn } as unknown as Partner;
              const source = { makeWay: () => (made += 1), isFreeFor: () => free };
              const parts = { state: { lead, record }, source, canary: { rule03: false } };
              const comparison = { verdict, reason: 'equal' } as const;
              const outcome = outcomeOf(comparison, partner, parts as unknown as Parts);
              expect(outcome).toBe(expected(verdict, lead, isIn, named, free));
              const comes = verdict === 'none' || verdict === 'source';
              expect(made).toBe(comes && lead && !named ? 1 : 0);
            }
          }
        }
      }
    }
  });

  it('copies to no disk that the log may still admit another one for', () => {
    const partner = { node: 2, isOpen: true, isIn: () => false } as unknown as Partner;
    const record = { volume: 'v', epoch: 1, primary: 1, members: [], generation: 1 };
    const source = { makeWay: () => {}, isFreeFor: () => true };
    const parts = { state: { lead: true, record }, source, canary: { rule03: false } };
    const comparison = { verdict: 'source', reason: 'descendant' } as const;
    expect(outcomeOf(comparison, partner, parts as unknown as Parts)).toBe(Outcome.Wait);
  });
});
