/**
 * What all pages of a replica's metadata area share: the version of the format, the identity of the
 * copy they belong to, and what they claim of one another. Places numbers without allocating.
 */
import { invariant } from '../core/invariant.ts';

/** Version of the format; another one is refused. */
export const METADATA_VERSION = 2;
/** Each sector or page begins with so many bytes that say what it is. */
export const HEAD_BYTES = 64;
/** Where a head has its checksum. */
export const CRC_AT = 60;
export const DEVICE_BYTES = 16;

/**
 * What was durable in the rest of the area when a page was encoded. A replica in which less is
 * found lost a write that somebody relied on.
 */
export interface Claims {
  /** The lower sequence of the two superblock slots. */
  superblock: number;
  /** Sequence of the newest journal page. */
  journal: number;
  /** Writes of map pages, all pages together. */
  mapWrites: number;
}

export function noClaims(): Claims {
  return { superblock: 0, journal: 0, mapWrites: 0 };
}

/** Raises each claim of `to` to that of `by`. */
export function raiseClaims(to: Claims, by: Readonly<Claims>): void {
  to.superblock = Math.max(to.superblock, by.superblock);
  to.journal = Math.max(to.journal, by.journal);
  to.mapWrites = Math.max(to.mapWrites, by.mapWrites);
}

/** The bytes of a device's identity of 32 hexadecimal digits. */
export function deviceBytes(device: string): Uint8Array {
  invariant(/^[0-9a-f]{32}$/.test(device), 'a device has 32 hexadecimal digits');
  const bytes = new Uint8Array(DEVICE_BYTES);
  for (let i = 0; i < DEVICE_BYTES; i += 1) {
    bytes[i] = Number.parseInt(device.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** Whether the device's identity stands in `bytes` at `at`. */
export function isDevice(bytes: Uint8Array, at: number, device: Uint8Array): boolean {
  for (let i = 0; i < DEVICE_BYTES; i += 1) if (bytes[at + i] !== device[i]) return false;
  return true;
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** A non-negative safe integer in 64 bits. */
export function putUint(bytes: Uint8Array, at: number, value: number): void {
  invariant(Number.isSafeInteger(value) && value >= 0, 'what is encoded is a safe integer');
  putU32(bytes, at, value % 4294967296);
  putU32(bytes, at + 4, Math.floor(value / 4294967296));
}

export function getU32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  return (low | (high << 16)) >>> 0;
}

/** What {@link putUint} placed; -1 for what it cannot have placed. */
export function getUint(bytes: Uint8Array, at: number): number {
  const high = getU32(bytes, at + 4);
  return high < 0x200000 ? high * 4294967296 + getU32(bytes, at) : -1;
}
