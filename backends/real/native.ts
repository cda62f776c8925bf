/**
 * The typed door to the native addon: loads it, says how to build it when it is missing, and turns
 * its failures into {@link NativeError}. It decides nothing and keeps no state of its own.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ABI_VERSION, type AbiLayout, PAGE_BYTES } from '../../engine/data/abi.ts';

/** What a call into the addon may fail with; each has its remedy in {@link REMEDIES}. */
export type NativeCode =
  | 'NATIVE_MISSING'
  | 'NATIVE_BROKEN'
  | 'NATIVE_ABI'
  | 'REPLICA_MISSING'
  | 'REPLICA_DENIED'
  | 'REPLICA_KIND'
  | 'REPLICA_BUSY'
  | 'REPLICA_SIZE'
  | 'REPLICA_DIRECT'
  | 'REPLICA_IO'
  | 'ADDRESS_IN_USE'
  | 'ADDRESS_DENIED'
  | 'ADDRESS_INVALID'
  | 'NBD_NOT_LOOPBACK'
  | 'NO_KEY'
  | 'PEER_INVALID'
  | 'LAYOUT_INVALID'
  | 'ARGUMENT_INVALID'
  | 'IO_URING_UNAVAILABLE'
  | 'NO_MEMORY'
  | 'GUARDIAN_STATE'
  | 'BOOT_ID'
  | 'LOCK_FILE'
  | 'CLOSED'
  | 'INTERNAL';

/** What a person can do about each. */
const REMEDIES: Readonly<Record<NativeCode, string>> = {
  NATIVE_MISSING: 'install a C++ compiler (Debian: apt install g++), then run npm run build:native',
  NATIVE_BROKEN: 'rebuild it: node native/build.mjs --force',
  NATIVE_ABI: 'the addon is of another version: rebuild it with npm run build:native',
  REPLICA_MISSING: 'create the replica first, or correct its path in the configuration',
  REPLICA_DENIED: 'let this user read and write the replica',
  REPLICA_KIND: 'name a regular file or a block device',
  REPLICA_BUSY: 'stop the other host, or unmount the device, that uses this replica',
  REPLICA_SIZE: 'make the replica as large as the volume and its metadata, or correct the size',
  REPLICA_DIRECT: 'use direct: auto, or a file system that supports O_DIRECT',
  REPLICA_IO: 'look at the kernel log: the disk or file system answered with an error',
  ADDRESS_IN_USE: 'choose another port or path, or stop the process that listens there',
  ADDRESS_DENIED: 'choose a port or folder that this user may use',
  ADDRESS_INVALID: 'give a numeric IP address of this host',
  NBD_NOT_LOOPBACK: 'bind 127.0.0.1, ::1 or a Unix socket path',
  NO_KEY: 'run understudy init, and name its key file in the configuration',
  PEER_INVALID: 'connect once to each node with a higher number',
  LAYOUT_INVALID: 'keep the layout within the limits that native/src/reactor.cc states',
  ARGUMENT_INVALID: 'this is a mistake in the calling code',
  IO_URING_UNAVAILABLE:
    'use personality: auto, or allow io_uring (sysctl kernel.io_uring_disabled)',
  NO_MEMORY: 'raise the limits of memory or descriptors of this process',
  GUARDIAN_STATE: 'let this user write the guardian state file',
  BOOT_ID: 'mount /proc',
  LOCK_FILE: 'keep the folder on a local file system that has locks, and let this user write it',
  CLOSED: 'this is a mistake in the calling code',
  INTERNAL: 'report this as a bug',
};

/** The addon is missing, or refused a call; nothing was changed. */
export class NativeError extends Error {
  override readonly name = 'NativeError';
  readonly code: NativeCode;
  readonly remedy: string;

  constructor(code: NativeCode, message: string) {
    super(message);
    this.code = code;
    this.remedy = REMEDIES[code];
  }
}

/** A part of a replica: `sizeBytes` of data, whole pages, at the beginning of a file or device. */
export interface ReplicaPart {
  /** Of its export, 1 to 64 bytes. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** What a reactor is made of. */
export interface ReactorOptions {
  readonly layout: AbiLayout;
  /** File or block device of all data; see {@link replicaFileBytes}. Wanted without `parts`. */
  readonly replicaPath?: string;
  /**
   * Files or block devices of which each has a part of the data, 1 to 16, together `sizeBytes`.
   * Each is an export of its own, under its name. Metadata stands behind the last.
   */
  readonly parts?: readonly ReplicaPart[];
  /** Pages behind the data of each part that the addon leaves alone; default none. */
  readonly labelPages?: number;
  /** Where metadata stands when not behind the data. */
  readonly metaPath?: string;
  readonly sizeBytes: number;
  readonly metaPages: number;
  /** Bytes of the side area, whole pages; default none. */
  readonly sideBytes?: number;
  /** Where it stands when not behind the metadata. */
  readonly sidePath?: string;
  /** Logical block of the export: 512 or 4096 (default). */
  readonly blockBytes?: number;
  /** Longest write of zeroes that the engine takes at once; default the bytes of a slot. */
  readonly zeroBytes?: number;
  readonly direct?: 'auto' | 'on' | 'off';
  /** `epoll` works where io_uring is switched off; `auto` chooses it there. */
  readonly personality?: 'auto' | 'io_uring' | 'epoll';
  /** How long to wait for the lock of a process that was just killed; default 1000. */
  readonly lockWaitMillis?: number;
  /** This node's number; wanted with a key. */
  readonly node?: number;
  /** The volume's 128-bit id in hexadecimal; wanted with a key. */
  readonly volume?: string;
  /** The cluster key, 32 bytes. Copied, and never shown or logged. */
  readonly key?: Uint8Array;
  /** Where what waits to be sent on to asynchronous replicas may be spilled. */
  readonly spills?: readonly SpillOptions[];
  /** A silent link says this often that it is alive; default 500. */
  readonly keepaliveMillis?: number;
  /** A link is down after so long a silence; default 2000, at least twice the keep-alive. */
  readonly silenceMillis?: number;
}

/** A file for what waits for one peer; nobody but this reactor can name it, and it ends with it. */
export interface SpillOptions {
  readonly node: number;
  /** Folder in which the file is made when something is sent on first. */
  readonly folder: string;
  /** Bytes of the file, reserved when it is made, 4096..2^40. */
  readonly bytes: number;
  /** Bytes that wait in memory before any go into the file; default 64 MiB. */
  readonly memoryBytes?: number;
  /** Bytes that wait for the file, at most; default 128 MiB. */
  readonly waitingBytes?: number;
  /** At so many clients wait for the file; false: the link ends instead. Default true. */
  readonly waits?: boolean;
}

/** What became of a spill. */
export interface SpillStatus {
  readonly node: number;
  /** Nothing was sent on yet; the file is being made; it is there; there is none. */
  readonly state: 'idle' | 'making' | 'on' | 'off';
  /** What is in the file now. */
  readonly bytes: number;
  readonly fileBytes: number;
  /** Files that failed with something in them: each ended a link. */
  readonly faults: number;
  /** Why there is none, '' for no reason. */
  readonly reason: string;
}

/** What a reactor counts, from its beginning. */
export type ReactorCounter =
  | 'polls'
  | 'events'
  | 'decisions'
  | 'kernelEnters'
  | 'nbdConnections'
  | 'nbdRefused'
  | 'nbdRejected'
  | 'nbdRequests'
  | 'nbdTimeouts'
  | 'peerConnections'
  | 'peerRefused'
  | 'authFailures'
  | 'framesRejected'
  | 'checksumFailures'
  | 'framesSent'
  | 'framesReceived'
  | 'bytesSent'
  | 'bytesReceived'
  | 'linksUp'
  | 'linksDown'
  | 'linksSilent'
  | 'connectFailures'
  | 'localReads'
  | 'localWrites'
  | 'localFlushes'
  | 'syncs'
  | 'metaReads'
  | 'metaWrites'
  | 'stalls'
  /** Reads, writes and flushes that a disk answered with an error, those of metadata too. */
  | 'diskFaults'
  | 'registeredBytes'
  /** Processor time of the thread that asks: reactor and engine together. */
  | 'cpuMicros';

/**
 * The counters, and why the last peer was refused ('' for never). Of a replica in parts: what the
 * last fault of a disk was and where ("log: flush: …", '' for none), and which of them have not
 * answered yet what they were asked. Metadata and side area count to the part behind which they
 * stand ("log: metadata write: …"), else to `meta` or `side`, which are waited for as "meta:" and
 * "side:".
 */
export type ReactorStats = Readonly<Record<ReactorCounter, number>> & {
  readonly lastRefusal: string;
  readonly lastFault: string;
  readonly waitedFor: string;
};

/**
 * One volume's reactor: used by one thread only. Methods throw {@link NativeError}.
 *
 * One turn is `count = poll(decisions, deadline)`: the first `decisions` records are carried out,
 * then `count` events stand at the front of the event array. At least eight records behind them
 * are free, for the caller to append Event.Control. Decision.Report is the caller's to carry.
 */
export interface Reactor {
  /** Laid out by abiOffsets: give it to DataMemory. */
  readonly memory: ArrayBuffer;
  /** One f64: microseconds of CLOCK_BOOTTIME when the last poll returned. */
  readonly clock: ArrayBuffer;
  /** For {@link Native.wake}, from any thread, while the reactor is not closed. */
  readonly wakeFd: number;
  readonly personality: 'io_uring' | 'epoll';
  /** Whether the replica is open with O_DIRECT. */
  readonly direct: boolean;
  /**
   * Blocks until there is an event, a wake, or `deadlineMicros` (of {@link Native.nowMicros};
   * Infinity for none) is past. Answers 0 after a wake or at the deadline.
   */
  poll(decisionCount: number, deadlineMicros: number): number;
  /**
   * Serves NBD on a loopback address or a Unix socket, which only this user may open; may be
   * called several times. The exports are closed until {@link setExport}. `exportName` is that of
   * a replica without `parts`. Answers the port.
   */
  listenNbd(
    address: { readonly host: string; readonly port: number } | { readonly path: string },
    exportName: string,
  ): number;
  /**
   * Closed: negotiation is refused with "not the primary", and connections end when the engine
   * has completed what they had in flight.
   */
  setExport(open: boolean): void;
  /**
   * How much of the volume clients that connect from now on are shown, whole blocks; until then all
   * of it. Nothing where the replica has `parts`.
   */
  setExportBytes(bytes: number): void;
  /** Accepts lower nodes. Answers the port. */
  listenPeer(address: { readonly host: string; readonly port: number }): number;
  /** Connects to a higher node, again and again (100 ms, doubling to 2 s), until closed. */
  connectPeer(peer: { readonly node: number; readonly host: string; readonly port: number }): void;
  stats(): ReactorStats;
  /** One for each of {@link ReactorOptions.spills}. */
  spills(): readonly SpillStatus[];
  /** Ends everything and lets go of the replica. Waits for the disk, at most ten seconds. */
  close(): void;
}

/** What core and guardian tell each other; one page of a file. */
export interface GuardianState {
  /** Until when the watchdog may be petted (CLOCK_BOOTTIME), and whether it shall run at all. */
  set(deadlineMicros: number, armed: boolean): void;
  read(): {
    readonly deadlineMicros: number;
    readonly armed: boolean;
    /** The guardian's process, 0 when none has run. */
    readonly pid: number;
    /** When the guardian last looked, and last petted. */
    readonly seenMicros: number;
    readonly pettedMicros: number;
    /** What the device confirmed, 0 without one. */
    readonly timeoutMillis: number;
    /** Whether the device is open and counting down. */
    readonly running: boolean;
  };
  close(): void;
}

/** The answers of PERSISTENT RESERVE IN as they came, or why there is none. */
export type TableParts = readonly [keys: Uint8Array | number, holder?: Uint8Array | number];

/** The addon. */
export interface Native {
  makeReactor(options: ReactorOptions): Reactor;
  openGuardianState(path: string): GuardianState;
  /** Ends the poll of the reactor with this wakeFd; false when it is closed. */
  wake(wakeFd: number): boolean;
  /** Microseconds of CLOCK_BOOTTIME. */
  nowMicros(): number;
  /** The same safe integer > 0 as long as this host is up. */
  bootId(): number;
  /** Takes a file for this process; closing the descriptor gives it back. -1: another has it. */
  lockFile(path: string): number;
  /**
   * The page at `at` of a file or device as it is there, not as the system remembers it, wherever
   * the device can be read so; shorter at its end. The errno where it cannot be read.
   */
  readPage(path: string, at: number): Uint8Array | number;
  /**
   * A file of `bytes` (whole pages) as memory: made or cut to size, its blocks allocated. What is
   * written there survives the process, and the host as far as the kernel has written it back.
   */
  mapFile(path: string, bytes: number): ArrayBuffer;
  /** See native/src/reservation.h; 0, a SCSI status, or -errno. Blocks until the disk answers. */
  changeReservation(fd: number, change: number, key: bigint, victim: bigint): number;
  /**
   * What PERSISTENT RESERVE IN shows of a disk, READ KEYS and READ RESERVATION; for what cannot be
   * read a SCSI status with its sense key above it, or 65536 + errno. Blocks until the disk has
   * answered.
   */
  readReservation(path: string): TableParts;
  crc32c(data: Uint8Array): number;
  /** SipHash-2-4 with 128 bits, under a key of 16 bytes. */
  siphash128(key: Uint8Array, data: Uint8Array): Uint8Array;
  /**
   * The three 64-bit NH sums of at most 1024 bytes (a multiple of 16) under a key of 1056 bytes,
   * little-endian: as this machine's fastest way gives them, then as the portable one does.
   */
  nh(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Every constant of native/src/abi.h under its name in engine/data/abi.ts. */
  abiTable(): Readonly<Record<string, number | Readonly<Record<string, number>>>>;
}

/** Bytes that a replica file must have; `metaInside` when the metadata stands behind the data. */
export function replicaFileBytes(sizeBytes: number, metaPages: number): number {
  return Math.ceil(sizeBytes / PAGE_BYTES) * PAGE_BYTES + metaPages * PAGE_BYTES;
}

/** The addon's file; UNDERSTUDY_NATIVE names another one. */
export function nativePath(): string {
  const built = fileURLToPath(new URL('../../native/build/understudy.node', import.meta.url));
  return process.env['UNDERSTUDY_NATIVE'] ?? built;
}

/** The guardian's program, beside the addon. */
export function guardianPath(): string {
  return fileURLToPath(new URL('../../native/build/understudy-guardian', import.meta.url));
}

/** Whether the addon was built. */
export function hasNative(): boolean {
  return existsSync(nativePath());
}

interface Addon {
  readonly Reactor: {
    new (options: ReactorOptions): Reactor;
    wake(fd: number): boolean;
  };
  readonly GuardianState: new (path: string) => GuardianState;
  nowMicros(): number;
  bootId(): number;
  lockFile(path: string): number;
  readPage(path: string, at: number): Uint8Array | number;
  /**
   * A file of `bytes` (whole pages) as memory: made or cut to size, its blocks allocated. What is
   * written there survives the process, and the host as far as the kernel has written it back.
   */
  mapFile(path: string, bytes: number): ArrayBuffer;
  changeReservation(fd: number, change: number, key: bigint, victim: bigint): number;
  readReservation(path: string): TableParts;
  crc32c(data: Uint8Array): number;
  siphash128(key: Uint8Array, data: Uint8Array): Uint8Array;
  nh(key: Uint8Array, data: Uint8Array): Uint8Array;
  abiTable(): Readonly<Record<string, number | Readonly<Record<string, number>>>>;
}

/** Loads the addon; the second call in a thread is free. Throws {@link NativeError}. */
export function loadNative(): Native {
  const path = nativePath();
  if (!existsSync(path)) throw new NativeError('NATIVE_MISSING', `there is no ${path}`);
  const addon = requireAddon(path);
  const version = addon.abiTable()['ABI_VERSION'];
  if (version !== ABI_VERSION) {
    throw new NativeError('NATIVE_ABI', `the addon speaks ABI ${version}, we ${ABI_VERSION}`);
  }
  return {
    makeReactor: (options) => new TypedReactor(typed(() => new addon.Reactor(options))),
    openGuardianState: (file) => new TypedGuardianState(typed(() => new addon.GuardianState(file))),
    wake: (wakeFd) => addon.Reactor.wake(wakeFd),
    nowMicros: () => addon.nowMicros(),
    bootId: () => typed(() => addon.bootId()),
    lockFile: (file) => typed(() => addon.lockFile(file)),
    readPage: (file, at) => typed(() => addon.readPage(file, at)),
    mapFile: (file, bytes) => typed(() => addon.mapFile(file, bytes)),
    changeReservation: (fd, change, key, victim) =>
      typed(() => addon.changeReservation(fd, change, key, victim)),
    readReservation: (file) => typed(() => addon.readReservation(file)),
    crc32c: (data) => typed(() => addon.crc32c(data)),
    siphash128: (key, data) => typed(() => addon.siphash128(key, data)),
    nh: (key, data) => typed(() => addon.nh(key, data)),
    abiTable: () => addon.abiTable(),
  };
}

function requireAddon(path: string): Addon {
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    throw new NativeError('NATIVE_BROKEN', `${path} does not load: ${String(error)}`);
  }
}

/** The addon's reactor with typed errors. */
class TypedReactor implements Reactor {
  readonly memory: ArrayBuffer;
  readonly clock: ArrayBuffer;
  readonly wakeFd: number;
  readonly personality: 'io_uring' | 'epoll';
  readonly direct: boolean;
  readonly #raw: Reactor;

  constructor(raw: Reactor) {
    this.#raw = raw;
    this.memory = raw.memory;
    this.clock = raw.clock;
    this.wakeFd = raw.wakeFd;
    this.personality = raw.personality;
    this.direct = raw.direct;
  }

  poll(decisionCount: number, deadlineMicros: number): number {
    return this.#raw.poll(decisionCount, deadlineMicros);
  }
  listenNbd(address: Parameters<Reactor['listenNbd']>[0], exportName: string): number {
    return typed(() => this.#raw.listenNbd(address, exportName));
  }
  setExport(open: boolean): void {
    typed(() => this.#raw.setExport(open));
  }
  setExportBytes(bytes: number): void {
    typed(() => this.#raw.setExportBytes(bytes));
  }
  listenPeer(address: Parameters<Reactor['listenPeer']>[0]): number {
    return typed(() => this.#raw.listenPeer(address));
  }
  connectPeer(peer: Parameters<Reactor['connectPeer']>[0]): void {
    typed(() => this.#raw.connectPeer(peer));
  }
  stats(): ReactorStats {
    return typed(() => this.#raw.stats());
  }
  spills(): readonly SpillStatus[] {
    return typed(() => this.#raw.spills());
  }
  close(): void {
    typed(() => this.#raw.close());
  }
}

/** The addon's guardian state with typed errors. */
class TypedGuardianState implements GuardianState {
  readonly #raw: GuardianState;

  constructor(raw: GuardianState) {
    this.#raw = raw;
  }

  set(deadlineMicros: number, armed: boolean): void {
    typed(() => this.#raw.set(deadlineMicros, armed));
  }
  read(): ReturnType<GuardianState['read']> {
    return typed(() => this.#raw.read());
  }
  close(): void {
    this.#raw.close();
  }
}

/** Runs a call of the addon; its coded errors become {@link NativeError}. */
function typed<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!Object.hasOwn(REMEDIES, code)) throw error;
    throw new NativeError(code as NativeCode, (error as Error).message);
  }
}
