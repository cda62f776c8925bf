/** The digest that stands in a slot's header, for suites that compare two. */
import { ByteReader } from '../../engine/core/bytes.ts';
import { HEADER_BYTES, Header } from '../../engine/data/abi.ts';
import type { DataMemory } from '../../engine/data/memory.ts';

/** 32 hexadecimal digits. */
export function digestOf({ headers }: DataMemory, slot: number): string {
  const at = slot * HEADER_BYTES + Header.Digest;
  return new ByteReader(headers.bytes, at, at + 16).hex(16);
}
