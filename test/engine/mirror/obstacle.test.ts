import { describe, expect, it } from 'vitest';
import type { DiskState, Member } from '../../../engine/data/messages.ts';
import { obstacleOf } from '../../../engine/mirror/obstacle.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { MirrorState } from '../../../engine/mirror/state.ts';
import { canarySwitches } from '../../../engine/mirror/switches.ts';

const BOTH: readonly Member[] = [
  { node: 1, boot: 7 },
  { node: 2, boot: 20 },
];
const ALONE: readonly Member[] = [{ node: 1, boot: 7 }];

interface Case {
  readonly disk?: DiskState;
  readonly members?: readonly Member[];
  readonly doubted?: boolean;
  readonly generation?: number;
  readonly epoch?: number;
  readonly earlier?: number;
  readonly lead?: boolean;
  readonly canaries?: readonly string[];
}

/** What keeps node 1, in boot 7 and with generation 5, from leading under a record. */
function obstacle(of: Case): string {
  const state = new MirrorState(1, 7);
  state.disk = of.disk ?? 'UpToDate';
  state.lead = of.lead ?? false;
  const store = { doubted: of.doubted ?? false, block: { generation: 5 } };
  const canary = canarySwitches(new Set(of.canaries ?? []));
  const parts = { state, store, canary } as unknown as Parts;
  const { members = BOTH, generation = 5, epoch = 9 } = of;
  const record = { volume: 'v', epoch, primary: 1, members, generation };
  return obstacleOf(record, parts, { epoch: of.earlier ?? 8, rebooted: true });
}

describe('what keeps a host from leading', () => {
  it('is nothing where the log names this life of it, and its copy is whole and right', () => {
    expect(obstacle({})).toBe('');
    expect(obstacle({ disk: 'Consistent' })).toBe('');
    expect(obstacle({ members: ALONE, generation: 6 })).toBe('');
  });

  it('is another life of it, or that it is no member', () => {
    expect(obstacle({ members: [{ node: 1, boot: 6 }] })).toBe('other-boot');
    expect(obstacle({ members: [{ node: 2, boot: 20 }] })).toBe('not-member');
    expect(obstacle({ members: [{ node: 1, boot: 6 }], canaries: ['reboot-unnoticed'] })).toBe('');
  });

  it('is a copy that is not whole: an outdated one leads only where nobody has more', () => {
    for (const disk of ['Diskless', 'Failed', 'Inconsistent'] as const) {
      expect([disk, obstacle({ disk }), obstacle({ disk, members: ALONE })]).toEqual([
        disk,
        'disk',
        'disk',
      ]);
    }
    expect(obstacle({ disk: 'Outdated' })).toBe('disk');
    expect(obstacle({ disk: 'Outdated', members: ALONE })).toBe('');
  });

  it('is a disk that failed before, as long as another member has everything', () => {
    expect(obstacle({ doubted: true })).toBe('disk');
    expect(obstacle({ doubted: true, members: ALONE })).toBe('');
  });

  it('is another generation than the members have', () => {
    expect(obstacle({ generation: 6 })).toBe('generation');
    expect(obstacle({ generation: 0 })).toBe('');
  });

  it('is an epoch in which an earlier session of it acted', () => {
    expect(obstacle({ epoch: 8 })).toBe('earlier-session');
    expect(obstacle({ epoch: 8, lead: true })).toBe('');
  });
});
