import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { configHash } from '../../backends/real/config-hash.ts';
import { HostConfig } from '../../backends/real/host-config.ts';
import { formatReplica, newReplica } from '../../cli/replica-file.ts';
import {
  agreedWith,
  type ConfigChange,
  configWith,
  holdersOf,
  NOTHING_AGREED,
} from '../../engine/cluster/changes.ts';
import type { Durable } from '../../engine/cluster/interface.ts';
import { demoHosts } from '../../scenarios/demo.ts';

const folders: string[] = [];
const PAIR = demoHosts([1, 2]);
const ADD: ConfigChange = {
  kind: 'add-replica',
  volume: 'data',
  replica: { node: 3, path: '/nowhere/c', meta: '' },
  listen: [],
  place: 2,
};
const AGREED = agreedWith(NOTHING_AGREED, ADD);
const TAKEN = { version: 1, taken: { ...AGREED, before: holdersOf(PAIR) } } as unknown as Durable;

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'us-config-'));
  folders.push(made);
  return made;
}

afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

describe('the configuration of a host', () => {
  it('is that of its file until something is agreed on, and says where they differ', () => {
    const before = new HostConfig(PAIR, 1, folder(), null);
    expect([before.config, before.before, before.fileDiffers]).toEqual([PAIR, null, false]);
    expect(before.places).toEqual(['/dev/a']);
    const after = new HostConfig(PAIR, 3, folder(), TAKEN);
    expect(after.fileDiffers).toBe(true);
    expect(after.places).toEqual(['/nowhere/c']);
    expect(after.before?.volumes[0]?.replicas.length).toBe(2);
    expect(new HostConfig(after.config, 3, folder(), TAKEN).fileDiffers).toBe(false);
  });

  it('is not run by where the file says a third thing, as one that was edited since', () => {
    const agreed = new HostConfig(PAIR, 3, folder(), TAKEN).config;
    const volumes = agreed.volumes.map((volume) => {
      const replicas = volume.replicas.map((replica) => ({ ...replica, sideBytes: 1 << 24 }));
      return { ...volume, replicas };
    });
    const edited = { ...agreed, volumes };
    expect(() => new HostConfig(edited, 3, folder(), TAKEN)).toThrow('volumes.data.replicas.3');
    expect(new HostConfig(edited, 3, folder(), null).config).toBe(edited);
  });

  it('is prepared for the next one, so that who has it and who has not hear it', async () => {
    const own = folder();
    const before = new HostConfig(PAIR, 2, own, null);
    // Only who is to hold the new replica must have it there.
    const third = await new HostConfig(PAIR, 3, folder(), null).prepare(1, AGREED.changes, false);
    expect(third).toContain('/nowhere/c');
    const witness = { ...PAIR, volumes: [] };
    expect(await new HostConfig(witness, 3, folder(), null).prepare(1, AGREED.changes, false)).toBe(
      '',
    );
    expect(before.hashes.length).toBe(1);
    const other = new HostConfig({ ...PAIR, volumes: PAIR.volumes.slice() }, 3, own, null);
    expect(other.hashes).toEqual(before.hashes);
  });

  it('that grows is known as both from then on, and the core that was there goes on', async () => {
    const own = folder();
    const volumes = PAIR.volumes.map((volume) => {
      return { ...volume, servedBytes: volume.sizeBytes / 2 };
    });
    const small = { ...PAIR, volumes };
    const [volume] = PAIR.volumes;
    if (volume === undefined) throw new Error('it has one');
    const { name, sizeBytes } = volume;
    const grow: ConfigChange = { kind: 'grow-volume', volume: name, servedBytes: sizeBytes };
    const { changes } = agreedWith(NOTHING_AGREED, grow);
    const host = new HostConfig(small, 1, own, null);
    expect(await host.prepare(1, changes, false)).toBe('');
    expect([host.hashes.length, host.fileDiffers]).toEqual([1, false]);
    host.took(1, changes);
    expect(host.hashes).toEqual([configHash(small), configHash(PAIR)]);
    expect(host.fileDiffers).toBe(true);
    host.took(1, changes);
    expect(host.hashes.length).toBe(2);
    // So is one that was away as it was prepared, and one whose file has it already.
    const away = folder();
    const late = new HostConfig(small, 2, away, null);
    late.took(1, changes);
    // And the next core of that one.
    const taken = { taken: { version: 1, changes, before: holdersOf(small) } } as never;
    expect(new HostConfig(PAIR, 2, away, taken).hashes).toEqual(host.hashes);
    const next = new HostConfig(PAIR, 3, folder(), null);
    for (const each of [late, next]) {
      expect(each.hashes.some((hash) => host.hashes.includes(hash))).toBe(true);
    }
    // Another one that nobody agreed on is not.
    const other = { ...PAIR, volumes: [{ ...volume, servedBytes: sizeBytes / 4 }] };
    const hash = configHash(other);
    expect([...host.hashes, ...late.hashes, ...next.hashes]).not.toContain(hash);
  });

  it('does not take a file that a person changed for one that was agreed on', async () => {
    const own = folder();
    const first = new HostConfig(PAIR, 4, own, null);
    const moved: ConfigChange = {
      kind: 'replace-replica',
      volume: 'data',
      node: 2,
      path: '/other',
      meta: '/apart',
    };
    // Where it keeps its metadata is that node's business: no other one is known otherwise for it.
    const elsewhere = agreedWith(NOTHING_AGREED, moved).changes;
    expect(configHash(configWith(PAIR, elsewhere))).toBe(configHash(PAIR));
    const { changes } = agreedWith(NOTHING_AGREED, ADD);
    expect(await first.prepare(1, changes, false)).toBe('');
    const known = JSON.parse(readFileSync(join(own, 'config-lineage.json'), 'utf8')) as {
      readonly hash: string;
    }[];
    const hashes = known.map(({ hash }) => hash);
    expect(hashes).toEqual([configHash(PAIR), configHash(configWith(PAIR, changes))]);
    // Not taken yet: it is still known by the first one alone, and so is who has it in its file.
    expect(new HostConfig(PAIR, 4, own, null).hashes).toEqual(first.hashes);
    const early = new HostConfig(configWith(PAIR, changes), 4, own, null).hashes;
    expect(early).toEqual([hashes[1]]);
    const taken = { taken: { version: 1, changes, before: holdersOf(PAIR) } } as unknown as Durable;
    expect(new HostConfig(PAIR, 4, own, taken).hashes).toEqual(hashes);
    // Nor once it was taken back, whatever is prepared or taken next.
    first.took(2, []);
    const nothing = { taken: { version: 2, changes: [], before: [] } } as unknown as Durable;
    expect(new HostConfig(configWith(PAIR, changes), 4, own, nothing).hashes).toEqual([hashes[1]]);
    expect(await first.prepare(1, changes, false)).toBe('');
    const slower = { ...PAIR, timing: { ...PAIR.timing, grant: 9_000_000 } };
    const changed = new HostConfig(slower, 4, own, taken).hashes;
    expect(changed.length).toBe(2);
    expect(hashes.some((hash) => changed.includes(hash))).toBe(false);
  });

  it('is known by the file that all were given, though it has missed what was agreed on', () => {
    const [volume] = PAIR.volumes;
    if (volume === undefined) throw new Error('it has one');
    const { name, sizeBytes } = volume;
    const shows = (servedBytes: number) => ({
      ...PAIR,
      volumes: [{ ...volume, servedBytes, reads: 'balanced' as const }],
    });
    const grow = (version: number, servedBytes: number) => {
      return { version, change: { kind: 'grow-volume', volume: name, servedBytes } as const };
    };
    const of = (version: number, servedBytes: number): Durable =>
      ({ taken: { version, changes: [grow(version, servedBytes)], before: [] } }) as never;
    const file = shows(sizeBytes / 2);
    const late = new HostConfig(file, 2, folder(), of(1, sizeBytes / 4));
    const other = new HostConfig(file, 1, folder(), of(2, sizeBytes / 2));
    expect(late.hashes.at(-1)).not.toBe(other.hashes.at(-1));
    expect(late.hashes.some((hash) => other.hashes.includes(hash))).toBe(true);
    // However many there are, all have room in a hello.
    for (let n = 1; n < 100; n += 1) other.took(n + 2, [grow(n + 2, sizeBytes / 2 + 4096 * n)]);
    expect(other.hashes.length <= 33).toBe(true);
    expect(late.hashes.some((hash) => other.hashes.includes(hash))).toBe(true);
  });

  it('is not prepared while another program listens where a new replica would', async () => {
    const path = join(folder(), 'c.img');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const nodes = PAIR.nodes.map((node) => ({ ...node, replication: '127.0.0.1:0' }));
    const config = { ...PAIR, nodes };
    const replica = { node: 3, path, meta: '' };
    const change: ConfigChange = { ...ADD, replica, listen: [`127.0.0.1:${port}`] };
    const { changes } = agreedWith(NOTHING_AGREED, change);
    const [volume] = configWith(config, changes).volumes;
    if (volume === undefined) throw new Error('it has one');
    newReplica({ volume, node: 3, path, parts: [], meta: '', side: '', sideBytes: 0 }, false);
    const host = new HostConfig(config, 3, folder(), null);
    expect(await host.prepare(1, changes, false)).toBe(
      `127.0.0.1:${port} cannot be listened on (EADDRINUSE)`,
    );
    await new Promise((resolve) => other.close(resolve));
    expect(await host.prepare(1, changes, false)).toBe('');
  });

  it('is not prepared for another disk that is not new, as a copy of it is not', async () => {
    const own = folder();
    const [path, other] = [join(own, 'b.img'), join(own, 'other.img')];
    const replicas = (PAIR.volumes[0]?.replicas ?? []).map((each) => {
      return each.node === 2 ? { ...each, path } : each;
    });
    const config = { ...PAIR, volumes: PAIR.volumes.map((volume) => ({ ...volume, replicas })) };
    const [volume] = config.volumes;
    if (volume === undefined) throw new Error('it has one');
    formatReplica(volume, 2, path, 77);
    copyFileSync(path, other);
    const change = {
      kind: 'replace-replica',
      volume: 'data',
      node: 2,
      path: other,
      meta: '',
    } as const;
    const { changes } = agreedWith(NOTHING_AGREED, change);
    const host = new HostConfig(config, 2, folder(), null);
    expect(await host.prepare(1, changes, false)).toContain('is not new: it has data of its own');
    // Whoever lost its folder finds there what it was given long ago.
    expect(await host.prepare(1, changes, true)).toBe('');
    newReplica({ volume, node: 2, path: other, parts: [], meta: '', side: '', sideBytes: 0 }, true);
    expect(await host.prepare(1, changes, false)).toBe('');
  });

  it('waits in words for an address that is none', async () => {
    const path = join(folder(), 'c.img');
    const change: ConfigChange = {
      ...ADD,
      replica: { node: 3, path, meta: '' },
      listen: ['nonsense'],
    };
    const { changes } = agreedWith(NOTHING_AGREED, change);
    const [volume] = configWith(PAIR, changes).volumes;
    if (volume === undefined) throw new Error('it has one');
    newReplica({ volume, node: 3, path, parts: [], meta: '', side: '', sideBytes: 0 }, false);
    expect(await new HostConfig(PAIR, 3, folder(), null).prepare(1, changes, false)).not.toBe('');
  });
});
