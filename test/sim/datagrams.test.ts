import { describe, expect, it } from 'vitest';
import { Datagrams, DEFAULT_DATAGRAM_TIMING } from '../../backends/sim/datagrams.ts';
import { Kernel } from '../../backends/sim/kernel.ts';
import type { ControlMessage } from '../../engine/cluster/messages.ts';

const BEAT = { kind: 'lease-ack' } as unknown as ControlMessage;

const SURE = { ...DEFAULT_DATAGRAM_TIMING, loss: 0, duplicate: 0 };

/** Two hosts on two links; `answers` is how many datagrams each one that arrives draws. */
function exchange(answers: (arrived: number) => number, steps: number) {
  const kernel = new Kernel();
  kernel.reset(1, false);
  const datagrams = new Datagrams(kernel, 3, 2, SURE);
  let storms = 0;
  datagrams.storm = () => {
    storms += 1;
  };
  let arrived = 0;
  const run = (): void => {
    for (let step = 0; step < steps && kernel.queue.size > 0; step += 1) {
      kernel.now = kernel.queue.nextTime;
      const entry = kernel.queue.pop();
      const to = kernel.queue.b[entry] as number;
      const from = kernel.queue.a[entry] as number;
      const target = from === 1 ? 2 : 1;
      datagrams.arrived(from, target, to);
      kernel.queue.release(entry);
      arrived += 1;
      for (let i = answers(arrived); i > 0; i -= 1) datagrams.send(target, from, to, BEAT, -1);
    }
  };
  return { datagrams, run, storms: () => storms, arrived: () => arrived };
}

describe('datagrams', () => {
  it('are a storm when each one that arrives draws more than one', () => {
    const world = exchange(() => 2, 20_000);
    world.datagrams.send(1, 2, 0, BEAT, -1);
    world.run();
    expect(world.storms()).toBeGreaterThan(0);
  });

  it('that a clog held on every link may all be answered at once', () => {
    let burst = 0;
    // The four answers of each that was held draw none themselves.
    const world = exchange((arrived) => (arrived <= burst ? 4 : 0), 20_000);
    for (const link of [0, 1]) world.datagrams.clog(1, 2, link, true);
    for (let i = 0; i < 500; i += 1) world.datagrams.send(1, 2, -1, BEAT, -1);
    burst = 2 * 64;
    for (const link of [0, 1]) world.datagrams.clog(1, 2, link, false);
    world.run();
    expect(world.arrived()).toBe(burst * 5);
    expect(world.storms()).toBe(0);
  });
});
