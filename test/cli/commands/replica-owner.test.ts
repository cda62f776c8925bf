/** Which disks `understudy replica` takes for somebody else's, whatever part of it each was. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { HostError } from '../../../backends/real/failure.ts';
import { loadConfig } from '../../../cli/config/load.ts';
import { configTemplate } from '../../../cli/config/template.ts';
import { adoptReplica, newReplica } from '../../../cli/replica-file.ts';
import type { ReplicaConfig, VolumeConfig } from '../../../engine/core/config.ts';
import { itUnless } from '../../real/support/hosts.ts';
import { attachLoop, detachLoop, loopMissing, makeFile } from '../../real/support/loop-device.ts';

const MIB = 1 << 20;
const SIZE = 8 * MIB;
const ROOM = 32 * MIB;
const BIG = '8MiB';
const SMALL = '1MiB';

let folder = '';
let disks: [string, string];
let devices: [string, string];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'us-'));
  disks = [makeFile(join(folder, 'd0'), ROOM), makeFile(join(folder, 'd1'), ROOM)];
  devices = [attachLoop(disks[0]), attachLoop(disks[1])];
});
afterEach(() => {
  for (const device of devices) detachLoop(device);
  rmSync(folder, { recursive: true, force: true });
});

/** Parts of node a, each with its size and device; one alone is a volume without parts. */
function configured(volume: string, parts: readonly (readonly [string, string])[]): string {
  const volumeUuid = (volume === 'one' ? '0d' : '0e').repeat(16);
  const plain = configTemplate({ cluster: 'demo', volumeUuid, size: '8MiB', port: 7411 });
  const names = parts.map((_, i) => `p${i}`);
  const list = parts.map(([size], i) => `{ name: ${names[i]}, size: ${size} }`);
  const paths = parts.map(([, device], i) => `${names[i]}: ${device}`);
  const [[size, device]] = parts as [readonly [string, string]];
  const others = names.map((name) => `${name}: b/${name}`);
  const [space, own, peer] =
    parts.length === 1
      ? [`    size: ${size}`, `path: ${device}`, 'path: b/data.img']
      : [
          `    parts: [${list.join(', ')}]`,
          `paths: { ${paths.join(', ')} }`,
          `paths: { ${others.join(', ')} }`,
        ];
  const file = join(folder, `${volume}.yaml`);
  writeFileSync(
    file,
    plain
      .replace(/^ {4}size: .*$/m, space as string)
      .replace('a: { path: a/data.img }', `a: { ${own} }`)
      .replace('b: { path: b/data.img }', `b: { ${peer} }`),
  );
  return file;
}

/** What `replica new` or `replica adopt` answers, on node a. */
function make(verb: 'new' | 'adopt', config: string, overwrite = false): string {
  const [volume] = loadConfig(config).config.volumes as [VolumeConfig];
  const [{ node, path, parts = [], meta }] = volume.replicas as [ReplicaConfig];
  const target = { volume, node, path, parts, meta, side: '', sideBytes: 0 };
  try {
    if (verb === 'new') newReplica(target, overwrite);
    else adoptReplica(target, 1);
    return 'made';
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return `${error.message}. ${error.remedy}`;
  }
}

type Shape = (first: string, second: string) => readonly (readonly [string, string])[];
const SHAPES: Readonly<Record<string, Shape>> = {
  'the only disk': (first) => [[BIG, first]],
  'the first of two': (first, second) => [
    [BIG, first],
    [SMALL, second],
  ],
  'the last of two': (first, second) => [
    [SMALL, second],
    [BIG, first],
  ],
};

describe('a disk of another volume', () => {
  const it = itUnless(loopMissing());
  for (const [there, was] of Object.entries(SHAPES)) {
    for (const [here, becomes] of Object.entries(SHAPES)) {
      it(`that is ${there} there is written over by nobody as ${here}`, async () => {
        const [first, second] = devices;
        expect(make('new', configured('one', was(first, second)))).toBe('made');
        // What is looked at is the one disk: nothing but it may be in the way.
        writeFileSync(disks[1], Buffer.alloc(ROOM));
        const before = readFileSync(disks[0]);
        const config = configured('other', becomes(first, second));
        const refused = `${first} holds a replica of another`;
        expect(make('new', config)).toContain(refused);
        expect(make('new', config, true)).toContain(refused);
        expect(make('adopt', config)).toContain(refused);
        expect(readFileSync(disks[0]).equals(before)).toBe(true);
        expect(readFileSync(disks[1]).every((byte) => byte === 0)).toBe(true);
        // Its own volume may have it in another shape, when that is said.
        const own = configured('one', becomes(first, second));
        expect(make('new', own)).toContain('--overwrite');
        expect(make('new', own, true)).toBe('made');
      });
    }
  }

  it('is found by its own volume when two paths are exchanged, too', async () => {
    const [first, second] = devices;
    const parts = (a: string, b: string) =>
      configured('one', SHAPES['the first of two']?.(a, b) ?? []);
    expect(make('new', parts(first, second))).toBe('made');
    const before = disks.map((disk) => readFileSync(disk));
    expect(make('new', parts(second, first))).toContain('holds a replica already');
    const after = disks.map((disk) => readFileSync(disk));
    expect(after.every((bytes, i) => bytes.equals(before[i] as Buffer))).toBe(true);
    expect(make('new', parts(second, first), true)).toBe('made');
  });

  it('keeps a page behind its data that is not empty, unless that is said', async () => {
    const config = configured('one', SHAPES['the first of two']?.(...devices) ?? []);
    const bytes = Buffer.alloc(ROOM);
    bytes.write('a word', SIZE + 4000);
    writeFileSync(disks[0], bytes);
    expect(make('new', config)).toContain(`${devices[0]} is not empty`);
    expect(readFileSync(disks[0]).equals(bytes)).toBe(true);
    expect(make('new', config, true)).toBe('made');
  });
});
