/**
 * A replica's file on a disk that can be made to fail: nbdkit serves the bytes through its error
 * filter, and nbdfuse shows them as a file again. None of it is ours.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { waitFor } from './hosts.ts';

/** Why there can be no such disk here, or null. */
export function ailingMissing(): string | null {
  if (process.geteuid?.() !== 0) return 'needs root for FUSE';
  if (!existsSync('/dev/fuse')) return 'this kernel has no FUSE';
  for (const [program, name] of [
    ['nbdkit', 'nbdkit'],
    ['nbdfuse', 'nbdfuse'],
    ['fusermount3', 'fuse3'],
  ] as const) {
    if (spawnSync(program, ['--version']).status !== 0) {
      return `${program} is not installed (apt install ${name})`;
    }
  }
  return null;
}

export class AilingDisk {
  readonly #path: string;
  #children: ChildProcess[] = [];
  #shower: ChildProcess | null = null;
  #bytes = 0;

  /** The file at `path` becomes a disk of its own, at the same place. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Where the bytes really are, for comparing. */
  get backing(): string {
    return `${this.#path}.backing`;
  }

  async attach(): Promise<void> {
    const { size } = statSync(this.#path);
    this.#bytes = size;
    renameSync(this.#path, this.backing);
    writeFileSync(this.#path, '');
    const socket = `${this.#path}.sock`;
    // Written when clients may come: the socket is there before that.
    const ready = `${this.#path}.ready`;
    const fail = (what: string): readonly string[] => [
      `error-${what}=EIO`,
      `error-${what}-rate=100%`,
      `error-${what}-file=${this.#trigger(what)}`,
    ];
    this.#start('nbdkit', [
      '-f',
      '-U',
      socket,
      '-P',
      ready,
      '--filter=error',
      'file',
      this.backing,
      ...fail('pwrite'),
      ...fail('pread'),
    ]);
    await waitFor('nbdkit', () => existsSync(ready));
    await this.#show();
  }

  /** What shows the bytes as a file dies: nothing can be reached any more (ENOTCONN). */
  cutPath(): void {
    this.#shower?.kill('SIGKILL');
  }

  /** Nothing that is asked of it from now on ends, until it goes on. */
  hang(on: boolean): void {
    this.#shower?.kill(on ? 'SIGSTOP' : 'SIGCONT');
  }

  /** It is there again, in the same place. */
  async mendPath(): Promise<void> {
    spawnSync('fusermount3', ['-u', '-z', this.#path]);
    await this.#show();
  }

  async #show(): Promise<void> {
    this.#shower = this.#start('nbdfuse', [this.#path, `nbd+unix:///?socket=${this.#path}.sock`]);
    await waitFor('nbdfuse', () => statSync(this.#path).size === this.#bytes);
  }

  /** From now on every write fails with EIO, or none does. */
  refuseWrites(on: boolean): void {
    this.#pull('pwrite', on);
  }

  /** The same for reads. */
  refuseReads(on: boolean): void {
    this.#pull('pread', on);
  }

  detach(): void {
    spawnSync('fusermount3', ['-u', '-z', this.#path]);
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #trigger(what: string): string {
    return `${this.#path}.fail-${what}`;
  }

  #pull(what: string, on: boolean): void {
    if (on) writeFileSync(this.#trigger(what), '');
    else rmSync(this.#trigger(what), { force: true });
  }

  #start(program: string, words: readonly string[]): ChildProcess {
    const child = spawn(program, words, { stdio: 'ignore' });
    this.#children.push(child);
    return child;
  }
}
