/**
 * Makes replicas on files and block devices: new ones as a hole with formatted metadata, and ones
 * over data that are there. Nothing here may run beside a node that uses the replica.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { HostError, systemCode } from '../backends/real/failure.ts';
import { mirrorConfig } from '../backends/real/mirror-config.ts';
import { deviceBytes } from '../backends/real/replica-check.ts';
import type { VolumeConfig } from '../engine/core/config.ts';
import type { Generation, NodeId } from '../engine/core/units.ts';
import { PAGE_BYTES } from '../engine/data/abi.ts';
import {
  decodeSuperblock,
  formatMetadata,
  type InitialState,
  metadataLayout,
  metadataPages,
} from '../engine/mirror/metadata.ts';

/** Which replica, and where it stands; `meta` is '' when its metadata stands behind the data. */
export interface ReplicaTarget {
  readonly volume: VolumeConfig;
  readonly node: NodeId;
  readonly path: string;
  readonly meta: string;
}

/** What is at a path: opened for writing, with its size. */
interface Place {
  readonly fd: number;
  readonly path: string;
  readonly isFile: boolean;
  readonly bytes: number;
  readonly isNew: boolean;
}

/**
 * Creates `path` for `node`'s replica of `volume`, in sync at `generation`. The file must not
 * exist. Durable when it returns.
 */
export function formatReplica(
  volume: VolumeConfig,
  node: NodeId,
  path: string,
  generation: Generation,
): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    ftruncateSync(file, dataBytesOf(volume) + metaBytesOf(volume));
    writeMetadata(file, dataBytesOf(volume), volume, node, generation, 'UpToDate');
  } finally {
    closeSync(file);
  }
}

/**
 * An empty replica, to be filled by the other one. Makes files that are missing; an old replica is
 * written over only when `overwrite` says so. Durable when it returns. Throws HostError.
 */
export function newReplica(target: ReplicaTarget, overwrite: boolean): void {
  const { volume, node, path, meta } = target;
  const [dataBytes, metaBytes] = [dataBytesOf(volume), metaBytesOf(volume)];
  const wanted = meta === '' ? dataBytes + metaBytes : volume.sizeBytes;
  within([path, ...(meta === '' ? [] : [meta])], true, (places) => {
    const [data, apart] = places as [Place, Place | undefined];
    const [holder, base] = apart === undefined ? [data, dataBytes] : [apart, 0];
    checkSize(data, wanted);
    if (apart !== undefined) checkSize(apart, metaBytes);
    if (!overwrite && !holder.isNew && hasMetadata(holder, base, target)) {
      throw new HostError(
        `${holder.path} holds a replica already`,
        'check that it is the one to be given up, then say --overwrite',
      );
    }
    if (data.isNew) ftruncateSync(data.fd, wanted);
    if (apart?.isNew === true) ftruncateSync(apart.fd, metaBytes);
    writeMetadata(holder.fd, base, volume, node, 0, 'Inconsistent');
    if (apart !== undefined) fsyncSync(data.fd);
  });
}

/**
 * A replica over data that are there, in sync at `generation`. Durable when it returns. Throws
 * HostError, and has changed nothing then.
 */
export function adoptReplica(target: ReplicaTarget, generation: Generation): void {
  const { volume, node, path, meta } = target;
  const [dataBytes, metaBytes] = [dataBytesOf(volume), metaBytesOf(volume)];
  within([path], false, (places) => {
    const [data] = places as [Place];
    if (meta === '') {
      const kept = data.isFile ? volume.sizeBytes : dataBytes + metaBytes;
      if (hasMetadata(data, dataBytes, target)) throw adoptedAlready(data);
      checkSize(data, kept);
      if (data.isFile) ftruncateSync(data.fd, dataBytes + metaBytes);
      writeMetadata(data.fd, dataBytes, volume, node, generation, 'UpToDate');
      return;
    }
    checkSize(data, volume.sizeBytes);
    within([meta], true, (others) => {
      const [apart] = others as [Place];
      if (!apart.isNew && hasMetadata(apart, 0, target)) throw adoptedAlready(apart);
      checkSize(apart, metaBytes);
      if (apart.isNew) ftruncateSync(apart.fd, metaBytes);
      writeMetadata(apart.fd, 0, volume, node, generation, 'UpToDate');
    });
  });
}

function dataBytesOf(volume: VolumeConfig): number {
  return Math.ceil(volume.sizeBytes / PAGE_BYTES) * PAGE_BYTES;
}

function metaBytesOf(volume: VolumeConfig): number {
  return metadataPages(mirrorConfig(volume)) * PAGE_BYTES;
}

function writeMetadata(
  file: number,
  base: number,
  volume: VolumeConfig,
  node: NodeId,
  generation: Generation,
  state: InitialState,
): void {
  const device = randomBytes(16).toString('hex');
  const pages = formatMetadata(mirrorConfig(volume), node, generation, state, device);
  for (const { page, bytes } of pages) {
    writeSync(file, bytes, 0, bytes.length, base + page * PAGE_BYTES);
  }
  fsyncSync(file);
}

/** Opens all, or none; what was made and not finished is removed again. */
function within(
  paths: readonly string[],
  mayMake: boolean,
  use: (places: readonly Place[]) => void,
): void {
  const places: Place[] = [];
  let done = false;
  try {
    for (const path of paths) places.push(openPlace(path, mayMake));
    use(places);
    done = true;
  } finally {
    for (const { fd, path, isNew } of places) {
      closeSync(fd);
      if (isNew && !done) rmSync(path);
    }
  }
}

function openPlace(path: string, mayMake: boolean): Place {
  try {
    const fd = openSync(path, 'r+');
    const status = fstatSync(fd);
    const isFile = status.isFile();
    const bytes = isFile ? status.size : (deviceBytes(status.rdev) ?? Number.POSITIVE_INFINITY);
    if (isFile || status.isBlockDevice()) return { fd, path, isFile, bytes, isNew: false };
    closeSync(fd);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' && mayMake) return makeFile(path);
    throw new HostError(
      code === 'ENOENT' ? `${path} does not exist` : `${path} cannot be opened (${code})`,
      'correct path: and meta: in the configuration, or let this user write there',
    );
  }
  throw new HostError(
    `${path} is neither a file nor a block device`,
    'correct path: and meta: in the configuration',
  );
}

function makeFile(path: string): Place {
  try {
    return { fd: openSync(path, 'wx+', 0o600), path, isFile: true, bytes: 0, isNew: true };
  } catch (error) {
    throw new HostError(
      `${path} cannot be made (${systemCode(error)})`,
      'make its folder, and let this user write there',
    );
  }
}

/** Whether a superblock of any volume or node stands where this volume's would. */
function hasMetadata({ fd, bytes }: Place, base: number, { volume, node }: ReplicaTarget): boolean {
  const config = mirrorConfig(volume);
  const { slotA, slotB } = metadataLayout(config);
  return [slotA, slotB].some((at) => {
    const page = new Uint8Array(PAGE_BYTES);
    const from = base + at * PAGE_BYTES;
    if (bytes < from + PAGE_BYTES || readSync(fd, page, 0, PAGE_BYTES, from) < PAGE_BYTES) {
      return false;
    }
    const found = decodeSuperblock(config, node, at, page);
    return found.ok || found.fault !== 'unreadable';
  });
}

/** A file that is there must have its size; a device may have more. */
function checkSize(place: Place, wanted: number): void {
  if (place.isNew) return;
  if (place.isFile ? place.bytes !== wanted : place.bytes < wanted) throw wrongSize(place, wanted);
}

function wrongSize({ path, bytes }: Place, wanted: number): HostError {
  return new HostError(
    `${path} has ${bytes} bytes, and ${wanted} are needed`,
    'correct size: or path: in the configuration',
  );
}

function adoptedAlready({ path }: Place): HostError {
  return new HostError(
    `${path} holds a replica already`,
    'nothing needs to be adopted; to give it up, make a new one with --overwrite',
  );
}
