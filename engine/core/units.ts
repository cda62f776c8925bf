/** Units and identifiers. All are integers; times are of a monotonic clock unless said. */

/** Microseconds of the host's monotonic clock since an arbitrary start; a safe integer ≥ 0. */
export type Micros = number;
/** A node's number, 1..64, never reused. */
export type NodeId = number;
/** Epoch: fencing number of a volume or group, from the committed log; 0 is "none yet". */
export type Epoch = number;
/** Generation: lineage of the data on a replica; a random safe integer > 0, 0 is "none yet". */
export type Generation = number;
/**
 * Identifies one life of a host from power-on to power loss: a random safe integer > 0. A core
 * that restarts while its host lives keeps it, because the disk caches survived with the host.
 */
export type BootId = number;

export const MICROS_PER_MS: number = 1000;
export const MICROS_PER_S: number = 1_000_000;

/** Bytes of a tracking block: the granularity of the dirty map. */
export const BLOCK_BYTES = 4096;
/** Bytes of an extent: the granularity of the activity log. */
export const EXTENT_BYTES: number = 1024 * 1024;
/** Requests are split at this many bytes. */
export const REQUEST_BYTES_MAX: number = 1024 * 1024;
/** Smallest logical block, and the unit at which a power cut may tear a write. */
export const SECTOR_BYTES = 512;
