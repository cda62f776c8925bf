import { describe, expect, it } from 'vitest';
import { DiskFlag } from '../../../engine/mirror/metadata.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { Unproved } from '../../../engine/mirror/unproved.ts';

/** With these flags in the metadata, of which `persisted` counts the updates. */
function ground(flags = 0, trusted = false) {
  const store = {
    block: { flags },
    persisted: 0,
    persist: () => {
      store.persisted += 1;
    },
  };
  const parts = { canary: { unprovedTrusted: trusted }, store };
  return { store, doubt: new Unproved(parts as unknown as Parts) };
}

describe('what a disk that has failed shows', () => {
  it('is in doubt from then on, until a whole copy of it has ended', () => {
    const { doubt } = ground();
    expect([doubt.on, doubt.kept]).toEqual([false, 0]);
    doubt.suspect();
    expect([doubt.on, doubt.kept]).toEqual([true, DiskFlag.Unproved]);
    doubt.proved();
    expect([doubt.on, doubt.kept]).toEqual([false, 0]);
  });

  it('is noted by who leads alone, so that another death of the core forgets nothing', () => {
    expect(ground(DiskFlag.Doubted | DiskFlag.Outdated).doubt.kept).toBe(DiskFlag.Unproved);
    const { store, doubt } = ground(DiskFlag.Unproved);
    expect(doubt.kept).toBe(DiskFlag.Unproved);
    doubt.proved();
    expect([store.block.flags, store.persisted]).toEqual([0, 1]);
    doubt.proved();
    expect(store.persisted).toBe(1);
  });

  it('is in doubt for comparisons where control alone remembers, until it is filled', () => {
    const { doubt } = ground();
    doubt.heard();
    expect(doubt.doubtful).toBe(false);
    doubt.mistrust();
    // It is not to lead: nothing has to be written anew for that.
    expect([doubt.doubtful, doubt.on, doubt.kept]).toEqual([true, false, 0]);
    doubt.proved();
    expect(doubt.doubtful).toBe(false);
    for (const flags of [DiskFlag.Doubted, DiskFlag.Unproved]) {
      const noted = ground(flags).doubt;
      noted.heard();
      expect(noted.doubtful).toBe(true);
    }
  });

  it('is in doubt for comparisons until control has said in this life that it is not', () => {
    const { doubt } = ground();
    expect([doubt.doubtful, doubt.on, doubt.kept]).toEqual([true, false, 0]);
    doubt.heard();
    expect(doubt.doubtful).toBe(false);
  });

  it('is believed with the planted bug', () => {
    const { doubt } = ground(0, true);
    doubt.suspect();
    expect(doubt.on).toBe(false);
  });
});
