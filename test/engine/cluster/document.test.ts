import { describe, expect, it } from 'vitest';
import { documentOf } from '../../../engine/cluster/document.ts';
import type { Durable } from '../../../engine/cluster/interface.ts';

describe('the durable document', () => {
  it('is nothing where nothing was written', () => {
    expect(documentOf(null)).toBeNull();
  });

  it('is read as it was written', () => {
    const written = { version: 1, identity: 7, paths: { boot: 3, found: [5] } };
    expect(documentOf(written as unknown as Durable)).toBe(written);
  });

  it('stops the core when a later version wrote it', () => {
    expect(() => documentOf({ version: 2 } as unknown as Durable)).toThrow('one that we know');
  });
});
