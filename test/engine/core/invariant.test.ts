import { describe, expect, it } from 'vitest';
import { InvariantError, invariant } from '../../../engine/core/invariant.ts';

describe('an invariant', () => {
  it('lets a true belief pass and stops the program on a false one, naming it', () => {
    invariant(true, 'water is wet');
    let caught: unknown = null;
    try {
      invariant(false, 'the moon is cheese');
    } catch (error) {
      caught = error;
    }
    expect(caught instanceof InvariantError).toBe(true);
    expect((caught as Error).message).toContain('the moon is cheese');
  });
});
