/**
 * One process per role and folder: an abstract Unix socket named after the folder's inode. The
 * kernel lets go of it the moment the process dies, however it dies, and two that start at the same
 * time cannot both get it; a lock file promises neither.
 *
 * It sees processes of this network namespace only. Replicas are guarded by a lock of their own
 * (backends/real/native.ts), so two hosts in different containers still cannot share one.
 */
import { mkdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { HostError, systemCode } from './failure.ts';

/** Held until `release`, or until the process ends. */
export interface DirectoryLock {
  release(): void;
}

/** Takes the lock of `role` ("monitor", "core") on `folder`. Throws HostError when it is held. */
export async function lockDirectory(folder: string, role: string): Promise<DirectoryLock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { dev, ino } = statSync(folder);
  const server = createServer((socket) => socket.destroy());
  try {
    await listen(server, `\0understudy:${role}:${dev}:${ino}`);
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE') throw error;
    throw new HostError(
      `the folder ${folder} is in use by another ${role} of this host`,
      'use the one that runs (understudy status), or stop it first',
    );
  }
  server.unref();
  return { release: () => server.close() };
}

/** Whether somebody holds the lock of `role` on `folder`. */
export async function isLocked(folder: string, role: string): Promise<boolean> {
  try {
    (await lockDirectory(folder, role)).release();
    return false;
  } catch (error) {
    if (error instanceof HostError) return true;
    throw error;
  }
}

function listen(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(name, resolve);
  });
}
