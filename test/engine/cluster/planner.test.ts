import { describe, expect, it } from 'vitest';
import { ControlNet, S } from '../../support/control-net.ts';

function formed(seed: number): ControlNet {
  const net = new ControlNet({ seed });
  net.await(() => net.whole(), 20 * S);
  net.pass(S);
  return net;
}

describe('the plan for a group', () => {
  it('restarts a failed application where it is, before it moves it', () => {
    const net = formed(1);
    net.failApp(1);
    expect(net.await(() => net.runningOn() === 1, 5 * S)).toBe(true);
    expect(net.ofKind('group.stop')).toEqual([]);
  });

  it('moves an application that fails again and again, and moves it no third time', () => {
    const net = formed(2);
    net.host(1).startFails = true;
    net.failApp(1);
    expect(net.await(() => net.runningOn() === 2, 30 * S)).toBe(true);
    net.host(2).startFails = true;
    net.failApp(2);
    net.pass(60 * S);
    expect(net.runningOn()).toBe(0);
    expect(net.status(3).groups[0]?.blocked?.reason).toBe('application-failed');
    const moves = net.ofKind('group.handover').length;
    net.pass(60 * S);
    expect(net.ofKind('group.handover').length).toBe(moves);
    expect(net.violations).toEqual([]);
  });

  it('never starts elsewhere after a stop that failed', () => {
    const net = formed(3);
    net.host(1).stopFails = true;
    net.command(3, 1, { kind: 'switch', group: 'shop', to: 2 });
    net.pass(30 * S);
    expect(net.holders()).toEqual([1]);
    expect(net.status(3).groups[0]?.blocked?.reason).toBe('stop-failed');
    net.host(1).stopFails = false;
    expect(net.await(() => net.runningOn() === 2, 15 * S)).toBe(true);
    expect(net.status(3).groups[0]?.blocked).toBeUndefined();
    expect(net.violations).toEqual([]);
  });

  it('takes over after a stop that failed when the host is gone', () => {
    const net = formed(4);
    net.host(1).stopFails = true;
    net.command(3, 1, { kind: 'switch', group: 'shop', to: 2 });
    net.pass(10 * S);
    net.powerOff(1);
    expect(net.await(() => net.runningOn() === 2, 8 * S)).toBe(true);
    expect(net.violations).toEqual([]);
  });

  it('starts a group again at the owner when nobody else could take it', () => {
    const net = formed(5);
    net.powerOff(2);
    net.pass(5 * S);
    net.cutData();
    net.powerOn(2);
    net.pass(3 * S);
    net.killCore(1);
    net.pass(12 * S);
    expect(net.status(3).groups[0]?.blocked?.reason).toBe('not-in-sync');
    net.startCore(1);
    expect(net.await(() => net.runningOn() === 1, 10 * S)).toBe(true);
    net.pass(S);
    expect(net.status(3).groups[0]?.blocked).toBeUndefined();
    expect(net.violations).toEqual([]);
  });

  it('does not wait for the lease of a host that is back with a new boot', () => {
    const net = formed(6);
    net.powerOff(1);
    net.pass(200_000);
    net.powerOn(1);
    expect(net.await(() => net.runningOn() === 2, 2_500_000)).toBe(true);
    const [takeover] = net.ofKind('group.takeover');
    expect(takeover?.d['proof']).toBe('rebooted');
    expect(net.violations).toEqual([]);
  });
});
