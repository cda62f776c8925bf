import { chmodSync, closeSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLocked, lockDirectory } from '../../backends/real/directory-lock.ts';
import { HostError } from '../../backends/real/failure.ts';
import { hasNative, loadNative } from '../../backends/real/native.ts';

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

  it('is gone for a look that its holder did not live to answer', async () => {
    const lock = await lockDirectory(folder, 'core');
    const look = isLocked(folder, 'core');
    lock.release();
    expect(await look).toBe(false);
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

  it('is held on a file too, for those who cannot see the name', async (context) => {
    if (!hasNative()) context.skip('the native addon is not built (npm run build:native)');
    const { lockFile } = loadNative();
    const file = lockFile(join(folder, 'core.lock'));
    await expect(lockDirectory(folder, 'core')).rejects.toBeInstanceOf(HostError);
    expect(await isLocked(folder, 'core')).toBe(false);
    closeSync(file);
    const lock = await lockDirectory(folder, 'core');
    expect(lockFile(join(folder, 'core.lock'))).toBe(-1);
    lock.release();
  });

  it('makes the folder private, and refuses one that everybody may write', async () => {
    chmodSync(folder, 0o755);
    (await lockDirectory(folder, 'core')).release();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    chmodSync(folder, 0o777);
    await expect(lockDirectory(folder, 'core')).rejects.toThrow('others may use');
  });

  it('refuses a second holder with a remedy, and waits a moment for one that goes', async () => {
    const lock = await lockDirectory(folder, 'core');
    await expect(lockDirectory(folder, 'core')).rejects.toBeInstanceOf(HostError);
    setTimeout(() => lock.release(), 300);
    (await lockDirectory(folder, 'core')).release();
  });
});
