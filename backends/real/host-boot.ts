/** The life of this host: one number from power-on to power loss (engine/core/units.ts, BootId). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { BootId } from '../../engine/core/units.ts';

/** The kernel draws this text anew at each power-on; processes that restart read the same. */
const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id';

/** The boot id of this host for `node`; two nodes on one machine get different ones. */
export function hostBoot(node: number, text: string = readFileSync(BOOT_ID_PATH, 'utf8')): BootId {
  const digest = createHash('sha256').update(`${node}:${text.trim()}`).digest();
  return digest.readUIntBE(0, 6) + 1;
}
