import { describe, expect, it } from 'vitest';
import { MirrorState } from '../../../engine/mirror/state.ts';

const RECORD = { volume: 'v', epoch: 3, primary: 1, members: [], generation: 1 };

describe('the state', () => {
  it('is Primary only with the record, the data and a grant that has not run out', () => {
    const s = new MirrorState(1, 7);
    expect(s.role(0)).toBe('Idle');
    s.record = RECORD;
    s.lead = true;
    s.disk = 'UpToDate';
    expect(s.role(0)).toBe('Suspended');
    s.grantUntil = 10;
    expect([s.role(9), s.role(10)]).toEqual(['Primary', 'Suspended']);
    expect([s.mayServe(9), s.mayServe(10)]).toEqual([true, false]);
    s.demoted = true;
    expect(s.role(9)).toBe('Secondary');
    s.fencing = true;
    expect(s.role(9)).toBe('Fenced');
  });

  it('takes a failed disk for a lost path only where it had said nothing before', () => {
    const path = 67;
    for (const [status, hung, lost] of [
      [0, true, true],
      [5, false, false],
      [0, false, false],
    ] as const) {
      const s = new MirrorState(1, 7);
      s.attached = true;
      expect(s.failedBefore(path)).toBe(false);
      s.fail(status, hung);
      expect(s.failedBefore(path)).toBe(true);
      expect(s.pathLost).toBe(lost);
    }
  });

  it('hands out tokens that fit a length field and are never 0', () => {
    const s = new MirrorState(1, 7);
    expect(s.nextToken()).toBe(1);
    expect(s.nextToken()).toBe(2);
  });
});
