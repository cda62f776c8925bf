/**
 * Lays a replica's metadata out anew before anything opens it, where the agreed configuration has
 * changed who holds one. Everything that is to be written stands in a file of its own first,
 * durably: whatever dies in the middle, the next start writes all of it again, and it is the same.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { ReplicaConfig, VolumeConfig } from '../../engine/core/config.ts';
import { PAGE_BYTES } from '../../engine/data/abi.ts';
import {
  type PageReader,
  type Relayout,
  relayout,
  relayoutOutlook,
  SLOTS,
} from '../../engine/mirror/relayout.ts';
import { type SuperblockHead, superblockHead } from '../../engine/mirror/superblock-head.ts';
import { HostError, systemCode } from './failure.ts';
import { mirrorConfig } from './mirror-config.ts';
import { hasNative, loadNative } from './native.ts';
import { readPage } from './replica-read.ts';
import { roomLacking } from './room.ts';

/** Where what is to be written stands in a node's folder. */
export function conversionFileName(volume: string): string {
  return `${volume}.relayout`;
}

/** An earlier process of this host may be on its way out, its last disk operations with it. */
const LOCK_WAIT_MS = 5000;
const LOCK_RETRY_MS = 20;
const HASH_BYTES = 32;
/**
 * How large a volume may be whose metadata are laid out anew. The table of spare blocks is read by
 * the thread that renews leases, in up to 0.8 s for each TiB, and all pages are in memory, twice,
 * while nobody serves.
 */
const ONLINE_MAX = 2 ** 40;

/** What one replica is laid out for, and is to be. */
export interface Conversion {
  readonly before: VolumeConfig;
  readonly volume: VolumeConfig;
  readonly replica: ReplicaConfig;
  /** The file of {@link conversionFileName}. */
  readonly file: string;
}

/** The words of a conversion that is under way, before its pages. */
interface Plan {
  readonly device: string;
  readonly path: string;
  /** Slots of the area as it was, and as it is to be, that are no superblocks meanwhile. */
  readonly voided: readonly number[];
  readonly marked: readonly number[];
  readonly base: number;
  readonly area: number;
  readonly pages: readonly number[];
  /** The number of the newest superblock among them: with a later one it is done. */
  readonly seq: number;
}

type Place = Pick<Plan, 'path' | 'base'>;

/** Called before each step that something may die at: for tests. */
export type Step = (what: 'plan' | 'void' | 'page' | 'size' | 'done') => void;

/** What stands in the way of a conversion that a later start would carry out; '' for nothing. */
export function conversionObstacle(
  conversion: Omit<Conversion, 'file'>,
  most: number = ONLINE_MAX,
): string {
  const { before, volume, replica } = conversion;
  if (volume.sizeBytes > most) {
    return (
      `volume "${volume.name}" has ${volume.sizeBytes} bytes: online, metadata of at most ` +
      `${most} are laid out anew; stop the cluster for that`
    );
  }
  const { node } = replica;
  const place = placeOf(volume, replica);
  // Not the maps: people's leases are renewed by the same thread.
  const [from, to] = [mirrorConfig(before, node), mirrorConfig(volume, node)];
  const done = relayoutOutlook(from, to, node, pagesOf(place));
  const what = `the replica ${replica.path} of volume "${volume.name}"`;
  if (!existsSync(place.path)) return `${what} is not there: ${place.path} does not exist`;
  if (done.kind === 'refused') return `${what}: ${REASONS[done.reason] ?? done.reason}`;
  if (done.kind === 'none') return '';
  const { path, base } = place;
  const bytes = done.area * PAGE_BYTES;
  return roomLacking(path, base + bytes, bytes);
}

const REASONS: Readonly<Record<string, string>> = {
  'moved-blocks': 'blocks stand in its spare area; put another disk in its place first',
  spare: 'the table of its spare blocks is damaged; put another disk in its place first',
  'not-plain': 'it has checksums or a side area, with which this cannot be done online',
};

/** Carries out what is due. Throws HostError; nothing is lost then, and a later start goes on. */
export function convertReplica(conversion: Conversion, step: Step = () => {}): void {
  const { before, volume, replica, file } = conversion;
  const place = placeOf(volume, replica);
  const { path } = place;
  // Nearly always nothing is due, and a replica that cannot be reached is another's to speak of.
  if (!existsSync(path) || (!existsSync(file) && !isOther(before, volume, replica))) return;
  const lock = lockOf(replica.path);
  try {
    const left = readPlan(file);
    // What was begun comes first, for whatever agreement it was: in between the replica is of none.
    if (left !== null && left.plan.path === path) {
      if (isDue(left.plan, volume)) carryOut(left.plan, left.bytes, file, step);
      if (existsSync(file)) remove(file);
    } else if (left !== null) setAside(file, left.plan);
    else if (existsSync(file)) remove(file);
    const done = look(before, volume, replica);
    if (done.kind !== 'convert') return;
    const plan = planOf(done, place);
    const all = [...done.voided, ...done.marked, ...done.pages];
    const bytes = Buffer.concat(all.map(({ bytes: each }) => each));
    step('plan');
    writePlan(file, plan, bytes);
    carryOut(plan, bytes, file, step);
  } catch (error) {
    if (error instanceof HostError || systemCode(error) === '') throw error;
    throw new HostError(
      `the replica ${path} of volume "${volume.name}" cannot be laid out anew ` +
        `(${systemCode(error)})`,
      'make room there, or look after its disk, and start again: nothing is lost',
    );
  } finally {
    if (lock >= 0) closeSync(lock);
  }
}

/** Whether it is laid out for others, without a look at the maps. */
function isOther(before: VolumeConfig, volume: VolumeConfig, replica: ReplicaConfig): boolean {
  const { node } = replica;
  const [from, to] = [mirrorConfig(before, node), mirrorConfig(volume, node)];
  return relayoutOutlook(from, to, node, pagesOf(placeOf(volume, replica))).kind !== 'none';
}

function look(before: VolumeConfig, volume: VolumeConfig, replica: ReplicaConfig): Relayout {
  const { node } = replica;
  const [from, to] = [mirrorConfig(before, node), mirrorConfig(volume, node)];
  return relayout(from, to, node, pagesOf(placeOf(volume, replica)));
}

function pagesOf({ path, base }: Place): PageReader {
  return (page) => pageOf(path, base, page);
}

/** Where its metadata stands. */
function placeOf({ sizeBytes }: VolumeConfig, { path, meta }: ReplicaConfig): Place {
  if (meta !== '') return { path: meta, base: 0 };
  return { path, base: Math.ceil(sizeBytes / PAGE_BYTES) * PAGE_BYTES };
}

function pageOf(path: string, base: number, page: number): Uint8Array | null {
  const read = readPage(path, base + page * PAGE_BYTES);
  if (!read.ok || read.bytes.length < PAGE_BYTES) return null;
  return read.bytes.slice();
}

/**
 * Whether the plan's pages are still to be written: they are, unless the superblocks, of whatever
 * layout, say that another replica has been put there, or that it was used since.
 */
function isDue(plan: Plan, { uuid }: VolumeConfig): boolean {
  const { device, seq, marked, voided } = plan;
  const heads = [...marked, ...voided].flatMap((page): SuperblockHead[] => {
    const bytes = pagesOf(plan)(page);
    const head = bytes === null ? null : superblockHead(page, bytes);
    return head === null ? [] : [head];
  });
  // One is being written at a time: a disk that has none is another one.
  const same = (head: SuperblockHead): boolean => {
    return head.uuid === uuid && head.device === device && head.seq <= seq;
  };
  return heads.length > 0 && heads.every(same);
}

/** The plan for these pages. */
function planOf(done: Relayout & { kind: 'convert' }, place: Place): Plan {
  const { pages, voided, marked, area } = done;
  let device = '';
  let seq = 0;
  for (const { page, bytes } of pages) {
    const head = superblockHead(page, bytes);
    if (head === null) continue;
    device = head.device;
    seq = Math.max(seq, head.seq);
  }
  const numbersOf = (all: typeof pages): readonly number[] => all.map(({ page }) => page);
  const slotsWas = { voided: numbersOf(voided), marked: numbersOf(marked) };
  return { ...place, ...slotsWas, device, area, pages: numbersOf(pages), seq };
}

function carryOut(plan: Plan, bytes: Uint8Array, file: string, step: Step): void {
  const { path, voided, marked, base, area, pages } = plan;
  const fd = openSync(path, 'r+');
  let index = 0;
  const put = (page: number): void => {
    step('page');
    const at = index * PAGE_BYTES;
    writeAll(fd, bytes.subarray(at, at + PAGE_BYTES), base + page * PAGE_BYTES);
    index += 1;
  };
  try {
    reserve(fd, plan);
    for (const page of [...voided, ...marked]) put(page);
    step('void');
    fsyncSync(fd);
    for (const page of pages.slice(0, -SLOTS)) put(page);
    fsyncSync(fd);
    for (const page of pages.slice(-SLOTS)) put(page);
    step('size');
    // A file has exactly what belongs to it; a device may have more.
    if (fstatSync(fd).isFile()) ftruncateSync(fd, base + area * PAGE_BYTES);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  step('done');
  remove(file);
}

/**
 * Makes sure of the room behind what the file has, while nothing of the replica is touched: once it
 * is void, nobody could use it before there is some.
 */
function reserve(fd: number, { base, area }: Plan): void {
  const status = fstatSync(fd);
  const end = base + area * PAGE_BYTES;
  if (!status.isFile() || status.size >= end) return;
  const zeroes = new Uint8Array(PAGE_BYTES);
  try {
    ftruncateSync(fd, end);
    // Only what is written has a place for certain.
    for (let at = status.size; at < end; at += PAGE_BYTES) writeAll(fd, zeroes, at);
    fsyncSync(fd);
  } catch (error) {
    ftruncateSync(fd, status.size);
    throw error;
  }
}

function writeAll(fd: number, bytes: Uint8Array, at: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}

/** Of a disk that is not in use here now: with its plan it can be made whole again. */
function setAside(file: string, { device }: Plan): void {
  renameSync(file, `${file}.${device}`);
  syncFolder(dirname(file));
}

/** Durably: it must not come back after a loss of power, when the replica has been used since. */
function remove(file: string): void {
  rmSync(file);
  syncFolder(dirname(file));
}

/** Checksum, length of the words, words, pages. */
function writePlan(file: string, plan: Plan, bytes: Uint8Array): void {
  const words = Buffer.from(JSON.stringify(plan));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(words.length);
  const all = Buffer.concat([length, words, bytes]);
  const hash = createHash('sha256').update(all).digest();
  writeFileSync(`${file}.new`, Buffer.concat([hash, all]), { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  syncFolder(dirname(file));
}

/** Null where there is none, or one that was not written to its end. */
function readPlan(file: string): { readonly plan: Plan; readonly bytes: Uint8Array } | null {
  let all: Buffer;
  try {
    all = readFileSync(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
  const rest = all.subarray(HASH_BYTES);
  const hash = createHash('sha256').update(rest).digest();
  if (all.length < HASH_BYTES + 4 || !hash.equals(all.subarray(0, HASH_BYTES))) return null;
  const length = rest.readUInt32LE(0);
  const plan = JSON.parse(rest.subarray(4, 4 + length).toString('utf8')) as Plan;
  return { plan, bytes: rest.subarray(4 + length) };
}

/** A new name in a folder is durable with it. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The lock under which a node uses a replica; -1 without the addon. Throws HostError. */
function lockOf(path: string): number {
  // The addon would make a file that is missing.
  if (!hasNative() || !existsSync(path)) return -1;
  const end = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    const lock = loadNative().lockFile(path);
    if (lock >= 0) return lock;
    if (performance.now() > end) {
      throw new HostError(
        `${path} is in use by another program`,
        'stop what uses it; nothing was changed',
      );
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_RETRY_MS);
  }
}
