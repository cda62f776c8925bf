/**
 * Judges the parts of a volume in a configuration: what would let two of them be one disk or one
 * export, or a request of the engine have a place in both. Codes and parameters only.
 */
import type { VolumeConfig } from '../core/config.ts';
import { EXTENT_BYTES } from '../core/units.ts';
import { PARTS_MAX } from '../mirror/part-label.ts';

const PARTS_MIN = 2;
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,31}$/;

/** Says one problem; `path` is that of the configuration. */
type Say = (
  path: readonly (string | number)[],
  code: string,
  params?: { readonly [name: string]: number | string },
) => void;

/** `path` is the volume's. */
export function checkParts(
  { parts, sizeBytes, replicas }: VolumeConfig,
  path: readonly (string | number)[],
  say: Say,
): void {
  if (parts !== undefined) {
    if (parts.length < PARTS_MIN || parts.length > PARTS_MAX) {
      const params = { parts: parts.length, least: PARTS_MIN, most: PARTS_MAX };
      say([...path, 'parts'], 'part-count', params);
    }
    const names = new Set<string>();
    parts.forEach((part, i) => {
      const at = [...path, 'parts', i];
      if (!NAME.test(part.name)) say([...at, 'name'], 'bad-part-name', { name: part.name });
      if (names.has(part.name)) say([...at, 'name'], 'duplicate-part', { name: part.name });
      names.add(part.name);
      const whole = Number.isSafeInteger(part.sizeBytes) && part.sizeBytes % EXTENT_BYTES === 0;
      if (!whole || part.sizeBytes < EXTENT_BYTES) {
        say([...at, 'sizeBytes'], 'bad-part-size', { size: part.sizeBytes, part: part.name });
      }
    });
    const sum = parts.reduce((all, part) => all + part.sizeBytes, 0);
    if (sum !== sizeBytes) say([...path, 'sizeBytes'], 'parts-sum', { size: sizeBytes, sum });
  }
  replicas.forEach(({ parts: paths, path: last, node }, j) => {
    const at = [...path, 'replicas', j, 'parts'];
    const wanted = parts?.length ?? 0;
    if ((paths?.length ?? 0) !== wanted) {
      say(at, 'part-paths', { node, paths: paths?.length ?? 0, parts: wanted });
    } else if (paths !== undefined && paths.at(-1) !== last) {
      say(at, 'part-paths', { node, paths: paths.length, parts: wanted });
    }
    paths?.forEach((file, p) => {
      if (file === '') say([...at, p], 'empty-path', {});
    });
  });
}
