/**
 * Reservations of real disks: on an array in a guest, where two hosts reach each disk, and what is
 * said of disks that have none.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { askDisk, parseTable } from '../../backends/real/reservation.ts';
import { type Guest, guestMissing, startGuest } from './support/guest.ts';
import { itUnless } from './support/hosts.ts';
import { makeFile } from './support/loop-device.ts';
import { runUnderstudy } from './support/test-cluster.ts';

const notBuilt = hasNative() ? null : 'the native addon is not built (npm run build:native)';
const KEY = '75aaaa0100000001';
const OTHER = '75aaaa0200000002';

/** An answer as a disk gives it: generation, length, and then what it says. */
function answer(generation: number, ...words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  const all = [generation, words.length * 4, ...words];
  for (const [i, word] of all.entries()) view.setUint32(i * 4, word);
  return bytes;
}

describe('what a disk says of its table', () => {
  const keys = answer(7, 0x75aaaa01, 1, 0x75aaaa02, 2);
  const holder = (type: number): Uint8Array => answer(7, 0x75aaaa01, 1, 0, type << 16);

  it('is its keys, who holds the reservation, and of which type that is', () => {
    const table = { generation: 7, keys: [KEY, OTHER] };
    expect(parseTable(keys, holder(5))).toEqual({ ...table, holder: { key: KEY, ours: true } });
    expect(parseTable(keys, holder(3))).toEqual({ ...table, holder: { key: KEY, ours: false } });
    expect(parseTable(keys, answer(7))).toEqual({ ...table, holder: null });
  });

  it('is taken for nothing where it is cut short', () => {
    for (let n = 0; n < 24; n += 1) expect(parseTable(keys.slice(0, n), holder(5))).toBeNull();
    for (let n = 0; n < 24; n += 1) expect(parseTable(keys, holder(5).slice(0, n))).toBeNull();
    expect(parseTable(answer(7, 1, 2, 3), answer(7))).toBeNull();
    expect(parseTable(keys, answer(7, 1, 2))).toBeNull();
  });
});

describe('a disk without a table', () => {
  const itNative = itUnless(notBuilt);
  const folder = mkdtempSync(join(tmpdir(), 'us-plain-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  itNative('is refused by name, with a reason and a remedy', async () => {
    const path = makeFile(join(folder, 'plain'), 8192);
    const unable = { said: 'unable', reason: 'unsupported' };
    expect(askDisk(path, { op: 'read' })).toMatchObject(unable);
    expect(askDisk(path, { op: 'register', key: KEY })).toMatchObject(unable);
    const shown = runUnderstudy('reservation', 'show', path);
    expect(shown).toMatchObject({ code: 2 });
    expect(shown.err).toContain(`${path} knows no persistent reservations`);
    expect(shown.err).toContain('name the whole device of an array');
    const nothing = runUnderstudy('reservation', 'show', join(folder, 'nothing'));
    expect(nothing).toMatchObject({ code: 2 });
    expect(nothing.err).toContain('its table cannot be read (errno 2)');
  });
});

/** As vitest writes it. */
interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

describe('a disk of an array that several hosts reach', () => {
  const itGuest = itUnless(notBuilt ?? guestMissing());

  /** What the tests of one file said in the guest. */
  async function ran(guest: Guest, file: string, limitMs: number): Promise<Report> {
    const report = join(guest.shared, `${file}.json`);
    const words = ['run', '--config', 'test/real/array/vitest.config.ts', '--root', '.', file];
    const said = ['--reporter=json', `--outputFile=${report}`];
    const command = ['node', 'node_modules/vitest/vitest.mjs', ...words, ...said];
    const { stdout, stderr } = await guest.run(command, { limitMs });
    try {
      return JSON.parse(readFileSync(report, 'utf8')) as Report;
    } catch {
      throw new Error(`the guest's tests left no report\n${stdout}\n${stderr}`);
    }
  }

  function failures({ testResults }: Report): readonly string[] {
    const all = testResults.flatMap(({ assertionResults }) => assertionResults);
    return all
      .filter(({ status }) => status !== 'passed')
      .map(({ fullName, failureMessages = [] }) => `${fullName}: ${failureMessages.join(' ')}`);
  }

  itGuest('keeps the promises of the port, and the claims of lives and nodes', async () => {
    const guest = await startGuest();
    try {
      const report = await ran(guest, 'reservation', 240_000);
      expect(failures(report)).toEqual([]);
      expect(report.numPassedTests).toBeGreaterThanOrEqual(9);
    } finally {
      await guest.close();
    }
  });
});
