/**
 * A configuration as it is rehearsed: everything that decides who does what stays as it is; volumes
 * shrink, because their size only decides how long a copy takes, and a small one is compared often.
 * Side areas shrink with them, so that what they have no room for is the same part of a volume.
 */
import { ASYNC_SIDE_MIN, SIDE_MIN, SIZE_MULTIPLE } from '../../engine/cluster/config-check.ts';
import type {
  ClusterConfig,
  PartConfig,
  ReplicaConfig,
  VolumeConfig,
} from '../../engine/core/config.ts';
import { EXTENT_BYTES } from '../../engine/core/units.ts';

/** Size at which volumes are rehearsed, in bytes. */
export const REHEARSED_BYTES: number = 12 * 1024 * 1024;
/** Room that a volume keeps, if it has that much. */
const ROOM_BYTES = 3 * 1024 * 1024;
/** Extents that may be hot at once, few enough that they have to cool in every run. */
const REHEARSED_EXTENTS = 8;

/** `config` with its volumes scaled down. */
export function scaledConfig(config: ClusterConfig): ClusterConfig {
  return {
    ...config,
    volumes: config.volumes.map((volume) => {
      const parts = scaledParts(volume);
      const sizeBytes =
        parts?.reduce((sum, part) => sum + part.sizeBytes, 0) ?? sizeOfScaled(volume);
      const { servedBytes, ...whole } = volume;
      const served = Math.min(servedBytes ?? sizeBytes, REHEARSED_BYTES);
      return {
        ...whole,
        sizeBytes,
        ...(servedBytes === undefined ? {} : { servedBytes: served }),
        ...(parts === undefined ? {} : { parts }),
        activityLogExtents: Math.min(volume.activityLogExtents, REHEARSED_EXTENTS),
        replicas: volume.replicas.map((each) => withSide(each, volume.sizeBytes, sizeBytes)),
      };
    }),
  };
}

/** What clients see, as far as it is rehearsed, and a little of the room behind that. */
function sizeOfScaled({ sizeBytes, servedBytes = sizeBytes }: VolumeConfig): number {
  return Math.min(servedBytes, REHEARSED_BYTES) + Math.min(sizeBytes - servedBytes, ROOM_BYTES);
}

/** Each part with about its share, 1 MiB at least: what is written to both is what matters. */
function scaledParts({ parts, sizeBytes }: VolumeConfig): readonly PartConfig[] | undefined {
  if (sizeBytes <= REHEARSED_BYTES) return parts;
  return parts?.map((part) => {
    const share = (part.sizeBytes * REHEARSED_BYTES) / sizeBytes;
    return { ...part, sizeBytes: Math.max(1, Math.floor(share / EXTENT_BYTES)) * EXTENT_BYTES };
  });
}

/**
 * The replica of a volume of `size` bytes that has `scaled` now: with the same part of its side
 * area, if it has one, but no less than it must have, and no more than can ever matter.
 */
function withSide(replica: ReplicaConfig, size: number, scaled: number): ReplicaConfig {
  const { sideBytes = 0, mode } = replica;
  if (sideBytes === 0) return replica;
  const least = mode === 'async' ? ASYNC_SIDE_MIN : SIDE_MIN;
  const part = Math.min((sideBytes * scaled) / size, scaled + ASYNC_SIDE_MIN);
  const whole = Math.floor(part / SIZE_MULTIPLE) * SIZE_MULTIPLE;
  return { ...replica, sideBytes: Math.min(sideBytes, Math.max(least, whole)) };
}
