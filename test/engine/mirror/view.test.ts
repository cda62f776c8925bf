import { describe, expect, it } from 'vitest';
import { diskTag } from '../../../engine/mirror/generation.ts';
import { DiskFlag } from '../../../engine/mirror/metadata.ts';
import type { Partner } from '../../../engine/mirror/partner.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { MirrorState } from '../../../engine/mirror/state.ts';
import { canarySwitches } from '../../../engine/mirror/switches.ts';
import { helloOf, misfitOf, viewFor } from '../../../engine/mirror/view.ts';
import { PAIR_CONFIG } from '../../support/mirror-pair.ts';

/** What node 1 says with these flags on its disk, to a partner of whom 3 blocks differ. */
function view(flags: number) {
  const state = new MirrorState(1, 7);
  const block = { device: 'a'.repeat(32), flags, generation: 5, parents: [4, 3] };
  const parts = { config: PAIR_CONFIG, state, store: { block, durableEpoch: 9 } };
  const known = { shared: 4, about: 8 };
  return viewFor({ differing: 3, known } as Partner, parts as unknown as Parts);
}

describe('a view', () => {
  it('says how many blocks may differ from that partner, and nothing of any other', () => {
    expect(view(0)).toMatchObject({ node: 1, boot: 7, epoch: 9, generation: 5, dirty: 3 });
    expect(view(0)).toMatchObject({ device: diskTag('a'.repeat(32)), about: 8 });
  });

  it('takes a disk that failed for one that lost power: both may lack what was written', () => {
    expect(view(0).rebooted).toBe(false);
    for (const flag of [DiskFlag.Rebooted, DiskFlag.Doubted, DiskFlag.Lacking]) {
      expect(view(flag).rebooted).toBe(true);
    }
    expect(view(DiskFlag.Received | DiskFlag.Unproved).rebooted).toBe(false);
  });
});

describe('a hello', () => {
  const said = (layout?: number) => {
    const config = layout === undefined ? PAIR_CONFIG : { ...PAIR_CONFIG, layout };
    const parts = { config, state: new MirrorState(2, 8) } as unknown as Parts;
    return helloOf(parts, { round: 0, answer: false, view: { ...view(0), node: 2 } });
  };
  const misfit = (hello: ReturnType<typeof said>, layout?: number, ids: readonly string[] = []) => {
    const config = layout === undefined ? PAIR_CONFIG : { ...PAIR_CONFIG, layout };
    const canary = canarySwitches(new Set(ids));
    return misfitOf(hello, { node: 2 } as Partner, { config, canary });
  };

  it('says which agreement on the holders it is of, and nothing where there was none', () => {
    expect(Object.keys(said()).includes('layout')).toBe(false);
    expect(said(3).layout).toBe(3);
  });

  it('is not answered by a host of another agreement', () => {
    expect([misfit(said()), misfit(said(3), 3)]).toEqual(['', '']);
    expect([misfit(said(), 3), misfit(said(3)), misfit(said(2), 3)]).toEqual(
      Array(3).fill('other-layout'),
    );
    expect(misfit(said(), 3, ['layout-ignored'])).toBe('');
    expect(misfit({ ...said(), wireMin: 99 })).toBe('wire-version');
    expect(misfit({ ...said(), view: view(0) })).toBe('garbage');
  });
});
