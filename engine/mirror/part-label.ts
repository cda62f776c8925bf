/**
 * What each disk of a replica in parts says of itself, on a page behind its data: which replica it
 * belongs to, which part of it it is, and what all parts are. The next page says the same, for one
 * of them that is damaged must not cost the replica. Written once, before the superblocks of a new
 * replica: a crash in between leaves none. Pure encoding, decoding and judgement; a replica is
 * opened only if each of its disks is what the configuration takes it for.
 *
 *     0   magic, version, uuid
 *     60  checksum of the page
 *     64  device, node, which part it is, how many there are
 *     96  name and size of each, 40 bytes
 */
import { ByteReader, ByteWriter } from '../core/bytes.ts';
import type { PartConfig } from '../core/config.ts';
import { crc32c } from '../core/crc32c.ts';
import { invariant } from '../core/invariant.ts';
import type { NodeId } from '../core/units.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import { CRC_AT, getU32, HEAD_BYTES, METADATA_VERSION, putU32 } from './page.ts';

/** Pages behind the data of each part: copies of its label. */
export const LABEL_PAGES = 2;
/** Parts that a volume has at most. */
export const PARTS_MAX = 16;
/** Bytes of a part's name at most: letters, digits, - and _. */
export const PART_NAME_BYTES = 32;

const LABEL_MAGIC = 0x50595355;

export interface PartLabel {
  /** The volume's 128-bit identity, 32 hexadecimal digits. */
  readonly uuid: string;
  /** That of the replica, as its superblocks have it. */
  readonly device: string;
  readonly node: NodeId;
  /** Which of the parts this one is. */
  readonly index: number;
  readonly parts: readonly PartConfig[];
}

/** Each of the pages behind the data of part `index`. */
export function encodeLabel(label: PartLabel): Uint8Array {
  const { uuid, device, node, index, parts } = label;
  invariant(parts.length >= 2 && parts.length <= PARTS_MAX, 'a volume has 2 to 16 parts');
  invariant(index >= 0 && index < parts.length, 'a label is that of one of them');
  const bytes = new Uint8Array(PAGE_BYTES);
  const w = new ByteWriter(bytes, 0);
  w.u32(LABEL_MAGIC);
  w.u32(METADATA_VERSION);
  w.hex(uuid);
  w.at = HEAD_BYTES;
  w.hex(device);
  w.uint(node);
  w.u32(index);
  w.u32(parts.length);
  for (const { name, sizeBytes } of parts) {
    invariant(name.length <= PART_NAME_BYTES, 'the name of a part is short');
    for (let i = 0; i < PART_NAME_BYTES; i += 1) w.u8(i < name.length ? name.charCodeAt(i) : 0);
    w.uint(sizeBytes);
  }
  putU32(bytes, CRC_AT, labelCrc(bytes));
  return bytes;
}

/** Why a page is no label that this program can use. */
export type LabelFault = 'none' | 'version';

export type LabelRead =
  | { readonly ok: true; readonly label: PartLabel }
  | { readonly ok: false; readonly fault: LabelFault };

export function decodeLabel(bytes: Uint8Array): LabelRead {
  const none: LabelRead = { ok: false, fault: 'none' };
  if (bytes.length !== PAGE_BYTES || getU32(bytes, 0) !== LABEL_MAGIC) return none;
  if (getU32(bytes, CRC_AT) !== labelCrc(bytes)) return none;
  const r = new ByteReader(bytes, 4, PAGE_BYTES);
  if (r.u32() !== METADATA_VERSION) return { ok: false, fault: 'version' };
  const uuid = r.hex(16);
  r.at = HEAD_BYTES;
  const device = r.hex(16);
  const node = r.uint();
  const index = r.u32();
  const count = r.u32();
  if (!r.ok || count < 2 || count > PARTS_MAX || index >= count) return none;
  const parts: PartConfig[] = [];
  for (let p = 0; p < count; p += 1) {
    let name = '';
    for (let i = 0; i < PART_NAME_BYTES; i += 1) {
      const code = r.u8();
      if (code !== 0) name += String.fromCharCode(code);
    }
    parts.push({ name, sizeBytes: r.uint() });
  }
  return r.ok ? { ok: true, label: { uuid, device, node, index, parts } } : none;
}

/** What is wrong with a disk that the configuration takes for `wanted`. */
export type LabelVerdict =
  | 'ok'
  | LabelFault
  | 'other-volume'
  | 'other-node'
  /** Another part of the same replica: two paths are exchanged. */
  | 'other-part'
  /** The volume had other parts, or the same in another order, when it was made. */
  | 'other-parts'
  /** Of an earlier or another replica of the same volume and node. */
  | 'other-device';

/** Holds what was read against what is wanted; `wanted.device` is '' while nobody knows it. */
export function judgeLabel(read: LabelRead, wanted: PartLabel): LabelVerdict {
  if (!read.ok) return read.fault;
  const { label } = read;
  if (label.uuid !== wanted.uuid) return 'other-volume';
  if (label.node !== wanted.node) return 'other-node';
  const same =
    label.parts.length === wanted.parts.length &&
    label.parts.every(({ name, sizeBytes }, i) => {
      return name === wanted.parts[i]?.name && sizeBytes === wanted.parts[i]?.sizeBytes;
    });
  if (!same) return 'other-parts';
  if (label.index !== wanted.index) return 'other-part';
  if (wanted.device !== '' && label.device !== wanted.device) return 'other-device';
  return 'ok';
}

/** What the copies of a label come to: what it says, and which of them are no labels. */
export interface CopiesVerdict {
  readonly verdict: LabelVerdict;
  readonly damaged: readonly number[];
}

/** One copy that is whole is enough; no whole one may say anything else. */
export function judgeCopies(copies: readonly LabelRead[], wanted: PartLabel): CopiesVerdict {
  const verdicts = copies.map((copy) => judgeLabel(copy, wanted));
  const damaged = verdicts.flatMap((verdict, i) => (verdict === 'none' ? [i] : []));
  const whole = verdicts.filter((verdict) => verdict !== 'none');
  return { verdict: whole.find((verdict) => verdict !== 'ok') ?? whole[0] ?? 'none', damaged };
}

function labelCrc(bytes: Uint8Array): number {
  return crc32c(bytes, HEAD_BYTES, PAGE_BYTES, crc32c(bytes, 0, CRC_AT, 0));
}
