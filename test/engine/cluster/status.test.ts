import { describe, expect, it } from 'vitest';
import type { ClusterConfig } from '../../../engine/core/config.ts';
import { ControlNet, S, testConfig } from '../../support/control-net.ts';

describe('the status', () => {
  it('shows both ends of the mirror, the lease and the links', () => {
    const net = new ControlNet({ seed: 1 });
    net.await(() => net.whole(), 10 * S);
    net.pass(S);
    const status = net.status(1);
    expect(status.exclusivity).toBe('data+service');
    expect(status.lease.held).toBe(true);
    expect(status.peers.map((peer) => peer.up)).toEqual([true, true]);
    expect(status.peers[0]?.links.length).toBe(2);
    expect(status.volumes[0]?.local?.disk).toBe('UpToDate');
    expect(net.status(3).volumes[0]?.local).toBeNull();
    expect(net.status(3).lease.held).toBe(false);
  });

  it('says that a person is needed where most voters lost the log, and only there', () => {
    const net = new ControlNet({ seed: 1 });
    net.await(() => net.whole(), 10 * S);
    net.pass(S);
    const blocked = (): unknown => net.status(3).groups.map((group) => group.blocked?.reason);
    net.powerOff(1);
    net.pass(S);
    net.powerOn(1, 'blank');
    net.powerOff(2);
    net.pass(5 * S);
    // The one that is silent may come back as it was.
    expect(blocked()).toEqual([undefined]);
    net.powerOn(2, 'blank');
    net.pass(5 * S);
    expect(blocked()).toEqual(['log-lost']);
    expect(net.violations).toEqual([]);
  });

  it('is whole again once one lost voter is readmitted', () => {
    const net = new ControlNet({ seed: 2 });
    net.await(() => net.whole(), 10 * S);
    net.powerOff(3);
    net.pass(S);
    net.powerOn(3, 'blank');
    net.pass(10 * S);
    for (const node of [1, 2, 3]) {
      expect(net.status(node).groups.map((group) => group.blocked)).toEqual([undefined]);
    }
  });

  it('names replicas that nothing waits for, as long as they are no members', () => {
    const config = testConfig();
    const far = (node: number) => ({
      ...config,
      volumes: config.volumes.map((volume) => ({
        ...volume,
        replicas: volume.replicas.map((r) => (r.node === node ? { ...r, mode: 'async' } : r)),
      })),
    });
    const net = new ControlNet({ seed: 1, config: far(2) as ClusterConfig });
    net.await(() => net.whole(), 10 * S);
    // Taken in by hand, as after an accepted loss.
    expect(net.status(1).volumes[0]?.asynchronous).toBeUndefined();
    net.powerOff(2);
    net.pass(10 * S);
    expect(net.status(1).volumes[0]?.members.map(({ node }) => node)).toEqual([1]);
    expect(net.status(1).volumes[0]?.asynchronous).toEqual([2]);
    const plain = new ControlNet({ seed: 1 });
    plain.await(() => plain.whole(), 10 * S);
    plain.powerOff(2);
    plain.pass(10 * S);
    expect(plain.status(1).volumes[0]?.asynchronous).toBeUndefined();
  });

  it('claims no more than data exclusivity when a host has no watchdog', () => {
    const config = testConfig();
    const nodes = config.nodes.map((n) => (n.id === 2 ? { ...n, watchdog: 'none' } : n));
    const net = new ControlNet({ seed: 2, config: { ...config, nodes } });
    net.pass(3 * S);
    expect(net.status(1).exclusivity).toBe('data');
  });
});
