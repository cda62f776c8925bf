import { describe, expect, it } from 'vitest';
import { Stream } from '../../../engine/mirror/stream.ts';

describe('what a link carries', () => {
  it('comes without gaps between two replicas, and in order among several', () => {
    const stream = new Stream();
    expect([stream.takes(1, false), stream.takes(2, false), stream.takes(4, false)]).toEqual([
      true,
      true,
      false,
    ]);
    stream.reset();
    expect([stream.takes(3, true), stream.takes(7, true), stream.takes(7, true)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(stream.received).toBe(3);
  });

  it('is counted from the beginning on every link', () => {
    const stream = new Stream();
    stream.sends(5);
    expect([stream.sent, stream.last]).toEqual([1, 5]);
    stream.reset();
    expect([stream.sent, stream.last, stream.takes(1, false)]).toEqual([0, 0, true]);
  });
});
