import { describe, expect, it } from 'vitest';
import { Decision } from '../../../engine/data/abi.ts';
import { Flushes } from '../../../engine/mirror/flushes.ts';
import type { Partner } from '../../../engine/mirror/partner.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { MirrorState } from '../../../engine/mirror/state.ts';

describe('flushes', () => {
  it('call back once, each for its own token', () => {
    const asked: number[] = [];
    const emit = (op: number, ...rest: number[]): void => {
      if (op === Decision.LocalFlush) asked.push(rest[4] as number);
    };
    const parts = {
      state: new MirrorState(1, 3),
      turn: { emit, carry: (done: () => void) => done },
    } as unknown as Parts;
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

  it('everywhere end when every replica that is sent writes has answered, or is lost', () => {
    const asked: number[] = [];
    const emit = (op: number, ...rest: number[]): void => {
      if (op === Decision.LocalFlush) asked.push(rest[4] as number);
    };
    const partner = (index: number, mirrored: boolean) => {
      const link = { mirrored, sendFlush: () => {} };
      return { index, link } as unknown as Partner;
    };
    const [a, b, away] = [partner(0, true), partner(1, true), partner(2, false)];
    const state = new MirrorState(1, 3);
    const parts = {
      state,
      turn: { emit, carry: (done: () => void) => done },
      partners: { all: [a, b, away] },
    } as unknown as Parts;
    const flushes = new Flushes(parts);
    const done: string[] = [];
    flushes.everywhere(() => done.push('done'));
    const token = asked[0] as number;
    flushes.flushed(token);
    expect([flushes.peerFlushed(a, token), flushes.peerFlushed(a, 999)]).toEqual([true, false]);
    expect(done).toEqual([]);
    flushes.lost(b);
    flushes.lost(b);
    expect(done).toEqual(['done']);
  });

  it('with one peer end when both have flushed, or that peer is lost', () => {
    const asked: number[] = [];
    const sent: number[] = [];
    const emit = (op: number, ...rest: number[]): void => {
      if (op === Decision.LocalFlush) asked.push(rest[4] as number);
    };
    const link = { sendFlush: (token: number) => sent.push(token) };
    const [one, other] = [
      { index: 0, link },
      { index: 1, link },
    ] as unknown as [Partner, Partner];
    const parts = {
      state: new MirrorState(1, 3),
      turn: { emit, carry: (done: () => void) => done },
    } as unknown as Parts;
    const flushes = new Flushes(parts);
    const done: string[] = [];
    flushes.withPeer(one, () => done.push('answered'));
    flushes.withPeer(one, () => done.push('lost'));
    expect(sent).toEqual(asked);
    const [first = 0, second = 0] = asked;
    flushes.peerFlushed(one, first);
    expect(done).toEqual([]);
    flushes.flushed(first);
    flushes.flushed(second);
    flushes.lost(other);
    expect(done).toEqual(['answered']);
    flushes.lost(one);
    expect(done).toEqual(['answered', 'lost']);
  });
});
