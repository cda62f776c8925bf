/**
 * How large a volume is in a configuration file, and its parts: what its `size:`, `room:` or
 * `parts:`, `path:` or `paths:`
 * come to, and what the schema cannot say of them because it depends on one another.
 */
import { resolve } from 'node:path';
import type { VolumeConfig } from '../../engine/core/config.ts';
import type { ConfigFile } from './schema.ts';
import { parseSize } from './units.ts';

type VolumeFile = ConfigFile['volumes'][string];

/** A problem of a field, given by its names. */
export type SayField = (path: readonly (string | number)[], reason: string, remedy: string) => void;

/** How large a volume is, and of which parts if any. */
export function sizeOf(
  name: string,
  { size, room, parts }: VolumeFile,
  say: SayField,
): Pick<VolumeConfig, 'sizeBytes' | 'servedBytes' | 'parts'> {
  const at = ['volumes', name];
  if (parts === undefined) {
    if (size === undefined) {
      say(at, 'this volume has no size', 'give it a size:, or several parts: with one each');
    }
    const servedBytes = size === undefined ? 0 : (parseSize(size) as number);
    const sizeBytes = room === undefined ? servedBytes : (parseSize(room) as number);
    // Absent where clients see all: a file without room: means what it always did.
    return sizeBytes === servedBytes ? { sizeBytes } : { sizeBytes, servedBytes };
  }
  if (room !== undefined) {
    const reason = 'a volume in parts has no room to grow: its parts stand one behind the other';
    say([...at, 'room'], reason, 'leave out room: here');
  }
  if (size !== undefined) {
    say([...at, 'size'], 'the volume has parts, which have sizes', 'leave out size: here');
  }
  const list = parts.map((part) => {
    return { name: part.name, sizeBytes: parseSize(part.size) as number };
  });
  return { sizeBytes: list.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), parts: list };
}

/** Where a replica's data stand: `path` is that of the last part. */
export function pathsOf(
  at: readonly (string | number)[],
  { parts }: VolumeFile,
  { path, paths }: VolumeFile['replicas'][string],
  folder: string,
  say: SayField,
): { readonly path: string; readonly parts?: readonly string[] } {
  if (parts === undefined) {
    if (paths !== undefined) {
      say([...at, 'paths'], 'the volume has no parts', 'give the replica one path:');
    } else if (path === undefined) {
      say(at, 'this replica has no path', 'give it a path: to a file or block device');
    }
    return { path: path === undefined ? '' : resolve(folder, path) };
  }
  const names = parts.map(({ name }) => name).join(', ');
  const remedy = `give it paths: with one path for each of ${names}`;
  if (path !== undefined) say([...at, 'path'], 'the volume has several parts', remedy);
  if (paths === undefined) {
    say(at, 'this replica has no paths', remedy);
    return { path: '' };
  }
  for (const name of Object.keys(paths)) {
    if (parts.some((part) => part.name === name)) continue;
    say([...at, 'paths', name], `the volume has no part "${name}"`, `use one of: ${names}`);
  }
  const list = parts.map(({ name }) => {
    // A part may be named as what every object has from the start.
    const own = Object.hasOwn(paths, name) ? paths[name] : undefined;
    if (own !== undefined) return resolve(folder, own);
    say([...at, 'paths'], `the path of part "${name}" is missing`, remedy);
    return '';
  });
  return { path: list.at(-1) ?? '', parts: list };
}
