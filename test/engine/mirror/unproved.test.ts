import { describe, expect, it } from 'vitest';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { Unproved } from '../../../engine/mirror/unproved.ts';

function unproved(trusted = false, doubt = () => {}): Unproved {
  const canary = { unprovedTrusted: trusted };
  const parts = { canary, store: { doubt }, state: { node: 1 } };
  return new Unproved(parts as unknown as Parts);
}

describe('what a disk that has failed shows', () => {
  it('is in doubt from then on, until a whole copy of it has ended', () => {
    const doubt = unproved();
    expect(doubt.on).toBe(false);
    doubt.suspect();
    expect(doubt.on).toBe(true);
    doubt.proved();
    expect(doubt.on).toBe(false);
  });

  it('is in doubt for the metadata of who is to lead, which may not have taken it before', () => {
    let noted = 0;
    const doubt = unproved(false, () => {
      noted += 1;
    });
    doubt.told(2);
    expect([doubt.on, noted]).toEqual([true, 0]);
    doubt.told(1);
    expect([doubt.on, noted]).toEqual([true, 1]);
  });

  it('is believed with the planted bug', () => {
    const doubt = unproved(true);
    doubt.suspect();
    expect(doubt.on).toBe(false);
  });
});
