/**
 * The durable store of a control actor: a folder with two generations of one document.
 *
 * Each document becomes a file of its own, `control-<sequence>`: written under another name, made
 * durable, renamed, and the rename made durable; then the one before the last is removed. So a torn
 * write never has a valid name, and the highest name says which document was the last one that
 * anybody relied on. If that one cannot be read, the one before must not be used in its place: this
 * voter would break promises that it gave. The store then refuses to open, and a person decides.
 */
import { createHash } from 'node:crypto';
import type { Durable } from '../../engine/cluster/interface.ts';
import { DURABLE_BYTES_MAX } from '../../engine/ports/store.ts';
import { HostError, systemCode } from './failure.ts';

/** The few file operations the store needs; tests give it a disk that loses power. */
export interface StoreFiles {
  /** Names in the folder. */
  list(): Promise<readonly string[]>;
  read(name: string): Promise<Uint8Array>;
  /** Creates or replaces; volatile until {@link sync}. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Makes the file's bytes durable. */
  sync(name: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes the folder's names durable. */
  syncFolder(): Promise<void>;
}

/** Whose documents these are; another node's folder is refused. */
export interface StoreOwner {
  readonly cluster: string;
  readonly node: number;
}

/** What {@link DurableStore.open} found. */
export interface OpenedStore {
  readonly store: DurableStore;
  /** Counts the starts, from 1; durable already. */
  readonly session: number;
  readonly durable: Durable | null;
}

interface Head extends StoreOwner {
  readonly format: number;
  readonly sequence: number;
  readonly session: number;
  readonly bytes: number;
  readonly sha256: string;
}

const FORMAT = 1;
const NAME = /^control-(\d{15})$/;
const HEAD_BYTES_MAX = 4096;

/** Replaces the document; calls that come faster than the disk are merged into the latest. */
export class DurableStore {
  #files: StoreFiles;
  #owner: StoreOwner;
  #session: number;
  #sequence: number;
  #body: Uint8Array;
  #waiting: { token: number; body: Uint8Array } | null = null;
  #writing = false;
  #onPersisted: (token: number) => void;
  #onFailed: (error: unknown) => void;

  private constructor(files: StoreFiles, owner: StoreOwner, sequence: number, session: number) {
    this.#files = files;
    this.#owner = owner;
    this.#sequence = sequence;
    this.#session = session;
    this.#body = new TextEncoder().encode('null');
    this.#onPersisted = () => undefined;
    this.#onFailed = (error) => {
      throw error;
    };
  }

  /** Reads what is there and counts this start, durably. Throws HostError. */
  static async open(files: StoreFiles, owner: StoreOwner): Promise<OpenedStore> {
    const names = (await files.list()).filter((name) => NAME.test(name)).sort();
    const newest = names.at(-1);
    if (newest === undefined) {
      const store = new DurableStore(files, owner, 0, 1);
      await store.#replace(store.#body);
      return { store, session: 1, durable: null };
    }
    const { head, body } = parseDocument(newest, await readNewest(files, newest));
    refuseStranger(head, owner);
    const store = new DurableStore(files, owner, head.sequence, head.session + 1);
    store.#body = body;
    await store.#replace(body);
    const durable = JSON.parse(Buffer.from(body).toString('utf8')) as Durable | null;
    return { store, session: head.session + 1, durable };
  }

  /** Who hears of finished and of failed writes. A failed write leaves nothing to rely on. */
  listen(onPersisted: (token: number) => void, onFailed: (error: unknown) => void): void {
    this.#onPersisted = onPersisted;
    this.#onFailed = onFailed;
  }

  /** Asks for `durable` to replace the document; tokens rise. */
  persist(token: number, durable: Durable): void {
    const body = Buffer.from(JSON.stringify(durable));
    if (body.length > DURABLE_BYTES_MAX) {
      this.#onFailed(new Error(`the control document has ${body.length} bytes`));
      return;
    }
    this.#waiting = { token, body };
    if (!this.#writing) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#waiting !== null) {
        const { token, body } = this.#waiting;
        this.#waiting = null;
        await this.#replace(body);
        this.#onPersisted(token);
      }
    } catch (error) {
      this.#onFailed(error);
    } finally {
      this.#writing = false;
    }
  }

  async #replace(body: Uint8Array): Promise<void> {
    const sequence = this.#sequence + 1;
    const name = nameOf(sequence);
    const draft = 'control-draft';
    await this.#files.write(draft, encodeDocument(this.#owner, sequence, this.#session, body));
    await this.#files.sync(draft);
    await this.#files.rename(draft, name);
    await this.#files.syncFolder();
    this.#sequence = sequence;
    this.#body = body;
    // Two are kept: the last, and the one before it for a person who has to look.
    for (const old of await this.#files.list()) {
      if (NAME.test(old) && old < nameOf(sequence - 1)) await this.#files.remove(old);
    }
  }
}

function nameOf(sequence: number): string {
  return `control-${String(sequence).padStart(15, '0')}`;
}

function encodeDocument(
  owner: StoreOwner,
  sequence: number,
  session: number,
  body: Uint8Array,
): Uint8Array {
  const fields = { format: FORMAT, ...owner, sequence, session, bytes: body.length };
  const head: Head = { ...fields, sha256: checksum(fields, body) };
  const line = `${JSON.stringify(head)}\n`;
  return Buffer.concat([Buffer.from(line), body]);
}

/** Covers the body and every field of the head that the store relies on. */
function checksum(head: Omit<Head, 'sha256'>, body: Uint8Array): string {
  const { format, cluster, node, sequence, session } = head;
  return createHash('sha256')
    .update(JSON.stringify([format, cluster, node, sequence, session]))
    .update(body)
    .digest('hex');
}

async function readNewest(files: StoreFiles, name: string): Promise<Uint8Array> {
  try {
    return await files.read(name);
  } catch (error) {
    const code = systemCode(error);
    if (code === '') throw error;
    throw unreadable(name, `reading it failed (${code})`);
  }
}

function parseDocument(name: string, bytes: Uint8Array): { head: Head; body: Uint8Array } {
  const feed = bytes.subarray(0, HEAD_BYTES_MAX).indexOf(0x0a);
  if (feed < 0) throw unreadable(name, 'its first line is missing');
  let head: Head;
  try {
    head = JSON.parse(Buffer.from(bytes.subarray(0, feed)).toString('utf8')) as Head;
  } catch {
    throw unreadable(name, 'its first line is damaged');
  }
  if (head === null || typeof head !== 'object') throw unreadable(name, 'its head is damaged');
  const body = bytes.subarray(feed + 1);
  if (body.length !== head.bytes || checksum(head, body) !== head.sha256) {
    throw unreadable(name, 'its checksum does not fit');
  }
  if (head.format !== FORMAT) {
    throw new HostError(
      `${name} has format ${head.format}, this program reads ${FORMAT}`,
      'start the version of understudy that wrote it, or a later one',
    );
  }
  if (nameOf(head.sequence) !== name) throw unreadable(name, 'it was renamed');
  return { head, body };
}

function refuseStranger(head: Head, owner: StoreOwner): void {
  if (head.cluster === owner.cluster && head.node === owner.node) return;
  throw new HostError(
    `this folder belongs to node ${head.node} of cluster "${head.cluster}", ` +
      `not to node ${owner.node} of "${owner.cluster}"`,
    'give this node its own folder with --data, or correct the configuration',
  );
}

function unreadable(name: string, reason: string): HostError {
  return new HostError(
    `the control state ${name} cannot be used: ${reason}`,
    'while the other voters are well, move all control-* files of this folder away and start ' +
      'again: this node then joins as a new voter; never put an older file in its place',
  );
}
