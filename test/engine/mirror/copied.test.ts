import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockMap, PAGE_BLOCKS } from '../../../engine/mirror/block-map.ts';
import { Copied } from '../../../engine/mirror/copied.ts';

/** Two pages, the last one short. */
const BLOCKS = PAGE_BLOCKS + 40;

/** Few blocks, on both sides of the border of two pages, so that steps meet. */
const block = fc.oneof(fc.nat(6), fc.integer({ min: PAGE_BLOCKS - 3, max: PAGE_BLOCKS + 3 }));
const step = fc.oneof(
  fc.record({ kind: fc.constant('mark' as const), at: block }),
  fc.record({ kind: fc.constant('clear' as const), at: block }),
  fc.record({ kind: fc.constant('page' as const), at: fc.constant(1) }),
  fc.record({
    kind: fc.constant('copied' as const),
    at: block,
    count: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ kind: fc.constant('flush' as const) }),
  fc.record({ kind: fc.constant('flushed' as const) }),
  fc.record({ kind: fc.constant('stable' as const) }),
);

/** What is dirty, copied, and covered by the flush that is under way, as plain sets. */
class Model {
  readonly dirty = new Set<number>();
  copied = new Set<number>();
  covered = new Set<number>();

  /** Marked or cleared by somebody else: whatever was copied of it counts no more. */
  forget(at: number): void {
    this.copied.delete(at);
    this.covered.delete(at);
  }

  clean(blocks: Set<number>): void {
    for (const at of blocks) this.dirty.delete(at);
    blocks.clear();
  }
}

describe('what was copied to an asynchronous replica', () => {
  it('is cleared only behind a flush of both that began later, if nobody marked it since', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new BlockMap(BLOCKS);
        const model = new Model();
        for (let at = 0; at < 7; at += 1) map.mark(at);
        for (let at = 0; at < 7; at += 1) model.dirty.add(at);
        const over = new Copied(map);
        for (const each of steps) {
          switch (each.kind) {
            case 'mark':
              map.mark(each.at);
              model.dirty.add(each.at);
              model.forget(each.at);
              break;
            case 'clear':
              map.clear(each.at);
              model.dirty.delete(each.at);
              model.forget(each.at);
              break;
            case 'page':
              map.markPage(each.at);
              for (let at = PAGE_BLOCKS; at < BLOCKS; at += 1) model.dirty.add(at);
              for (let at = PAGE_BLOCKS; at < BLOCKS; at += 1) model.forget(at);
              break;
            case 'copied':
              over.add(each.at * 4096, each.count * 4096);
              for (let at = each.at; at < each.at + each.count; at += 1) {
                if (model.dirty.has(at) && !model.covered.has(at)) model.copied.add(at);
              }
              break;
            case 'flush':
              // One at a time: whoever asks looks at this first.
              if (over.flushing) break;
              over.flush();
              for (const at of model.copied) model.covered.add(at);
              model.copied.clear();
              break;
            case 'flushed':
              if (!over.flushing) break;
              over.flushed();
              model.clean(model.covered);
              break;
            default:
              over.stable();
              model.clean(model.covered);
              model.clean(model.copied);
          }
          const known = new Set([...model.copied, ...model.covered]);
          expect(over.count).toBe(known.size);
          for (let at = 0; at < 12; at += 1) expect(over.has(at)).toBe(known.has(at));
          expect(map.dirty).toBe(model.dirty.size);
          for (const at of model.dirty) expect(map.isDirty(at)).toBe(true);
        }
      }),
    );
  });

  it('counts once, though it is copied once more as a flush covers it', () => {
    const map = new BlockMap(BLOCKS);
    map.mark(0);
    const over = new Copied(map);
    over.add(0, 4096);
    over.flush();
    over.add(0, 4096);
    expect(over.count).toBe(1);
    over.flushed();
    expect([over.count, map.dirty]).toEqual([0, 0]);
  });

  it('of a block that nobody marked dirty is nothing', () => {
    const map = new BlockMap(BLOCKS);
    const over = new Copied(map);
    over.add(0, 4 * 4096);
    expect(over.count).toBe(0);
  });

  it('stays dirty where the copy ends without a flush, and is watched no more', () => {
    const map = new BlockMap(BLOCKS);
    map.markBytes(0, 8 * 4096);
    const over = new Copied(map);
    over.add(0, 4 * 4096);
    over.flush();
    over.end();
    expect(map.dirty).toBe(8);
    expect(map.watcher).toBe(null);
  });

  it('ends without letting go of a map that a later copy watches', () => {
    const map = new BlockMap(BLOCKS);
    const early = new Copied(map);
    const late = new Copied(map);
    early.end();
    expect(map.watcher).toBe(late);
  });

  it('is settled by one flush of both sides at a time, and by none of a copy that is over', () => {
    const map = new BlockMap(64);
    for (let block = 0; block < 8; block += 1) map.mark(block);
    const over = new Copied(map);
    const [ended, said]: [(() => void)[], number[]] = [[], []];
    const turn = { now: 0 };
    const parts = {
      turn,
      config: { barrierDelay: 50 },
      partners: { several: true },
      flushes: { withPeer: (_: unknown, done: () => void) => ended.push(done) },
    } as unknown as Parameters<Copied['settle']>[0];
    const link = { send: ({ sequence }: { sequence: number }) => said.push(sequence) };
    const partner = { link, covered: 7 } as unknown as Parameters<Copied['settle']>[1];
    let goesOn = true;
    const settle = () => over.settle(parts, partner, () => goesOn);
    settle();
    expect(ended).toHaveLength(0);
    over.add(0, 4096);
    settle();
    settle();
    expect([ended.length, map.isDirty(0)]).toEqual([1, true]);
    ended[0]?.();
    expect([map.isDirty(0), said]).toEqual([false, [7]]);
    // Not again within the time of a barrier.
    over.add(4096, 4096);
    expect([settle(), ended.length]).toEqual([50, 1]);
    turn.now = 50;
    settle();
    goesOn = false;
    ended[1]?.();
    expect([map.isDirty(1), said]).toEqual([true, [7]]);
  });
});
