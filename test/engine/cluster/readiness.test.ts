import { describe, expect, it } from 'vitest';
import { Context } from '../../../engine/cluster/context.ts';
import { Readiness } from '../../../engine/cluster/readiness.ts';
import { Rng } from '../../../engine/core/rng.ts';
import { NO_FLAGS, ofKind } from '../../support/control-fixtures.ts';
import { TWO_OF_THREE as PAIR } from '../../support/trio-configs.ts';

const first = { version: 1, changes: [] };
const second = { version: 2, changes: [] };

function made(flags = NO_FLAGS) {
  const context = new Context(PAIR, 1, new Rng(1, 1), flags, () => {});
  const readiness = new Readiness(context);
  const asked = (): readonly number[] => {
    return ofKind(context.take(), 'prepare').map(({ version }) => version);
  };
  return { context, readiness, asked };
}

describe('whether the next core could run by a version', () => {
  it('is for the host to say, which is asked at each heartbeat until nothing is in the way', () => {
    const { context, readiness, asked } = made();
    expect([readiness.obstacle(first), readiness.obstacle(first)]).toEqual([
      'not-ready',
      'not-ready',
    ]);
    expect([asked(), readiness.version, readiness.isHindered(1)]).toEqual([[1], 0, false]);
    expect(readiness.answered(1, 'no room')).toBe(false);
    expect([readiness.obstacle(first), asked(), readiness.isHindered(1)]).toEqual([
      'no room',
      [],
      true,
    ]);
    context.now += context.timing.heartbeat;
    expect([readiness.obstacle(first), asked()]).toEqual(['no room', [1]]);
    expect(readiness.answered(1, '')).toBe(true);
    expect([readiness.obstacle(first), readiness.version]).toEqual([null, 1]);
    context.now += context.timing.heartbeat;
    expect([readiness.obstacle(first), asked()]).toEqual([null, []]);
  });

  it('is asked again while the change waits, and anew when it begins', () => {
    const { context, readiness, asked } = made();
    const ordered = { ...first, stage: 'ordered' } as const;
    const begun = { ...first, stage: 'begun' } as const;
    readiness.obstacle(ordered);
    readiness.answered(1, '');
    asked();
    context.now += 10 * context.timing.heartbeat;
    // It is so until the host says otherwise.
    expect([readiness.obstacle(ordered), asked(), readiness.version]).toEqual([null, [1], 1]);
    readiness.answered(1, 'gone');
    expect([readiness.obstacle(ordered), readiness.version]).toEqual(['gone', 0]);
    context.now += context.timing.heartbeat;
    readiness.obstacle(ordered);
    readiness.answered(1, '');
    asked();
    // What was said of an order does not count for what has begun.
    expect([readiness.obstacle(begun), asked(), readiness.version]).toEqual(['not-ready', [1], 0]);
    readiness.answered(1, '');
    expect([readiness.obstacle(begun), readiness.version]).toEqual([null, 1]);
  });

  it('is said whether the change is done: only before that another disk must be new', () => {
    const { context, readiness } = made();
    readiness.obstacle({ ...first, stage: 'begun' });
    readiness.obstacle(second);
    expect(ofKind(context.take(), 'prepare').map(({ done }) => done)).toEqual([false, true]);
  });

  it('stays as it was said once with ready-for-good', () => {
    const { context, readiness, asked } = made({ ...NO_FLAGS, 'ready-for-good': true });
    readiness.obstacle({ ...first, stage: 'ordered' });
    readiness.answered(1, '');
    asked();
    context.now += 10 * context.timing.heartbeat;
    expect([readiness.obstacle({ ...first, stage: 'begun' }), asked()]).toEqual([null, []]);
  });

  it('is said of each version by itself, and not of one that nobody asked about', () => {
    const { readiness } = made();
    readiness.answered(7, '');
    expect(readiness.version).toBe(0);
    readiness.obstacle(first);
    readiness.obstacle(second);
    readiness.answered(1, 'missing');
    readiness.answered(2, '');
    expect([readiness.obstacle(first), readiness.obstacle(second)]).toEqual(['missing', null]);
    expect([readiness.version, readiness.isHindered(2)]).toEqual([2, false]);
  });
});
