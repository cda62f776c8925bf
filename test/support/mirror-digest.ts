/** What the pair harness's backend does with digests and checks of what a slot holds. */
import { Flag, HEADER_BYTES, Header, Status } from '../../engine/data/abi.ts';
import { ZERO_SUM } from '../../engine/mirror/sum-page.ts';
import type { Host, Input } from './mirror-hosts.ts';
import type { PairZeroes } from './mirror-zeroes.ts';

const SECTOR = 512;
const BLOCK = 4096;
const WORDS = 4;

/** The status of a read that worked, held against what its flags say. */
export function judged(
  h: Host,
  slot: number,
  offset: number,
  length: number,
  flags: number,
): number {
  const data = h.payload[slot] as Uint32Array;
  const check = (flags & Flag.Check) !== 0;
  if ((flags & Flag.Digest) === 0) {
    const same = h.answered[slot]?.every((stamp, i) => data[i] === stamp) === true;
    return check && !same ? Status.Differs : Status.Ok;
  }
  const { u32 } = h.memory.headers;
  const at = (slot * HEADER_BYTES + Header.Digest) >> 2;
  let same = true;
  for (let lane = 0; lane < WORDS; lane += 1) {
    let sum = Math.imul(offset / SECTOR + 7, 0x9e3779b1) ^ Math.imul(length + lane, 0x85ebca6b);
    for (let i = 0; i < length / SECTOR; i += 1) {
      sum = Math.imul((sum << 7) ^ (sum >>> 25) ^ (data[i] as number) ^ lane, 0x9e3779b1);
    }
    if (u32[at + lane] !== sum >>> 0) same = false;
    u32[at + lane] = sum >>> 0;
  }
  return check && !same ? Status.Differs : Status.Ok;
}

/** What stands for the CRC32C of each whole block; undefined where none is asked for. */
export function sumsOf(
  data: Uint32Array,
  offset: number,
  length: number,
  flags: number,
  zeroes: PairZeroes,
): Uint32Array | undefined {
  if ((flags & Flag.Sums) === 0) return undefined;
  const sums: number[] = [];
  for (let at = Math.ceil(offset / BLOCK) * BLOCK; at + BLOCK <= offset + length; at += BLOCK) {
    const from = (at - offset) / SECTOR;
    const block = data.subarray(from, from + BLOCK / SECTOR);
    let sum = 0x811c9dc5;
    for (const stamp of block) sum = Math.imul((sum << 5) ^ (sum >>> 27) ^ stamp, 0x01000193);
    sums.push(zeroes.all(block) ? ZERO_SUM : sum >>> 0);
  }
  return Uint32Array.from(sums);
}

/** The peer's answer comes into the slot that asked: its payload, or the digest in its header. */
export function takeAnswer(h: Host, slot: number, i: Input): void {
  if ((i.flags & Flag.Digest) === 0) {
    if (i.payload) (h.payload[slot] as Uint32Array).set(i.payload);
    h.answered[slot] = i.payload;
    return;
  }
  const from = Header.Digest;
  const digest = i.header?.subarray(from, from + 4 * WORDS) ?? new Uint8Array(4 * WORDS);
  h.memory.headers.bytes.set(digest, slot * HEADER_BYTES + from);
}

/** What goes along with an answer: payload, or the header, or nothing but a status. */
export function answerOf(h: Host, slot: number, answer: Input): Input {
  if (answer.status !== 0) return answer;
  if ((answer.flags & Flag.Digest) === 0) {
    const count = answer.length / SECTOR;
    return { ...answer, payload: (h.payload[slot] as Uint32Array).slice(0, count) };
  }
  const at = slot * HEADER_BYTES;
  return { ...answer, header: h.memory.headers.bytes.slice(at, at + HEADER_BYTES) };
}
