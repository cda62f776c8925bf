/**
 * One control datagram, byte for byte:
 *
 *     4 bytes "UCT1" | 32 bytes HMAC-SHA256 over all the rest and the magic | JSON envelope
 *
 * The key is derived from the cluster key for this purpose alone. Nothing of a datagram is parsed
 * before its authentication was checked.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Longest datagram, envelope included: it must fit in one UDP packet. */
export const DATAGRAM_BYTES_MAX: number = 60 * 1024;

const MAGIC = Buffer.alloc(4, 'UCT1');
const MAC_BYTES = 32;
const HEAD_BYTES = MAGIC.length + MAC_BYTES;
/** Hashes of earlier configurations that a node may name. */
const SINCE_MAX = 32;

/** What travels: exactly one of `hello`, `welcome` and `message` is set. */
export interface Envelope {
  readonly cluster: string;
  /** Node ids, so that a datagram cannot be reflected or sent on to a third node. */
  readonly from: number;
  readonly to: number;
  /** The link it was sent on; a copy on another link is another datagram. */
  readonly link: number;
  /** The sender's session: random, new at each start of its core. */
  readonly session: string;
  /** The receiver's session as the sender knows it, '' in a hello. */
  readonly toSession: string;
  /** Counts the messages of this session on this link, from 1; 0 in hello and welcome. */
  readonly seq: number;
  /** Asks for the receiver's session: a number used once. */
  readonly hello?: string;
  /** Answers a hello: its number. */
  readonly welcome?: string;
  /** In hello and welcome: the hash of what all nodes must agree on; see config-hash.ts. */
  readonly config?: string;
  /** And the hashes of what the log led from to that one; absent for none. */
  readonly since?: readonly string[];
  /** A control message; its own parser judges it. */
  readonly message?: unknown;
}

/** Why a datagram was dropped; the names are counters in `understudy status`. */
export type FrameFault = 'badLength' | 'badMagic' | 'badAuthentication' | 'badEnvelope';

/** The key of control datagrams. */
export function controlKey(clusterKey: Uint8Array, cluster: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', clusterKey, cluster, 'understudy control v1', 32));
}

/** The datagram, or null when it would be longer than {@link DATAGRAM_BYTES_MAX}. */
export function sealDatagram(envelope: Envelope, key: Uint8Array): Buffer | null {
  const json = Buffer.from(JSON.stringify(envelope));
  if (json.length + HEAD_BYTES > DATAGRAM_BYTES_MAX) return null;
  return Buffer.concat([MAGIC, authenticate(json, key), json]);
}

/** The envelope of an authentic datagram, or why there is none. */
export function openDatagram(datagram: Buffer, key: Uint8Array): Envelope | FrameFault {
  if (datagram.length <= HEAD_BYTES || datagram.length > DATAGRAM_BYTES_MAX) return 'badLength';
  if (!datagram.subarray(0, MAGIC.length).equals(MAGIC)) return 'badMagic';
  const json = datagram.subarray(HEAD_BYTES);
  const claimed = datagram.subarray(MAGIC.length, HEAD_BYTES);
  if (!timingSafeEqual(claimed, authenticate(json, key))) return 'badAuthentication';
  return parseEnvelope(json.toString('utf8')) ?? 'badEnvelope';
}

function authenticate(json: Uint8Array, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(MAGIC).update(json).digest();
}

/** An authentic sender may still be of another version: every field is checked. */
function parseEnvelope(text: string): Envelope | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const envelope = value as Record<string, unknown>;
  const { cluster, from, to, link, session, toSession, seq, message } = envelope;
  const { hello, welcome, config = '', since = [] } = envelope;
  if (!isText(cluster) || !isText(session) || session === '' || !isText(toSession)) return null;
  if (!isCount(from) || !isCount(to) || !isCount(link) || !isCount(seq)) return null;
  if (!isText(config) || !Array.isArray(since) || !since.every(isText)) return null;
  const known = since.length === 0 ? { config } : { config, since: since.slice(-SINCE_MAX) };
  const head = { cluster, from, to, link, session, toSession, seq };
  if (hello !== undefined) return isText(hello) ? { ...head, ...known, hello } : null;
  if (welcome !== undefined) return isText(welcome) ? { ...head, ...known, welcome } : null;
  return message === undefined ? null : { ...head, message };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 64;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
