import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLocked, lockDirectory } from '../../backends/real/directory-lock.ts';
import { HostError } from '../../backends/real/failure.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'us-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the lock of a folder', () => {
  it('is seen by a look, and gone when it is released', async () => {
    expect(await isLocked(folder, 'core')).toBe(false);
    const lock = await lockDirectory(folder, 'core');
    expect(await isLocked(folder, 'core')).toBe(true);
    expect(await isLocked(folder, 'monitor')).toBe(false);
    lock.release();
    expect(await isLocked(folder, 'core')).toBe(false);
  });

  it('is never taken by a look, however often somebody looks', async () => {
    let looking = true;
    const onlookers = Array.from({ length: 8 }, async () => {
      while (looking) await isLocked(folder, 'core');
    });
    for (let n = 0; n < 200; n++) {
      const begun = performance.now();
      (await lockDirectory(folder, 'core')).release();
      // It never had to wait for its second try.
      expect(performance.now() - begun).toBeLessThan(1000);
    }
    looking = false;
    await Promise.all(onlookers);
  });

  it('refuses a second holder with a remedy, and waits a moment for one that goes', async () => {
    const lock = await lockDirectory(folder, 'core');
    await expect(lockDirectory(folder, 'core')).rejects.toBeInstanceOf(HostError);
    setTimeout(() => lock.release(), 300);
    (await lockDirectory(folder, 'core')).release();
  });
});
