import { describe, expect, it } from 'vitest';
import { NOTHING_AGREED } from '../../../engine/cluster/changes.ts';
import { documentOf, documentVersion } from '../../../engine/cluster/document.ts';
import type { Durable } from '../../../engine/cluster/interface.ts';
import { EMPTY_STATE } from '../../../engine/cluster/state.ts';

describe('the durable document', () => {
  it('is nothing where nothing was written', () => {
    expect(documentOf(null)).toBeNull();
  });

  it('is read as it was written', () => {
    const written = { version: 1, identity: 7, paths: { boot: 3, found: [5] } };
    expect(documentOf(written as unknown as Durable)).toBe(written);
  });

  it('stops the core when a later version wrote it', () => {
    expect(() => documentOf({ version: 3 } as unknown as Durable)).toThrow('one that we know');
  });

  it('is of a version that programs of before refuse once the configuration was changed', () => {
    expect(documentVersion(EMPTY_STATE, undefined)).toBe(1);
    const taken = { version: 1, changes: [], before: [] };
    expect(documentVersion(EMPTY_STATE, taken)).toBe(2);
    expect(documentVersion({ ...EMPTY_STATE, agreed: NOTHING_AGREED }, undefined)).toBe(2);
  });
});
