/** Reads pages of a replica before anything opens it for writing. Never writes. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { PAGE_BYTES } from '../../engine/data/abi.ts';
import { systemCode } from './failure.ts';
import { hasNative, loadNative } from './native.ts';

/** The bytes, fewer at the end of the file or device; or the system's name for why not. */
export type PageRead =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly code: string };

/**
 * The page at `at`. With the addon it is read as a reactor would read it: through the system's
 * memory every error of a device is EIO, and what was read before is there without the device.
 */
export function readPage(path: string, at: number): PageRead {
  if (!hasNative()) return readBuffered(path, at);
  const read = loadNative().readPage(path, at);
  if (typeof read === 'number') return { ok: false, code: getSystemErrorName(-read) };
  // A device that ends before its own size answers for nothing that it has.
  if (read.length < PAGE_BYTES && reaches(path, at + PAGE_BYTES)) return { ok: false, code: 'EIO' };
  return { ok: true, bytes: read };
}

function reaches(path: string, bytes: number): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  return status?.isBlockDevice() === true && (deviceBytes(status.rdev) ?? 0) >= bytes;
}

/** Size of a block device as the kernel publishes it: in sectors of 512, whatever its own are. */
export function deviceBytes(rdev: number): number | null {
  // The kernel's own packing of the two numbers, as gnu_dev_major and gnu_dev_minor undo it.
  const major = (rdev >>> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  try {
    return Number(readFileSync(`/sys/dev/block/${major}:${minor}/size`, 'utf8')) * 512;
  } catch {
    return null;
  }
}

function readBuffered(path: string, at: number): PageRead {
  const page = new Uint8Array(PAGE_BYTES);
  try {
    const file = openSync(path, 'r');
    try {
      return { ok: true, bytes: page.subarray(0, readSync(file, page, 0, PAGE_BYTES, at)) };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return { ok: false, code: systemCode(error) };
  }
}
