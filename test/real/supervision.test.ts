/** Core, monitor and guardian: whichever dies or hangs, the others go on and bring it back. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { HostStatus } from '../../backends/real/host-status.ts';
import { hasNative } from '../../backends/real/native.ts';
import { isAlive, type ProcessIdentity, signal } from '../../backends/real/process-identity.ts';
import {
  LONG_LIFE_MS,
  RestartBudget,
  STARTS_MAX,
  WINDOW_MS,
} from '../../backends/real/restart-budget.ts';
import { SPARE } from '../../backends/real/spawn.ts';
import { parseCoreMessage, parseMonitorMessage } from '../../backends/real/supervision.ts';
import { LIVES_MAX } from '../../engine/cluster/lost-path.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

const open: TestCluster[] = [];

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

/** One running node, alone: enough for its processes. A witness needs no addon. */
async function runningNode(name: string): Promise<TestCluster> {
  const cluster = await TestCluster.make({ size: '1MiB' });
  open.push(cluster);
  cluster.start(name);
  await settled(cluster, name, () => true);
  return cluster;
}

/** Waits for an account in which core and monitor know each other, and which `holds`. */
async function settled(
  cluster: TestCluster,
  name: string,
  holds: (status: HostStatus) => boolean,
): Promise<HostStatus> {
  let found: HostStatus | null = null;
  await waitFor(
    `node ${name} answers`,
    async () => {
      found = await cluster.status(name);
      return found !== null && found.processes.monitor !== null && holds(found);
    },
    40_000,
  );
  return found as unknown as HostStatus;
}

describe('the processes of a host', () => {
  it('get a new core from the monitor when the core dies', async () => {
    const cluster = await runningNode('w');
    const before = await settled(cluster, 'w', () => true);
    signal(before.processes.core, 'SIGKILL');
    const after = await settled(cluster, 'w', (s) => s.session > before.session);
    expect(after.processes.core.pid).not.toBe(before.processes.core.pid);
    expect(after.processes.monitor).toEqual(before.processes.monitor);
    await settled(cluster, 'w', (s) => s.processes.coreRestarts === 1);
  });

  it('get a new core when the core hangs', async () => {
    const cluster = await runningNode('w');
    const before = await settled(cluster, 'w', () => true);
    signal(before.processes.core, 'SIGSTOP');
    const after = await settled(cluster, 'w', (s) => s.session > before.session);
    expect(after.processes.monitor).toEqual(before.processes.monitor);
  });

  it('get a new monitor from the core when the monitor dies, and again', async () => {
    const cluster = await runningNode('w');
    const first = await settled(cluster, 'w', () => true);
    let monitor = first.processes.monitor as ProcessIdentity;
    for (const restarts of [1, 2]) {
      signal(monitor, 'SIGKILL');
      const after = await settled(cluster, 'w', ({ processes }) => {
        return processes.monitorRestarts === restarts && processes.monitor?.pid !== monitor.pid;
      });
      expect(after.processes.core).toEqual(first.processes.core);
      monitor = after.processes.monitor as ProcessIdentity;
    }
    // The new monitor is a full one: it restores the core as well.
    signal(first.processes.core, 'SIGKILL');
    await settled(cluster, 'w', (s) => s.session > first.session);
  });

  it('end together when the node is told to stop', async () => {
    const cluster = await TestCluster.make({ size: '1MiB' });
    open.push(cluster);
    const child = cluster.start('w');
    const { processes } = await settled(cluster, 'w', () => true);
    const code = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    expect(await code).toBe(0);
    expect(isAlive(processes.core)).toBe(false);
  });

  it('refuse a second node in the same folder, which leaves the first alone', async () => {
    const cluster = await runningNode('w');
    const before = await settled(cluster, 'w', () => true);
    const { code, err } = runUnderstudy('node', cluster.configPath, '--name', 'w');
    expect(code).toBe(2);
    expect(err).toContain('is in use by another monitor');
    expect(err).toContain('Remedy:');
    const after = await settled(cluster, 'w', () => true);
    expect(after.processes).toEqual(before.processes);
  });

  it('include a guardian that is brought back, and never a second one', async (context) => {
    if (!hasNative()) context.skip('the native addon is not built (npm run build:native)');
    const cluster = await runningNode('a');
    const before = await settled(cluster, 'a', (s) => s.processes.guardian !== null);
    signal(before.processes.guardian as ProcessIdentity, 'SIGKILL');
    const after = await settled(cluster, 'a', (s) => s.processes.guardianRestarts === 1);
    const guardian = after.processes.guardian as ProcessIdentity;
    // A new monitor takes over the guardian that runs.
    signal(after.processes.monitor as ProcessIdentity, 'SIGKILL');
    const later = await settled(cluster, 'a', ({ processes }) => {
      return processes.monitorRestarts === 1 && processes.guardian !== null;
    });
    expect(later.processes.guardian).toEqual(guardian);
    expect(isAlive(guardian)).toBe(true);
  });

  it('include one spare core, which ends with its monitor and with the node', async (context) => {
    if (!hasNative()) context.skip('the native addon is not built (npm run build:native)');
    const cluster = await TestCluster.make({ size: '1MiB' });
    open.push(cluster);
    cluster.start('a');
    const spares = (): number[] => cluster.processesSaying(SPARE);
    const before = await settled(cluster, 'a', () => true);
    await waitFor('a spare', () => spares().length === 1, 30_000);
    const [first] = spares();
    signal(before.processes.monitor as ProcessIdentity, 'SIGKILL');
    await waitFor('its end', () => !spares().includes(first as number), 10_000);
    // The new monitor has one of its own, and the core that runs was not touched.
    await waitFor('another spare', () => spares().length === 1, 30_000);
    const after = await settled(cluster, 'a', (s) => s.processes.monitorRestarts === 1);
    expect(after.processes.core).toEqual(before.processes.core);
    // The one that was started by hand is gone: its successor stops the node in its place.
    signal(after.processes.monitor as ProcessIdentity, 'SIGTERM');
    await waitFor('the end of all', () => cluster.processesSaying('').length === 0, 30_000);
  });

  it('say that a watchdog is missing, and do not try every second for ever', async (context) => {
    if (!hasNative()) context.skip('the native addon is not built (npm run build:native)');
    const edit = (yaml: string): string => yaml.replace('watchdog: none', 'watchdog: /dev/no-such');
    const cluster = await TestCluster.make({ size: '1MiB', edit });
    open.push(cluster);
    cluster.start('a');
    await settled(cluster, 'a', (s) => s.guard.state === 'absent');
    await sleep(6000);
    const tries = cluster.log('a').split('"guardian-refused"').length - 1;
    expect(tries).toBeGreaterThan(0);
    expect(tries).toBeLessThanOrEqual(STARTS_MAX);
    expect(cluster.log('a')).toContain('configure watchdog: none');
  });
});

describe('what core and monitor say to each other', () => {
  const process = { pid: 7, start: '99' };
  const guardian = { process, watchdog: 'none', restarts: 0 };
  const application = { kind: 'application', group: 'g', epoch: 3, state: 'running' };
  const order = { kind: 'application', group: 'g', action: 'start', epoch: 3, until: 9, cause: '' };
  const fromMonitor: readonly Readonly<Record<string, unknown>>[] = [
    { kind: 'hello', process },
    { kind: 'beat', guardian, coreRestarts: 2 },
    { kind: 'beat', guardian: { ...guardian, process: null }, coreRestarts: 0 },
    application,
    { kind: 'shut-down', quiet: true },
  ];
  const fromCore: readonly Readonly<Record<string, unknown>>[] = [
    { kind: 'hello', process, api: '/x' },
    { kind: 'beat' },
    order,
  ];
  const directions = [
    [parseMonitorMessage, fromMonitor],
    [parseCoreMessage, fromCore],
  ] as const;

  it('is taken as it was said, and with what a later version adds', () => {
    for (const [parse, messages] of directions) {
      for (const message of messages) {
        expect(parse(message)).toEqual(message);
        expect(parse({ ...message, later: 1 })).toEqual(message);
      }
    }
  });

  it('is not taken when a field is missing or of another kind', () => {
    for (const [parse, messages] of directions) {
      const spoilt = fc.constantFrom(...messages).chain((message) => {
        const field = fc.constantFrom(...Object.keys(message));
        const strange = fc.constantFrom(undefined, null, -1.5, [], {}, '\u0000', Number.NaN);
        return fc.tuple(fc.constant(message), field, strange);
      });
      fc.assert(
        fc.property(spoilt, ([message, field, strange]) => {
          const isText = ['group', 'cause', 'api'].includes(field) && typeof strange === 'string';
          const found = parse({ ...message, [field]: strange });
          if (!isText) expect(found).toBeNull();
        }),
      );
      fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (any) => void parse(any)));
    }
  });
});

describe('the budget of restarts', () => {
  it('backs off, and after five in a minute waits until the first is a minute old', () => {
    const budget = new RestartBudget();
    const pauses: number[] = [];
    let now = 0;
    for (let n = 0; n < STARTS_MAX; n++) {
      const pause = budget.pause(now);
      pauses.push(pause);
      now += pause;
      budget.started(now);
    }
    // The first restart is at once: a lease lasts a second.
    expect(pauses).toEqual([0, 0, 100, 200, 400]);
    expect(budget.exhausted(now)).toBe(true);
    expect(now + budget.pause(now)).toBe(WINDOW_MS);
    expect(budget.pause(WINDOW_MS + now)).toBe(0);
  });

  it('leaves room for accidents beside the starts that a lost path takes', () => {
    expect(STARTS_MAX - (LIVES_MAX + 1)).toBeGreaterThanOrEqual(1);
    expect(WINDOW_MS).toBe(60_000);
  });

  it('brings back at once what had lived long, however often it died before', () => {
    const budget = new RestartBudget();
    for (const now of [0, 100, 200, 300]) budget.started(now);
    expect(budget.pause(400)).toBeGreaterThan(0);
    expect(budget.pause(300 + LONG_LIFE_MS)).toBe(0);
    // One that had lived long and then dies young twice is again one that dies of its start.
    const other = new RestartBudget();
    for (const now of [0, LONG_LIFE_MS, LONG_LIFE_MS + 50]) other.started(now);
    expect(other.pause(LONG_LIFE_MS + 100)).toBe(100);
  });
});
