/** Whether the way to a replica is lost, before anything is made of what is read there. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { ReplicaConfig, VolumeConfig } from '../../engine/core/config.ts';
import type { DataReport } from '../../engine/data/messages.ts';
import { systemCode } from './failure.ts';

/** The names of what engine/mirror/path.ts knows as numbers. */
const LOST: ReadonlySet<string> = new Set([
  'ENXIO',
  'ENODEV',
  'ENOLINK',
  'ECONNABORTED',
  'ENOTCONN',
  'ETIMEDOUT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
]);
const PROBE_BYTES = 512;

/**
 * Why nothing of the replica can be reached now, '' where it can, or where something else is wrong.
 * A device that has no name yet, or none any more, is one whose path is lost: at the start of a
 * machine sessions of its network disks may come later than we do. A file that is not there is not.
 */
export function lostPath({ path, meta, side = '' }: ReplicaConfig): string {
  for (const each of [path, meta, side]) {
    if (each === '') continue;
    try {
      const file = openSync(each, 'r');
      try {
        readSync(file, new Uint8Array(PROBE_BYTES), 0, PROBE_BYTES, 0);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      const code = systemCode(error);
      const unnamed = code === 'ENOENT' && each.startsWith('/dev/');
      if (unnamed || LOST.has(code)) return `${each}: ${code}`;
    }
  }
  return '';
}

/** What a data actor would say of a replica that it cannot reach. */
export function unreachable({ name }: VolumeConfig): readonly DataReport[] {
  const none = { generation: 0, epoch: 0, hot: false, doubted: false } as const;
  const idle = { role: 'Idle', epoch: 0, link: 'Connecting', dirty: 0, pending: 0 } as const;
  return [
    { kind: 'attached', volume: name, disk: 'Failed', ...none },
    { kind: 'state', volume: name, disk: 'Failed', ...idle, pathLost: true },
  ];
}
