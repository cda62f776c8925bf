import { describe, expect, it } from 'vitest';
import { Decision, Event, HEADER_BYTES, Status } from '../../../engine/data/abi.ts';
import { type Host, INPUT } from '../../support/mirror-hosts.ts';
import { Pair } from '../../support/mirror-pair.ts';
import { thawed } from '../../support/mirror-swarm.ts';

function header(epoch: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, epoch, true);
  view.setFloat64(8, sequence, true);
  view.setFloat64(24, 5, true);
  return bytes;
}

function give(pair: Pair, to: Host, epoch: number, sequence: number, offset: number): void {
  const payload = new Uint32Array(8).fill(9);
  const { link } = to;
  const input = { ...INPUT, op: Event.PeerWrite, link, offset, length: 512, payload };
  pair.give(to, { ...input, header: header(epoch, sequence) });
}

describe("a peer's write", () => {
  it('is carried out only on the link that was agreed upon; else it is stale', () => {
    const pair = new Pair({ seed: 1 });
    pair.runFor(300_000);
    const answers: number[] = [];
    let written = 0;
    pair.onDecision = (h, op, _slot, offset) => {
      const status = h.memory.decisions.status(0);
      if (op === Decision.PeerAck) answers.push(status);
      if (op === Decision.LocalWrite && offset === 4096) written += 1;
    };
    // The primary follows nobody.
    give(pair, pair.hosts[0], 1, 1, 4096);
    pair.runFor(10_000);
    expect([answers[0], written]).toEqual([Status.StaleEpoch, 0]);
  });

  it('closes the link when it leaves a gap or lies outside the volume', () => {
    for (const [sequence, offset] of [
      [9, 0],
      [1, -512],
      [1, 2 ** 40],
    ] as const) {
      const pair = new Pair({ seed: 1 });
      pair.runFor(300_000);
      const closed: number[] = [];
      pair.onDecision = (h, op) => {
        if (op === Decision.LinkClose) closed.push(h.node);
      };
      give(pair, pair.hosts[1], 1, sequence, offset);
      pair.runFor(5_000);
      expect(closed).toContain(2);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('of a deposed primary is never acknowledged', () => {
    for (const seed of [1, 2, 3, 4]) expect(thawed(seed).violations).toEqual([]);
  });
});
