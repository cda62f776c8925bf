/** Block devices for tests: files behind loop devices, where this machine has them. */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function run(program: string, ...words: readonly string[]): { ok: boolean; out: string } {
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  return { ok: status === 0, out: `${stdout ?? ''}${stderr ?? ''}`.trim() };
}

/** Why there are no block devices to test with, or null. */
export function loopMissing(): string | null {
  if (process.geteuid?.() !== 0) return 'needs root for loop devices';
  if (!run('losetup', '--version').ok) return 'losetup is not installed (apt install mount)';
  const folder = mkdtempSync(join(tmpdir(), 'understudy-loop-'));
  try {
    const device = attachLoop(makeFile(join(folder, 'probe'), 1 << 20));
    detachLoop(device);
    return null;
  } catch (error) {
    return `no loop devices here: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A sparse file of `bytes`. */
export function makeFile(path: string, bytes: number): string {
  const file = openSync(path, 'w');
  ftruncateSync(file, bytes);
  closeSync(file);
  return path;
}

/** A block device over `file`, with the sectors of a modern disk unless said otherwise. */
export function attachLoop(file: string, sectorBytes = 4096): string {
  const words = ['--find', '--show', '--sector-size', String(sectorBytes), file];
  const { ok, out } = run('losetup', ...words);
  if (!ok) throw new Error(`losetup: ${out}`);
  return out;
}

/** Has the device read and write past the system's memory, so that it sees errors of its file. */
export function directLoop(device: string): void {
  const { ok, out } = run('losetup', '--direct-io=on', device);
  if (!ok) throw new Error(`losetup: ${out}`);
}

/** Has the device take the size that its file has now. */
export function resizedLoop(device: string): void {
  const { ok, out } = run('losetup', '--set-capacity', device);
  if (!ok) throw new Error(`losetup: ${out}`);
}

export function detachLoop(device: string): void {
  run('losetup', '--detach', device);
}

/** Puts a file system on `device`, `bytes` long, and mounts it; null when it was refused. */
export function mountOn(device: string, folder: string, bytes: number): string | null {
  const made = run('mkfs.ext4', '-q', '-F', '-b', '4096', device, String(bytes / 4096));
  if (!made.ok) return `mkfs: ${made.out}`;
  const mounted = run('mount', device, folder);
  return mounted.ok ? null : `mount: ${mounted.out}`;
}

export function unmount(folder: string): void {
  run('umount', folder);
}
