import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Application } from '../../backends/real/application.ts';
import { launch, newRun } from '../../backends/real/application-run.ts';
import { identify, signal } from '../../backends/real/process-identity.ts';
import type { ApplicationState } from '../../backends/real/supervision.ts';
import type { ApplicationConfig } from '../../engine/core/config.ts';
import { sleep, waitFor } from './support/hosts.ts';

const SECOND = 1_000_000;
const FOREVER = Number.MAX_SAFE_INTEGER;

let folder = '';
let told: ApplicationState['state'][] = [];
let now = 0;
let lease = 0;
const open: Application[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'us-app-'));
  told = [];
  now = 0;
  lease = 0;
});

afterEach(async () => {
  for (const application of open.splice(0)) {
    await application.stop('shut-down');
    application.close();
  }
  // What is found may be ending by itself: `signal` bears with a process that is gone by then, and
  // none may still write when the folder is removed.
  await waitFor('nothing works in the folder', () => {
    const left = processesIn(folder);
    for (const pid of left) {
      const identity = identify(pid);
      if (identity !== null) signal(identity, 'SIGKILL');
    }
    return left.length === 0;
  });
  await rm(folder, { recursive: true });
});

/** Whatever works in `where`: what a test that failed left behind, or what still ends. */
function processesIn(where: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return pid > 0 && readlinkSync(`/proc/${pid}/cwd`) === where;
      } catch {
        return false;
      }
    });
}

const clock = (): number => now + Math.floor(process.uptime() * SECOND);

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
      clock,
      leaseUntil: () => lease,
      log: () => undefined,
      tell: ({ state }) => told.push(state),
    },
  );
  open.push(application);
  return application;
}

/** A service and a check that knows it; a corpse that nobody has buried does not count. */
const alive = 'echo $$ > pid; exec sleep 1000';
const check = 'grep -q "^State:.[^Z]" /proc/$(cat pid)/status';

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
    start(application, 1, clock() + 30 * SECOND);
    await until(application, 'running');
    now += 31 * SECOND;
    await until(application, 'stopped');
    expect(application.pids).toEqual([]);
  });

  it('leaves nothing behind after its deadline, also when it had failed', async () => {
    const application = make({ start: 'sleep 1000 & sleep 0.5; exit 1' });
    start(application, 1, clock() + 30 * SECOND);
    await until(application, 'failed');
    expect(application.pids.length).toBeGreaterThan(0);
    now += 31 * SECOND;
    await until(application, 'stopped');
  });

  it('is stopped in time although its check hangs', async () => {
    const application = make({
      start: alive,
      check: `${check} && { [ ! -e hang ] || sleep 1000; }`,
      checkEvery: SECOND / 10,
    });
    start(application, 1, clock() + 30 * SECOND);
    await until(application, 'running');
    writeFileSync(join(folder, 'hang'), '');
    await sleep(400);
    now += 31 * SECOND;
    await waitFor('the end', () => application.state.state === 'stopped', 3000);
  });

  it('is stopped at once when ordered, although its check hangs', async () => {
    const application = make({
      start: alive,
      check: `${check} && { [ ! -e hang ] || sleep 1000; }`,
      checkEvery: SECOND / 10,
    });
    start(application);
    await until(application, 'running');
    writeFileSync(join(folder, 'hang'), '');
    await sleep(400);
    const begun = performance.now();
    application.order({ ...order, action: 'stop', epoch: 1, until: 0 });
    await waitFor('its end', () => application.pids.length === 0);
    expect(performance.now() - begun).toBeLessThan(3000);
  });

  it('loses the patience of its stop command when its deadline passes meanwhile', async () => {
    const application = make({ stop: 'sleep 1000', stopTimeout: 60 * SECOND });
    start(application, 1, clock() + 30 * SECOND);
    await until(application, 'running');
    application.order({ ...order, action: 'stop', epoch: 1, until: 0 });
    await sleep(300);
    expect(application.pids.length).toBeGreaterThan(0);
    now += 31 * SECOND;
    await waitFor('its end', () => application.pids.length === 0, 3000);
  });

  it('is not started anew when its right has ended while the old run was stopped', async () => {
    // Longer than the right, and well within what is granted behind it, on a busy machine too.
    const application = make({ start: 'echo >> starts; sleep 0.5; exit 1', stop: 'sleep 0.6' });
    start(application);
    await until(application, 'failed');
    start(application, 2, clock() + SECOND / 2);
    await until(application, 'stopped');
    expect(readFileSync(join(folder, 'starts'), 'utf8')).toBe('\n');
  });

  it('is started anew by a right that was renewed while the old run was stopped', async () => {
    const application = make({ start: 'echo >> starts; sleep 0.5; exit 1', stop: 'sleep 1.5' });
    start(application);
    await until(application, 'failed');
    start(application, 2, clock() + 1 * SECOND);
    application.order({ ...order, action: 'renew', epoch: 2, until: clock() + 60 * SECOND });
    await waitFor('two starts', () => readFileSync(join(folder, 'starts'), 'utf8') === '\n\n');
  });

  it('is not started anew when a stop was ordered while the old run was stopped', async () => {
    const application = make({ start: 'echo >> starts; sleep 0.5; exit 1', stop: 'sleep 0.5' });
    start(application);
    await until(application, 'failed');
    start(application, 2);
    application.order({ ...order, action: 'stop', epoch: 2, until: 0 });
    await until(application, 'stopped');
    expect(readFileSync(join(folder, 'starts'), 'utf8')).toBe('\n');
  });

  it('outlives its monitor while a right lasts that was renewed since its start', async () => {
    const begun = performance.now();
    const first = make({});
    start(first, 1, clock() + 2 * SECOND);
    await until(first, 'running');
    first.order({ ...order, action: 'renew', epoch: 1, until: clock() + 60 * SECOND });
    await waitFor('the end of the first right', () => performance.now() - begun > 2200);
    first.close();
    open.splice(open.indexOf(first), 1);
    lease = clock() + SECOND;
    const second = make({});
    await sleep(400);
    expect(second.state.state).toBe('running');
    second.order({ ...order, action: 'renew', epoch: 1, until: clock() + 2 * SECOND });
    await sleep(1200);
    expect(second.state.state).toBe('running');
    await until(second, 'stopped');
  });

  it('is ended by a new monitor that knows of no right', async () => {
    const first = make({});
    start(first, 1, clock() + 30 * SECOND);
    await until(first, 'running');
    first.close();
    open.splice(open.indexOf(first), 1);
    now += 31 * SECOND;
    await until(make({}), 'stopped');
  });

  it('is ended by a new monitor that cannot read what the one before wrote', async () => {
    const first = make({});
    start(first);
    await until(first, 'running');
    const [pid] = first.pids as [number];
    first.close();
    open.splice(open.indexOf(first), 1);
    writeFileSync(join(folder, 'service.json'), '{"group":');
    const second = make({});
    expect(second.state.state).toBe('stop-failed');
    start(second);
    expect(second.pids).toContain(pid);
    await until(second, 'stopped');
    expect(identify(pid)).toBe(null);
  });

  /** A service that no mark of ours gives away, and the check that knows it. */
  const hidden = {
    start: 'env -i setsid sleep 1000 & echo $! > pid; sleep 0.3',
    check,
  };

  it('has not stopped while its check says that it runs, whatever its stop says', async () => {
    const application = make({ ...hidden, stop: 'true', stopTimeout: SECOND / 2 });
    start(application);
    await until(application, 'running');
    await application.stop('ordered');
    expect(application.state.state).toBe('stop-failed');
    spawnSync('sh', ['-c', 'kill -9 $(cat pid)'], { cwd: folder });
    await application.stop('ordered');
    expect(application.state.state).toBe('stopped');
  });

  it('has not stopped when its stop command failed', async () => {
    const application = make({ stop: '[ -e may-stop ]', stopTimeout: SECOND / 2 });
    start(application);
    await until(application, 'running');
    await application.stop('ordered');
    expect(application.state.state).toBe('stop-failed');
    writeFileSync(join(folder, 'may-stop'), '');
    await application.stop('ordered');
    expect(application.state.state).toBe('stopped');
  });

  it('has not stopped when its check cannot tell', async () => {
    const application = make({
      check: '[ ! -e gone ] || exit 127',
      stop: 'touch gone',
      stopTimeout: SECOND / 2,
    });
    start(application);
    await until(application, 'running');
    await application.stop('ordered');
    expect(application.state.state).toBe('stop-failed');
  });

  it('is stopped again and again after its deadline until that is proved', async () => {
    const application = make({ stop: '[ -e may-stop ]' });
    start(application, 1, clock() + 30 * SECOND);
    await until(application, 'running');
    now += 31 * SECOND;
    await until(application, 'stop-failed');
    writeFileSync(join(folder, 'may-stop'), '');
    await until(application, 'stopped');
  });

  it('has its session noted, however soon the shell that led it ends', async () => {
    const place = { folder, workFolder: folder, node: 'a' };
    for (let n = 0; n < 30; n += 1) {
      const record = newRun('service', 7, 1, FOREVER);
      expect((await launch(place, record, 'true')).session).not.toBe(null);
    }
  });

  it('is found by its session when it has dropped its environment', async () => {
    const application = make({ start: 'env -i sleep 1000 & echo $! > pid; wait' });
    start(application);
    await until(application, 'running');
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    expect(application.pids).toContain(pid);
    await application.stop('ordered');
    expect(identify(pid)).toBe(null);
  });

  it('is not forgotten by a new monitor that finds no process, if its check does', async () => {
    const config = { ...hidden, stop: 'kill -9 $(cat pid)' };
    const first = make(config);
    start(first);
    await until(first, 'running');
    await waitFor('only what is hidden', () => first.pids.length === 0);
    first.close();
    open.splice(open.indexOf(first), 1);
    const second = make(config);
    expect(second.state).toMatchObject({ state: 'running', epoch: 1 });
    await second.stop('ordered');
    expect(second.state.state).toBe('stopped');
  });

  it('runs on while its deadline is renewed, by the right epoch only', async () => {
    const application = make({});
    const base = Math.floor(process.uptime() * SECOND);
    start(application, 3, base + 30 * SECOND);
    await until(application, 'running');
    application.order({ ...order, action: 'renew', epoch: 2, until: base + 100 * SECOND });
    application.order({ ...order, action: 'renew', epoch: 3, until: base + 60 * SECOND });
    now += 45 * SECOND;
    await sleep(400);
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

    const sick = make({
      check: `[ ! -e sick ] && ${check}`,
      start: 'echo $$ > pid; sleep 1; touch sick; exec sleep 1000',
    });
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
    const application = make({ start: 'sleep 1000 & echo $! > pid', check });
    start(application);
    await until(application, 'running');
    await sleep(500);
    expect(application.state.state).toBe('running');
  });
});
