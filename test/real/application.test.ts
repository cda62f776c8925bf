import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Application } from '../../backends/real/application.ts';
import type { ApplicationState } from '../../backends/real/supervision.ts';
import type { ApplicationConfig } from '../../engine/core/config.ts';
import { waitFor } from './support/hosts.ts';

const SECOND = 1_000_000;
const FOREVER = Number.MAX_SAFE_INTEGER;

let folder = '';
let told: ApplicationState['state'][] = [];
let now = 0;
const open: Application[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'us-app-'));
  told = [];
  now = 0;
});

afterEach(async () => {
  for (const application of open.splice(0)) {
    await application.stop('shut-down');
    application.close();
  }
  await rm(folder, { recursive: true });
});

function make(config: Partial<ApplicationConfig>, boot = 7): Application {
  const application = new Application(
    'service',
    {
      start: 'exec sleep 1000',
      stop: '',
      check: '',
      checkEvery: SECOND / 5,
      startTimeout: 5 * SECOND,
      stopTimeout: 5 * SECOND,
      ...config,
    },
    {
      place: { folder, workFolder: folder, node: 'a' },
      boot,
      clock: () => now + Math.floor(process.uptime() * SECOND),
      log: () => undefined,
      tell: ({ state }) => told.push(state),
    },
  );
  open.push(application);
  return application;
}

const order = { kind: 'application', group: 'service', cause: '' } as const;

function start(application: Application, epoch = 1, until = FOREVER): void {
  application.order({ ...order, action: 'start', epoch, until });
}

async function until(application: Application, state: ApplicationState['state']): Promise<void> {
  await waitFor(`state ${state}`, () => application.state.state === state);
}

describe('an application', () => {
  it('starts, runs and stops as ordered, and is no child of ours', async () => {
    const application = make({});
    start(application);
    await until(application, 'running');
    expect(application.state.epoch).toBe(1);
    for (const pid of application.pids) {
      const parent = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^PPid:\s+(\d+)/m)?.[1];
      expect(Number(parent)).not.toBe(process.pid);
    }
    application.order({ ...order, action: 'stop', epoch: 1, until: 0 });
    await until(application, 'stopped');
    expect(told).toEqual(['starting', 'running', 'stopping', 'stopped']);
    expect(application.pids).toEqual([]);
  });

  it('is stopped by itself when its deadline passes, also when it ignores SIGTERM', async () => {
    const application = make({ start: "trap '' TERM; while :; do sleep 1; done" });
    start(application, 1, now + Math.floor(process.uptime() * SECOND) + 30 * SECOND);
    await until(application, 'running');
    now += 31 * SECOND;
    await until(application, 'stopped');
    expect(application.pids).toEqual([]);
  });

  it('leaves nothing behind after its deadline, also when it had failed', async () => {
    const application = make({ start: 'sleep 1000 & sleep 0.5; exit 1' });
    start(application, 1, now + Math.floor(process.uptime() * SECOND) + 30 * SECOND);
    await until(application, 'failed');
    expect(application.pids.length).toBeGreaterThan(0);
    now += 31 * SECOND;
    await until(application, 'stopped');
  });

  it('is stopped in time although its check hangs', async () => {
    const application = make({ check: '[ ! -e hang ] || sleep 1000', checkEvery: SECOND / 10 });
    start(application, 1, now + Math.floor(process.uptime() * SECOND) + 30 * SECOND);
    await until(application, 'running');
    writeFileSync(join(folder, 'hang'), '');
    await new Promise((resolve) => setTimeout(resolve, 400));
    now += 31 * SECOND;
    await waitFor('the end', () => application.state.state === 'stopped', 3000);
  });

  it('runs on while its deadline is renewed, by the right epoch only', async () => {
    const application = make({});
    const base = Math.floor(process.uptime() * SECOND);
    start(application, 3, base + 30 * SECOND);
    await until(application, 'running');
    application.order({ ...order, action: 'renew', epoch: 2, until: base + 100 * SECOND });
    application.order({ ...order, action: 'renew', epoch: 3, until: base + 60 * SECOND });
    now += 45 * SECOND;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(application.state.state).toBe('running');
    now += 20 * SECOND;
    await until(application, 'stopped');
  });

  it('is found again by a new monitor of the same boot, and not by one of another', async () => {
    const first = make({});
    start(first, 4);
    await until(first, 'running');
    const { pids } = first;
    first.close();
    const second = make({});
    expect(second.state).toMatchObject({ state: 'running', epoch: 4 });
    expect(second.pids).toEqual(pids);
    // A start under a later epoch takes over what runs: the core has restarted.
    start(second, 5);
    expect(second.state).toMatchObject({ state: 'running', epoch: 5 });
    expect(second.pids).toEqual(pids);
    await second.stop('ordered');
    expect(make({}, 8).state.state).toBe('stopped');
  });

  it('fails when its command ends, when its check fails, when it does not come up', async () => {
    const ends = make({ start: 'sleep 0.6; exit 3' });
    start(ends);
    await until(ends, 'failed');
    await ends.stop('ordered');

    const sick = make({ check: '[ ! -e sick ]', start: 'sleep 1; touch sick; exec sleep 1000' });
    start(sick);
    await until(sick, 'running');
    await until(sick, 'failed');
    await sick.stop('ordered');
    expect(existsSync(join(folder, 'sick'))).toBe(true);

    const never = make({ check: 'false', startTimeout: SECOND });
    start(never);
    await until(never, 'failed');
  });

  it('starts anew after a failure only when ordered, with nothing old left', async () => {
    const application = make({ start: 'sleep 1000 & sleep 0.5; exit 1' });
    start(application);
    await until(application, 'failed');
    const old = application.pids;
    expect(old.length).toBeGreaterThan(0);
    start(application, 2);
    await waitFor('a new run', () => application.pids.some((pid) => !old.includes(pid)));
    expect(application.pids.filter((pid) => old.includes(pid))).toEqual([]);
    expect(application.state.epoch).toBe(2);
  });

  it('may put itself in the background when it has a check', async () => {
    const application = make({ start: 'sleep 1000 & echo $! > pid', check: 'kill -0 $(cat pid)' });
    start(application);
    await until(application, 'running');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(application.state.state).toBe('running');
  });
});
