/** Random schedules of faults for the network of control actors, then a healed phase. */
import { Rng } from '../../engine/core/rng.ts';
import { ControlNet, MS, type NetOptions, S } from './control-net.ts';

export interface SwarmOptions {
  /** Witness restarts with an empty disk may happen, one per run. */
  readonly blank?: boolean;
  readonly faults?: number;
  /** Messages are lost, doubled and late all the time. */
  readonly rough?: boolean;
  readonly canaries?: readonly string[];
  readonly ppm?: readonly number[];
  /** Run the healed phase and ask for everything to be whole again. */
  readonly heals?: boolean;
}

export interface SwarmResult {
  readonly net: ControlNet;
  readonly violations: readonly string[];
  readonly schedule: readonly string[];
}

/** One run: everything about it follows from `seed`. */
export function swarm(seed: number, options: SwarmOptions = {}): SwarmResult {
  const rng = new Rng(seed, 4242);
  const rough = options.rough ?? true;
  const base: NetOptions = rough
    ? { seed, loss: rng.below(60_000), duplicate: 30_000, delay: 1 + rng.below(20 * MS) }
    : { seed };
  const net = new ControlNet({
    ...base,
    ...(options.canaries === undefined ? {} : { canaries: options.canaries }),
    ...(options.ppm === undefined ? {} : { ppm: options.ppm }),
  });
  const schedule: string[] = [];
  const note = (text: string): void => {
    schedule.push(`${Math.floor(net.now / MS)}: ${text}`);
  };
  net.pass(rng.chance(200_000) ? rng.below(2 * S) : 3 * S);
  let blanked = false;
  const faults = options.faults ?? 1 + rng.below(8);
  for (let i = 0; i < faults; i++) {
    if (net.violations.length > 0) break;
    const node = 1 + rng.below(3);
    const other = 1 + ((node + rng.below(2)) % 3);
    switch (rng.below(14)) {
      case 0:
      case 1:
        note(`power off ${node}`);
        net.powerOff(node);
        break;
      case 2: {
        const fresh = options.blank !== false && node === 3 && !blanked && rng.chance(500_000);
        if (fresh) blanked = true;
        note(`power cycle ${node}${fresh ? ' blank' : ''}`);
        net.powerOff(node);
        net.pass(rng.below(3 * S));
        net.powerOn(node, fresh ? 'blank' : 'keep');
        break;
      }
      case 3:
        note(`kill core ${node}`);
        net.killCore(node);
        net.pass(rng.below(2 * S));
        net.startCore(node);
        break;
      case 4:
        note(`kill core ${node} for long`);
        net.killCore(node);
        break;
      case 5: {
        const time = rng.below(8 * S);
        note(`pause core ${node} for ${Math.floor(time / MS)}`);
        if (net.host(node).pausedUntil < 0) net.pauseCore(node, time);
        break;
      }
      case 6:
        note(`isolate ${node}`);
        net.isolate(node);
        break;
      case 7:
        note(`cut ${node} ${other}`);
        net.cutBoth(node, other);
        if (node + other === 3) net.cutData();
        break;
      case 8:
        note(`cut one way ${node} to ${other}`);
        net.cut(node, other);
        break;
      case 9:
        note(`cut link 0 everywhere`);
        for (const a of [1, 2, 3]) for (const b of [1, 2, 3]) if (a !== b) net.cut(a, b, 0);
        break;
      case 10:
        note('cut data');
        net.cutData();
        break;
      case 11:
        note(`application fails on ${node}`);
        net.failApp(node);
        break;
      case 12:
        note(`switch to ${1 + (node % 2)}`);
        if (net.host(3).core !== null) {
          net.command(3, 100 + i, { kind: 'switch', group: 'shop', to: 1 + (node % 2) });
        }
        break;
      default:
        note('heal');
        net.heal();
        for (const n of [1, 2, 3]) {
          net.powerOn(n);
          net.startCore(n);
        }
        break;
    }
    net.pass(rng.chance(300_000) ? rng.below(300 * MS) : rng.below(6 * S));
  }
  const violations = [...net.violations];
  if (options.heals !== false && violations.length === 0) {
    note('heal at last');
    net.heal();
    for (const n of [1, 2, 3]) {
      net.powerOn(n);
      net.startCore(n);
    }
    net.pass(9 * S);
    if (!net.await(() => net.whole(), 40 * S)) violations.push('did-not-heal');
    violations.push(...net.violations);
  }
  return { net, violations, schedule };
}
