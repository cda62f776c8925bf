import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import { PAGE_WORDS } from '../../../engine/mirror/block-map.ts';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
} from '../../../engine/mirror/messages.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const safe = fc.maxSafeNat();
const record = fc.record({
  volume: fc.constant('v'),
  epoch: safe,
  primary: fc.nat(64),
  members: fc.array(fc.record({ node: fc.nat(64), boot: safe }), { maxLength: 2 }),
  generation: safe,
});
const view = fc.record({
  uuid: fc.constant('0123456789abcdef'.repeat(2)),
  sizeBytes: safe,
  logicalBlock: fc.constantFrom(512, 4096),
  node: fc.nat(64),
  boot: safe,
  epoch: safe,
  generation: safe,
  parents: fc.array(safe, { maxLength: 32 }),
  disk: fc.constantFrom('Failed' as const, 'Inconsistent' as const, 'UpToDate' as const),
  dirty: safe,
  rebooted: fc.boolean(),
  primary: fc.boolean(),
});
const message: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('hello' as const),
    round: u32,
    answer: fc.boolean(),
    wireMin: fc.nat(65535),
    wireMax: fc.nat(65535),
    view,
    record: fc.option(record),
  }),
  fc.record({ kind: fc.constant('decision' as const), round: u32, hash: u32, outcome: fc.nat(4) }),
  fc.record({ kind: fc.constant('announce' as const), record }),
  fc.record({ kind: fc.constant('sync-start' as const), epoch: safe, generation: safe }),
  fc.record({ kind: fc.constant('sync-ready' as const) }),
  fc.record({ kind: fc.constant('map-request' as const), page: u32 }),
  fc.record({
    kind: fc.constant('map' as const),
    page: u32,
    pages: u32,
    bits: fc.option(fc.nat(1000).map((n) => new Uint32Array(PAGE_WORDS).fill(n))),
  }),
  fc.record({ kind: fc.constant('flush' as const), token: u32 }),
  fc.record({ kind: fc.constant('flush-ack' as const), token: u32, status: u32 }),
  fc.record({
    kind: fc.constant('finish' as const),
    epoch: safe,
    generation: safe,
    parents: fc.array(safe, { maxLength: 32 }),
  }),
  fc.record({ kind: fc.constant('finished' as const), generation: safe }),
);

describe('peer messages', () => {
  it('arrive as they were sent, and what a newer program adds is ignored', () => {
    fc.assert(
      fc.property(message, fc.nat(20), (m, more) => {
        const page = new Uint8Array(PAGE_BYTES).fill(7);
        const length = encodePeerMessage(m, '1.2.d3', page);
        const envelope = decodePeerMessage(page.subarray(0, length + more), 'v');
        expect(envelope).toEqual({ cause: '1.2.d3', message: m });
      }),
    );
  });

  it('are null when cut short', () => {
    fc.assert(
      fc.property(message, fc.nat(4000), (m, cut) => {
        const page = new Uint8Array(PAGE_BYTES);
        const length = encodePeerMessage(m, '', page);
        const short = page.subarray(0, Math.max(0, length - 1 - cut));
        expect(decodePeerMessage(short, 'v')).toBe(null);
      }),
    );
  });

  it('never throw, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(12), (bytes, kind) => {
        if (bytes.length > 2) {
          bytes[0] = 1;
          bytes[1] = kind;
          bytes[2] = (bytes[2] as number) & 3;
        }
        const envelope = decodePeerMessage(bytes, 'v');
        expect(envelope === null || typeof envelope.message.kind === 'string').toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
