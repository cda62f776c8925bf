import { describe, expect, it } from 'vitest';
import { Datagrams, DEFAULT_DATAGRAM_TIMING } from '../../backends/sim/datagrams.ts';
import { SimHost } from '../../backends/sim/host.ts';
import { Kernel, Kind } from '../../backends/sim/kernel.ts';
import type { Observer } from '../../backends/sim/observer.ts';
import type { ControlDecision } from '../../engine/cluster/interface.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';

/** A host whose core answers each word of the monitor with so many orders. */
function talk(orders: number, seconds: number): readonly string[] {
  const kernel = new Kernel();
  kernel.reset(1, false);
  const { timing, nodes } = DEMO_CONFIG;
  const storms: string[] = [];
  const nothing = (): void => {};
  const observer: Observer = {
    attaching: () => {},
    moment: nothing,
    record: nothing,
    grant: nothing,
    report: nothing,
    linkUp: nothing,
    peerAck: nothing,
    completed: nothing,
    coreStarted: nothing,
    coreDied: nothing,
    crashing: () => false,
    diskFailed: () => {},
    receiptLost: () => {},
    powerLost: nothing,
    application: nothing,
    brokenBelief: nothing,
    storm: (node, kind) => storms.push(`${kind} of ${node}`),
  };
  const datagrams = new Datagrams(kernel, 4, 2, DEFAULT_DATAGRAM_TIMING);
  const host = new SimHost(
    kernel,
    nodes[0] as (typeof nodes)[number],
    ['g'],
    timing,
    datagrams,
    observer,
  );
  const order: ControlDecision = {
    kind: 'application',
    group: 'g',
    action: 'start',
    epoch: 1,
    until: Number.MAX_SAFE_INTEGER,
    cause: '',
  };
  host.wire([], {
    control: () => ({
      step: ([input]) => (input?.kind === 'application' ? new Array(orders).fill(order) : []),
      status: () => {
        throw new Error('nobody asks');
      },
    }),
    startLegs: nothing,
  });
  host.powerOn();
  const { queue } = kernel;
  while (queue.size > 0 && queue.nextTime < seconds * 1_000_000 && storms.length === 0) {
    kernel.now = queue.nextTime;
    const entry = queue.pop();
    if (queue.kind[entry] === Kind.CoreStart) host.startCore(host.coreLife, 0);
    if (queue.kind[entry] === Kind.MonitorStart) host.startMonitor(host.monitorLife, 0);
    if (queue.kind[entry] === Kind.MonitorOrder) host.applications.order(order);
    if (queue.kind[entry] === Kind.Application) host.input({ ...order, state: 'running' });
    queue.release(entry);
  }
  return storms;
}

describe('a simulated host', () => {
  it('breaks a law when core and monitor answer each other without end', () => {
    expect(talk(1, 10)).toEqual(['start of 1']);
  });

  it('breaks none when the core has nothing to say', () => {
    expect(talk(0, 10)).toEqual([]);
  });
});
