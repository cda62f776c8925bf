import { describe, expect, it } from 'vitest';
import { Control } from '../../../engine/cluster/control.ts';
import { Rng } from '../../../engine/core/rng.ts';
import type { TimelineEvent } from '../../../engine/timeline/event.ts';
import { ControlNet, GROUP, MS, S, testConfig } from '../../support/control-net.ts';
import { swarm } from '../../support/control-swarm.ts';

function formed(seed: number, more: object = {}): ControlNet {
  const net = new ControlNet({ seed, ...more });
  expect(net.await(() => net.whole(), 20 * S)).toBe(true);
  net.pass(S);
  return net;
}

/** Kinds of the events behind `event`, nearest first, along causes and reads. */
function behind(net: ControlNet, event: TimelineEvent): readonly string[] {
  const byId = new Map(net.events.map((e) => [e.id, e]));
  const kinds: string[] = [];
  const seen = new Set<string>();
  const queue = [event];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    for (const id of [at.cause ?? '', ...(at.reads ?? [])]) {
      const cause = byId.get(id);
      if (cause === undefined || seen.has(id)) continue;
      seen.add(id);
      kinds.push(cause.kind);
      queue.push(cause);
    }
  }
  return kinds;
}

describe('a cluster of two hosts and a witness', () => {
  it('forms, owns its group on the preferred node, and is mirrored', () => {
    const net = formed(1, { wire: true });
    expect(net.runningOn()).toBe(1);
    expect(net.record(1)?.members.map((m) => m.node)).toEqual([1, 2]);
    expect(net.violations).toEqual([]);
    const group = net.status(3).groups[0];
    expect(group).toEqual({ group: GROUP, owner: 1, epoch: 1, state: 'online' });
    expect(net.host(1).guardian.armed).toBe(true);
    expect(net.host(2).guardian.armed).toBe(false);
  });

  it('takes over within five seconds when the owner loses power, and says why', () => {
    const net = formed(2, { wire: true });
    net.powerOff(1);
    expect(net.await(() => net.runningOn() === 2, 5 * S)).toBe(true);
    const starts = net.ofKind('application.start').filter((e) => e.node === 2);
    const why = behind(net, starts[starts.length - 1] as TimelineEvent);
    for (const kind of ['volume.record', 'group.takeover', 'peer.suspect', 'lease.attested']) {
      expect(why).toContain(kind);
    }
    net.powerOn(1);
    expect(net.await(() => net.whole(), 20 * S)).toBe(true);
    expect(net.runningOn()).toBe(2);
    expect(net.violations).toEqual([]);
  });

  it('goes on where it is when the core restarts while its host lives', () => {
    const net = formed(3);
    net.killCore(1);
    net.pass(200 * MS);
    net.startCore(1);
    net.pass(4 * S);
    expect(net.whole()).toBe(true);
    expect(net.runningOn()).toBe(1);
    expect(net.ofKind('group.readopt').length).toBe(1);
    expect(net.ofKind('application.stop').length).toBe(0);
    expect(net.status(1).groups[0]?.epoch).toBe(2);
  });

  it('serves on when owner and standby lose sight of each other, whoever leads', () => {
    for (let seed = 1; seed <= 12; seed++) {
      const net = formed(seed, { loss: 5000 });
      if (seed % 2 === 0) {
        // Let the standby lead: then the owner hears its leader through the witness only.
        net.killCore(net.leader());
        net.await(() => net.leader() !== 0, 10 * S);
        for (const node of [1, 2, 3]) net.startCore(node);
        net.await(() => net.whole(), 20 * S);
      }
      const owner = net.runningOn();
      net.cutBoth(1, 2);
      net.cutData();
      net.pass(8 * S);
      expect(net.runningOn()).toBe(owner);
      expect(net.record(owner)?.members.map((m) => m.node)).toEqual([owner]);
      net.heal();
      expect(net.await(() => net.whole(), 20 * S)).toBe(true);
      expect(net.violations).toEqual([]);
    }
  });

  it('is not troubled by a witness that is away', () => {
    const net = formed(4);
    net.powerOff(3);
    net.pass(10 * S);
    expect(net.runningOn()).toBe(1);
    net.powerOn(3);
    net.pass(3 * S);
    expect(net.ofKind('group.takeover').length).toBe(0);
    expect(net.violations).toEqual([]);
  });

  it('stops on a host that is cut off from everybody, before the other starts', () => {
    const net = formed(5);
    net.isolate(1);
    expect(net.await(() => net.runningOn() === 2, 6 * S)).toBe(true);
    expect(net.host(1).app.state).toBe('stopped');
    expect(net.host(1).guardian.armed).toBe(false);
    net.heal();
    expect(net.await(() => net.whole(), 20 * S)).toBe(true);
    expect(net.violations).toEqual([]);
  });

  it('waits for the other member when a member that lost power is alone', () => {
    const net = formed(6);
    net.powerOff(1);
    net.powerOff(2);
    net.pass(S);
    net.powerOn(2);
    net.pass(10 * S);
    expect(net.runningOn()).toBe(0);
    expect(net.status(2).groups[0]?.blocked?.reason).toBe('rebooted-member');
    net.powerOn(1);
    expect(net.await(() => net.whole(), 20 * S)).toBe(true);
    expect(net.status(2).groups[0]?.blocked).toBeUndefined();
    expect(net.violations).toEqual([]);
  });

  it('does not lose a committed entry when the witness restarts empty', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const net = formed(seed);
      net.isolate(2);
      net.pass(6 * S);
      expect(net.record(1)?.members.map((m) => m.node)).toEqual([1]);
      net.powerOff(3);
      net.powerOff(1);
      net.powerOn(3, 'blank');
      net.heal();
      net.pass(10 * S);
      expect(net.runningOn()).toBe(0);
      net.powerOn(1);
      expect(net.await(() => net.whole(), 30 * S)).toBe(true);
      expect(net.violations).toEqual([]);
    }
  });

  it('readmits a blank voter and lets it count again', () => {
    const net = formed(7);
    net.powerOff(3);
    net.powerOn(3, 'blank');
    net.pass(5 * S);
    expect(net.ofKind('voter.readmitted').length).toBeGreaterThan(0);
    net.powerOff(1);
    expect(net.await(() => net.runningOn() === 2, 8 * S)).toBe(true);
    expect(net.violations).toEqual([]);
  });

  it('serves a volume that no group holds', () => {
    const config = testConfig({ groups: [] });
    const net = new ControlNet({ seed: 8, config });
    net.pass(5 * S);
    expect(net.record(1)?.primary).toBe(1);
    net.powerOff(1);
    net.pass(6 * S);
    expect(net.record(2)?.primary).toBe(2);
    expect(net.status(2).groups).toEqual([]);
  });

  it('says the same things twice for the same seed', () => {
    const run = (): string => JSON.stringify(swarm(11).net.events);
    expect(run()).toBe(run());
  });

  it('keeps every law and heals, whatever one to eight faults do', () => {
    for (let seed = 1; seed <= 250; seed++) {
      const { violations, schedule } = swarm(seed);
      expect({ seed, schedule, violations }).toEqual({ seed, schedule, violations: [] });
    }
  });

  it('keeps every law with clocks that run at the edge of their bound', () => {
    for (let seed = 1000; seed < 1100; seed++) {
      const { violations, schedule } = swarm(seed, { ppm: [-1000, 1000, 0] });
      expect({ seed, schedule, violations }).toEqual({ seed, schedule, violations: [] });
    }
  });
});

describe('a control actor', () => {
  it('does nothing before it has started, and asks to be woken after', () => {
    const control = new Control({
      config: testConfig(),
      node: 1,
      rng: new Rng(1, 1),
      canaries: new Set(),
      reached: () => undefined,
    });
    expect(control.step([{ kind: 'wake' }], 0)).toEqual([]);
    const start = { kind: 'start', boot: 5, session: 1, durable: null } as const;
    const decisions = control.step([start], 10);
    expect(decisions.map((d) => d.kind)).toContain('wake-at');
    expect(decisions.map((d) => d.kind)).toContain('persist');
  });

  it('refuses a clock that runs backwards', () => {
    const control = new Control({
      config: testConfig(),
      node: 1,
      rng: new Rng(1, 1),
      canaries: new Set(),
      reached: () => undefined,
    });
    control.step([], 100);
    expect(() => control.step([], 99)).toThrow();
  });
});
