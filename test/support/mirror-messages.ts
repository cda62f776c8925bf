/** Arbitrary messages between two data actors. */
import fc from 'fast-check';
import { SPLIT_POLICIES } from '../../engine/core/config.ts';
import { PAGE_WORDS } from '../../engine/mirror/block-map.ts';
import type { PeerMessage } from '../../engine/mirror/messages.ts';
import { PAIR_CONFIG } from './mirror-pair.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const safe = fc.maxSafeNat();
const member = fc.record(
  { node: fc.nat(64), boot: safe, disk: fc.integer({ min: 1, max: 0xffffffff }) },
  { requiredKeys: ['node', 'boot'] },
);
const plain = fc.record({
  volume: fc.constant('v'),
  epoch: safe,
  primary: fc.nat(64),
  members: fc.array(member, { maxLength: 2 }),
  generation: safe,
});
const discarding = fc.record({
  node: fc.nat(64),
  generation: safe,
  keeps: safe,
  order: safe,
  by: fc.constantFrom('operator' as const, ...SPLIT_POLICIES),
  atMost: fc.integer({ min: -1, max: 1 << 30 }),
  confirmed: fc.boolean(),
});
const record = fc.oneof(
  plain,
  fc.tuple(plain, fc.array(safe, { minLength: 1, maxLength: 16 })).map(([known, voided]) => {
    return { ...known, voided };
  }),
  fc.tuple(plain, discarding).map(([known, discard]) => ({ ...known, discard })),
);
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
const named = fc
  .tuple(view, fc.nat(0xffffffff), fc.nat(0xffffffff))
  .map(([said, device, about]) => {
    return { ...said, device, about };
  });
const disks = fc.array(fc.record({ node: fc.nat(64), disk: fc.nat(0xffffffff) }), { maxLength: 3 });
const facts = fc.record({
  epoch: safe,
  generation: safe,
  disk: fc.constantFrom('Failed' as const, 'Outdated' as const, 'UpToDate' as const),
  settled: fc.boolean(),
  dirty: safe,
  map: u32,
  writes: safe,
  runs: fc.array(fc.record({ block: safe, blocks: safe }), { maxLength: 32 }),
});
/** Any message that parses. */
export const anyPeerMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('hello' as const),
      round: u32,
      answer: fc.boolean(),
      wireMin: fc.nat(65535),
      wireMax: fc.nat(65535),
      view: fc.oneof(view, named),
      record: fc.option(record),
      features: fc.constant(1),
      layout: safe,
    },
    { requiredKeys: ['kind', 'round', 'answer', 'wireMin', 'wireMax', 'view', 'record'] },
  ),
  fc.record({ kind: fc.constant('decision' as const), round: u32, hash: u32, outcome: fc.nat(4) }),
  fc.record({ kind: fc.constant('announce' as const), record, disks }),
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
  fc.record({ kind: fc.constant('flush-ack' as const), token: u32, status: u32, moved: u32 }),
  fc.record({
    kind: fc.constant('finish' as const),
    epoch: safe,
    generation: safe,
    parents: fc.array(safe, { maxLength: 32 }),
    disks,
  }),
  fc.record({ kind: fc.constant('finished' as const), generation: safe }),
  fc.record({ kind: fc.constant('facts-ask' as const), token: u32 }),
  fc.record({ kind: fc.constant('told' as const), epoch: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('stable' as const), sequence: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('received' as const), sequence: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('point' as const), sequence: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('covered' as const), node: fc.nat(64), sequence: safe, disks }),
  fc.record({ kind: fc.constant('facts' as const), token: u32, facts }),
  fc.record({
    kind: fc.constant('sync-held' as const),
    reason: fc.constantFrom('full' as const, 'unreadable' as const, 'returning' as const),
  }),
);

/** Messages about the pair harness's own volume, so that they get past the first checks. */
const near = fc.constantFrom(0, 1, 2, 100, 1001);
const nearRecord = fc.record({
  volume: fc.constant('v'),
  epoch: fc.nat(6),
  primary: fc.nat(3),
  members: fc.array(
    fc.record({ node: fc.integer({ min: 1, max: 2 }), boot: fc.constantFrom(10, 11, 20) }),
    { maxLength: 2 },
  ),
  generation: near,
});
const nearView = fc.record({
  uuid: fc.constant(PAIR_CONFIG.uuid),
  sizeBytes: fc.constant(PAIR_CONFIG.sizeBytes),
  logicalBlock: fc.constant(PAIR_CONFIG.logicalBlock),
  node: fc.integer({ min: 1, max: 2 }),
  boot: fc.constantFrom(10, 20),
  epoch: fc.nat(5),
  generation: near,
  parents: fc.array(near, { maxLength: 3 }),
  disk: fc.constantFrom('Failed' as const, 'Inconsistent' as const, 'UpToDate' as const),
  dirty: fc.nat(9),
  rebooted: fc.boolean(),
  primary: fc.boolean(),
});
export const plausiblePeerMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  anyPeerMessage,
  fc.record({
    kind: fc.constant('hello' as const),
    round: fc.nat(3),
    answer: fc.boolean(),
    wireMin: fc.constant(1),
    wireMax: fc.constant(1),
    view: nearView,
    record: fc.option(nearRecord),
  }),
  fc.record({ kind: fc.constant('announce' as const), record: nearRecord, disks }),
  fc.record({ kind: fc.constant('sync-start' as const), epoch: fc.nat(4), generation: near }),
  fc.record({
    kind: fc.constant('finish' as const),
    epoch: fc.nat(4),
    generation: near,
    parents: fc.array(near, { maxLength: 3 }),
    disks,
  }),
);
