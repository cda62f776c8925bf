import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { branchFate } from '../../../engine/cluster/branch-fate.ts';
import type { ReplicaConfig, VolumeConfig } from '../../../engine/core/config.ts';
import type { DiskState } from '../../../engine/data/messages.ts';
import { undoLayout } from '../../../engine/mirror/undo-log.ts';
import { CONFIG } from '../../support/control-fixtures.ts';
import { orderOf, type Setup, setup } from '../../support/control-split.ts';

const MIB = 1 << 20;

function volumeOf(change: Partial<VolumeConfig>, replica: Partial<ReplicaConfig>): VolumeConfig {
  const [volume] = CONFIG.volumes as readonly [VolumeConfig];
  const replicas = volume.replicas.map((each) => ({ ...each, ...replica }));
  return { ...volume, sizeBytes: 12 * MIB, replicas, ...change };
}

const fate = (
  change: Partial<VolumeConfig>,
  replica: Partial<ReplicaConfig>,
  disk: DiskState = 'Outdated',
  hasBranch = false,
) => {
  const { kept, reason } = branchFate(volumeOf(change, replica), 1, disk, hasBranch);
  return `${kept} ${reason}`.trim();
};

describe('the fate of a branch that may be given up', () => {
  it('is to be kept only where every block of the volume has room', () => {
    fc.assert(
      fc.property(
        fc.nat(64 * MIB),
        fc.integer({ min: 1, max: 64 * MIB }),
        (sideBytes, sizeBytes) => {
          const layout = undoLayout(sideBytes);
          const room = layout === null ? 0 : layout.pages - layout.payload;
          const { kept } = branchFate(volumeOf({ sizeBytes }, { sideBytes }), 1, 'UpToDate', false);
          expect(kept === 'yes').toBe(layout !== null && room * 4096 >= sizeBytes);
          expect(kept === 'no').toBe(layout === null);
        },
      ),
    );
  });

  it('is known for a volume and a sixth, as the documentation says', () => {
    for (const size of [64 * MIB, 1024 * MIB, 65536 * MIB]) {
      const sideBytes = size + Math.ceil(size / 6);
      expect(fate({ sizeBytes: size }, { sideBytes })).toBe('yes');
      expect(fate({ sizeBytes: size }, { sideBytes: size })).toBe('perhaps small-side-area');
    }
  });

  it('is to be lost without an area, where it is no image, and on an asynchronous replica', () => {
    expect(fate({}, {})).toBe('no no-side-area');
    expect(fate({}, { sideBytes: 4096 })).toBe('no no-side-area');
    expect(fate({}, { sideBytes: 32 * MIB, mode: 'async' })).toBe('no asynchronous-replica');
    for (const disk of ['Inconsistent', 'Failed', 'Diskless'] as const) {
      expect(fate({}, { sideBytes: 32 * MIB }, disk)).toBe('no no-image-there');
    }
  });

  it('waits for the branch that is kept there already, where a way back is required', () => {
    const side = { sideBytes: 32 * MIB };
    expect(fate({}, side, 'Outdated', true)).toBe('no branch-kept-there');
    expect(fate({ undo: 'best-effort' }, side, 'Outdated', true)).toBe('no branch-kept-there');
    expect(fate({ undo: 'required' }, side, 'Outdated', true)).toBe('later branch-kept-there');
  });

  it('is told of each side of a split brain, until an order stands', () => {
    const fates = (options: Setup = {}) => {
      return setup(options)
        .describe()
        ?.sides.map(({ fate }) => fate);
    };
    const none = { kept: 'no', reason: 'no-side-area' };
    expect(fates()).toEqual([none, none]);
    expect(fates({ there: null })).toEqual([none]);
    expect(fates({ record: { discard: orderOf(2) } })).toEqual([undefined, undefined]);
    const [kept, perhaps] = [
      { kept: 'yes', reason: '' },
      { kept: 'no', reason: 'branch-kept-there' },
    ];
    expect(fates({ sideBytes: 1 << 30, keepsBranch: 2 })).toEqual([kept, perhaps]);
    expect(fates({ sideBytes: 1 << 30, keepsBranch: 1 })).toEqual([perhaps, kept]);
  });
});
