import { describe, expect, it } from 'vitest';
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import { Mode } from '../../../engine/mirror/mode.ts';
import type { Partner } from '../../../engine/mirror/partner.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { canarySwitches } from '../../../engine/mirror/switches.ts';
import { type WantReport, Wishes } from '../../../engine/mirror/wish.ts';

const MEMBERS = [
  { node: 1, boot: 10 },
  { node: 2, boot: 20 },
];

/** Node 1 with partners 2, a member in step, and 3, which is none; flushes end when told to. */
function ground(canaries: readonly string[] = []) {
  const record: VolumeRecord = {
    volume: 'v',
    epoch: 4,
    primary: 1,
    members: MEMBERS,
    generation: 1,
  };
  const partner = (node: number, required: boolean, mode: number) =>
    ({ node, required, link: { mode, peerBoot: node * 10 } }) as Partner;
  const [two, three] = [partner(2, true, Mode.Sync), partner(3, false, Mode.None)];
  const said: (readonly number[])[] = [];
  const flushes: (() => void)[] = [];
  const state = { node: 1, record, epoch: 4 };
  const parts = {
    canary: canarySwitches(new Set(canaries)),
    config: { volume: 'v' },
    state,
    partners: { all: [two, three], first: two, required: true },
    flushes: { run: (done: () => void) => flushes.push(done) },
    turn: { event: () => '', report: (r: WantReport) => said.push(r.members) },
  };
  const wishes = new Wishes(parts as unknown as Parts);
  return { wishes, state, two, three, said, flushes };
}

describe('a wish', () => {
  it('to leave somebody out is said when what was acknowledged is stable, not before', () => {
    const { wishes, two, said, flushes } = ground();
    two.link.mode = Mode.None;
    wishes.flushed('peer-lost', () => true);
    expect([said, flushes.length]).toEqual([[], 1]);
    wishes.flushed('peer-lost', () => true);
    expect(flushes.length).toBe(1);
    flushes[0]?.();
    expect(said).toEqual([[1]]);
    const rash = ground(['RULE-11']);
    rash.wishes.flushed('peer-lost', () => true);
    expect(rash.said).toEqual([[1, 2]]);
  });

  it('is dropped when another epoch has come meanwhile', () => {
    const { wishes, state, said, flushes } = ground();
    wishes.flushed('peer-lost', () => true);
    state.epoch = 5;
    flushes[0]?.();
    expect(said).toEqual([]);
  });

  it('to admit somebody keeps all members, and is said once', () => {
    const { wishes, three, said } = ground();
    wishes.with(three, 'resync-done', 0);
    wishes.with(three, 'resync-done', 0);
    expect([said, wishes.any]).toEqual([[[1, 2, 3]], true]);
    wishes.reset();
    wishes.with(three, 'resync-done', 0);
    expect(said).toHaveLength(2);
  });
});
