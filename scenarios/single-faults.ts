/**
 * Every single fault that a configuration can meet, for the report table of a rehearsal, and every
 * ordered pair of them. Lengths are chosen from the configuration's own timing: shorter than what
 * it notices, and longer than what it forgives.
 */
import { type Fault, PLAIN_FAULT } from '../backends/sim/fault.ts';
import type { ClusterConfig } from '../engine/core/config.ts';

/** A schedule with a name of its own. */
export interface NamedFault {
  readonly id: string;
  readonly fault: Fault;
}

const AT = 6_000_000;
/** Parts per million of the operations of a disk that does some of them wrong. */
const SOME = 100_000;
/** Of a disk's operations, so few that most clients do not meet one. */
const FEW = 5_000;
/** The second fault of a pair strikes inside the recovery from the first. */
const PAIR_GAP = 1_700_000;

/** All single faults, in a fixed order. */
export function singleFaults(config: ClusterConfig): readonly NamedFault[] {
  const { grant, suspect } = config.timing;
  const long = grant * 2 + 2_000_000;
  const short = Math.floor(suspect / 2);
  const found: NamedFault[] = [];
  const add = (id: string, fault: Partial<Fault> & Pick<Fault, 'kind'>): void => {
    found.push({ id, fault: { ...PLAIN_FAULT, at: AT, ...fault } });
  };
  for (const { id, name, witness } of config.nodes) {
    const target = id;
    add(`power-off ${name}`, { kind: 'power-off', target, for: long, cache: 'none' });
    add(`reset ${name}`, { kind: 'reboot', target, for: 2_000_000 });
    add(`kill-core ${name}`, { kind: 'kill-core', target });
    add(`pause-core ${name}`, { kind: 'pause-core', target, for: long });
    add(`isolate ${name}`, { kind: 'cut', target, for: long });
    add(`isolate ${name} one way`, { kind: 'cut', target, for: long, ways: 'out' });
    add(`freeze ${name}`, { kind: 'freeze', target, for: long });
    add(`slow clock ${name}`, { kind: 'clock-rate', target, for: long, ppm: -900 });
    if (witness) {
      add(`wipe ${name}`, { kind: 'wipe', target, for: 3_000_000 });
      continue;
    }
    add(`kill-monitor ${name}`, { kind: 'kill-monitor', target });
    const disk = { target, for: long } as const;
    const meta = { ...disk, area: 'metadata' } as const;
    add(`lying flush ${name}`, { kind: 'lying-flush', ...disk });
    add(`lost writes ${name}`, { kind: 'lost-write', ...disk, ppm: SOME });
    add(`lost metadata writes ${name}`, { kind: 'lost-write', ...meta, ppm: SOME });
    add(`misdirected writes ${name}`, { kind: 'misdirected-write', ...disk, ppm: SOME });
    add(`misdirected metadata ${name}`, { kind: 'misdirected-write', ...meta, ppm: SOME });
    add(`stale reads ${name}`, { kind: 'stale-read', ...disk, ppm: SOME });
    add(`write errors ${name}`, { kind: 'write-error', ...disk, ppm: SOME });
    add(`metadata errors ${name}`, { kind: 'write-error', ...meta, ppm: SOME });
    add(`failed disk ${name}`, { kind: 'write-error', ...disk, area: 'everything' });
    add(`lost path ${name}`, { kind: 'path-loss', ...disk });
    add(`stalled disk ${name}`, { kind: 'disk-stall', ...disk });
    add(`dead disk ${name}`, { kind: 'disk-stall', target, for: 60_000_000 });
    add(`half-dead disk ${name}`, { kind: 'disk-stall', target, ppm: FEW, for: 20_000_000 });
    add(`rot ${name}`, { kind: 'bit-rot', target });
    add(`metadata rot ${name}`, { kind: 'bit-rot', target, area: 'metadata' });
    add(`old disk ${name}`, { kind: 'old-disk', target, for: 3_000_000, age: 2_500_000 });
    add(`verify ${name}`, { kind: 'verify', target });
    add(`quiesce ${name}`, { kind: 'quiesce', target, for: 700_000 });
    add(`blink ${name}`, { kind: 'cut', target, for: short });
    add(`bad sectors ${name}`, { kind: 'read-error', target, for: long });
  }
  for (const { name, replicas } of config.volumes) {
    const [a, b] = replicas.map(({ node }) => node) as [number, number];
    const pair = { target: a, peer: b } as const;
    const link = { ...pair, links: 'replication' } as const;
    add(`cut replication ${name}`, { kind: 'cut', ...link, for: long });
    add(`cut replication ${name} one way`, { kind: 'cut', ...link, ways: 'out', for: long });
    add(`blink replication ${name}`, { kind: 'cut', ...link, for: short });
    add(`clog replication ${name}`, { kind: 'clog', ...link, for: 3_000_000 });
    add(`split ${name}`, { kind: 'cut', ...pair, for: long });
    add(`control links ${name}`, { kind: 'cut', ...pair, links: 'control', for: long });
    add(`lossy ${name}`, { kind: 'loss', ...pair, links: 'control', ppm: 300_000, for: long });
  }
  add('power-off hosts', { kind: 'power-off-hosts', for: 4_000_000, cache: 'none' });
  add('power-off site', { kind: 'power-off-all', for: 4_000_000 });
  return found;
}

/** How many ordered pairs there are. */
export function pairCount(config: ClusterConfig): number {
  const singles = singleFaults(config).length;
  return singles * singles;
}

/** One pair by number: the second strikes while the first is being recovered from. */
export function faultPair(config: ClusterConfig, index: number): readonly [NamedFault, NamedFault] {
  const singles = singleFaults(config);
  const first = singles[Math.floor(index / singles.length) % singles.length] as NamedFault;
  const second = singles[index % singles.length] as NamedFault;
  return [first, { id: second.id, fault: { ...second.fault, at: AT + PAIR_GAP } }];
}
