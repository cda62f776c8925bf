/** The guardian against a file that stands for the watchdog: every byte written to it is a pet. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GuardianState, guardianPath } from '../../backends/real/native.ts';
import { BUILT, Rig } from './support/rig.ts';

const SECOND = 1_000_000;

describe.skipIf(!BUILT)('the guardian', () => {
  let rig: Rig;
  let state: GuardianState;
  let children: ChildProcess[];
  let report: string;
  beforeEach(() => {
    rig = new Rig();
    state = rig.native.openGuardianState(rig.path('state'));
    writeFileSync(rig.path('watchdog'), '');
    children = [];
    report = '';
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    state.close();
    rig.end();
  });

  const words = (device: string) => {
    return ['--state', rig.path('state'), '--device', device, '--fake', '--interval-ms', '20'];
  };
  const start = async (device = rig.path('watchdog'), ...more: string[]) => {
    const child = spawn(guardianPath(), [...words(device), ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    child.stdout?.on('data', (data) => {
      report += data;
    });
    await rig.until(() => state.read().pid === child.pid && state.read().seenMicros > 0);
    return child;
  };
  const pets = () => readFileSync(rig.path('watchdog')).length;
  const now = () => rig.native.nowMicros();

  it('leaves the watchdog alone while the node owns nothing', async () => {
    state.set(now() + 60 * SECOND, false);
    await start();
    await rig.pass(200);
    expect(pets()).toBe(0);
    expect(state.read()).toMatchObject({ running: false, pettedMicros: 0, timeoutMillis: 0 });
  });

  it('pets up to the deadline and never after it', async () => {
    await start();
    const deadline = now() + SECOND / 2;
    state.set(deadline, true);
    await rig.until(() => now() > deadline + SECOND / 10);
    const count = pets();
    expect(count).toBeGreaterThan(5);
    expect(state.read().pettedMicros).toBeLessThan(deadline);
    await rig.pass(300);
    expect(pets()).toBe(count);
    expect(report).toContain('"event":"lapsed"');
    // It does not close the device: the countdown goes on.
    expect(state.read()).toMatchObject({ armed: true, running: true, timeoutMillis: 2000 });
  });

  it('never asks the device for more time than the leases reckon with', async () => {
    state.set(now() + 60 * SECOND, true);
    await start(rig.path('watchdog'), '--timeout-ms', '2900');
    await rig.until(() => state.read().running);
    expect(state.read().timeoutMillis).toBe(2000);
  });

  it('pets again when the core, come back in time, writes a later deadline', async () => {
    await start();
    state.set(now() + SECOND / 10, true);
    await rig.pass(300);
    const count = pets();
    state.set(now() + SECOND, true);
    await rig.until(() => pets() > count + 3);
    expect(report).toContain('"event":"resumed"');
  });

  it('closes the watchdog cleanly when the core disarms it', async () => {
    await start();
    state.set(now() + 60 * SECOND, true);
    await rig.until(() => pets() > 2);
    state.set(0, false);
    await rig.until(() => !state.read().running);
    expect(readFileSync(rig.path('watchdog')).at(-1)).toBe('V'.charCodeAt(0));
  });

  it('does not end on SIGTERM while armed, for that would reset the host', async () => {
    const child = await start();
    state.set(now() + 60 * SECOND, true);
    await rig.until(() => state.read().running);
    child.kill('SIGTERM');
    const count = pets();
    await rig.until(() => pets() > count + 5);
    expect(child.exitCode).toBe(null);
    state.set(0, false);
    await rig.until(() => child.exitCode === 0);
  });

  it('takes over from one that was killed: pets on, or disarms what that one left', async () => {
    state.set(now() + 60 * SECOND, true);
    (await start()).kill('SIGKILL');
    await rig.pass(50);
    const second = await start();
    const count = pets();
    await rig.until(() => pets() > count + 3);
    second.kill('SIGKILL');
    await rig.pass(50);
    state.set(0, false);
    await start();
    await rig.until(() => !state.read().running);
    expect(readFileSync(rig.path('watchdog')).at(-1)).toBe('V'.charCodeAt(0));
  });

  it('only reports where there is no device', async () => {
    const child = await start('none');
    state.set(now() + SECOND / 10, true);
    await rig.until(() => report.includes('lapsed'));
    expect(state.read()).toMatchObject({ running: false, pettedMicros: 0 });
    child.kill('SIGTERM');
    await rig.until(() => child.exitCode === 0);
  });

  it('refuses a page that nobody wrote, and words that it does not know', async () => {
    writeFileSync(rig.path('state'), Buffer.alloc(4096, 255));
    const child = spawn(guardianPath(), words(rig.path('watchdog')), { stdio: 'ignore' });
    children.push(child);
    await rig.pass(200);
    expect(pets()).toBe(0);
    const run = (...args: string[]) => spawnSync(guardianPath(), args).status;
    expect(run()).toBe(2);
    expect(run('--state', rig.path('s'), '--device', rig.path('missing'))).toBe(2);
    expect(run('--state', rig.path('s'), '--device', rig.path('watchdog'))).toBe(2);
    expect(run('--state', rig.path('s'), '--device', 'none', '--bark', 'loud')).toBe(2);
  });
});
