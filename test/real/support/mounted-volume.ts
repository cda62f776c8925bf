/** A volume as a file system uses it: the export behind nbdfuse and a loop device, mounted. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from './hosts.ts';
import { attachLoop, detachLoop, loopMissing } from './loop-device.ts';

export type FileSystem = 'ext4' | 'xfs';

/** Why a volume cannot be mounted here, or null. */
export function mountMissing(system: FileSystem): string | null {
  const loop = loopMissing();
  if (loop !== null) return loop;
  if (!existsSync('/dev/fuse')) return 'there is no /dev/fuse';
  for (const [program, pack] of [
    ['nbdfuse', 'nbdfuse'],
    [`mkfs.${system}`, system === 'xfs' ? 'xfsprogs' : 'e2fsprogs'],
    ['fstrim', 'util-linux'],
  ] as const) {
    if (spawnSync('which', [program]).status !== 0) {
      return `${program} is not installed (apt install ${pack})`;
    }
  }
  spawnSync('modprobe', ['-q', system]);
  const known = new RegExp(`\\t${system}$`, 'm').test(readFileSync('/proc/filesystems', 'utf8'));
  return known ? null : `this kernel has no ${system}`;
}

export class MountedVolume {
  readonly folder: string;
  readonly #fuse: ChildProcess;
  readonly #fuseFolder: string;
  #device = '';

  /** Attaches the export at `uri`; makes a file system on it when `format` names one; mounts it. */
  static async make(uri: string, work: string, format: FileSystem | null): Promise<MountedVolume> {
    const made = new MountedVolume(uri, work);
    const file = join(made.#fuseFolder, 'nbd');
    await waitFor('nbdfuse serves', () => existsSync(file), 20_000);
    made.#device = attachLoop(file);
    if (format !== null) run(`mkfs.${format}`, '-q', made.#device);
    run('mount', made.#device, made.folder);
    return made;
  }

  private constructor(uri: string, work: string) {
    this.folder = join(work, 'mounted');
    this.#fuseFolder = join(work, 'fuse');
    for (const folder of [this.folder, this.#fuseFolder]) mkdirSync(folder, { recursive: true });
    const line = [join(this.#fuseFolder, 'nbd'), uri];
    this.#fuse = spawn('nbdfuse', line, { stdio: 'ignore' });
  }

  /** Tells the file system to say what it does not use. */
  trim(): void {
    run('fstrim', this.folder);
  }

  /** Everything that was written is with the volume. */
  sync(): void {
    run('sync', '-f', this.folder);
  }

  /** Safe to call twice, and of what was only half made. */
  async close(): Promise<void> {
    spawnSync('umount', [this.folder]);
    if (this.#device !== '') detachLoop(this.#device);
    this.#device = '';
    // The loop device lets go of its file a moment after the call.
    await waitFor(
      'the file is let go',
      () => spawnSync('umount', [this.#fuseFolder]).status === 0 || !this.#isMounted(),
    );
    this.#fuse.kill();
  }

  #isMounted(): boolean {
    return readFileSync('/proc/mounts', 'utf8').includes(` ${this.#fuseFolder} `);
  }
}

function run(program: string, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`);
}
