/**
 * Two real hosts whose volume keeps checksums, and somebody who flips bytes in the file of one
 * beneath them: clients never see it, and both copies are right again, by themselves.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import type { VerifyReport } from '../../engine/data/messages.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, WriterProcess } from './support/nbd-client.ts';
import { TestCluster } from './support/test-cluster.ts';

const BLOCK = 4096;
/** Blocks that the client writes, each many times. */
const USED = 256;
const BAD = [3, 40, 41, USED - 1];
const SEED = 'checksums';
const ACCUSED = 'mirror.sums.mismatch';

const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

describe('a volume with checksums', () => {
  if (missing !== null) {
    it('heals what is flipped beneath it', (context) => context.skip(missing));
    return;
  }

  const recorder = new AckRecorder();
  let cluster: TestCluster;
  let serving: string;
  let other: string;

  beforeAll(async () => {
    cluster = await TestCluster.make({ size: '16MiB', init: ['--checksums'] });
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    serving = await cluster.waitHealthy();
    other = serving === 'a' ? 'b' : 'a';
    await write(1, 3000);
  }, 120_000);

  afterAll(async () => {
    await cluster.close(true);
    rmSync(cluster.folder, { recursive: true, force: true });
  });

  async function write(first: number, count: number): Promise<void> {
    const uri = cluster.uri(serving);
    const how = { uri, seed: SEED, first, depth: 8, blocks: USED, unitsMax: 2 };
    const writer = new WriterProcess(how, recorder);
    await waitFor('writes', () => writer.acknowledged >= count, 60_000);
    await writer.stop();
  }

  function contents(name: string, blocks: readonly number[] = BAD): string[] {
    const file = openSync(cluster.replicaPath(name), 'r');
    const found = blocks.map((block) => {
      const bytes = Buffer.alloc(BLOCK);
      readSync(file, bytes, 0, BLOCK, block * BLOCK);
      return bytes.toString('base64');
    });
    closeSync(file);
    return found;
  }

  function flip(name: string, blocks: readonly number[] = BAD): void {
    const file = openSync(cluster.replicaPath(name), 'r+');
    for (const block of blocks) {
      const bytes = Buffer.alloc(8);
      readSync(file, bytes, 0, 8, block * BLOCK + 512);
      for (let i = 0; i < 8; i += 1) bytes[i] = (bytes[i] as number) ^ 0x10;
      writeSync(file, bytes, 0, 8, block * BLOCK + 512);
    }
    fsyncSync(file);
    closeSync(file);
  }

  async function seen(): Promise<readonly unknown[]> {
    return recorder.verify((await readVolume(cluster.uri(serving), SEED)).slice(0, USED));
  }

  /** How often the timelines of both hosts say that a block contradicts its checksum. */
  function accused(): number {
    let count = 0;
    for (const name of ['a', 'b']) {
      const folder = cluster.dataFolder(name);
      for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!file.endsWith('.jsonl')) continue;
        count += readFileSync(join(folder, file), 'utf8').split(ACCUSED).length - 1;
      }
    }
    return count;
  }

  async function compared(...words: string[]): Promise<VerifyReport> {
    const { out } = await cluster.command('verify', '--json', '--rate', '0', ...words);
    return JSON.parse(out) as VerifyReport;
  }

  it('gives clients what they wrote, and heals the copy they read', {
    timeout: 60_000,
  }, async () => {
    const sound = contents(serving);
    flip(serving);
    expect(contents(serving)).not.toEqual(sound);
    expect(await seen()).toEqual([]);
    await waitFor('the file is as it was', () => String(contents(serving)) === String(sound));
    expect(String(contents(other))).toBe(String(sound));
  });

  it('says in a comparison who is right, and heals the other', { timeout: 60_000 }, async () => {
    const sound = contents(other);
    flip(other);
    const found = await compared('--level', 'digest');
    expect(found).toMatchObject({ differing: BAD.length, repaired: BAD.length });
    for (const { right, why } of found.findings) {
      expect([cluster.nameOf(right), why]).toEqual([serving, 'checksum']);
    }
    expect(contents(other)).toEqual(sound);
    flip(serving);
    const own = await compared('--level', 'direct');
    expect(own).toMatchObject({ differing: BAD.length, repaired: BAD.length });
    for (const { right, why } of own.findings) {
      expect([cluster.nameOf(right), why]).toEqual([other, 'checksum']);
    }
    expect(contents(serving)).toEqual(sound);
    expect(await seen()).toEqual([]);
  });

  it('accuses nobody when a core is killed under load', { timeout: 120_000 }, async () => {
    const writer = new WriterProcess(
      { uri: cluster.uri(serving), seed: SEED, first: 10_001, depth: 8, blocks: USED, unitsMax: 2 },
      recorder,
    );
    await waitFor('writes', () => writer.acknowledged >= 300, 60_000);
    const status = await cluster.status(serving);
    if (status === null) throw new Error('nobody serves');
    const before = accused();
    // What the tests before have flipped is told of there.
    expect(before).toBeGreaterThan(0);
    signal(status.processes.core, 'SIGKILL');
    await writer.ended;
    serving = await cluster.waitHealthy();
    other = serving === 'a' ? 'b' : 'a';
    expect(await seen()).toEqual([]);
    expect(accused()).toBe(before);
  });

  it('fails what both have lost, until it is written again', { timeout: 60_000 }, async () => {
    const [lost] = BAD as [number];
    // Whoever has no checksum of it after the crash has one now.
    await write(20_001, 3000);
    flip(serving, [lost]);
    flip(other, [lost]);
    const { findings } = await compared('--level', 'digest', '--repair');
    expect(findings).toMatchObject([{ block: lost, what: 'unreadable', right: 0 }]);
    await expect(readVolume(cluster.uri(serving), SEED)).rejects.toThrow();
    await write(30_001, 3000);
    expect(await seen()).toEqual([]);
  });
});
