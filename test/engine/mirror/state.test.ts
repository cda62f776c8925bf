import { describe, expect, it } from 'vitest';
import { MirrorState, Through } from '../../../engine/mirror/state.ts';
import { canarySwitches } from '../../../engine/mirror/switches.ts';

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

  it('is a member in the boot, and with the disk, that the record names', () => {
    const named = (boot: number, disk?: number, canaries: readonly string[] = []): boolean => {
      const s = new MirrorState(1, 7, canarySwitches(new Set(canaries)));
      s.device = 9;
      const member = disk === undefined ? { node: 1, boot } : { node: 1, boot, disk };
      return s.isMember({ ...RECORD, members: [member] }, false);
    };
    expect([named(7), named(7, 9), named(7, 8), named(6, 9)]).toEqual([true, true, false, false]);
    expect(named(7, 8, ['other-disk-admitted'])).toBe(true);
    const s = new MirrorState(1, 7);
    s.device = 9;
    const before = { node: 1, boot: 6, disk: 8 };
    expect(s.isMember({ ...RECORD, members: [before] }, true)).toBe(false);
    expect(s.isMember({ ...RECORD, members: [{ ...before, disk: 9 }] }, true)).toBe(true);
  });

  it('hands out tokens that fit a length field and are never 0', () => {
    const s = new MirrorState(1, 7);
    expect(s.nextToken()).toBe(1);
    expect(s.nextToken()).toBe(2);
  });

  it('remembers what moved the disk last, and what the role depends on', () => {
    let cause = 'a';
    const s = new MirrorState(1, 7, undefined, () => cause);
    s.disk = 'Consistent';
    cause = 'b';
    s.record = RECORD;
    cause = 'c';
    // Nothing that was not so before.
    s.record = RECORD;
    s.disk = 'Consistent';
    s.lead = false;
    expect([s.diskBy, s.roleBy]).toEqual(['a', 'b']);
    s.roleMoved = false;
    const moves = [
      { lead: true },
      { demoted: true },
      { fencing: true },
      { through: Through.On },
      { disk: 'UpToDate' },
    ] as const;
    for (const move of moves) {
      [cause = ''] = Object.keys(move);
      Object.assign(s, move);
      expect([s.roleBy, s.roleMoved]).toEqual([cause, true]);
      s.roleMoved = false;
    }
    expect(s.diskBy).toBe('disk');
  });
});
