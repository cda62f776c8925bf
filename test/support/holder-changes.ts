/** Orders that change who holds a replica, and what befalls hosts, links and disks meanwhile. */
import { type Fault, type FaultKind, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { OnDisk } from '../../backends/sim/operators.ts';
import { Rng } from '../../engine/core/rng.ts';

const CHANCE = 91;
const S = 1_000_000;

/** Every third order is for the disk that was there before. */
function diskOf(seed: number): () => number {
  const rng = new Rng(seed, CHANCE + 2);
  return () => (rng.below(3) === 0 ? OnDisk.Before : OnDisk.New);
}

const CHANGES = ['add-replica', 'remove-replica', 'replace-replica'] as const;
const TROUBLE = [
  'power-off',
  'kill-core',
  'cut',
  'reboot',
  'pause-core',
  'switch',
  'clog',
] as const;

const ORDERS = [
  'add-replica',
  'remove-replica',
  'remove-replica',
  'remove-replica',
  'replace-replica',
] as const;

type Add = (kind: FaultKind, change: Partial<Fault> & { readonly at: number }) => void;

/** A schedule that is being drawn; what a loss of power leaves of a cache is drawn as well. */
function listOf(rng: Rng): { readonly add: Add; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const add: Add = (kind, change) => {
    const cache = (['random', 'none', 'newest'] as const)[rng.below(3)] ?? 'random';
    faults.push({ ...PLAIN_FAULT, kind, cache, ...change, at: Math.max(0, change.at) });
  };
  return { add, faults };
}

/** What befalls hosts and links around an order. */
function befall(rng: Rng, when: number, add: Add): void {
  for (let more = rng.below(3); more > 0; more -= 1) {
    const befalls = TROUBLE[rng.below(TROUBLE.length)] ?? 'cut';
    const instant = befalls === 'kill-core' || befalls === 'switch';
    const span = instant ? 0 : S / 5 + rng.below(4 * S);
    const early = rng.below(2) === 0 ? rng.below(S) : -rng.below(2 * S);
    const struck = rng.below(3) === 0 ? 'primary' : 1 + rng.below(3);
    add(befalls, { at: when - early, target: struck, for: span });
  }
}

/** Nothing begins so late that there is no time to heal. */
function inOrder(faults: readonly Fault[]): readonly Fault[] {
  return faults.filter(({ at }) => at < 36 * S).sort((a, b) => a.at - b.at);
}

/**
 * Orders in bursts: what was removed is added again at once. One host may lose what it knew of the
 * cluster; no more, or nobody need know what was agreed on (docs/decisions/0004).
 */
export function bursts(seed: number): readonly Fault[] {
  const rng = new Rng(seed, CHANCE + 1);
  const disk = diskOf(seed);
  const { add, faults } = listOf(rng);
  let when = 4 * S + rng.below(2 * S);
  if (rng.below(2) === 0) add('wipe', { at: when + rng.below(20 * S), target: 1 + rng.below(3) });
  for (let left = 3 + rng.below(4); left > 0; left -= 1) {
    const kind = ORDERS[rng.below(ORDERS.length)] ?? 'replace-replica';
    const target = 1 + rng.below(3);
    add(kind, { at: when, target, ppm: disk() });
    const again = kind === 'remove-replica' && rng.below(3) > 0;
    if (again) add('add-replica', { at: when + rng.below(S), target, ppm: disk() });
    befall(rng, when, add);
    when += S / 2 + rng.below(5 * S);
  }
  return inOrder(faults);
}

/** Changes one after another, and what befalls hosts and links beside them. */
export function evenly(seed: number): readonly Fault[] {
  const rng = new Rng(seed, CHANCE);
  const disk = diskOf(seed);
  const { add, faults } = listOf(rng);
  let when = 4 * S + rng.below(3 * S);
  for (let left = 2 + rng.below(4); left > 0; left -= 1) {
    const kind = CHANGES[rng.below(CHANGES.length)] ?? 'replace-replica';
    const target = rng.below(4) === 0 ? 'secondary' : 1 + rng.below(3);
    // Only who is named may be given a replica.
    const node = kind === 'add-replica' ? 1 + rng.below(3) : target;
    add(kind, { at: when, target: node, ppm: disk() });
    befall(rng, when, add);
    when += S + rng.below(7 * S);
  }
  return inOrder(faults);
}

/**
 * Disks are taken out and put back, while hosts forget the cluster, lose the way to a disk, and
 * die: whatever a host opens may be of any time.
 */
export function shelves(seed: number): readonly Fault[] {
  const rng = new Rng(seed, CHANCE + 3);
  const { add, faults } = listOf(rng);
  let when = 4 * S + rng.below(2 * S);
  const target = 1 + rng.below(3);
  let wiped = false;
  for (let left = 3 + rng.below(3); left > 0; left -= 1) {
    const kind =
      rng.below(4) === 0
        ? rng.below(2) === 0
          ? 'remove-replica'
          : 'add-replica'
        : 'replace-replica';
    const node = rng.below(4) === 0 ? 1 + rng.below(3) : target;
    add(kind, { at: when, target: node, ppm: rng.below(2) === 0 ? OnDisk.Before : OnDisk.New });
    const later = when + rng.below(2 * S);
    const span = S / 2 + rng.below(4 * S);
    const struck = rng.below(3) === 0 ? 'primary' : 1 + rng.below(3);
    switch (rng.below(6)) {
      case 0:
        add('power-off-all', { at: later, for: span });
        if (!wiped) add('wipe', { at: later + rng.below(span), target, for: S });
        wiped = true;
        break;
      case 1:
        if (!wiped) add('wipe', { at: later, target, for: span });
        wiped = true;
        break;
      case 2:
        add('path-loss', {
          at: later,
          target: struck,
          for: span,
          ppm: 1_000_000,
          area: 'everything',
        });
        break;
      case 3:
        add('power-off', { at: later, target: struck, for: span });
        break;
      case 4:
        add('kill-core', { at: later, target: struck });
        break;
      default:
        add('switch', { at: later, target: 1 + rng.below(3) });
    }
    when += S / 2 + rng.below(5 * S);
  }
  return inOrder(faults);
}

/** Volumes that grow, among changes of who holds a replica. */
export function growing(seed: number): readonly Fault[] {
  const rng = new Rng(seed, CHANCE + 4);
  const others = (rng.below(2) === 0 ? evenly : shelves)(seed);
  const faults: Fault[] = [];
  let when = 4 * S + rng.below(6 * S);
  for (let left = 1 + rng.below(3); left > 0; left -= 1) {
    faults.push({ ...PLAIN_FAULT, kind: 'grow-volume', at: when });
    when += S / 2 + rng.below(8 * S);
  }
  // The half of what else happens, or there is never room for another change.
  const few = others.filter(() => rng.below(2) === 0);
  return inOrder([...few, ...faults]);
}

/**
 * One host that forgets the cluster again and again, as it runs or not, heard or not, while its
 * disks are exchanged: whatever is known of it may be of a life that is over.
 */
export function forgetting(seed: number): readonly Fault[] {
  const rng = new Rng(seed, CHANCE + 5);
  const { add, faults } = listOf(rng);
  const victim = 1 + rng.below(3);
  const grows = rng.below(2) === 0;
  let when = 3 * S + rng.below(2 * S);
  for (let left = 4 + rng.below(5); left > 0; left -= 1) {
    const kind = rng.below(5) < 3 ? 'replace-replica' : CHANGES[rng.below(3)];
    const target = rng.below(3) === 0 ? 1 + rng.below(3) : victim;
    add(kind ?? 'replace-replica', { at: when, target, ppm: rng.below(2) });
    if (grows && rng.below(3) === 0) add('grow-volume', { at: when + rng.below(S) });
    for (let more = rng.below(3); more > 0; more -= 1) {
      const at = when + rng.below(2 * S) - S / 4;
      const span = S / 4 + rng.below(4 * S);
      const struck = rng.below(3) === 0 ? 'primary' : 1 + rng.below(3);
      switch (rng.below(8)) {
        case 0:
          add('wipe', { at, target: victim, for: span });
          break;
        case 1:
        case 2:
          add('cut', { at, target: victim, for: span });
          add('lose-folder', { at: at + S / 5, target: victim });
          break;
        case 3:
          add('lose-folder', { at, target: victim });
          break;
        case 4:
          add('power-off', { at, target: struck, for: span });
          break;
        case 5:
          add('power-off-all', { at, for: span });
          break;
        case 6:
          add('switch', { at, target: 1 + rng.below(3) });
          break;
        default:
          add('path-loss', { at, target: struck, for: span, ppm: 1_000_000, area: 'everything' });
      }
    }
    when += S / 2 + rng.below(5 * S);
  }
  return inOrder(faults);
}

/** A volume of two hosts that grows, and nothing else is ordered; hosts forget the cluster, too. */
export function growths(seed: number): readonly Fault[] {
  const rng = new Rng(seed, CHANCE + 6);
  const { add, faults } = listOf(rng);
  let when = 3 * S + rng.below(4 * S);
  for (let left = 1 + rng.below(4); left > 0; left -= 1) {
    add('grow-volume', { at: when });
    befall(rng, when, add);
    const victim = 1 + rng.below(2);
    const soon = when + rng.below(4 * S) - S;
    if (rng.below(4) === 0) add('wipe', { at: soon, target: victim, for: S + rng.below(3 * S) });
    if (rng.below(4) === 0) add('lose-folder', { at: soon, target: victim });
    if (rng.below(3) === 0) add('switch', { at: soon + S, target: 3 - victim });
    when += S / 2 + rng.below(7 * S);
  }
  return inOrder(faults);
}
