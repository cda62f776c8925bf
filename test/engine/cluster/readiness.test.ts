import { describe, expect, it } from 'vitest';
import { Context } from '../../../engine/cluster/context.ts';
import { Readiness } from '../../../engine/cluster/readiness.ts';
import { Rng } from '../../../engine/core/rng.ts';
import { NO_FLAGS, ofKind } from '../../support/control-fixtures.ts';
import { TWO_OF_THREE as PAIR } from '../../support/trio-configs.ts';

const first = { version: 1, changes: [] };
const second = { version: 2, changes: [] };

function made() {
  const context = new Context(PAIR, 1, new Rng(1, 1), NO_FLAGS, () => {});
  const readiness = new Readiness(context);
  const asked = (): readonly number[] => {
    return ofKind(context.take(), 'prepare').map(({ version }) => version);
  };
  return { context, readiness, asked };
}

describe('whether the next core could run by a version', () => {
  it('is for the host to say, which is asked until nothing stands in the way', () => {
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
