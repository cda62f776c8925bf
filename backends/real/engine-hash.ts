/** Which engine this is: a hash over its sources, which shows whether two timelines are of one. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Stands in a compiled engine's folder: the hash of the sources that it was compiled from. */
export const HASH_FILE = 'sources.hash';

const folder = fileURLToPath(new URL('../../engine', import.meta.url));
let known = '';

/** Sixteen hexadecimal digits; the same for a simulated run and for hosts of the same sources. */
export function engineHash(): string {
  if (known !== '') return known;
  const noted = join(folder, HASH_FILE);
  known = existsSync(noted) ? readFileSync(noted, 'utf8').trim() : hashOfSources(folder);
  return known;
}

/** Over the names and contents of all TypeScript below `of`, in the order of their names. */
export function hashOfSources(of: string): string {
  const hash = createHash('sha256');
  const entries = readdirSync(of, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, name: relative(of, path).split(sep).join('/') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { path, name } of paths) {
    const text = readFileSync(path);
    hash.update(`${name} ${text.length}\n`).update(text);
  }
  return hash.digest('hex').slice(0, 16);
}
