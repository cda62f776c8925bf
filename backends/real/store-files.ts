/** The durable store's files in a real folder. */
import { mkdir, open, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreFiles } from './durable-store.ts';

/** Files in `folder`, which is made when missing (mode 700: its documents hold no secrets, but
 * whoever can write them can make this node break its promises). */
export async function folderFiles(folder: string): Promise<StoreFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const at = (name: string): string => join(folder, name);
  return {
    list: () => readdir(folder),
    read: (name) => readFile(at(name)),
    write: (name, bytes) => writeFile(at(name), bytes, { mode: 0o600 }),
    sync: (name) => syncPath(at(name), 'r+'),
    rename: (from, to) => rename(at(from), at(to)),
    remove: (name) => unlink(at(name)),
    syncFolder: () => syncPath(folder, 'r'),
  };
}

async function syncPath(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
