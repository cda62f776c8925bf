import { describe, expect, it } from 'vitest';
import { Status } from '../../../engine/data/abi.ts';
import { isPathLoss, PATH_LOST } from '../../../engine/mirror/path.ts';

/** Errors of a system as Linux numbers them. */
const LOST = {
  ENXIO: 6,
  ENODEV: 19,
  ENOLINK: PATH_LOST,
  ECONNABORTED: 103,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
};
const NOT_LOST = { ENOENT: 2, EBADF: 9, EACCES: 13, ENOSPC: 28, EROFS: 30, EREMOTEIO: 121 };

describe('a lost path', () => {
  it('is told by the names that the system has for it, and by nothing that a disk says', () => {
    for (const [name, status] of Object.entries(LOST)) {
      expect([name, isPathLoss(status)]).toEqual([name, true]);
    }
    for (const [name, status] of Object.entries(NOT_LOST)) {
      expect([name, isPathLoss(status)]).toEqual([name, false]);
    }
    const own = [0, Status.Io, Status.Medium, Status.Protection, Status.Differs, Status.Invalid];
    for (const status of own) expect([status, isPathLoss(status)]).toEqual([status, false]);
  });
});
