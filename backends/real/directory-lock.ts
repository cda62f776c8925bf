/**
 * One process per role and folder: an abstract Unix socket named after the folder's inode. The
 * kernel lets go of it the moment the process dies, however it dies, and two that start at the same
 * time cannot both get it; a lock file promises neither.
 *
 * It sees processes of this network namespace only. Replicas are guarded by a lock of their own
 * (backends/real/native.ts), so two hosts in different containers still cannot share one.
 */
import { mkdirSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { HostError, systemCode } from './failure.ts';

/** A process that was just killed may hold its lock a moment longer. */
const WAIT_MS = 1000;
const RETRY_MS = 20;

/** Held until `release`, or until the process ends. */
export interface DirectoryLock {
  release(): void;
}

/** Takes the lock of `role` ("monitor", "core") on `folder`. Throws HostError when it is held. */
export async function lockDirectory(folder: string, role: string): Promise<DirectoryLock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = socketName(folder, role);
  const end = performance.now() + WAIT_MS;
  let server = await listen(name);
  while (server === null) {
    if (performance.now() > end) {
      throw new HostError(
        `the folder ${folder} is in use by another ${role} of this host`,
        'use the one that runs (understudy status), or stop it first',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    server = await listen(name);
  }
  const held = server;
  held.unref();
  return { release: () => held.close() };
}

/**
 * Whether somebody holds the lock of `role` on `folder`. It only knocks: a look that took the lock
 * for a moment would have the process refuse that wants it just then.
 */
export function isLocked(folder: string, role: string): Promise<boolean> {
  const socket = connect(socketName(folder, role));
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      // Its queue may be full (EAGAIN): then there is somebody as well.
      if (systemCode(error) === 'ECONNREFUSED') resolve(false);
      else if (systemCode(error) === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

function socketName(folder: string, role: string): string {
  const { dev, ino } = statSync(folder);
  return `\0understudy:${role}:${dev}:${ino}`;
}

/** Null when the name is taken. */
function listen(name: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (systemCode(error) === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(name, () => resolve(server));
  });
}
