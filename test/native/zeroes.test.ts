/** What the addon makes of a device that is away for one call while zeroes are written. */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { isPathLoss } from '../../engine/mirror/path.ts';
import { itUnless } from '../real/support/hosts.ts';

const probe = fileURLToPath(new URL('support/zero-probe.ts', import.meta.url));

function missing(): string | null {
  if (!hasNative()) return 'the native addon is not built (npm run build:native)';
  const tried = spawnSync('strace', ['-o', '/dev/null', 'true']);
  return tried.status === 0 ? null : 'strace is not installed, or may trace nothing here';
}

/** The statuses of two requests, the first fallocate of each thread ending with this error. */
function statusesWith(error: string): readonly number[] {
  const tracer = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fallocate'];
  const inject = ['-e', `inject=fallocate:error=${error}:when=1`];
  const node = [process.execPath, '--import', 'tsx', probe];
  const ran = spawnSync('strace', [...tracer, ...inject, ...node], { encoding: 'utf8' });
  return ran.stdout.split('\n').flatMap((line) => (line === '' ? [] : Number(line.split(' ')[1])));
}

describe('a request for zeroes', () => {
  const it = itUnless(missing());

  // The addon and the engine have a list each of what says that the path is lost.
  const lost = Object.entries(constants.errno).filter(([, errno]) => isPathLoss(errno));
  for (const [error, status] of [...lost, ['EIO', constants.errno.EIO] as const]) {
    it(`fails with the device, and is not tried in another way (${error})`, async () => {
      const statuses = statusesWith(error);
      expect(statuses).toHaveLength(2);
      expect(statuses).toContain(status);
    });
  }

  it('is done in another way where the file system knows none of this', async () => {
    expect(statusesWith('EOPNOTSUPP')).toEqual([0, 0]);
  });
});
