/**
 * Makes replicas on files and block devices: new ones as a hole with formatted metadata, and ones
 * over data that are there. Nothing here may run beside a node that uses the replica.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { HostError, systemCode } from '../backends/real/failure.ts';
import { mirrorConfig } from '../backends/real/mirror-config.ts';
import { hasNative, loadNative } from '../backends/real/native.ts';
import { deviceBytes } from '../backends/real/replica-read.ts';
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

/**
 * Which replica, and where it stands; `meta` is '' when its metadata stands behind the data, and
 * `side` when its side area, if it has one, stands behind the metadata.
 */
export interface ReplicaTarget {
  readonly volume: VolumeConfig;
  readonly node: NodeId;
  readonly path: string;
  readonly meta: string;
  readonly side: string;
  readonly sideBytes: number;
}

/** How much is looked at, at either end and at a time. */
const LOOK_BYTES = 1 << 20;

/** What is at a path: opened for writing, with its size. */
interface Place {
  readonly fd: number;
  readonly path: string;
  readonly isFile: boolean;
  readonly bytes: number;
  readonly isNew: boolean;
  /** Descriptor that holds the lock which a running node would have; -1 without the addon. */
  readonly lock: number;
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
  const fd = openSync(path, 'wx', 0o600);
  try {
    const { side = '', sideBytes = 0 } = volume.replicas.find((each) => each.node === node) ?? {};
    const target = { volume, node, path, meta: '', side, sideBytes };
    ftruncateSync(fd, dataBytesOf(volume) + metaBytesOf(target));
    const place = { fd, path, isFile: true, bytes: 0, isNew: true, lock: -1 };
    makeSide(target);
    writeMetadata(place, dataBytesOf(volume), target, generation, 'UpToDate');
  } finally {
    closeSync(fd);
  }
}

/**
 * An empty replica, to be filled by the other one. Makes files that are missing. What is there must
 * be blank where that can be told, or `overwrite` says that it may go; what belongs to another node
 * or volume is never written over. Durable when it returns. Throws HostError, and has changed
 * nothing then.
 */
export function newReplica(target: ReplicaTarget, overwrite: boolean): void {
  const { volume, path, meta } = target;
  const [dataBytes, metaBytes] = [dataBytesOf(volume), metaBytesOf(target)];
  const wanted = meta === '' ? dataBytes + metaBytes : volume.sizeBytes;
  within([path, ...(meta === '' ? [] : [meta])], true, (places) => {
    const [data, apart] = places as [Place, Place | undefined];
    const [holder, base] = apart === undefined ? [data, dataBytes] : [apart, 0];
    checkSize(data, wanted);
    if (apart !== undefined) checkSize(apart, metaBytes);
    const owner = ownerOf(holder, base, target);
    if (owner === 'another') throw belongsToAnother(holder);
    if (owner === 'this' && !overwrite) throw holdsReplica(holder);
    if (!overwrite) for (const place of places) mustBeBlank(place);
    if (!overwrite && !isBlank(holder, base, metaBytes)) throw holdsData(holder);
    makeSide(target);
    if (data.isNew) ftruncateSync(data.fd, wanted);
    if (apart?.isNew === true) ftruncateSync(apart.fd, metaBytes);
    writeMetadata(holder, base, target, 0, 'Inconsistent');
    if (apart !== undefined) fsyncSync(data.fd);
  });
}

/**
 * A replica over data that are there, in sync at `generation`. Nothing but zeroes may stand where
 * its metadata goes. Durable when it returns. Throws HostError, and has changed nothing then.
 */
export function adoptReplica(target: ReplicaTarget, generation: Generation): void {
  const { volume, path, meta } = target;
  const [dataBytes, metaBytes] = [dataBytesOf(volume), metaBytesOf(target)];
  const write = (place: Place, base: number): void => {
    const owner = ownerOf(place, base, target);
    if (owner === 'another') throw belongsToAnother(place);
    if (owner === 'this') throw adoptedAlready(place);
    if (!isBlank(place, base, metaBytes)) throw noRoom(place, base);
    makeSide(target);
    writeMetadata(place, base, target, generation, 'UpToDate');
  };
  within([path], false, (places) => {
    const [data] = places as [Place];
    if (meta === '') {
      const owner = ownerOf(data, dataBytes, target);
      if (owner !== 'nobody')
        throw owner === 'this' ? adoptedAlready(data) : belongsToAnother(data);
      if (data.isFile && data.bytes === dataBytes + metaBytes)
        throw cutShort(data, volume.sizeBytes);
      checkSize(data, data.isFile ? volume.sizeBytes : dataBytes + metaBytes);
      if (data.isFile) ftruncateSync(data.fd, dataBytes + metaBytes);
      try {
        write(data, dataBytes);
      } catch (error) {
        if (data.isFile) ftruncateSync(data.fd, data.bytes);
        throw error;
      }
      return;
    }
    checkSize(data, volume.sizeBytes);
    within([meta], true, (others) => {
      const [apart] = others as [Place];
      checkSize(apart, metaBytes);
      if (apart.isNew) ftruncateSync(apart.fd, metaBytes);
      write(apart, 0);
    });
  });
}

function dataBytesOf(volume: VolumeConfig): number {
  return Math.ceil(volume.sizeBytes / PAGE_BYTES) * PAGE_BYTES;
}

/** What stands behind the data, or in a file of its own: the side area with it, unless apart. */
function metaBytesOf({ volume, side, sideBytes }: ReplicaTarget): number {
  return metadataPages(mirrorConfig(volume)) * PAGE_BYTES + (side === '' ? sideBytes : 0);
}

/** A side area that stands apart: a missing file is made, what is there must have its size. */
function makeSide({ side, sideBytes }: ReplicaTarget): void {
  if (side === '') return;
  within([side], true, (places) => {
    const [place] = places as [Place];
    checkSize(place, sideBytes);
    if (place.isNew) ftruncateSync(place.fd, sideBytes);
    fsyncSync(place.fd);
  });
}

/** The superblocks last: a replica whose metadata were not written to the end is none. */
function writeMetadata(
  { fd, path }: Place,
  base: number,
  { volume, node }: ReplicaTarget,
  generation: Generation,
  state: InitialState,
): void {
  const device = randomBytes(16).toString('hex');
  try {
    for (const { page, bytes } of formatMetadata(
      mirrorConfig(volume),
      node,
      generation,
      state,
      device,
    )) {
      let done = 0;
      while (done < bytes.length) {
        done += writeSync(fd, bytes, done, bytes.length - done, base + page * PAGE_BYTES + done);
      }
    }
    fsyncSync(fd);
  } catch (error) {
    throw new HostError(
      `${path} cannot be written (${systemCode(error)})`,
      'make room there, or look after its disk',
    );
  }
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
    for (const { fd, path, isNew, lock } of places) {
      closeSync(fd);
      if (lock >= 0) closeSync(lock);
      if (isNew && !done) rmSync(path);
    }
  }
}

function openPlace(path: string, mayMake: boolean): Place {
  let fd: number;
  try {
    // On a device, O_EXCL is refused while it is mounted or anybody else holds it so.
    const isDevice = statSync(path).isBlockDevice();
    fd = openSync(path, constants.O_RDWR | (isDevice ? constants.O_EXCL : 0));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' && mayMake) return makeFile(path);
    if (code === 'EBUSY') throw inUse(path);
    throw new HostError(
      code === 'ENOENT' ? `${path} does not exist` : `${path} cannot be opened (${code})`,
      'correct path: and meta: in the configuration, or let this user write there',
    );
  }
  const status = fstatSync(fd);
  const isFile = status.isFile();
  const lock = isFile || status.isBlockDevice() ? lockOf(path) : -1;
  if (lock !== null && (isFile || status.isBlockDevice())) {
    const bytes = isFile ? status.size : (deviceBytes(status.rdev) ?? Number.POSITIVE_INFINITY);
    return { fd, path, isFile, bytes, isNew: false, lock };
  }
  closeSync(fd);
  if (lock === null) throw inUse(path);
  throw new HostError(
    `${path} is neither a file nor a block device`,
    'correct path: and meta: in the configuration',
  );
}

/** The lock under which a node uses a replica; null while somebody has it. */
function lockOf(path: string): number | null {
  if (!hasNative()) return -1;
  const lock = loadNative().lockFile(path);
  return lock < 0 ? null : lock;
}

function makeFile(path: string): Place {
  try {
    const fd = openSync(path, 'wx+', 0o600);
    return { fd, path, isFile: true, bytes: 0, isNew: true, lock: -1 };
  } catch (error) {
    throw new HostError(
      `${path} cannot be made (${systemCode(error)})`,
      'make its folder, and let this user write there',
    );
  }
}

/** Whose superblock stands where this replica's would. */
function ownerOf(
  { fd, bytes }: Place,
  base: number,
  { volume, node }: ReplicaTarget,
): 'nobody' | 'this' | 'another' {
  const config = mirrorConfig(volume);
  const { slotA, slotB } = metadataLayout(config);
  const found = [slotA, slotB].map((at) => {
    const page = new Uint8Array(PAGE_BYTES);
    const from = base + at * PAGE_BYTES;
    if (bytes < from + PAGE_BYTES || readSync(fd, page, 0, PAGE_BYTES, from) < PAGE_BYTES) {
      return 'unreadable';
    }
    const read = decodeSuperblock(config, node, at, page);
    return read.ok ? 'ok' : read.fault;
  });
  if (found.some((fault) => fault === 'other-node' || fault === 'other-volume')) return 'another';
  return found.every((fault) => fault === 'unreadable') ? 'nobody' : 'this';
}

/** Whether [from, from+length) holds nothing but zeroes, as far as it is there. */
function isBlank({ fd, bytes }: Place, from: number, length: number): boolean {
  const end = Math.min(from + length, bytes);
  const chunk = Buffer.alloc(Math.min(LOOK_BYTES, Math.max(0, end - from)));
  for (let at = from; at < end; at += chunk.length) {
    const got = readSync(fd, chunk, 0, Math.min(chunk.length, end - at), at);
    if (got === 0) return true;
    if (!chunk.subarray(0, got).every((byte) => byte === 0)) return false;
  }
  return true;
}

/** File systems, tables and replicas of another size show at the beginning or at the end. */
function mustBeBlank(place: Place): void {
  if (place.isNew) return;
  const { bytes } = place;
  const tail = Number.isFinite(bytes) ? Math.max(0, bytes - LOOK_BYTES) : 0;
  if (!isBlank(place, 0, LOOK_BYTES) || !isBlank(place, tail, LOOK_BYTES)) throw holdsData(place);
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

function holdsReplica({ path }: Place): HostError {
  return new HostError(
    `${path} holds a replica already`,
    'check that it is the one to be given up, then say --overwrite',
  );
}

function belongsToAnother({ path }: Place): HostError {
  return new HostError(
    `${path} holds a replica of another node or volume`,
    'correct path: or --name; if it is really to be given up, clear it by hand first',
  );
}

function holdsData({ path }: Place): HostError {
  return new HostError(
    `${path} is not empty`,
    'check that what it holds is to be given up, then say --overwrite; to keep it: replica adopt',
  );
}

function noRoom({ path }: Place, base: number): HostError {
  return new HostError(
    `${path} is not empty behind byte ${base}, where the metadata would stand`,
    'make what is on it smaller, and size: with it, or name another place with meta:',
  );
}

function cutShort({ path, bytes }: Place, wanted: number): HostError {
  return new HostError(
    `${path} has ${bytes} bytes, room for metadata included, and no metadata`,
    `if an adoption was cut short, cut the file back first: truncate -s ${wanted} ${path}`,
  );
}

function inUse(path: string): HostError {
  return new HostError(
    `${path} is in use (mounted, or held by a running node or another program)`,
    'stop what uses it first; nothing was changed',
  );
}
