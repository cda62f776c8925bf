/** Makes the file of a new, empty replica: the data area as a hole, the metadata formatted. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { mirrorConfig } from '../backends/real/mirror-config.ts';
import type { VolumeConfig } from '../engine/core/config.ts';
import type { Generation, NodeId } from '../engine/core/units.ts';
import { PAGE_BYTES } from '../engine/data/abi.ts';
import { formatMetadata, metadataPages } from '../engine/mirror/metadata.ts';

/**
 * Creates `path` for `node`'s replica of `volume`, in sync at `generation`. The file must not
 * exist. Durable when it returns.
 */
export function formatReplica(
  volume: VolumeConfig,
  node: NodeId,
  path: string,
  generation: Generation,
): void {
  const config = mirrorConfig(volume);
  const dataBytes = Math.ceil(config.sizeBytes / PAGE_BYTES) * PAGE_BYTES;
  const device = randomBytes(16).toString('hex');
  const file = openSync(path, 'wx', 0o600);
  try {
    ftruncateSync(file, dataBytes + metadataPages(config) * PAGE_BYTES);
    for (const { page, bytes } of formatMetadata(config, node, generation, 'UpToDate', device)) {
      writeSync(file, bytes, 0, bytes.length, dataBytes + page * PAGE_BYTES);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
