/** Which replicas a core refuses, and which it waits for: on real files and block devices. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import type { DataStart } from '../../backends/real/data-messages.ts';
import { HostError } from '../../backends/real/failure.ts';
import { mirrorConfig } from '../../backends/real/mirror-config.ts';
import { hasNative, replicaFileBytes } from '../../backends/real/native.ts';
import { replicaPages } from '../../backends/real/replica-check.ts';
import { ReplicaMemory } from '../../backends/real/replica-memory.ts';
import { openReplica } from '../../backends/real/replica-open.ts';
import { newReplica } from '../../cli/replica-file.ts';
import type { PartConfig, ReplicaConfig, VolumeConfig } from '../../engine/core/config.ts';
import { formatMetadata, metadataLayout } from '../../engine/mirror/metadata.ts';
import { itUnless } from './support/hosts.ts';
import {
  attachLoop,
  detachLoop,
  loopMissing,
  makeFile,
  resizedLoop,
} from './support/loop-device.ts';

const MIB = 1 << 20;
const PAGE = 4096;
const SIZE = 4 * MIB;
const ROOM = 16 * MIB;
const missing = hasNative()
  ? loopMissing()
  : 'the native addon is not built (npm run build:native)';

let folder = '';
const devices: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'us-open-'));
});
afterEach(() => {
  for (const device of devices.splice(0)) detachLoop(device);
  rmSync(folder, { recursive: true, force: true });
});

function startOf(path: string, change: Partial<DataStart> = {}): DataStart {
  const replicas: readonly ReplicaConfig[] = [
    { node: 1, path, meta: '' },
    { node: 2, path: '/nowhere', meta: '' },
  ];
  const volume: VolumeConfig = {
    name: 'data',
    uuid: '0123456789abcdef0123456789abcdef',
    sizeBytes: SIZE,
    logicalBlock: 4096,
    replicas,
    nbd: [],
    activityLogExtents: 64,
    diskTimeout: 10_000_000,
  };
  const listen = { node: 1, host: '127.0.0.1', port: 0 };
  const files = { flight: join(folder, 'flight'), memory: join(folder, 'memory') };
  const conversion = { before: null, sizes: [], conversion: join(folder, 'conversion') };
  const self = { volume, node: 1, boot: 11, session: 1, key: new Uint8Array(32), peers: [] };
  return { ...self, listen, ...files, ...conversion, build: 'test', ...change };
}

/** The file at `path` becomes the replica of node 1, or of a volume that `uuid` names. */
function format(path: string, uuid = '0123456789abcdef0123456789abcdef'): string {
  const { volume } = startOf(path);
  const config = { ...mirrorConfig(volume, 1), uuid };
  const file = openSync(path, 'r+');
  for (const { page, bytes } of formatMetadata(config, 1, 9, 'UpToDate')) {
    writeSync(file, bytes, 0, bytes.length, SIZE + page * PAGE);
  }
  closeSync(file);
  return path;
}

function diskFile(name: string): string {
  return format(makeFile(join(folder, name), ROOM));
}

/** A device over `file` that this test sees the end of. */
function deviceOf(file: string): string {
  const device = attachLoop(file);
  devices.push(device);
  return device;
}

/** What becomes of an opening: 'open', 'away', or the reason why it is refused. */
function outcome(start: DataStart): string {
  const [replica] = start.volume.replicas as readonly [ReplicaConfig];
  try {
    const opened = openReplica(start, replica);
    if ('away' in opened) return 'away';
    opened.reactor.close();
    return 'open';
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    expect(error.remedy.length).toBeGreaterThan(10);
    return error.message;
  }
}

describe('a replica on a block device', () => {
  const it = itUnless(missing);

  it('is waited for when its metadata gives an I/O error, is short, or has no size', async () => {
    const file = diskFile('disk');
    const device = deviceOf(file);
    truncateSync(file, SIZE);
    expect(outcome(startOf(device))).toBe('away');
    resizedLoop(device);
    // The device itself is shorter now: at a first start that is a mistake.
    expect(outcome(startOf(device))).toContain('and the volume with its metadata needs');
    truncateSync(file, 0);
    resizedLoop(device);
    expect(outcome(startOf(device))).toBe('away');
    truncateSync(file, ROOM);
    resizedLoop(device);
    format(file);
    expect(outcome(startOf(device))).toBe('open');
  });

  it('is open all the same when one of its superblocks cannot be read', async () => {
    const file = diskFile('disk');
    const { slotA, slotB } = metadataLayout(mirrorConfig(startOf(file).volume));
    const device = deviceOf(file);
    // The loop device ends its reads where its file ends: behind the first of the two.
    truncateSync(file, SIZE + Math.max(slotA, slotB) * PAGE);
    expect(outcome(startOf(device))).toBe('open');
  });

  it('that never was is a mistake, and one that this node has had open is waited for', async () => {
    const none = '/dev/understudy-no-such-disk';
    expect(outcome(startOf(none))).toBe(`the replica ${none} of volume "data" does not exist`);
    const device = deviceOf(diskFile('disk'));
    expect(outcome(startOf(device))).toBe('open');
    // Another path is another replica: nobody has seen that one.
    expect(outcome(startOf(none))).toContain('does not exist');
    remember(none);
    expect(outcome(startOf(none, { boot: 12 }))).toBe('away');
    expect(outcome(startOf(none))).toBe('away');
  });

  it('is never refused in a boot that has had it open, and judged anew in the next', async () => {
    const file = diskFile('disk');
    const device = deviceOf(file);
    expect(outcome(startOf(device))).toBe('open');
    format(file, 'f'.repeat(32));
    expect(outcome(startOf(device))).toBe('away');
    expect(outcome(startOf(device, { boot: 12 }))).toContain('belongs to another volume');
    truncateSync(file, SIZE);
    resizedLoop(device);
    expect(outcome(startOf(device))).toBe('away');
    expect(outcome(startOf(device, { boot: 12 }))).toContain('its metadata needs');
  });

  it('is judged anew where the configuration says something else of it', async () => {
    const device = deviceOf(diskFile('disk'));
    const start = startOf(device);
    expect(outcome(start)).toBe('open');
    const volume = { ...start.volume, sizeBytes: 2 * SIZE };
    expect(outcome({ ...start, volume })).toContain('has no readable metadata');
  });

  it('is remembered under the name that it always had where the volume has no parts', async () => {
    const start = startOf('/dev/understudy-no-such-disk');
    const [replica] = start.volume.replicas as readonly [ReplicaConfig];
    // How much of it clients see came later, and makes it no other replica.
    const { servedBytes: _, ...plain } = mirrorConfig(start.volume, 1);
    const all = JSON.stringify([plain, replica]);
    remember(replica.path);
    const { identity } = JSON.parse(readFileSync(start.memory, 'utf8')) as { identity: string };
    expect(identity).toBe(createHash('sha256').update(all).digest('hex'));
  });
});

describe('a replica in parts', () => {
  const it = itUnless(missing);

  /** Two parts, the first on a device over the file that is returned. */
  function made(): { readonly file: string; readonly start: DataStart } {
    const file = makeFile(join(folder, 'pages'), SIZE + 2 * PAGE);
    const log = join(folder, 'log');
    const start = startOf(log);
    const parts = [deviceOf(file), log];
    const replicas = [{ node: 1, path: log, parts, meta: '' }, ...start.volume.replicas.slice(1)];
    const volume = {
      ...start.volume,
      ...{ replicas, sizeBytes: SIZE + MIB },
      parts: [
        { name: 'pages', sizeBytes: SIZE },
        { name: 'log', sizeBytes: MIB },
      ],
    };
    newReplica({ volume, node: 1, path: log, parts, meta: '', side: '', sideBytes: 0 }, false);
    return { file, start: { ...start, volume } };
  }

  it('is waited for with a reason and a remedy when its size has changed', async () => {
    const file = diskFile('resized');
    const start = startOf(file);
    const replica = start.volume.replicas[0] as ReplicaConfig;
    const bytes = replicaFileBytes(SIZE, replicaPages(start.volume, replica));
    truncateSync(file, bytes);
    expect(outcome(start)).toBe('open');
    truncateSync(file, bytes + 1);
    const opened = openReplica(start, replica);
    expect('away' in opened ? opened.away : '').toMatch(
      new RegExp(`${file}.* has ${bytes + 1} bytes, not ${bytes}. Remedy: correct size: or path:`),
    );
  });

  it('writes a damaged copy of a label anew, and opens with one that cannot be read', async () => {
    const { file, start } = made();
    const whole = readFileSync(file);
    for (const copy of [0, 1]) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(255, SIZE + copy * PAGE + 4000);
      writeFileSync(file, bytes);
      expect(outcome(start)).toBe('open');
      expect(readFileSync(file).equals(whole)).toBe(true);
    }
    // The loop device ends its reads where its file ends: behind the first of the two.
    truncateSync(file, SIZE + PAGE);
    expect(outcome(start)).toBe('open');
    truncateSync(file, SIZE);
    expect(outcome({ ...start, boot: 12 })).toBe('away');
  });

  it('is refused in the same boot when parts were renamed, or resized in all alike', async () => {
    const { start } = made();
    expect(outcome(start)).toBe('open');
    const [pages, log] = start.volume.parts as [PartConfig, PartConfig];
    const as = (parts: PartConfig[]): string => {
      return outcome({ ...start, volume: { ...start.volume, parts } });
    };
    expect(as([{ ...pages, name: 'page' }, log])).toContain('when the volume had other parts');
    const resized = [
      { ...pages, sizeBytes: SIZE - MIB },
      { ...log, sizeBytes: 2 * MIB },
    ];
    expect(as(resized)).toContain(' bytes, not ');
    expect(outcome(start)).toBe('open');
  });

  it('never mends a label from one that says something else', async () => {
    const { file, start } = made();
    copyFileSync(file, `${file}.old`);
    rmSync(join(folder, 'log'));
    const [{ path, parts = [] }] = start.volume.replicas as readonly [ReplicaConfig];
    const target = { volume: start.volume, node: 1, path, parts, meta: '' };
    newReplica({ ...target, side: '', sideBytes: 0 }, true);
    const bytes = readFileSync(file);
    readFileSync(`${file}.old`).copy(bytes, SIZE, SIZE, SIZE + PAGE);
    writeFileSync(file, bytes);
    expect(outcome(start)).toContain('belongs to another replica of this volume');
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });
});

/** As if the replica at `path` had been open, in the first boot. */
function remember(path: string): void {
  const [replica] = startOf(path).volume.replicas as readonly [ReplicaConfig];
  const start = startOf(path);
  new ReplicaMemory(start.memory, start.volume, replica, start.boot).note();
}
