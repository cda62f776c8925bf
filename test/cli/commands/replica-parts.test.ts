/** `understudy replica` of a volume in parts, and which disks a node refuses afterwards. */
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HostError } from '../../../backends/real/failure.ts';
import { checkReplica } from '../../../backends/real/replica-check.ts';
import { loadConfig } from '../../../cli/config/load.ts';
import type { ReplicaConfig, VolumeConfig } from '../../../engine/core/config.ts';
import { runUnderstudy } from '../../real/support/test-cluster.ts';

const MIB = 1 << 20;
const SIZE = 2 * MIB;
/** Behind the data of each part. */
const LABELS = 2 * 4096;
const PARTS = ['data', 'log', 'notes'] as const;
let folder: string;
let config: string;

/** Three parts of the same size, so that nothing but what they say tells them apart. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'us-'));
  config = join(folder, 'understudy.yaml');
  const made = runUnderstudy('init', folder, '--size', '1MiB');
  expect([made.code, made.err]).toEqual([0, '']);
  edit(/^ {4}size: .*$/m, `    parts: [${PARTS.map(partText).join(', ')}]`);
  for (const node of ['a', 'b']) {
    rmSync(file(node, 'data'));
    const paths = PARTS.map((part) => `${part}: ${node}/${part}.img`).join(', ');
    edit(
      `${node}: { path: ${node}/data.img }`,
      `${node}: { paths: { ${paths} }, meta: ${node}/m }`,
    );
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function partText(name: string): string {
  return `{ name: ${name}, size: ${SIZE / MIB}MiB }`;
}

function edit(from: string | RegExp, to: string): void {
  const text = readFileSync(config, 'utf8');
  expect(text).toMatch(from);
  writeFileSync(config, text.replace(from, to));
}

function file(node: string, part: string): string {
  return join(folder, node, `${part}.img`);
}

/** The disks of `node` with something in them, as a database left them. */
function fill(node: string): void {
  for (const [i, part] of PARTS.entries())
    writeFileSync(file(node, part), Buffer.alloc(SIZE, i + 1));
}

function replica(verb: string, ...words: string[]): { code: number | null; err: string } {
  return runUnderstudy('replica', verb, config, ...words);
}

/** Why a node would refuse its replica; '' where it would not. */
function refusal(node: string): string {
  const loaded = loadConfig(config).config;
  const [volume] = loaded.volumes as [VolumeConfig];
  const id = loaded.nodes.find(({ name }) => name === node)?.id;
  const own = volume.replicas.find((each) => each.node === id) as ReplicaConfig;
  try {
    checkReplica(volume, own);
    return '';
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return `${error.message}. ${error.remedy}`;
  }
}

function swap(one: string, other: string): void {
  renameSync(one, `${one}.away`);
  renameSync(other, one);
  renameSync(`${one}.away`, other);
}

describe('a replica of a volume in parts', () => {
  it('is adopted with the data that its disks have, which stay as they are', () => {
    fill('a');
    expect(replica('adopt', '--name', 'a')).toMatchObject({ code: 0, err: '' });
    expect(refusal('a')).toBe('');
    for (const [i, part] of PARTS.entries()) {
      const now = readFileSync(file('a', part));
      expect(now.length).toBe(SIZE + LABELS);
      expect(now.subarray(0, SIZE).equals(Buffer.alloc(SIZE, i + 1))).toBe(true);
    }
    const again = replica('adopt', '--name', 'a');
    const said = expect.stringContaining('holds a replica already');
    expect([again.code, again.err]).toEqual([2, said]);
  });

  it('is adopted from all of its disks or from none', () => {
    fill('a');
    truncateSync(file('a', 'notes'), SIZE - 4096);
    expect(replica('adopt', '--name', 'a').err).toContain(`${file('a', 'notes')} has`);
    writeFileSync(join(folder, 'a', 'm'), Buffer.alloc(4096, 7));
    truncateSync(file('a', 'notes'), SIZE);
    expect(replica('adopt', '--name', 'a').code).toBe(2);
    for (const part of PARTS) expect(readFileSync(file('a', part)).length).toBe(SIZE);
  });

  it('is made new where nothing is, and over another only when that is said', () => {
    expect(replica('new', '--name', 'b')).toMatchObject({ code: 0, err: '' });
    expect(refusal('b')).toBe('');
    rmSync(join(folder, 'b', 'm'));
    const refused = replica('new', '--name', 'b');
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--overwrite')]);
    expect(replica('new', '--name', 'b', '--overwrite').code).toBe(0);
    expect(refusal('b')).toBe('');
  });

  it('bears the damage of one copy of a label, and is given up by no advice when both are', () => {
    fill('a');
    replica('adopt', '--name', 'a');
    const data = file('a', 'data');
    const whole = readFileSync(data);
    for (const copy of [0, 1]) {
      const bytes = Buffer.from(whole);
      // In what no label uses.
      bytes.writeUInt8(255, SIZE + copy * 4096 + 4000);
      writeFileSync(data, bytes);
      expect(refusal('a')).toBe('');
    }
    const none = Buffer.from(whole).fill(1, SIZE);
    writeFileSync(data, none);
    const said = refusal('a');
    expect(said).toContain('does not say that it is a part of a replica. correct paths:');
    expect(said).toContain(`put back one of the two pages from byte ${SIZE} on`);
    expect(said).not.toContain('make the replica anew');
    for (const verb of ['new', 'adopt']) {
      const { code, err } = replica(verb, '--name', 'a');
      expect([code, err]).toEqual([2, expect.stringContaining('holds a replica already')]);
      expect(err).not.toContain('truncate');
    }
    expect(readFileSync(data).equals(none)).toBe(true);
    whole.copy(none, SIZE + 4096, SIZE + 4096);
    writeFileSync(data, none);
    expect(refusal('a')).toBe('');
  });

  it('is never opened with two disks exchanged, whatever their sizes are', () => {
    fill('a');
    replica('adopt', '--name', 'a');
    swap(file('a', 'data'), file('a', 'log'));
    expect(refusal('a')).toContain(
      `the disk ${file('a', 'data')} of part "data" of volume "data" is another part of this ` +
        'replica. its paths are exchanged: correct paths: in the configuration',
    );
    const ran = runUnderstudy('node', config, '--name', 'a');
    expect(ran.code).not.toBe(0);
    expect(ran.err + ran.out).toContain('is another part of this replica');
    swap(file('a', 'data'), file('a', 'log'));
    expect(refusal('a')).toBe('');
  });

  it('is never opened by a configuration with other parts, or the same in another order', () => {
    replica('new', '--name', 'b');
    const list = PARTS.map(partText).join(', ');
    const changed: readonly (readonly [string, string])[] = [
      [list, [PARTS[1], PARTS[0], PARTS[2]].map(partText).join(', ')],
      [list, list.replace('size: 2MiB', 'size: 1MiB')],
    ];
    for (const [from, to] of changed) {
      edit(from, to);
      expect(refusal('b')).toContain('set parts: back to the names, sizes and order');
      edit(to, from);
    }
    const text = readFileSync(config, 'utf8');
    // Renamed everywhere, and so that clients would find the one under the name of the other.
    writeFileSync(config, text.replaceAll('name: log', 'name: wal').replaceAll('log: ', 'wal: '));
    expect(refusal('b')).toContain('set parts: back to the names, sizes and order');
    writeFileSync(config, text);
    expect(refusal('b')).toBe('');
    // One disk of it as a volume that is one disk, with the same metadata.
    edit(`    parts: [${list}]`, `    size: ${3 * SIZE}`.replace(/\d+$/, `${(3 * SIZE) / MIB}MiB`));
    for (const node of ['a', 'b']) {
      const paths = PARTS.map((part) => `${part}: ${node}/${part}.img`).join(', ');
      edit(`paths: { ${paths} }`, `path: ${node}/whole.img`);
    }
    writeFileSync(file('b', 'whole'), '');
    truncateSync(file('b', 'whole'), 3 * SIZE);
    expect(refusal('b')).toContain('was made for a volume in parts');
  });

  it('is never opened with a disk of an earlier replica, of another node, or of nobody', () => {
    replica('new', '--name', 'b');
    const log = file('b', 'log');
    copyFileSync(log, `${log}.old`);
    replica('new', '--name', 'b', '--overwrite');
    copyFileSync(log, `${log}.new`);
    copyFileSync(`${log}.old`, log);
    expect(refusal('b')).toContain('belongs to another replica of this volume');
    replica('new', '--name', 'a');
    copyFileSync(file('a', 'log'), log);
    expect(refusal('b')).toContain('belongs to another node');
    writeFileSync(log, Buffer.alloc(SIZE + LABELS));
    expect(refusal('b')).toContain('does not say that it is a part of a replica');
    copyFileSync(`${log}.new`, log);
    expect(refusal('b')).toBe('');
    rmSync(log);
    expect(refusal('b')).toContain(`the replica ${log} of volume "data" does not exist`);
  });
});
