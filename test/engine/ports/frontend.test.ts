import { describe, expect, it } from 'vitest';
import type { DataReport, Role } from '../../../engine/data/messages.ts';
import { isOffered } from '../../../engine/ports/frontend.ts';

const state = { kind: 'state', volume: 'v', disk: 'UpToDate', epoch: 1 } as const;

function inRole(role: Role): DataReport {
  return { ...state, role, link: 'Connected', dirty: 0, pending: 0 };
}

describe('a volume', () => {
  it('is offered from the word that its actor serves until it stops or has another role', () => {
    const active: DataReport = { kind: 'active', volume: 'v', epoch: 1, cause: '' };
    const stopped: DataReport = { kind: 'stopped', volume: 'v', epoch: 1, cause: '' };
    expect(isOffered(false, active)).toBe(true);
    expect(isOffered(true, stopped)).toBe(false);
    for (const role of ['Idle', 'Secondary', 'Fenced'] as const) {
      expect(isOffered(true, inRole(role))).toBe(false);
    }
  });

  it('keeps its clients while its primary is suspended, and opens for no role alone', () => {
    for (const role of ['Primary', 'Suspended'] as const) {
      expect(isOffered(true, inRole(role))).toBe(true);
      expect(isOffered(false, inRole(role))).toBe(false);
    }
    const other: DataReport = { kind: 'refused', volume: 'v', peer: 2, reason: 'x', cause: '' };
    expect([isOffered(true, other), isOffered(false, other)]).toEqual([true, false]);
  });
});
