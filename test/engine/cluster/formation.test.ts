import { describe, expect, it } from 'vitest';
import { ControlNet, S } from '../../support/control-net.ts';

function formedCount(net: ControlNet): number {
  return [1, 2, 3].filter((node) => net.host(node).core !== null && net.record(node) !== null)
    .length;
}

describe('the formation of a cluster', () => {
  it('waits for every configured voter', () => {
    const net = new ControlNet({ seed: 1 });
    net.powerOff(3);
    net.pass(20 * S);
    expect(formedCount(net)).toBe(0);
    net.powerOn(3);
    expect(net.await(() => net.whole(), 10 * S)).toBe(true);
  });

  it('takes for members only replicas that are whole and of one generation', () => {
    const net = new ControlNet({ seed: 2 });
    net.host(2).disk.generation = 8;
    net.pass(10 * S);
    expect(formedCount(net)).toBe(3);
    expect(net.record(1)?.members).toEqual([]);
    expect(net.runningOn()).toBe(0);
    const half = new ControlNet({ seed: 3 });
    half.host(1).disk.state = 'Inconsistent';
    half.pass(6 * S);
    expect(half.runningOn()).toBe(2);
  });

  it('agrees on one genesis though a voter loses its disk in the middle', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const net = new ControlNet({ seed, loss: 100_000 });
      const node = 1 + (seed % 3);
      net.pass(900_000 + seed * 10_000);
      net.powerOff(node);
      net.powerOn(node, 'blank');
      const whole = net.await(() => net.whole(), 30 * S);
      expect({ seed, whole, violations: net.violations }).toEqual({
        seed,
        whole: true,
        violations: [],
      });
    }
  });

  it('survives a restart of every voter in the middle', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const net = new ControlNet({ seed });
      net.pass(950_000 + seed * 5000);
      for (const node of [1, 2, 3]) net.powerOff(node);
      for (const node of [1, 2, 3]) net.powerOn(node);
      expect(net.await(() => net.whole(), 30 * S)).toBe(true);
      expect(net.violations).toEqual([]);
    }
  });
});
