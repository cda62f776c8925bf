/**
 * The table of persistent reservations of a real disk (engine/ports/reservation.ts), by its path on
 * this host: a whole device with SCSI commands, as arrays over Fibre Channel, SAS and iSCSI have
 * them, by one path. It takes the rights to send such commands (root).
 */
import { closeSync, constants, openSync } from 'node:fs';
import { constants as system } from 'node:os';
import type {
  ReservationAnswer,
  ReservationOrder,
  ReservationTable,
} from '../../engine/ports/reservation.ts';
import { loadNative, type TableParts } from './native.ts';

/** Numbers of native/src/reservation.h. */
const CHANGE = { register: 1, reserve: 2, preempt: 3, release: 4 } as const;

/** SAM-5 5.3.1; with the sense key of a command that a disk does not know (SPC-4 4.5). */
const ILLEGAL_REQUEST = 0x502;
const RESERVATION_CONFLICT = 0x18;
/** An errno stands above every SCSI status. */
const ERRNO_FROM = 0x10000;
/** SPC-4 table 212: write exclusive, registrants only; for the whole logical unit. */
const WRITE_EXCLUSIVE_REGISTRANTS = 0x05;
/** PRGENERATION and ADDITIONAL LENGTH. */
const HEAD = 8;
const KEY = 8;

const { ENOTTY, EOPNOTSUPP, EIO, EPERM } = system.errno;

/** Carries out `order`, and blocks until the disk has answered. */
export function askDisk(path: string, order: ReservationOrder): ReservationAnswer {
  const native = loadNative();
  if (order.op === 'read') return tableAnswer(native.readReservation(path));
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    return failed(-((error as NodeJS.ErrnoException).errno ?? -EIO));
  }
  try {
    const victim = order.op === 'preempt' ? order.victim : '0';
    const change = CHANGE[order.op];
    const result = native.changeReservation(fd, change, keyNumber(order.key), keyNumber(victim));
    if (result === 0) return { said: 'done' };
    if (result === RESERVATION_CONFLICT) return { said: 'conflict' };
    if (result > 0) return failed(EIO);
    return isUnsupported(-result) ? unsupported(-result) : failed(-result);
  } finally {
    closeSync(fd);
  }
}

function tableAnswer([keys, holder]: TableParts): ReservationAnswer {
  for (const part of [keys, holder]) {
    if (typeof part !== 'number') continue;
    if (part === RESERVATION_CONFLICT) return { said: 'conflict' };
    // Any other sense key says how the disk is at present, and nothing of what it has.
    if (part === ILLEGAL_REQUEST) return unsupported(0);
    const errno = part >= ERRNO_FROM ? part - ERRNO_FROM : EIO;
    return isUnsupported(errno) ? unsupported(errno) : failed(errno);
  }
  // Another host came in between: the one is older than the other.
  if (generationOf(keys as Uint8Array) !== generationOf(holder as Uint8Array)) {
    return { said: 'conflict' };
  }
  const table = parseTable(keys as Uint8Array, holder as Uint8Array);
  return table === null ? failed(EIO) : { said: 'table', table };
}

/**
 * READ KEYS and READ RESERVATION (SPC-4 6.15.2 and 6.15.3), each at a moment of its own; null for
 * answers that are cut short or do not hold together.
 */
export function parseTable(keys: Uint8Array, holder: Uint8Array): ReservationTable | null {
  const all = bodyOf(keys);
  const held = bodyOf(holder);
  if (all === null || held === null || all.byteLength % KEY !== 0) return null;
  const list: string[] = [];
  for (let at = 0; at < all.byteLength; at += KEY) list.push(keyText(all.getBigUint64(at)));
  const table = { generation: generationOf(keys), keys: list };
  if (held.byteLength === 0) return { ...table, holder: null };
  // The reservation's descriptor: key, four bytes, one more, scope and type.
  if (held.byteLength < 16) return null;
  const ours = held.getUint8(13) === WRITE_EXCLUSIVE_REGISTRANTS;
  return { ...table, holder: { key: keyText(held.getBigUint64(0)), ours } };
}

/** -1 of an answer that is too short to have one. */
function generationOf(answer: Uint8Array): number {
  return answer.length < HEAD ? -1 : viewOf(answer).getUint32(0);
}

/** What stands behind the head; null where it does not all stand there. */
function bodyOf(answer: Uint8Array): DataView | null {
  if (answer.length < HEAD) return null;
  const length = viewOf(answer).getUint32(4);
  if (answer.length < HEAD + length) return null;
  return new DataView(answer.buffer, answer.byteOffset + HEAD, length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function keyText(key: bigint): string {
  return key.toString(16).padStart(2 * KEY, '0');
}

function keyNumber(key: string): bigint {
  return BigInt(`0x${key}`);
}

function isUnsupported(errno: number): boolean {
  // EPERM is what the kernel says of a partition to whoever may do all else.
  const root = process.geteuid?.() === 0;
  return errno === ENOTTY || errno === EOPNOTSUPP || (root && errno === EPERM);
}

function unsupported(errno: number): ReservationAnswer {
  return { said: 'unable', reason: 'unsupported', errno };
}

function failed(errno: number): ReservationAnswer {
  return { said: 'unable', reason: 'failed', errno };
}
