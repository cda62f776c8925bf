/**
 * Which errors of a device say that the way to it is lost, and nothing of what is on it: the array,
 * the server or the cable is away, and may be back with all that it had on its medium. What its
 * cache had may be gone all the same, so the replica is given up as for any other failure
 * (docs/decisions/0027).
 *
 * Linux tells them apart in blk_status_to_errno(): a transport that failed is ENOLINK, a device
 * that is offline ENODEV, a command that nobody answered ETIMEDOUT; a device that was taken away is
 * ENXIO. A file of a network or user-space file system says ENOTCONN, EHOSTDOWN or EHOSTUNREACH,
 * and ECONNABORTED of what was under way.
 */

/** A transport failed (ENOLINK): what the simulation's lost paths say. */
export const PATH_LOST = 67;

const LOST: ReadonlySet<number> = new Set([6, 19, PATH_LOST, 103, 107, 110, 112, 113]);

/** Whether the status of an operation, an errno, says that the path is lost. */
export function isPathLoss(status: number): boolean {
  return LOST.has(status);
}
