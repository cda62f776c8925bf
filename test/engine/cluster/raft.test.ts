import { describe, expect, it } from 'vitest';
import { ControlNet, GROUP, S } from '../../support/control-net.ts';
import { restlessVoters } from '../../support/control-scenarios.ts';

describe('the replicated log', () => {
  it('elects one leader per term and never changes what is committed', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const net = restlessVoters(seed, []);
      expect({ seed, violations: net.violations }).toEqual({ seed, violations: [] });
    }
  });

  it('has a leader again within seconds of losing it', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const net = new ControlNet({ seed });
      expect(net.await(() => net.leader() !== 0, 10 * S)).toBe(true);
      const old = net.leader();
      net.killCore(old);
      expect(net.await(() => net.leader() !== old && net.leader() !== 0, 8 * S)).toBe(true);
    }
  });

  it('is not disturbed by a voter that was cut off and comes back', () => {
    const net = new ControlNet({ seed: 5 });
    net.pass(4 * S);
    const { leader, term } = net.status(3);
    const away = leader === 2 ? 1 : 2;
    net.isolate(away);
    net.pass(10 * S);
    net.heal();
    net.pass(5 * S);
    expect(net.status(3).leader).toBe(leader);
    expect(net.status(3).term).toBe(term);
  });

  it('makes a leader resign that hears no majority', () => {
    const net = new ControlNet({ seed: 6 });
    net.pass(4 * S);
    const { leader } = net.status(3);
    net.isolate(leader);
    net.pass(6 * S);
    expect(net.status(leader).leader).not.toBe(leader);
  });

  it('brings up a voter whose entries are compacted away with a snapshot', () => {
    const net = new ControlNet({ seed: 7, wire: true });
    net.await(() => net.whole(), 10 * S);
    net.killCore(3);
    for (let i = 0; i < 45; i++) {
      const to = 3 - net.runningOn();
      net.command(1, i + 1, { kind: 'switch', group: GROUP, to });
      net.await(() => net.runningOn() === to, 10 * S);
      net.pass(S);
    }
    expect(net.marks.get('log-compacted')).toBeGreaterThan(0);
    net.startCore(3);
    net.pass(5 * S);
    expect(net.marks.get('log-snapshot-installed')).toBeGreaterThan(0);
    expect(net.status(3).committed).toBe(net.status(1).committed);
    expect(net.status(3).groups).toEqual(net.status(1).groups);
    expect(net.violations).toEqual([]);
  });
});
