/**
 * Opens a volume's reactor: replica looked at and locked, front-end and replication listening; or
 * says that the replica has to be waited for.
 */
import { hkdfSync } from 'node:crypto';
import type { ReplicaConfig } from '../../engine/core/config.ts';
import { LABEL_PAGES } from '../../engine/mirror/part-label.ts';
import { parseAddress } from './address.ts';
import type { DataStart } from './data-messages.ts';
import { HostError } from './failure.ts';
import { mirrorConfig, REAL_LAYOUT, spillsOf } from './mirror-config.ts';
import { loadNative, NativeError, type Reactor } from './native.ts';
import { checkReplica, replicaPages } from './replica-check.ts';
import { convertReplica } from './replica-convert.ts';
import { ReplicaMemory } from './replica-memory.ts';
import { mendLabels, replicaParts } from './replica-parts.ts';
import { ReplicaError, waitsFor } from './replica-path.ts';

/** An earlier process of this host may be on its way out, its last disk operations with it. */
const LOCK_WAIT_MS = 5000;

/**
 * `damagedSlots` and `damagedLabels` are how many {@link checkReplica} found; `away` says why the
 * replica cannot be reached.
 */
export type Opened =
  | { readonly reactor: Reactor; readonly damagedSlots: number; readonly damagedLabels: number }
  | { readonly away: string };

/**
 * Throws HostError for what a person can mend. Of the replica only damaged labels are written, and
 * all metadata where it has to be laid out anew.
 */
export function openReplica(start: DataStart, replica: ReplicaConfig): Opened {
  const { volume, before, conversion: file } = start;
  // Of a volume in parts the holders never change online.
  if (volume.parts === undefined) {
    convertReplica({ before: before ?? volume, volume, replica, file });
  }
  const memory = new ReplicaMemory(start.memory, start.volume, replica, start.boot);
  try {
    const { damagedSlots, damagedLabels } = checkReplica(start.volume, replica);
    const reactor = openReactor(start, replica);
    mendLabels(damagedLabels);
    memory.note();
    return { reactor, damagedSlots, damagedLabels: damagedLabels.length };
  } catch (error) {
    const away = waitsFor(error, memory.known);
    if (away === '') throw error;
    return { away };
  }
}

function openReactor(start: DataStart, replica: ReplicaConfig): Reactor {
  try {
    return open(start, replica);
  } catch (error) {
    if (!(error instanceof NativeError) || !isMendable(error)) throw error;
    const reason = `volume "${start.volume.name}": ${error.message}`;
    const { code, remedy } = error;
    if (!code.startsWith('REPLICA_')) throw new HostError(reason, remedy);
    throw new ReplicaError(code === 'REPLICA_IO' ? 'unreachable' : 'wrong', reason, remedy);
  }
}

function open(start: DataStart, replica: ReplicaConfig): Reactor {
  const { volume, node, key, listen, peers } = start;
  const parts = replicaParts(volume, replica);
  const reactor = loadNative().makeReactor({
    layout: REAL_LAYOUT,
    ...(parts === null ? { replicaPath: replica.path } : { parts, labelPages: LABEL_PAGES }),
    metaPath: replica.meta,
    sizeBytes: volume.sizeBytes,
    metaPages: replicaPages(volume, replica),
    sideBytes: replica.sideBytes ?? 0,
    sidePath: replica.side ?? '',
    blockBytes: volume.logicalBlock,
    zeroBytes: mirrorConfig(volume).zeroBytes,
    node,
    volume: volume.uuid,
    key: replicationKey(key, volume.uuid),
    lockWaitMillis: LOCK_WAIT_MS,
    spills: spillsOf(volume, node),
  });
  if (volume.servedBytes !== undefined) reactor.setExportBytes(volume.servedBytes);
  // A volume in parts has as many exports, under their own names.
  for (const address of volume.nbd.find((entry) => entry.node === node)?.listen ?? []) {
    if (address.startsWith('unix:')) {
      reactor.listenNbd({ path: address.slice('unix:'.length) }, volume.name);
    } else {
      const { host, port } = parseAddress(address);
      reactor.listenNbd({ host, port }, volume.name);
    }
  }
  reactor.listenPeer({ host: listen.host, port: listen.port });
  // Of every two, the lower node connects.
  for (const peer of peers) if (node < peer.node) reactor.connectPeer(peer);
  return reactor;
}

/** Another key for each purpose, so that nothing of one protocol means anything in another. */
function replicationKey(clusterKey: Uint8Array, uuid: string): Uint8Array {
  const key = hkdfSync('sha256', clusterKey, uuid, 'understudy replication v1', 32);
  return new Uint8Array(key);
}

/** What is wrong with this host or its configuration, not with the program. */
function isMendable({ code }: NativeError): boolean {
  return /^(?:REPLICA|ADDRESS|NBD|NATIVE|IO_URING)_/.test(code) || code === 'NO_MEMORY';
}
