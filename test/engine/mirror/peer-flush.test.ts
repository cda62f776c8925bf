import { describe, expect, it } from 'vitest';
import { Decision } from '../../../engine/data/abi.ts';
import type { Link } from '../../../engine/mirror/link.ts';
import type { PeerMessage } from '../../../engine/mirror/messages.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { PeerFlushes } from '../../../engine/mirror/peer-flush.ts';

/** A link whose receipts are written when the test says so. */
function ground(canary: { readonly flushUnasked?: boolean } = {}) {
  const sent: PeerMessage[] = [];
  const flushed: number[] = [];
  const written: (() => void)[] = [];
  const link = { id: 7, send: (message: PeerMessage) => sent.push(message) };
  let token = 100;
  const parts = {
    canary,
    receipts: { whenWritten: (done: () => void) => written.push(done) },
    state: {
      nextToken: () => {
        token += 1;
        return token;
      },
    },
    spare: { used: 3 },
    turn: {
      emit: (op: number, ...rest: number[]) => {
        expect(op).toBe(Decision.LocalFlush);
        flushed.push(rest[4] as number);
      },
    },
  };
  const flushes = new PeerFlushes(parts as unknown as Parts, link as unknown as Link);
  return { flushes, link, sent, flushed, written };
}

describe('a flush that a peer asks for', () => {
  it('goes to the disk when everything received before is written', () => {
    const { flushes, flushed, written } = ground();
    flushes.ask(1);
    expect(flushed).toEqual([]);
    written[0]?.();
    expect(flushed).toEqual([101]);
  });

  it('is answered once, by the name that the peer gave it, when the disk is done', () => {
    const { flushes, sent, written } = ground();
    flushes.ask(1);
    flushes.ask(2);
    for (const go of written) go();
    expect([flushes.flushed(102), flushes.flushed(102), flushes.flushed(9)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(sent).toEqual([{ kind: 'flush-ack', token: 2, status: 0, moved: 3 }]);
  });

  it('is forgotten with its link, before the disk was asked as after', () => {
    const { flushes, link, flushed, written } = ground();
    flushes.ask(1);
    flushes.ask(2);
    written[0]?.();
    flushes.forget();
    link.id = 8;
    written[1]?.();
    expect(flushed).toEqual([101]);
    expect(flushes.flushed(101)).toBe(false);
  });

  it('is answered unasked with the planted bug', () => {
    const { flushes, sent, flushed } = ground({ flushUnasked: true });
    flushes.ask(5);
    expect(sent).toEqual([{ kind: 'flush-ack', token: 5, status: 0, moved: 0 }]);
    expect(flushed).toEqual([]);
  });
});
