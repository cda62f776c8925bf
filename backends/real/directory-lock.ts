/**
 * One process per role and folder: an abstract Unix socket named after the folder's inode. The
 * kernel lets go of it the moment the process dies, however it dies, and two that start at the same
 * time cannot both get it; a lock file promises neither.
 *
 * It sees processes of this network namespace only, so a lock on a file stands beside it where the
 * addon is built. Replicas are guarded by a lock of their own (backends/real/native.ts).
 */
import { chmodSync, closeSync, mkdirSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { HostError, systemCode } from './failure.ts';
import { hasNative, loadNative } from './native.ts';

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
  makePrivate(folder);
  const name = socketName(folder, role);
  const end = performance.now() + WAIT_MS;
  for (;;) {
    const held = await take(name, join(folder, `${role}.lock`));
    if (held !== null) return held;
    if (performance.now() > end) {
      throw new HostError(
        `the folder ${folder} is in use by another ${role} of this host`,
        'use the one that runs (understudy status), or stop it first',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Null when somebody has the name, or in another network namespace the file. */
async function take(name: string, path: string): Promise<DirectoryLock | null> {
  const server = await listen(name);
  if (server === null) return null;
  // A witness runs without the addon.
  const file = hasNative() ? loadNative().lockFile(path) : null;
  if (file === -1) {
    server.close();
    return null;
  }
  server.unref();
  return {
    release: () => {
      if (file !== null) closeSync(file);
      server.close();
    },
  };
}

/** Keys, sockets and orders stand in the folder: it is nobody else's. Throws HostError. */
function makePrivate(folder: string): void {
  const { mode, uid } = statSync(folder);
  if ((mode & 0o077) === 0) return;
  // A folder that all may write, such as /tmp, was not made for us.
  if ((mode & 0o002) === 0 && uid === process.geteuid?.()) {
    chmodSync(folder, 0o700);
    return;
  }
  throw new HostError(
    `others may use the folder ${folder}`,
    'give this node a folder of its own that only its user can open (chmod 700)',
  );
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
      const code = systemCode(error);
      // Whoever died with our knock unanswered (ECONNRESET) holds nothing any more.
      if (code === 'ECONNREFUSED' || code === 'ECONNRESET') resolve(false);
      // Its queue is full: then there is somebody as well.
      else if (code === 'EAGAIN') resolve(true);
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
