/** Whether a device or file system has room for what a replica is to become; nothing is touched. */
import {
  closeSync,
  ftruncateSync,
  openSync,
  rmSync,
  type Stats,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from './failure.ts';
import { deviceBytes } from './replica-read.ts';

/**
 * Why `path` cannot become so many bytes long, of which `written` are written at once; '' where it
 * can, as far as can be told. What clients write later finds room or not, as on any sparse file.
 */
export function roomLacking(path: string, wanted: number, written: number): string {
  const status = statSync(path);
  if (status.isBlockDevice()) return deviceLacks(path, status, wanted);
  if (!status.isFile()) return '';
  const folder = dirname(path);
  const { bavail, bsize } = statfsSync(folder);
  if (status.size < wanted && bavail * bsize < written) {
    return `${folder} has ${bavail * bsize} bytes left, and ${written} are needed for metadata`;
  }
  return status.size < wanted ? fileLacks(folder, wanted) : '';
}

function deviceLacks(path: string, { rdev }: Stats, wanted: number): string {
  const there = deviceBytes(rdev) ?? wanted;
  if (there >= wanted) return '';
  return `${path} has ${there} bytes, and ${wanted} are needed for data and metadata`;
}

/** How long a file may be depends on the file system: it is tried with an empty one beside it. */
function fileLacks(folder: string, wanted: number): string {
  const probe = join(folder, `.understudy-room-${process.pid}`);
  try {
    const fd = openSync(probe, 'w', 0o600);
    try {
      ftruncateSync(fd, wanted);
    } finally {
      closeSync(fd);
    }
    return '';
  } catch (error) {
    const code = systemCode(error);
    if (code === '') throw error;
    return `no file in ${folder} can have ${wanted} bytes (${code})`;
  } finally {
    rmSync(probe, { force: true });
  }
}
