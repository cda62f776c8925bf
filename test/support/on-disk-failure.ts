/** Schedules in which the primary’s disk fails, and something else happens while others serve. */
import { type Fault, type FaultKind, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { Rng } from '../../engine/core/rng.ts';
import { campaignScenario } from '../../scenarios/campaign.ts';
import type { Swarm } from '../../scenarios/generate.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

const CHANCE = 78;
const MS = 1000;
const S = 1_000_000;
/** When the faults of chance are over, and a moment before the world heals. */
const SWITCHED_AT = 36_900 * MS;

const NEXT: readonly FaultKind[] = [
  'cut',
  'power-off',
  'reboot',
  'kill-core',
  'pause-core',
  'write-error',
  'path-loss',
  'switch',
  'verify',
  'quiesce',
  'read-error',
  'power-off-hosts',
];

/** The configuration with every volume served through other replicas when a disk fails. */
export function proxied(config: ClusterConfig): ClusterConfig {
  const volumes = config.volumes.map((each) => ({ ...each, onDiskFailure: 'proxy' as const }));
  return { ...config, volumes };
}

/** Paths are left alone where more than one group stands on them: nobody switches all of them. */
function failures(seed: number, paths: boolean): readonly Fault[] {
  const rng = new Rng(seed, CHANCE);
  const faults: Fault[] = [];
  const count = 1 + rng.below(2);
  for (let n = 0; n < count; n += 1) {
    const at = 3 * S + rng.below(25 * S);
    const area = (['data', 'data', 'metadata', 'everything'] as const)[rng.below(4)] ?? 'data';
    const kind: FaultKind = rng.below(4) === 0 && paths ? 'path-loss' : 'write-error';
    const when = rng.below(3) === 0 ? ('write' as const) : ('at-once' as const);
    const times = { at, for: 100 * MS + rng.below(8 * S) };
    faults.push({ ...PLAIN_FAULT, kind, ...times, target: 'primary', area, when });
    for (let more = rng.below(3); more > 0; more -= 1) {
      const drawn = NEXT[rng.below(NEXT.length)] as FaultKind;
      const next = drawn === 'path-loss' && !paths ? 'write-error' : drawn;
      const target = rng.below(3) === 0 ? ('primary' as const) : ('secondary' as const);
      // Within the moments in which the log is asked, or long after.
      const later = rng.below(2) === 0 ? rng.below(8 * MS) : rng.below(4 * S);
      const duration = 100 * MS + rng.below(5 * S);
      const where = { target, peer: 0 as const };
      faults.push({ ...PLAIN_FAULT, kind: next, at: at + later, for: duration, ...where });
    }
  }
  // A path that is back is looked for by a host that serves nobody: a person sees to that.
  if (faults.some(({ kind }) => kind === 'path-loss')) {
    for (const target of [1, 2, 3]) {
      faults.push({ ...PLAIN_FAULT, kind: 'switch', at: SWITCHED_AT + 20 * MS * target, target });
    }
  }
  return faults;
}

/** A random schedule of a campaign, or none, with disks that fail in the midst of it. */
export function failingDisks(config: ClusterConfig, seed: number, calm = false): Scenario {
  const mode: Swarm = 'swarm';
  const swarm = campaignScenario({ config, mode, runs: 1, seed }, seed);
  const others = calm ? [] : swarm.faults;
  return {
    ...swarm,
    faults: [...others, ...failures(seed, config.groups.length === 1)].sort((a, b) => a.at - b.at),
  };
}

/**
 * Of three replicas one is away; then the primary's disk fails as the log leaves that one out, and
 * the other cannot be reached: it stops in order, and has told nobody of its last record.
 */
export function failsUntold(config: ClusterConfig, seed: number): Scenario {
  const cut = { ...PLAIN_FAULT, kind: 'cut', at: 5 * S } as const;
  const removal = { when: 'removal', at: 5 * S } as const;
  const write = { ...PLAIN_FAULT, kind: 'write-error', target: 'primary' } as const;
  const after = seed % 4 === 0 ? PLAIN_FAULT.after : (seed % 7) * 300;
  const faults: readonly Fault[] = [
    { ...cut, for: 30 * S, target: 3, links: 'replication' },
    { ...write, ...removal, for: 25 * S, area: 'everything', after },
    { ...cut, ...removal, for: 8 * S, target: 2, after: (seed % 11) * 2 * MS },
  ];
  return { ...campaignScenario({ config, mode: 'swarm', runs: 1, seed }, seed), faults };
}
