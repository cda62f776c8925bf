import { describe, expect, it } from 'vitest';
import { Decision } from '../../../engine/data/abi.ts';
import { Flushes } from '../../../engine/mirror/flushes.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { MirrorState } from '../../../engine/mirror/state.ts';

describe('flushes', () => {
  it('call back once, each for its own token', () => {
    const asked: number[] = [];
    const emit = (op: number, ...rest: number[]): void => {
      if (op === Decision.LocalFlush) asked.push(rest[4] as number);
    };
    const parts = { state: new MirrorState(1, 3), turn: { emit } } as unknown as Parts;
    const flushes = new Flushes(parts);
    const done: string[] = [];
    flushes.run(() => done.push('a'));
    flushes.run(() => done.push('b'));
    flushes.flushed(asked[1] as number);
    flushes.flushed(asked[1] as number);
    flushes.flushed(999);
    expect(done).toEqual(['b']);
    flushes.flushed(asked[0] as number);
    expect(done).toEqual(['b', 'a']);
  });
});
