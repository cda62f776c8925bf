/**
 * The pair harness on real files: each replica is a file laid out as production lays it out, its
 * data area first and its metadata behind it, and every sector holds its stamp in all its bytes.
 */
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { Decision, Event, PAGE_BYTES } from '../../../engine/data/abi.ts';
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import type { MirrorConfig } from '../../../engine/mirror/config.ts';
import { metadataPages } from '../../../engine/mirror/metadata.ts';
import { type Host, INPUT, MS, SECTOR } from '../../support/mirror-hosts.ts';
import { Pair } from '../../support/mirror-pair.ts';
import type { DiskImage } from './crash-images.ts';

const WORDS: number = SECTOR / 4;

/** One replica's file. */
export class ReplicaFile {
  readonly path: string;
  readonly file: number;
  readonly #config: MirrorConfig;
  readonly #data: Buffer;

  constructor(config: MirrorConfig, path: string) {
    this.path = path;
    this.file = openSync(path, 'w+');
    this.#config = config;
    this.#data = Buffer.alloc(config.sizeBytes);
  }

  close(): void {
    closeSync(this.file);
  }

  /** Makes the file what a crash left. */
  restore({ sectors, meta }: DiskImage): void {
    const { sizeBytes } = this.#config;
    ftruncateSync(this.file, 0);
    ftruncateSync(this.file, sizeBytes + metadataPages(this.#config) * PAGE_BYTES);
    for (const [sector, stamp] of sectors) this.write(sector, Uint32Array.of(stamp));
    for (const [page, bytes] of meta) this.writePage(page, bytes);
  }

  /** Writes sectors from `first` on, each full of its stamp. */
  write(first: number, stamps: Uint32Array): void {
    const words = new Uint32Array(stamps.length * WORDS);
    for (const [i, stamp] of stamps.entries()) words.fill(stamp, i * WORDS, (i + 1) * WORDS);
    writeSync(this.file, words, 0, words.byteLength, first * SECTOR);
  }

  /** Reads the stamps of sectors from `first` on; -1 where the bytes are not of one write. */
  read(first: number, stamps: Int32Array | Uint32Array): void {
    const words = new Uint32Array(stamps.length * WORDS);
    readSync(this.file, words, 0, words.byteLength, first * SECTOR);
    for (let i = 0; i < stamps.length; i += 1) {
      const stamp = words[i * WORDS] as number;
      let same = true;
      for (let w = 1; w < WORDS; w += 1) if (words[i * WORDS + w] !== stamp) same = false;
      stamps[i] = same ? stamp : -1;
    }
  }

  readSector(sector: number): number {
    const one = new Int32Array(1);
    this.read(sector, one);
    return one[0] as number;
  }

  writePage(page: number, bytes: Uint8Array): void {
    writeSync(this.file, bytes, 0, PAGE_BYTES, this.#config.sizeBytes + page * PAGE_BYTES);
  }

  readPage(page: number): Uint8Array {
    const bytes = new Uint8Array(PAGE_BYTES);
    readSync(this.file, bytes, 0, PAGE_BYTES, this.#config.sizeBytes + page * PAGE_BYTES);
    return bytes;
  }

  /** Every byte of the data area, valid until it is asked for again. */
  data(): Buffer {
    readSync(this.file, this.#data, 0, this.#data.length, 0);
    return this.#data;
  }
}

/**
 * What became of a host: its power went and came back, at once or long after the other's; or only
 * its core ended.
 */
export type Fate = 'dark' | 'dark-for-long' | 'restarted';

/** Two hosts come back after a crash, on their files and under the record that was committed. */
export class FilePair extends Pair {
  readonly files: readonly [ReplicaFile, ReplicaFile];

  constructor(
    config: MirrorConfig,
    seed: number,
    files: readonly [ReplicaFile, ReplicaFile],
    record: VolumeRecord,
    fates: readonly [Fate, Fate],
  ) {
    super({ config, seed });
    this.files = files;
    this.record = record;
    for (const h of this.hosts) {
      const fate = fates[h.node - 1];
      if (fate === 'restarted') this.crashCore(h.node, MS);
      else this.powerOff(h.node);
      if (fate === 'dark') this.powerOn(h.node);
    }
  }

  /** Lets the hosts recover until both replicas are whole and equal, or says why they are not. */
  recover(): void {
    // Long enough for the one that is there to take over, if it may.
    if (this.hosts.some((h) => !h.powered)) this.runFor(400 * MS);
    this.settle();
  }

  override decide(h: Host, d: number): void {
    const { decisions, outPages } = h.memory;
    const file = this.files[h.node - 1] as ReplicaFile;
    const slot = decisions.slot(d);
    const offset = decisions.offset(d);
    const length = decisions.length(d);
    const first = offset / SECTOR;
    const data = h.payload[slot] as Uint32Array;
    switch (decisions.op(d)) {
      case Decision.LocalRead:
        this.io(h, null, () => {
          file.read(first, data.subarray(0, length / SECTOR));
          return { ...INPUT, op: Event.LocalDone, slot };
        });
        return;
      case Decision.LocalWrite: {
        const stamps = data.slice(0, length / SECTOR);
        this.io(
          h,
          () => file.write(first, stamps),
          () => ({ ...INPUT, op: Event.LocalDone, slot }),
        );
        return;
      }
      case Decision.MetaRead:
        this.io(h, null, () => {
          const page = file.readPage(offset);
          return { ...INPUT, op: Event.MetaDone, offset, length, page };
        });
        return;
      case Decision.MetaWrite: {
        const bytes = outPages.slice(slot * PAGE_BYTES, (slot + 1) * PAGE_BYTES);
        this.io(
          h,
          () => file.writePage(offset, bytes),
          () => ({ ...INPUT, op: Event.MetaDone, offset, length }),
        );
        return;
      }
      default:
        super.decide(h, d);
    }
  }
}
