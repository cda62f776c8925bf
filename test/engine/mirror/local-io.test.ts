import { describe, expect, it } from 'vitest';
import { Decision, Event, Flag } from '../../../engine/data/abi.ts';
import { BLOCK_SECTORS, done } from '../../support/mirror-errors.ts';
import { SECTOR } from '../../support/mirror-hosts.ts';
import { moved } from '../../support/mirror-moved.ts';
import { spareOf } from '../../support/mirror-spare.ts';

/** What the own disk is told for one request that meets a moved block. */
function told(op: number, before: number, count: number, seed = 1) {
  const [pair, first] = moved(seed);
  const block = first - (first % BLOCK_SECTORS);
  const parts: { op: number; at: number; flags: number; offset: number; page: number }[] = [];
  const h = pair.host(1);
  pair.onDecision = (at, is) => {
    if (at !== h || is > Decision.LocalWrite) return;
    const r = h.memory.decisions;
    for (let d = 0; d < r.capacity; d += 1) {
      if (r.op(d) !== is) continue;
      const part = { op: is, at: r.link(d), flags: r.flags(d), offset: r.offset(d) };
      parts.push({ ...part, page: r.status(d) });
      break;
    }
  };
  const status = done(pair, 1, op, block - before, count);
  pair.onDecision = null;
  return { status, parts, start: (block - before) * SECTOR, block: block * SECTOR, pair };
}

describe('a request that meets a block in the spare area', () => {
  it('is done part by part, each where it stands, and ends once', () => {
    const { status, parts, start, block, pair } = told(Event.ReqRead, 5, 20);
    expect(status).toBe(0);
    const { first } = spareOf(pair.config);
    expect(parts.map(({ at, offset, page }) => [at, offset, page])).toEqual([
      [0, start, 0],
      [5 * SECTOR, block, first],
      [13 * SECTOR, block + 4096, 0],
    ]);
    expect(parts.map(({ flags }) => flags & Flag.Part)).toEqual([Flag.Part, Flag.Part, 0]);
  });

  it('is durable there when it is done: no flush of the data reaches it', () => {
    const { status, parts } = told(Event.ReqWrite, 8, 24, 2);
    expect(status).toBe(0);
    expect(parts.map(({ page, flags }) => [page > 0, flags & Flag.Fua])).toEqual([
      [false, 0],
      [true, Flag.Fua],
      [false, 0],
    ]);
  });

  it('needs no parts where it meets none', () => {
    const { parts } = told(Event.ReqRead, 8, 8, 3);
    expect(parts.map(({ at, page }) => [at, page])).toEqual([[0, 0]]);
  });
});
