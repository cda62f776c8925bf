/**
 * Makes replicas on files and block devices: new ones as a hole with formatted metadata, and ones
 * over data that are there. The data of a volume in parts stand on several, each with a label
 * behind what it has. Nothing here may run beside a node that uses the replica.
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
import { dataEnd, LABEL_BYTES, labelOf, replicaParts } from '../backends/real/replica-parts.ts';
import { deviceBytes } from '../backends/real/replica-read.ts';
import type { PartConfig, VolumeConfig } from '../engine/core/config.ts';
import type { Generation, NodeId } from '../engine/core/units.ts';
import { PAGE_BYTES } from '../engine/data/abi.ts';
import { formatMetadata, type InitialState, metadataPages } from '../engine/mirror/metadata.ts';
import { encodeLabel, LABEL_PAGES } from '../engine/mirror/part-label.ts';
import {
  keepsBranchThere,
  type OpenDisk,
  type Owner,
  ownerOfDisk,
  ownerOfMetadata,
} from './replica-owner.ts';

/**
 * Which replica, and where it stands; `meta` is '' when its metadata stands behind the data, and
 * `side` when its side area, if it has one, stands behind the metadata. `parts` are the disks of a
 * volume in parts, `path` the last of them; none of any other.
 */
export interface ReplicaTarget {
  readonly volume: VolumeConfig;
  readonly node: NodeId;
  readonly path: string;
  readonly parts: readonly string[];
  readonly meta: string;
  readonly side: string;
  readonly sideBytes: number;
}

/** How much is looked at, at either end and at a time. */
const LOOK_BYTES = 1 << 20;

/** What is at a path: opened for writing, with its size. */
interface Place extends OpenDisk {
  readonly isFile: boolean;
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
    const target = { volume, node, path, parts: [], meta: '', side, sideBytes };
    ftruncateSync(fd, dataEnd(volume) + metaBytesOf(target));
    const place = { fd, path, isFile: true, bytes: 0, isNew: true, lock: -1 };
    makeSide(target);
    writeMetadata(place, dataEnd(volume), target, newDevice(), generation, 'UpToDate');
  } finally {
    closeSync(fd);
  }
}

/**
 * An empty replica, to be filled by the other one. Makes files that are missing. What is there must
 * be blank where that can be told, or `overwrite` says that it may go; a branch that was given up
 * and is kept there only where that is to be dropped as well; what belongs to another node or
 * volume is never written over. True when a branch was there, which is lost then. Durable when it
 * returns. Throws HostError, and has changed nothing then, unless a disk could not be written: the
 * files that it made for the data and the metadata are gone again, but labels and metadata of those
 * that were there may be written in part. Who mends the disk has to make the replica again, with
 * `overwrite`.
 */
export function newReplica(
  target: ReplicaTarget,
  overwrite: boolean,
  branch: 'spare' | 'drop' = 'spare',
): boolean {
  let hadBranch = false;
  const { volume, meta } = target;
  const metaBytes = metaBytesOf(target);
  const disks = dataDisks(target, metaBytes);
  const paths = disks.map(({ path }) => path);
  within([...paths, ...(meta === '' ? [] : [meta])], always, (places) => {
    const data = places.slice(0, disks.length);
    const apart = places[disks.length];
    const { holder, base } = metaPlace(target, places);
    for (const [i, place] of data.entries()) checkSize(place, disks[i]?.wanted ?? 0);
    if (apart !== undefined) checkSize(apart, metaBytes);
    const owners = diskOwners(target, data);
    if (apart !== undefined) owners.push(ownerOfMetadata(apart, 0, target));
    const another = owners.indexOf('another');
    if (another >= 0) throw belongsToAnother(places[another] as Place);
    if (!overwrite) {
      const own = owners.indexOf('this');
      if (own >= 0) throw holdsReplica(places[own] as Place);
      for (const place of data) if (isExchanged(place, target)) throw holdsReplica(place);
      for (const place of places) mustBeBlank(place);
      volume.parts?.forEach(({ sizeBytes }, i) => {
        const place = data[i] as Place;
        if (!isBlank(place, sizeBytes, LABEL_BYTES)) throw holdsData(place);
      });
      if (!isBlank(holder, base, metaBytes)) throw holdsData(holder);
    }
    for (const [i, place] of places.entries()) {
      const { sizeBytes } = volume.parts?.[i] ?? volume;
      if (!keepsBranchThere(place, sizeBytes, target)) continue;
      if (branch === 'spare') throw holdsBranch(place);
      hadBranch = true;
    }
    makeSide(target);
    data.forEach(({ isNew, fd }, i) => {
      if (isNew) ftruncateSync(fd, disks[i]?.wanted ?? 0);
    });
    if (apart?.isNew === true) ftruncateSync(apart.fd, metaBytes);
    const device = newDevice();
    writeLabels(target, data, device);
    writeMetadata(holder, base, target, device, 0, 'Inconsistent');
    for (const { fd } of data) fsyncSync(fd);
  });
  return hadBranch;
}

/**
 * A replica over data that are there, in sync at `generation`. Nothing but zeroes may stand where
 * its metadata goes. Durable when it returns. Throws HostError, and has changed nothing then,
 * unless a disk could not be written: files of data have their old size again, but on a device
 * labels and metadata may be written in part behind the data, which are as they were.
 */
export function adoptReplica(target: ReplicaTarget, generation: Generation): void {
  if (target.parts.length > 0) {
    adoptParts(target, generation);
    return;
  }
  const { volume, path, meta } = target;
  const [dataBytes, metaBytes] = [dataEnd(volume), metaBytesOf(target)];
  const write = (place: Place, base: number): void => {
    mayBecome(place, base, metaBytes, target);
    makeSide(target);
    writeMetadata(place, base, target, newDevice(), generation, 'UpToDate');
  };
  within([path], never, (places) => {
    const [data] = places as [Place];
    const owner = ownerOfDisk(data, volume.sizeBytes, target);
    if (owner === 'another') throw belongsToAnother(data);
    if (meta === '') {
      if (owner === 'this') throw adoptedAlready(data);
      if (data.isFile && data.bytes === dataBytes + metaBytes)
        throw cutShort(data, volume.sizeBytes);
      if (!isAsServed(data, volume)) {
        checkSize(data, data.isFile ? volume.sizeBytes : dataBytes + metaBytes);
      }
      if (data.isFile) ftruncateSync(data.fd, dataBytes + metaBytes);
      try {
        write(data, dataBytes);
      } catch (error) {
        if (data.isFile) ftruncateSync(data.fd, data.bytes);
        throw error;
      }
      return;
    }
    const lengthens = isAsServed(data, volume);
    if (!lengthens) checkSize(data, volume.sizeBytes);
    within([meta], always, (others) => {
      const [apart] = others as [Place];
      checkSize(apart, metaBytes);
      if (lengthens) {
        ftruncateSync(data.fd, volume.sizeBytes);
        fsyncSync(data.fd);
      }
      try {
        if (apart.isNew) ftruncateSync(apart.fd, metaBytes);
        write(apart, 0);
      } catch (error) {
        if (lengthens) ftruncateSync(data.fd, data.bytes);
        throw error;
      }
    });
  });
}

/** Whether it is a file that has what clients see, and nothing yet of the room behind that. */
function isAsServed({ isFile, bytes }: Place, volume: VolumeConfig): boolean {
  return isFile && volume.servedBytes !== undefined && bytes === volume.servedBytes;
}

/**
 * The same of several disks. Which of them is which part nobody but the configuration can tell,
 * this once: from now on each says it itself.
 */
function adoptParts(target: ReplicaTarget, generation: Generation): void {
  const { volume, meta } = target;
  const metaBytes = metaBytesOf(target);
  const disks = dataDisks(target, metaBytes);
  const paths = [...disks.map(({ path }) => path), ...(meta === '' ? [] : [meta])];
  within(
    paths,
    (path) => path === meta,
    (places) => {
      const data = places.slice(0, disks.length);
      const apart = places[disks.length];
      const { holder, base } = metaPlace(target, places);
      // Who has good superblocks must not be told to cut anything back.
      if (ownerOfMetadata(holder, base, target) === 'this') throw adoptedAlready(holder);
      diskOwners(target, data).forEach((owner, i) => {
        if (owner === 'another') throw belongsToAnother(data[i] as Place);
        if (owner === 'this') throw labelledAlready(data[i] as Place, volume.parts?.[i]);
      });
      data.forEach((place, i) => {
        const { sizeBytes = 0 } = volume.parts?.[i] ?? {};
        const { wanted } = disks[i] as Disk;
        if (place.isFile && place.bytes === wanted) throw cutShort(place, sizeBytes);
        checkSize(place, place.isFile ? sizeBytes : wanted);
        if (!isBlank(place, sizeBytes, LABEL_BYTES)) throw noRoom(place, sizeBytes);
      });
      if (apart !== undefined) checkSize(apart, metaBytes);
      mayBecome(holder, base, metaBytes, target);
      try {
        data.forEach(({ isFile, fd }, i) => {
          if (isFile) ftruncateSync(fd, disks[i]?.wanted ?? 0);
        });
        if (apart?.isNew === true) ftruncateSync(apart.fd, metaBytes);
        makeSide(target);
        const device = newDevice();
        writeLabels(target, data, device);
        writeMetadata(holder, base, target, device, generation, 'UpToDate');
        for (const { fd } of data) fsyncSync(fd);
      } catch (error) {
        for (const { isFile, fd, bytes } of data) if (isFile) ftruncateSync(fd, bytes);
        throw error;
      }
    },
  );
}

/** Throws unless nothing but zeroes stands where the metadata go. */
function mayBecome(place: Place, base: number, bytes: number, target: ReplicaTarget): void {
  const owner = ownerOfMetadata(place, base, target);
  if (owner === 'another') throw belongsToAnother(place);
  if (owner === 'this') throw adoptedAlready(place);
  if (!isBlank(place, base, bytes)) throw noRoom(place, base);
}

/** A disk of the data, and how large a file of it is. */
interface Disk {
  readonly path: string;
  readonly wanted: number;
}

function dataDisks({ volume, path, parts, meta }: ReplicaTarget, metaBytes: number): Disk[] {
  const behind = meta === '' ? metaBytes : 0;
  const list = replicaParts(volume, { parts });
  if (list === null) {
    return [{ path, wanted: meta === '' ? dataEnd(volume) + behind : volume.sizeBytes }];
  }
  return list.map((part, i) => {
    const own = i === list.length - 1 ? behind : 0;
    return { path: part.path, wanted: part.sizeBytes + LABEL_BYTES + own };
  });
}

/** Where the metadata stand: on the last of the places, those of the data and then of meta:. */
function metaPlace(
  { volume, meta }: ReplicaTarget,
  places: readonly Place[],
): { readonly holder: Place; readonly base: number } {
  return { holder: places.at(-1) as Place, base: meta === '' ? dataEnd(volume) : 0 };
}

/** The identity of a copy, drawn anew whenever one is made. */
function newDevice(): string {
  return randomBytes(16).toString('hex');
}

/** Whose replica is on each disk of the data. */
function diskOwners(target: ReplicaTarget, data: readonly Place[]): Owner[] {
  return data.map((place, i) => {
    const { sizeBytes } = target.volume.parts?.[i] ?? target.volume;
    return ownerOfDisk(place, sizeBytes, target);
  });
}

/** Whether a disk is a part of this replica already, be it another than the one that is wanted. */
function isExchanged(place: Place, target: ReplicaTarget): boolean {
  const parts = target.volume.parts ?? [];
  return parts.some(({ sizeBytes }) => ownerOfDisk(place, sizeBytes, target) === 'this');
}

/** What each disk of a volume in parts is from now on. */
function writeLabels(
  { volume, node }: ReplicaTarget,
  data: readonly Place[],
  device: string,
): void {
  volume.parts?.forEach(({ sizeBytes }, i) => {
    const place = data[i] as Place;
    const label = encodeLabel(labelOf(volume, node, device, i));
    for (let page = 0; page < LABEL_PAGES; page += 1) {
      writeAt(place, sizeBytes + page * PAGE_BYTES, label);
    }
    fsyncSync(place.fd);
  });
}

/** What stands behind the data, or in a file of its own: the side area with it, unless apart. */
function metaBytesOf({ volume, side, sideBytes }: ReplicaTarget): number {
  return metadataPages(mirrorConfig(volume)) * PAGE_BYTES + (side === '' ? sideBytes : 0);
}

/** A side area that stands apart: a missing file is made, what is there must have its size. */
function makeSide({ side, sideBytes }: ReplicaTarget): void {
  if (side === '') return;
  within([side], always, (places) => {
    const [place] = places as [Place];
    checkSize(place, sideBytes);
    if (place.isNew) ftruncateSync(place.fd, sideBytes);
    fsyncSync(place.fd);
  });
}

/** The superblocks last: a replica whose metadata were not written to the end is none. */
function writeMetadata(
  place: Place,
  base: number,
  { volume, node }: ReplicaTarget,
  device: string,
  generation: Generation,
  state: InitialState,
): void {
  const config = mirrorConfig(volume);
  for (const { page, bytes } of formatMetadata(config, node, generation, state, device)) {
    writeAt(place, base + page * PAGE_BYTES, bytes);
  }
  try {
    fsyncSync(place.fd);
  } catch (error) {
    throw unwritable(place, error);
  }
}

function writeAt(place: Place, at: number, bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(place.fd, bytes, done, bytes.length - done, at + done);
    }
  } catch (error) {
    throw unwritable(place, error);
  }
}

function unwritable({ path }: Place, error: unknown): HostError {
  return new HostError(
    `${path} cannot be written (${systemCode(error)})`,
    'make room there, or look after its disk',
  );
}

const always = (): boolean => true;
const never = (): boolean => false;

/** Opens all, or none; what was made and not finished is removed again. */
function within(
  paths: readonly string[],
  mayMake: (path: string) => boolean,
  use: (places: readonly Place[]) => void,
): void {
  const places: Place[] = [];
  let done = false;
  try {
    for (const path of paths) places.push(openPlace(path, mayMake(path)));
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

function holdsBranch({ path }: Place): HostError {
  return new HostError(
    `the replica on ${path} keeps a branch of data that was given up, which would be lost`,
    'write it to a file first (understudy branch export); to give it up: --overwrite --drop-branch',
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

function labelledAlready({ path }: Place, part: PartConfig | undefined): HostError {
  const end = part?.sizeBytes ?? 0;
  return new HostError(
    `${path} holds a part of this replica already`,
    'nothing needs to be adopted; only if an adoption was cut short, cut the file back first ' +
      `(truncate -s ${end} ${path}), or clear ${LABEL_BYTES} bytes from byte ${end} of the device`,
  );
}

function inUse(path: string): HostError {
  return new HostError(
    `${path} is in use (mounted, or held by a running node or another program)`,
    'stop what uses it first; nothing was changed',
  );
}
