/**
 * Runs in a guest whose environment names disks of an array by two paths each; see
 * test/real/reservation.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { askDisk } from '../../../backends/real/reservation.ts';
import { ReservationClaim, reservationKey } from '../../../engine/mirror/reservation.ts';
import type { ReservationTable } from '../../../engine/ports/reservation.ts';
import { reservationSuite } from '../../compliance/reservation.suite.ts';
import { runUnderstudy } from '../support/test-cluster.ts';

const FIRST = process.env['NEXUS1_X'] ?? '';
const SECOND = process.env['NEXUS2_X'] ?? '';
const MINE = '76000000000000ff';
const UUID = '0123456789abcdef0123456789abcdef';

/** One aligned write past all caches; 0, or EBADE. */
function written(path: string): number {
  const words = [
    'if=/dev/zero',
    `of=${path}`,
    'bs=4096',
    'count=1',
    'oflag=direct',
    'conv=notrunc',
  ];
  const { status, stderr } = spawnSync('dd', words, { encoding: 'utf8' });
  if (status === 0) return 0;
  if (stderr.includes('Invalid exchange')) return 52;
  throw new Error(stderr);
}

function tableOf(path: string): ReservationTable {
  const answer = askDisk(path, { op: 'read' });
  if (answer.said !== 'table') throw new Error(JSON.stringify(answer));
  return answer.table;
}

/** Nobody is on the table. */
function cleared(): void {
  askDisk(FIRST, { op: 'register', key: MINE });
  for (const key of new Set(tableOf(FIRST).keys)) {
    if (key !== MINE) askDisk(FIRST, { op: 'preempt', key: MINE, victim: key });
  }
  askDisk(FIRST, { op: 'release', key: MINE });
}

afterEach(cleared);

describe('a disk of an array', () => {
  reservationSuite(it, async () => {
    cleared();
    const pathOf = (path: 1 | 2): string => (path === 1 ? FIRST : SECOND);
    return {
      ask: async (path, order) => askDisk(pathOf(path), order),
      write: async (path) => written(pathOf(path)),
    };
  });
});

/** A whole claim by one path; how it ended. */
function claimed(path: string, node: number, life: number) {
  const claim = new ReservationClaim(UUID, node, life);
  let next = claim.next(null);
  while ('op' in next) next = claim.next(askDisk(path, next));
  return next;
}

describe('a claim of a disk of an array', () => {
  it('is won by one life after the other, and an earlier one writes no more', () => {
    const [first, second] = [7, 8].map((life) => reservationKey(UUID, 1, life));
    expect(claimed(FIRST, 1, 7)).toEqual({ end: 'held', thrownOff: [] });
    expect(written(FIRST)).toBe(0);
    expect(claimed(FIRST, 1, 7), 'it is its own').toEqual({ end: 'held', thrownOff: [] });
    expect(claimed(SECOND, 1, 8)).toEqual({ end: 'held', thrownOff: [first] });
    expect([written(FIRST), written(SECOND)]).toEqual([52, 0]);
    expect(tableOf(FIRST)).toMatchObject({ keys: [second], holder: { key: second } });
  });

  it('leaves a disk to another node, and to anybody else', () => {
    claimed(FIRST, 1, 7);
    expect(claimed(SECOND, 2, 8)).toEqual({ end: 'taken', key: reservationKey(UUID, 1, 7) });
    expect(written(FIRST), 'who has it goes on').toBe(0);
    cleared();
    askDisk(FIRST, { op: 'register', key: MINE });
    expect(claimed(SECOND, 2, 9)).toEqual({ end: 'taken', key: MINE });
  });

  it('is shown to people, with the node whose it is', () => {
    claimed(FIRST, 2, 7);
    const { code, out } = runUnderstudy('reservation', 'show', SECOND);
    expect(code).toBe(0);
    expect(out).toContain(reservationKey(UUID, 2, 7));
    expect(out).toMatch(/node 2 .*holds it/);
  });
});
