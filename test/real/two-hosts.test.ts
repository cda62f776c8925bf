/**
 * The promise itself, on real processes: whatever is killed in the middle of writes, no
 * acknowledged write is lost, and the replicas are equal again afterwards. The client is libnbd's;
 * the judge is test/real/support/ack-recorder.ts.
 */
import { randomInt } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mirrorConfig } from '../../backends/real/mirror-config.ts';
import { hasNative } from '../../backends/real/native.ts';
import { isAlive, type ProcessIdentity, signal } from '../../backends/real/process-identity.ts';
import { loadConfig } from '../../cli/config/load.ts';
import type { VolumeConfig } from '../../engine/core/config.ts';
import { Rng } from '../../engine/core/rng.ts';
import { PAGE_BYTES } from '../../engine/data/abi.ts';
import { repeatFlight } from '../../engine/mirror/flight.ts';
import {
  chooseSuperblock,
  DiskFlag,
  decodeSuperblock,
  metadataLayout,
  type Superblock,
  type SuperblockRead,
} from '../../engine/mirror/metadata.ts';
import { readFlights } from '../../engine/timeline/flight-reader.ts';
import { AckRecorder } from './support/ack-recorder.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { clientMissing, readVolume, WriterProcess } from './support/nbd-client.ts';
import { runUnderstudy, TestCluster } from './support/test-cluster.ts';

/**
 * What a round kills, and when. A `host-alone` dies while its peer stands still, so that what only
 * the dead one had is really gone: else the kernel would still deliver what it had sent.
 */
type Round = 'host' | 'host-alone' | 'core' | 'resync-target' | 'resync-source';

const TEN: readonly Round[] = [
  'host-alone',
  'core',
  'resync-target',
  'host',
  'core',
  'resync-source',
  'host-alone',
  'core',
  'resync-target',
  'host-alone',
];
const rounds: readonly Round[] =
  process.env['UNDERSTUDY_CI'] === undefined ? ['host-alone', 'resync-target'] : TEN;

/** With semi-sync the core of each host dies once: one of the two has acknowledged on receipt. */
const MODES: readonly (readonly [mode: 'sync' | 'semi-sync', rounds: readonly Round[]])[] = [
  ['sync', rounds],
  ['semi-sync', ['core', 'core', 'host-alone']],
];

const SIZE_MIB = 192;
const BLOCKS = (SIZE_MIB * 1024 * 1024) / 4096;
const DEPTH = 16;
const ACKNOWLEDGED_MIN = 1000;
/** Backlog that a resync round copies, long enough to be killed in the middle. */
const BACKLOG_WRITES = 1000;
const BACKLOG_UNITS = 64;

const seedNumber = Number(process.env['UNDERSTUDY_SEED'] ?? randomInt(2 ** 31));
const missing = hasNative()
  ? clientMissing()
  : 'the native addon is not built (npm run build:native)';

describe.each(MODES)('two hosts and a witness, %s', (mode, rounds) => {
  if (missing !== null) {
    it('lose no acknowledged write, whatever is killed', (context) => context.skip(missing));
    return;
  }

  const seed = `round-trip-${seedNumber}`;
  const rng = new Rng(seedNumber, 1);
  const recorder = new AckRecorder();
  let cluster: TestCluster;
  let sequence = 1;
  let broken = false;

  beforeAll(async () => {
    console.log(`seed ${seedNumber}: UNDERSTUDY_SEED=${seedNumber} replays the kill points`);
    cluster = await TestCluster.make({
      size: `${SIZE_MIB}MiB`,
      edit: (yaml) =>
        yaml
          .replace('mode: sync', `mode: ${mode}`)
          .replace(
            /^ *# application:\n(?: *#.*\n)*/m,
            "    application:\n      start: 'exec sleep 100000'\n      checkEvery: 1s\n",
          ),
    });
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    await cluster.waitHealthy();
  }, 120_000);

  afterAll(async () => {
    if (broken) console.log(`logs and replicas: ${cluster.folder}`);
    await cluster.close(broken);
  });

  /** A writer on `name`; sequences go on where the last one ended. */
  function writer(name: string, unitsMax = 2): WriterProcess {
    const first = sequence;
    const options = { uri: cluster.uri(name), seed, first, depth: DEPTH, blocks: BLOCKS, unitsMax };
    return new WriterProcess(options, recorder);
  }

  async function finish(process_: WriterProcess): Promise<void> {
    await process_.stop();
    sequence = process_.last + 1;
  }

  async function untilAcknowledged(process_: WriterProcess, count: number): Promise<void> {
    await waitFor(
      `${count} writes`,
      () => process_.acknowledged >= count || process_.isEnded,
      60_000,
    );
  }

  /** Writes at `name` until `count` are acknowledged. */
  async function write(name: string, count: number, unitsMax = 2): Promise<void> {
    const process_ = writer(name, unitsMax);
    await untilAcknowledged(process_, count);
    await finish(process_);
    expect(process_.acknowledged).toBeGreaterThanOrEqual(count);
  }

  async function killHost(name: string): Promise<void> {
    for (const found of await cluster.processes(name)) signal(found, 'SIGKILL');
  }

  async function coreOf(name: string): Promise<ProcessIdentity> {
    const status = await cluster.status(name);
    if (status === null) throw new Error(`node ${name} does not answer`);
    return status.processes.core;
  }

  async function killCore(name: string): Promise<void> {
    const status = await cluster.status(name);
    if (status === null) throw new Error(`node ${name} does not answer`);
    const { core, monitor, guardian } = status.processes;
    const applications = cluster.applicationProcesses(name);
    signal(core, 'SIGKILL');
    await sleep(200);
    // Whoever serves was not touched by the death of the core.
    for (const other of [monitor, guardian, ...applications]) {
      expect(other !== null && isAlive(other)).toBe(true);
    }
  }

  /** Every acknowledged write is there, wherever the volume is served now. */
  async function verify(name: string): Promise<void> {
    const found = await readVolume(cluster.uri(name), seed);
    expect(recorder.verify(found).slice(0, 5)).toEqual([]);
  }

  function expectEqualReplicas(): void {
    const files = ['a', 'b'].map((name) => openSync(cluster.replicaPath(name), 'r'));
    const pieces = files.map(() => Buffer.alloc(4 * 1024 * 1024));
    for (let at = 0; at < SIZE_MIB * 1024 * 1024; at += 4 * 1024 * 1024) {
      for (const [i, file] of files.entries()) {
        readSync(file, pieces[i] as Buffer, 0, 4 * 1024 * 1024, at);
      }
      expect((pieces[0] as Buffer).equals(pieces[1] as Buffer), `replicas at ${at}`).toBe(true);
    }
  }

  /** Has `name` serve, with both replicas in sync. */
  async function serveAt(name: string): Promise<string> {
    if ((await cluster.waitHealthy()) === name) return name;
    const { code, err } = await cluster.command('switch', '--to', name);
    expect([code, err]).toEqual([0, '']);
    await waitFor(`${name} serves`, async () => (await cluster.serving()) === name, 20_000);
    return cluster.waitHealthy();
  }

  /** The newer of the two superblocks of a replica, as they are on its disk now. */
  function superblockOf(name: string): Superblock {
    const { config } = loadConfig(cluster.configPath);
    const node = cluster.id(name);
    const volume = mirrorConfig(config.volumes[0] as VolumeConfig, node);
    const { slotA, slotB } = metadataLayout(volume);
    const file = openSync(cluster.replicaPath(name), 'r');
    const read = (slot: number): SuperblockRead => {
      const page = Buffer.alloc(PAGE_BYTES);
      readSync(file, page, 0, PAGE_BYTES, volume.sizeBytes + slot * PAGE_BYTES);
      return decodeSuperblock(volume, node, slot, page);
    };
    const choice = chooseSuperblock(read(slotA), read(slotB));
    closeSync(file);
    if (!choice.ok) throw new Error(`no superblock of ${name} can be read`);
    return choice.block;
  }

  /** Waits until `source` copies to its peer, and is not done. */
  async function untilResync(source: string): Promise<void> {
    await waitFor(
      'a resync under way',
      async () => {
        const local = (await cluster.status(source))?.status.volumes[0]?.local;
        return local?.link === 'SyncSource' && local.dirty > 0;
      },
      60_000,
    );
  }

  async function round(kind: Round, victim: string): Promise<string> {
    const other = victim === 'a' ? 'b' : 'a';
    // Whoever dies serves, except the target of a copy, which cannot.
    let serving = kind === 'resync-target' ? await cluster.waitHealthy() : await serveAt(victim);
    const restarts: string[] = [];
    if (kind === 'resync-target' || kind === 'resync-source') {
      // The victim of the first death misses a backlog; it comes back, and copying begins.
      const target = kind === 'resync-target' ? victim : other;
      await killHost(target);
      serving = await cluster.waitServing();
      await write(serving, BACKLOG_WRITES, BACKLOG_UNITS);
      cluster.start(target);
    }
    expect(serving === victim).toBe(kind !== 'resync-target');
    const process_ = writer(serving);
    await untilAcknowledged(process_, kind.startsWith('resync') ? 1 : ACKNOWLEDGED_MIN);
    if (kind.startsWith('resync')) await untilResync(serving);
    await sleep(rng.below(150));
    const paused = kind === 'host-alone' && victim === serving ? await coreOf(other) : null;
    if (paused !== null) {
      signal(paused, 'SIGSTOP');
      // Far below the time after which a peer is given up.
      await sleep(300 + rng.below(400));
    }
    const before = process_.acknowledged;
    const inFlight = recorder.inFlight.size;
    if (kind === 'core') await killCore(victim);
    else {
      await killHost(victim);
      restarts.push(victim);
    }
    if (paused !== null) signal(paused, 'SIGCONT');
    // The copy was under way: whoever was being filled is still no replica that anybody could use.
    if (kind.startsWith('resync')) {
      const filled = kind === 'resync-target' ? victim : other;
      expect(superblockOf(filled).flags & DiskFlag.Inconsistent).not.toBe(0);
    }
    if (victim === serving) {
      await waitFor('the lost connection is noticed', () => process_.isEnded, 20_000);
      sequence = process_.last + 1;
    } else {
      const more = Math.max(before + 200, ACKNOWLEDGED_MIN);
      await untilAcknowledged(process_, more);
      await finish(process_);
      expect(process_.acknowledged).toBeGreaterThanOrEqual(more);
    }
    // The only good replica is gone with a resync's source: nobody else may serve.
    if (kind === 'resync-source') cluster.start(restarts.pop() as string);
    serving = await cluster.waitServing();
    await verify(serving);
    await write(serving, Math.max(200, ACKNOWLEDGED_MIN - process_.acknowledged));
    for (const name of restarts) cluster.start(name);
    serving = await cluster.waitHealthy();
    await verify(serving);
    expectEqualReplicas();
    expect(process_.depth).toBeGreaterThanOrEqual(8);
    return `${before} acknowledged and ${inFlight} in flight at the kill, then ${serving} serves`;
  }

  it('says without a watchdog that it promises exclusivity for data only', () => {
    const { code, out } = runUnderstudy('status', cluster.configPath, '--name', 'a');
    expect(code).toBe(0);
    expect(out).toContain('data exclusivity only');
    const json = runUnderstudy('status', cluster.configPath, '--name', 'b', '--json');
    expect(JSON.parse(json.out)).toMatchObject({ exclusivity: 'data exclusivity only' });
  });

  it('says in which mode the volume is', async () => {
    const volume = (await cluster.status('a'))?.status.volumes[0];
    expect(volume?.mode).toBe(mode === 'sync' ? undefined : mode);
    const { out } = runUnderstudy('status', cluster.configPath, '--name', 'a');
    expect(out.includes('data (semi-sync)')).toBe(mode === 'semi-sync');
  });

  for (const [index, kind] of rounds.entries()) {
    const victim = index % 2 === 0 ? 'a' : 'b';
    const title = `round ${index + 1}: ${kind}, victim ${victim}`;
    it(`lose no acknowledged write in ${title}`, async (context) => {
      // What a failed round leaves is not what the next one starts from.
      if (broken) context.skip('an earlier round failed');
      broken = true;
      const before = recorder.acknowledged;
      const story = await round(kind, victim);
      const acknowledged = recorder.acknowledged - before;
      expect(acknowledged).toBeGreaterThanOrEqual(ACKNOWLEDGED_MIN);
      console.log(`${title}: ${acknowledged} writes; ${story}`);
      broken = false;
    }, 180_000);
  }

  it('note on the disk of a member whether it acknowledges what it only received', async () => {
    if (broken) return;
    const serving = await cluster.waitHealthy();
    await write(serving, 20);
    const follower = serving === 'a' ? 'b' : 'a';
    const noted = (superblockOf(follower).flags & DiskFlag.Received) !== 0;
    expect(noted).toBe(mode === 'semi-sync');
  }, 60_000);

  it('decide the same again when what their recorders kept is executed', (context) => {
    if (broken) context.skip('a round failed');
    const flights = ['a', 'b'].flatMap((name) =>
      readFlights(readFileSync(join(cluster.dataFolder(name), 'data.flight'))),
    );
    const whole = flights.filter((flight) => flight.whole);
    for (const flight of whole) expect(repeatFlight(flight).divergence).toBeNull();
    expect(whole.length).toBeGreaterThanOrEqual(2);
    expect(Math.max(...whole.map(({ turns }) => turns.length))).toBeGreaterThan(500);
  }, 60_000);
});
