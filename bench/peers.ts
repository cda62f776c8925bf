/**
 * The peers of the mirrored-write benchmark, from Debian's packages: nbdkit serving one copy, and
 * qemu-storage-daemon with its quorum driver over two copies, one of them behind a second daemon
 * and TCP, the closest stock synchronous mirror.
 */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepts, freePorts, type Running, start, stopAll, waitFor } from './process.ts';

function backingFile(folder: string, name: string, bytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  return path;
}

/** nbdkit with its file plugin: one copy, no mirror. */
export async function startNbdkit(folder: string, bytes: number): Promise<Running> {
  const socket = join(folder, 'nbdkit.sock');
  const file = backingFile(folder, 'nbdkit.img', bytes);
  const child = start('nbdkit', ['-f', '-U', socket, 'file', `file=${file}`]);
  await waitFor('nbdkit', () => accepts(socket));
  return {
    uri: `nbd+unix:///?socket=${socket}`,
    pids: [child.pid as number],
    stop: () => stopAll([child]),
  };
}

/** Two qemu-storage-daemons: quorum of a local file and an NBD export of the other one. */
export async function startQuorum(
  folder: string,
  bytes: number,
  cache: 'writeback' | 'direct',
): Promise<Running> {
  const direct = cache === 'direct' ? ',cache.direct=on' : '';
  const port = await freePorts(1);
  const remote = backingFile(folder, 'quorum-remote.img', bytes);
  const local = backingFile(folder, 'quorum-local.img', bytes);
  const socket = join(folder, 'quorum.sock');
  const second = start('qemu-storage-daemon', [
    '--blockdev',
    `driver=file,node-name=file,filename=${remote}${direct}`,
    '--nbd-server',
    `addr.type=inet,addr.host=127.0.0.1,addr.port=${port}`,
    '--export',
    'type=nbd,id=export,node-name=file,name=remote,writable=on',
  ]);
  await waitFor('the second qemu-storage-daemon', () => accepts(port));
  const first = start('qemu-storage-daemon', [
    '--blockdev',
    `driver=file,node-name=local,filename=${local}${direct}`,
    '--blockdev',
    `driver=nbd,node-name=remote,server.type=inet,server.host=127.0.0.1,server.port=${port},` +
      'export=remote',
    '--blockdev',
    'driver=quorum,node-name=mirror,vote-threshold=2,children.0=local,children.1=remote',
    '--nbd-server',
    `addr.type=unix,addr.path=${socket}`,
    '--export',
    'type=nbd,id=export,node-name=mirror,name=data,writable=on',
  ]);
  await waitFor('the first qemu-storage-daemon', () => accepts(socket));
  return {
    uri: `nbd+unix:///data?socket=${socket}`,
    pids: [first.pid as number, second.pid as number],
    stop: () => stopAll([first, second]),
  };
}
