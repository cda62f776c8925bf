import { describe, expect, it } from 'vitest';
import { started } from '../../support/mirror-swarm.ts';

describe('barriers', () => {
  it('complete a flush only when it is stable on every member (RULE-05)', () => {
    // The harness looks at both platters whenever a flush completes.
    const pair = started(4);
    pair.runFor(2_000_000);
    expect(pair.violations).toEqual([]);
    const broken = started(4, ['RULE-05']);
    broken.runFor(2_000_000);
    expect(broken.violations[0]).toContain('LAW-flushed');
  });

  it('come by themselves, so that no write stays unstable for long', () => {
    const pair = started(4);
    pair.runFor(500_000);
    pair.load(false);
    pair.runFor(200_000);
    for (const h of pair.hosts) expect(h.unstable.size).toBe(0);
  });

  it('complete no flush without a lost member before a record leaves it out (RULE-02)', () => {
    const pair = started(6);
    pair.runFor(200_000);
    for (const h of pair.hosts) pair.isolate(h.node, true);
    pair.cut();
    pair.runFor(20_000);
    const before = pair.writesCompleted;
    pair.runFor(1_000_000);
    expect(pair.writesCompleted).toBe(before);
    expect(pair.hosts[0].busyFront.some((r) => r !== null)).toBe(true);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });
});
