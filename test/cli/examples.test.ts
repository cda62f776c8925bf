import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_WORKLOAD } from '../../backends/sim/client.ts';
import { type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { LAWS } from '../../backends/sim/oracle/verdict.ts';
import { loadConfig } from '../../cli/config/load.ts';
import { scaledConfig } from '../../cli/rehearse/scaled.ts';
import { checkConfig } from '../../engine/cluster/config-check.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { newWorld, type RunResult, runScenario } from '../../scenarios/run.ts';
import { HEALED_PART, type Scenario } from '../../scenarios/scenario.ts';

const FOLDER = new URL('../../examples/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
const world = newWorld();

/** When each fault strikes; it stays until the world heals. */
const AT = 6_000_000;
const DURATION = 46_000_000;
const HEALS = DURATION - HEALED_PART;
/** Of a service that moves, its application's start included, which takes less than a second. */
const OUTAGE_MAX = 5_000_000;

/** Everything that a node may suffer as a whole, of each node. */
function nodeFaults({ nodes }: ClusterConfig): readonly (readonly [string, Fault])[] {
  return nodes.flatMap(({ id: target, name }) => {
    const plain = { ...PLAIN_FAULT, at: AT, target };
    return [
      [`${name} without power`, { ...plain, kind: 'power-off' }],
      [`the core of ${name} killed`, { ...plain, kind: 'kill-core' }],
      [`${name} cut off from all`, { ...plain, kind: 'cut' }],
    ] as const;
  });
}

function scenarioOf(config: ClusterConfig, faults: readonly Fault[]): Scenario {
  const workload = { ...DEFAULT_WORKLOAD, iops: 20 };
  const text = { name: config.name, title: '', about: '' };
  return { ...text, config, workload, faults, laws: LAWS, seed: 1, duration: DURATION };
}

interface Standing {
  readonly owner: number;
  readonly state: string;
  readonly reason: string;
}

/** What the nodes that are left say of each group just before the world heals. */
function standingOf({ timeline }: RunResult, gone: number): ReadonlyMap<string, Standing> {
  const standing = new Map<string, Standing>();
  for (const { t, node, kind, d } of timeline) {
    if (t >= HEALS) break;
    if (node === gone) continue;
    const group = String(d['group']);
    const owner = Number(d['owner']);
    const known = standing.get(group);
    if (kind === 'group.blocked') {
      const reason = `${d['reason']}, ${d['remedy']}`;
      standing.set(group, { owner: known?.owner ?? 0, state: 'blocked', reason });
    } else if (kind === 'group.owner' && !(known?.state === 'blocked' && known.owner === owner)) {
      standing.set(group, { owner, state: String(d['phase']), reason: '' });
    } else if (kind === 'group.online') {
      standing.set(group, { owner, state: 'online', reason: '' });
    }
  }
  return standing;
}

describe('an example', () => {
  /** A configuration by its name in the field, and the file that says it. */
  it.each([
    ['active/passive', 'two-nodes'],
    ['active/active', 'active-active'],
    ['1-N', 'one-to-many'],
    ['N-1', 'spare-host'],
    ['M-N', 'spare-hosts'],
    ['N-N', 'all-for-all'],
    ['pairs', 'pairs'],
    ['pairs in a ring', 'crossed-pairs'],
    ['a mirror, and behind it an asynchronous third', 'asynchronous'],
    ['a second site', 'second-site'],
  ])('stands there for %s, with the name of its file: %s', (_, name) => {
    expect(load(`${name}.yaml`).name).toBe(name);
  });

  for (const file of FILES) {
    it(`${file} says what it is for, may run, and outlives the loss of any one node`, () => {
      expect(readFileSync(new URL(file, FOLDER), 'utf8')).toMatch(/^# \S.*\n# \S/);
      const whole = load(file);
      expect(checkConfig(whole)).toEqual([]);
      const config = scaledConfig(whole);
      for (const [what, fault] of nodeFaults(config)) {
        const run = runScenario(scenarioOf(config, [fault]), 1, { timeline: true }, world);
        expect([what, ...run.violations]).toEqual([what]);
        expect([what, run.faultsFired]).toEqual([what, { [fault.kind]: 1 }]);
        const gone = fault.kind === 'kill-core' ? 0 : Number(fault.target);
        const standing = standingOf(run, gone);
        for (const { name } of config.groups) {
          const { owner, state } = standing.get(name) as Standing;
          expect([what, name, state, owner !== gone]).toEqual([what, name, 'online', true]);
        }
        for (const { group, outage } of run.groups) {
          expect([what, group, outage < OUTAGE_MAX]).toEqual([what, group, true]);
        }
      }
    });
  }
});

/** Both who have a group's data are lost, and others are left who decide. */
describe('a group of which nobody is left', () => {
  it.each([
    ['pairs.yaml', 'shop', ['a', 'b']],
    ['spare-host.yaml', 'shop', ['a', 'spare']],
    ['second-site.yaml', 'shop', ['a', 'b']],
  ])('of %s is blocked, with reason and remedy: %s', (file, group, hosts) => {
    const config = scaledConfig(load(file));
    const faults = hosts.map((name) => {
      const target = config.nodes.find((node) => node.name === name)?.id as number;
      return { ...PLAIN_FAULT, kind: 'power-off', at: AT, target } as const;
    });
    const run = runScenario(scenarioOf(config, faults), 1, { timeline: true }, world);
    expect(run.violations).toEqual([]);
    const standing = standingOf(run, 0);
    expect(standing.get(group)).toMatchObject({ state: 'blocked' });
    expect(standing.get(group)?.reason).toMatch(/^[a-z-]+, [a-z-]+$/);
    for (const { name } of config.groups) {
      if (name !== group) expect(standing.get(name)).toMatchObject({ state: 'online' });
    }
  });
});

describe('a second site', () => {
  it('takes over when home is lost and a person says so, and not before', () => {
    const config = scaledConfig(load('second-site.yaml'));
    const [a, b, c] = config.nodes.map(({ id }) => id) as [number, number, number];
    const off = { ...PLAIN_FAULT, kind: 'power-off', at: AT } as const;
    const said = { ...PLAIN_FAULT, kind: 'take-over', at: AT + 8_000_000, target: c } as const;
    const scenario = scenarioOf(config, [{ ...off, target: a }, { ...off, target: b }, said]);
    const run = runScenario(scenario, 1, { timeline: true }, world);
    expect(run.violations).toEqual([]);
    const first = run.timeline.find(({ kind, t }) => kind === 'group.takeover' && t > AT);
    expect(first?.d).toMatchObject({ group: 'shop', to: c });
    expect(first?.t).toBeGreaterThan(said.at);
    expect(standingOf(run, a).get('shop')).toMatchObject({ owner: c, state: 'online' });
  });
});

function load(file: string): ClusterConfig {
  return loadConfig(new URL(file, FOLDER).pathname).config;
}
