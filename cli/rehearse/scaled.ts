/**
 * A configuration as it is rehearsed: everything that decides who does what stays as it is; volumes
 * shrink, because their size only decides how long a copy takes, and a small one is compared often.
 */
import type { ClusterConfig } from '../../engine/core/config.ts';

/** Size at which volumes are rehearsed, in bytes. */
export const REHEARSED_BYTES: number = 12 * 1024 * 1024;
/** Extents that may be hot at once, few enough that they have to cool in every run. */
const REHEARSED_EXTENTS = 8;

/** `config` with its volumes scaled down. */
export function scaledConfig(config: ClusterConfig): ClusterConfig {
  return {
    ...config,
    volumes: config.volumes.map((volume) => ({
      ...volume,
      sizeBytes: Math.min(volume.sizeBytes, REHEARSED_BYTES),
      activityLogExtents: Math.min(volume.activityLogExtents, REHEARSED_EXTENTS),
    })),
  };
}
