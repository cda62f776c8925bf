/** Short schedules that aim at one rule each; the canary tests and the law tests share them. */
import { Rng } from '../../engine/core/rng.ts';
import { ControlNet, GROUP, MS, S, testConfig } from './control-net.ts';

function formed(seed: number, canaries: readonly string[], more: object = {}): ControlNet {
  const net = new ControlNet({ seed, canaries, ...more });
  net.await(() => net.runningOn() !== 0, 20 * S);
  net.pass(S + (seed % 10) * 50 * MS);
  return net;
}

/** The witness loses its disk after a commit that only it and a dead node had. */
export function blankWitness(seed: number, canaries: readonly string[]): ControlNet {
  const net = formed(seed, canaries);
  const owner = net.runningOn();
  const other = 3 - owner;
  net.isolate(other);
  net.pass(6 * S);
  net.powerOff(3);
  net.powerOff(owner);
  net.powerOn(3, 'blank');
  net.heal();
  net.pass(12 * S);
  return net;
}

/** A voter restarts just after it promised, hears the holder no more, and is asked at once. */
export function restartedVoter(seed: number, canaries: readonly string[]): ControlNet {
  const net = formed(seed, canaries);
  const owner = net.runningOn();
  if (net.leader() === owner) {
    net.killCore(owner);
    net.await(() => net.leader() !== owner && net.leader() !== 0, 10 * S);
    net.startCore(owner);
    net.await(() => net.whole(), 20 * S);
  }
  const holder = net.runningOn();
  const rival = 3 - holder;
  // The replicas go on talking: the rival stays in sync, and may take over.
  net.cutBoth(holder, rival);
  net.pass(4 * S + (seed % 7) * 60 * MS);
  net.cutBoth(holder, 3);
  net.killCore(3);
  net.startCore(3);
  net.pass(8 * S);
  return net;
}

/** Elections under delay, with voters that restart all the time. */
export function restlessVoters(seed: number, canaries: readonly string[]): ControlNet {
  const config = testConfig();
  const timing = { ...config.timing, heartbeat: 100 * MS, election: 200 * MS };
  const net = new ControlNet({
    seed,
    canaries,
    config: { ...config, timing },
    delay: 150 * MS,
    loss: 100_000,
  });
  const rng = new Rng(seed, 77);
  net.await(() => net.leader() !== 0, 20 * S);
  for (let i = 0; i < 60 && net.violations.length === 0; i++) {
    const node = 1 + rng.below(3);
    net.killCore(node);
    net.startCore(node);
    net.pass(rng.below(400 * MS));
  }
  return net;
}

/** The primary goes alone, loses power, and the outdated replica is all that is left. */
export function outdatedReplica(seed: number, canaries: readonly string[]): ControlNet {
  const net = formed(seed, canaries);
  const owner = net.runningOn();
  net.powerOff(3 - owner);
  net.pass(5 * S);
  net.powerOff(owner);
  net.powerOn(3 - owner);
  net.pass(12 * S);
  return net;
}

/** The standby has just lost its cache when the primary is cut off, alive. */
export function rebootedStandby(seed: number, canaries: readonly string[]): ControlNet {
  const net = formed(seed, canaries);
  const owner = net.runningOn();
  net.powerOff(3 - owner);
  net.killCore(owner);
  net.powerOn(3 - owner);
  net.pass(12 * S);
  return net;
}

/** The owner is cut off from everybody, and goes on running as long as it may. */
export function isolatedOwner(seed: number, canaries: readonly string[]): ControlNet {
  const net = formed(seed, canaries);
  net.isolate(net.runningOn());
  net.pass(10 * S);
  return net;
}

/** Owner and standby lose sight of each other; the witness sees both. */
export function splitPair(seed: number, canaries: readonly string[]): ControlNet {
  const net = formed(seed, canaries);
  net.cutBoth(1, 2);
  net.cutData();
  net.pass(10 * S);
  return net;
}

/** The owner's host comes back at once, with a disk that says that it owns. */
export function quickReboot(seed: number, canaries: readonly string[]): ControlNet {
  const net = formed(seed, canaries);
  const owner = net.runningOn();
  net.powerOff(owner);
  net.pass(100 * MS);
  net.powerOn(owner);
  net.pass(10 * S);
  return net;
}

/** The owner's core comes back with an empty store and no whole replica; its monitor is away. */
export function blankOwner(seed: number, canaries: readonly string[]): ControlNet {
  const net = formed(seed, canaries);
  const owner = net.runningOn();
  net.monitor(owner, true);
  net.host(owner).disk.state = 'Inconsistent';
  net.killCore(owner);
  net.startCore(owner, 'blank');
  net.pass(2 * S);
  net.monitor(owner, false);
  net.pass(6 * S);
  return net;
}

export { GROUP };
