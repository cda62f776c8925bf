/**
 * Whether what is wrong with a replica is for a person to mend, or for the host to wait until it is
 * over: a device that cannot be reached comes back by itself. A core that is refused ends for good,
 * and its monitor stops every application of the host, so that must not come of a cable.
 */
import { constants } from 'node:os';
import { isPathLoss } from '../../engine/mirror/path.ts';
import { HostError } from './failure.ts';

/**
 * Unreachable: its device is there, or the place for it, and answers nothing of what it has.
 * Unnamed: there is no such device; perhaps not yet, perhaps not any more, perhaps there never was.
 * Wrong: it is not the replica that it should be.
 */
export type ReplicaTrouble = 'unreachable' | 'unnamed' | 'wrong';

/** A replica cannot be used. */
export class ReplicaError extends HostError {
  readonly trouble: ReplicaTrouble;

  constructor(trouble: ReplicaTrouble, reason: string, remedy: string) {
    super(reason, remedy);
    this.trouble = trouble;
  }
}

/** What it says of a replica that opening or reading `path` failed with this error. */
export function troubleOf(path: string, code: string): ReplicaTrouble {
  // Of a replica that is not open yet EIO may be anything.
  const number = constants.errno[code as keyof typeof constants.errno] ?? 0;
  if (code === 'EIO' || isPathLoss(number)) return 'unreachable';
  return code === 'ENOENT' && path.startsWith('/dev/') ? 'unnamed' : 'wrong';
}

/** When this node has had the replica open before, with the same configuration. */
export type Acquaintance = 'never' | 'in-another-boot' | 'in-this-boot';

/**
 * Why the replica is waited for, and what may end that; '' where a person has to act. At the start
 * of a machine sessions of its network disks may come up later than we do, so a device without a
 * name is waited for, but only one that was there before: a name that never was is a mistake. And
 * whatever has become of a replica that this boot has had open, it is no mistake of whoever wrote
 * the configuration.
 */
export function waitsFor(error: unknown, known: Acquaintance): string {
  if (!(error instanceof ReplicaError)) return '';
  const { trouble, message, remedy } = error;
  const waits =
    trouble === 'unreachable' ||
    known === 'in-this-boot' ||
    (trouble === 'unnamed' && known === 'in-another-boot');
  return waits ? `${message}. Remedy: ${remedy}` : '';
}
