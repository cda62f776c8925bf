import { describe, expect, it } from 'vitest';
import { LeftOut } from '../../../engine/mirror/left-out.ts';

describe('what a source cannot read', () => {
  it('is read block by block, and waits for the next second where it fails alone', () => {
    const left = new LeftOut();
    expect(left.none).toBe(true);
    left.split(8, 3);
    expect([7, 8, 10, 11].map((block) => left.isSingle(block))).toEqual([false, true, true, false]);
    left.done(8, 1);
    expect(left.isSingle(8)).toBe(false);
    expect(left.add(9)).toBe(true);
    expect([left.has(9), left.none]).toEqual([true, false]);
    left.again();
    expect([left.has(9), left.isSingle(9)]).toEqual([false, true]);
    left.done(8, 3);
    expect(left.none).toBe(true);
  });

  it('is told once in a copy, however often it fails', () => {
    const left = new LeftOut();
    expect([left.add(5), left.add(5)]).toEqual([true, false]);
    left.forget();
    expect(left.none).toBe(true);
    expect(left.add(5)).toBe(true);
  });

  it('holds the copy up when it is thousands of blocks', () => {
    const left = new LeftOut();
    for (let block = 0; block < 4095; block += 1) left.add(block);
    expect(left.full).toBe(false);
    left.add(4095);
    expect(left.full).toBe(true);
    expect(left.add(4096)).toBe(false);
  });
});
