/**
 * What stands between the engine's orders and the monitor: the watchdog, and a monitor's restart.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApplicationOrders } from '../../backends/real/application-orders.ts';
import { type GuardState, judgeGuard } from '../../backends/real/guard-state.ts';
import type { ApplicationOrder } from '../../backends/real/supervision.ts';
import { sleep, waitFor } from './support/hosts.ts';

const SECOND = 1_000_000;
const asked = { watchdog: '/dev/watchdog', longest: 2 * SECOND, now: 100 * SECOND };
const page = {
  deadlineMicros: 101 * SECOND,
  armed: true,
  pid: 7,
  seenMicros: 100 * SECOND,
  pettedMicros: 100 * SECOND,
  timeoutMillis: 2000,
  running: true,
};

let now = 0;
let guard: GuardState['state'] = 'armed';
let sent: ApplicationOrder[] = [];
let orders: ApplicationOrders;

beforeEach(() => {
  now = 100 * SECOND;
  guard = 'armed';
  sent = [];
  orders = new ApplicationOrders({
    clock: () => now,
    guard: () => ({ state: guard, timeoutMillis: 0 }),
    send: (order) => sent.push(order),
    log: () => undefined,
  });
});
afterEach(() => orders.close());

function give(action: ApplicationOrder['action'], until = now + SECOND, epoch = 1): void {
  orders.give({ kind: 'application', group: 'g', action, epoch, until, cause: '' });
}

describe('the watchdog of a host', () => {
  it('is in force only when its device confirmed no more than the leases reckon with', () => {
    const judge = (change: object, ask = asked) => judgeGuard({ ...page, ...change }, ask).state;
    expect(judge({})).toBe('armed');
    expect(judge({ timeoutMillis: 3000 })).toBe('slow');
    expect(judge({ timeoutMillis: 0 })).toBe('absent');
    expect(judge({ running: false })).toBe('absent');
    expect(judge({ pid: 0 })).toBe('absent');
    expect(judge({ seenMicros: 98 * SECOND })).toBe('absent');
    expect(judge({ armed: false, running: false, timeoutMillis: 0 })).toBe('idle');
    expect(judge({}, { ...asked, watchdog: 'none' })).toBe('none');
  });
});

describe('an order to start', () => {
  it.each(['none', 'armed'] as const)('goes out at once when the watchdog is %s', (state) => {
    guard = state;
    give('start');
    expect(sent).toMatchObject([{ action: 'start', until: now + SECOND }]);
  });

  it.each(['idle', 'absent', 'slow'] as const)('waits while the watchdog is %s', async (state) => {
    guard = state;
    give('start');
    give('renew', now + 3 * SECOND);
    await sleep(60);
    expect(sent).toEqual([]);
    guard = 'armed';
    await waitFor('the start', () => sent.length > 0);
    expect(sent).toMatchObject([{ action: 'start', until: now + 3 * SECOND }]);
  });

  it('is dropped when its right ends or a stop comes before the watchdog is armed', async () => {
    guard = 'absent';
    give('start');
    now += 2 * SECOND;
    await sleep(60);
    guard = 'armed';
    await sleep(60);
    expect(sent).toEqual([]);
    guard = 'absent';
    give('start');
    give('stop', 0);
    guard = 'armed';
    await sleep(60);
    expect(sent).toMatchObject([{ action: 'stop' }]);
  });
});

describe('a monitor that comes back', () => {
  it('hears the rights in force again, and none that ended or was taken away', () => {
    give('start');
    give('renew', now + 2 * SECOND);
    sent = [];
    orders.repeat();
    expect(sent).toMatchObject([{ action: 'renew', epoch: 1, until: now + 2 * SECOND }]);
    now += 3 * SECOND;
    orders.repeat();
    give('start', now + SECOND, 2);
    give('stop', 0, 2);
    sent = [];
    orders.repeat();
    expect(sent).toEqual([]);
  });
});
