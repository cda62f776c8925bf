/**
 * Two real hosts whose replicas differ, because somebody wrote into the file of one: `understudy
 * verify` names the very blocks while a client writes, and puts them right where it is told to.
 */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import type { VerifyReport } from '../../engine/data/messages.ts';
import type { AckRecorder } from './support/ack-recorder.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, type WriterProcess } from './support/nbd-client.ts';
import type { TestCluster } from './support/test-cluster.ts';
import { underLoad } from './support/under-load.ts';

const SIZE_MIB = 32;
const BLOCK = 4096;
const BLOCKS = (SIZE_MIB * 1024 * 1024) / BLOCK;
/** The client keeps to the first half: what it writes would heal a block before it is found. */
const USED = BLOCKS / 2;
const BAD = [USED + 3, USED + 40, USED + 41, BLOCKS - 1];
const SEED = 'verify';

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

interface Verdict extends VerifyReport {
  readonly primary: string;
  readonly names: Readonly<Record<number, string>>;
}

describe('understudy verify', () => {
  if (missing !== null) {
    it('names the blocks that differ', (context) => context.skip(missing));
    return;
  }

  let cluster: TestCluster;
  let serving: string;
  let recorder: AckRecorder;
  let writer: WriterProcess;

  beforeAll(async () => {
    ({ cluster, serving, recorder, writer } = await underLoad(SIZE_MIB, SEED, USED));
  }, 120_000);

  afterAll(async () => {
    await cluster.close(true);
    rmSync(cluster.folder, { recursive: true, force: true });
  });

  function other(): string {
    return serving === 'a' ? 'b' : 'a';
  }

  function verify(...words: string[]): ReturnType<TestCluster['command']> {
    return cluster.command('verify', ...words);
  }

  function corrupt(name: string, blocks: readonly number[] = BAD): void {
    const file = openSync(cluster.replicaPath(name), 'r+');
    for (const block of blocks) writeSync(file, Buffer.alloc(8, 0xbd), 0, 8, block * BLOCK + 512);
    fsyncSync(file);
    closeSync(file);
  }

  it('finds nothing in sound replicas under load', { timeout: 60_000 }, async () => {
    const { code, out, err } = await verify('--json', '--rate', '0');
    expect([code, err]).toEqual([0, '']);
    const report = {
      state: 'done',
      checked: BLOCKS,
      differing: 0,
      unreadable: 0,
      primary: serving,
    };
    expect(JSON.parse(out) as Verdict).toMatchObject(report);
  });

  it('names the blocks that differ, and leaves them so', { timeout: 60_000 }, async () => {
    corrupt(other());
    for (const level of ['direct', 'digest']) {
      const { code, out } = await verify('--json', '--level', level, '--rate', '0');
      const { state, differing, repaired, findings, names } = JSON.parse(out) as Verdict;
      expect([code, state, differing, repaired]).toEqual([1, 'done', BAD.length, 0]);
      const found = findings.flatMap(({ block, blocks }) =>
        [...Array(blocks).keys()].map((i) => block + i),
      );
      expect(found).toEqual(BAD);
      for (const { right, why, copies } of findings) {
        expect([right, why]).toEqual([0, 'no-checksums']);
        expect(copies.map(({ node }) => names[node])).toEqual([serving, other()]);
        expect(new Set(copies.map(({ holds }) => holds)).size).toBe(2);
      }
    }
    const { out } = await verify('--level', 'digest', '--rate', '0');
    const first = (USED + 3) * BLOCK;
    expect(out).toContain(', 4 differ.');
    expect(out).toContain(
      `bytes ${first}–${first + BLOCK - 1} (block ${USED + 3}); ${serving} has `,
    );
    expect(out).toContain(`(blocks ${USED + 40}–${USED + 41})`);
  });

  it('sends no data to compare by digest', { timeout: 60_000 }, async () => {
    await writer.stop();
    const sent = async (): Promise<number> => {
      // They are told about once a second.
      await sleep(2500);
      return Number((await cluster.status(other()))?.volumes['data']?.['bytesSent']);
    };
    const before = await sent();
    await verify('--level', 'digest', '--rate', '0');
    const digests = (await sent()) - before;
    await verify('--level', 'direct', '--rate', '0');
    const direct = (await sent()) - before - digests;
    expect(direct).toBeGreaterThan(SIZE_MIB * 1024 * 1024);
    expect(digests).toBeLessThan(direct / 100);
  });

  it('compares what metadata say within seconds', { timeout: 60_000 }, async () => {
    const began = Date.now();
    const { code, out, err } = await verify('--json', '--level', 'quick');
    expect([code, err]).toEqual([0, '']);
    const report = { state: 'done', level: 'quick', disagreements: [] };
    expect(JSON.parse(out) as Verdict).toMatchObject(report);
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it('writes the copy that clients use over the other', { timeout: 90_000 }, async () => {
    const { code, out } = await verify('--json', '--level', 'digest', '--repair', '--rate', '0');
    expect(code).toBe(0);
    expect(JSON.parse(out) as Verdict).toMatchObject({ differing: 4, repaired: 4 });
    expect(recorder.verify((await readVolume(cluster.uri(serving), SEED)).slice(0, USED))).toEqual(
      [],
    );
    await cluster.waitHealthy();
    const [own, peer] = [serving, other()].map((name) => {
      return readFileSync(cluster.replicaPath(name)).subarray(0, SIZE_MIB * 1024 * 1024);
    }) as [Buffer, Buffer];
    expect(own.equals(peer)).toBe(true);
    expect(cluster.log(serving) + cluster.log(other())).not.toContain('panic');
  });

  it('says who leads the volume, what it does not know, and what is no number', async () => {
    const wrong = await verify('--name', other());
    expect([wrong.code, wrong.err]).toMatchObject([2, expect.stringContaining('no node of this')]);
    const unknown = await verify('--volume', 'nothing');
    expect([unknown.code, unknown.err]).toMatchObject([2, expect.stringContaining('one of: data')]);
    expect((await verify('--rate', 'fast')).code).toBe(2);
    expect((await verify('--level', 'deep')).code).toBe(2);
  }, 60_000);

  it('is ended by --stop, and says where to go on', { timeout: 60_000 }, async () => {
    const slow = verify('--json', '--rate', '1');
    await waitFor('it runs', async () => {
      const local = (await cluster.status(serving))?.status.volumes[0]?.local;
      return local?.verify?.state === 'running' && local.verify.cursor > 0;
    });
    expect((await verify('--stop')).code).toBe(0);
    const { code, out } = await slow;
    const { state, reason, cursor } = JSON.parse(out) as Verdict;
    expect([code, state, reason]).toEqual([1, 'stopped', 'order']);
    expect(cursor).toBeGreaterThan(0);
    const rest = await verify('--json', '--rate', '0', '--from', String(cursor));
    expect(JSON.parse(rest.out) as Verdict).toMatchObject({ checked: BLOCKS - cursor });
  });

  it('is resumed where it was stopped', { timeout: 60_000 }, async () => {
    const slow = verify('--json', '--level', 'digest', '--rate', '4');
    await waitFor('it runs', async () => (await reached(serving)) > 0);
    expect((await verify('--stop')).code).toBe(0);
    const { id, cursor } = JSON.parse((await slow).out) as Verdict;
    const { code, out } = await verify('--json', '--resume');
    const again = JSON.parse(out) as Verdict;
    // What it had looked at before counts, and is not looked at twice.
    expect(again).toMatchObject({ level: 'digest', state: 'done', checked: BLOCKS });
    expect([code, again.id !== id, cursor > 0]).toEqual([0, true, true]);
    const nothing = await verify('--json', '--resume');
    expect([nothing.code, nothing.out]).toMatchObject([1, expect.stringContaining('resume')]);
  });

  it('goes on by itself after its core was killed, and finds all', {
    timeout: 120_000,
  }, async () => {
    await cluster.waitHealthy();
    // Of the one that was repaired last the map on disk still says that it may differ.
    const others = [USED + 5, USED + 300, BLOCKS - 2];
    corrupt(other(), others);
    const [leader, began] = [serving, await cluster.status(serving)];
    const slow = verify('--json', '--level', 'digest', '--rate', '2', '--repair');
    await waitFor('a note', async () => (await reached(leader)) > BLOCKS / 3);
    if (began === null) throw new Error('nobody serves');
    signal(began.processes.core, 'SIGKILL');
    const { code, out } = await slow;
    const { state, repaired, checked, findings } = JSON.parse(out) as Verdict;
    expect([code, state, repaired]).toEqual([0, 'done', others.length]);
    expect(findings.map(({ block }) => block)).toEqual(others);
    expect(checked).toBe(BLOCKS);
    const told = [serving, other()].map((name) => cluster.log(name)).join('');
    expect(told).not.toContain('panic');
    const now = await cluster.status(leader);
    expect(now?.session).toBeGreaterThan(began.session);
  });

  /** The block that a running comparison has reached. */
  async function reached(name: string): Promise<number> {
    const report = (await cluster.status(name))?.status.volumes[0]?.local?.verify;
    return report?.state === 'running' ? report.cursor : 0;
  }
});
