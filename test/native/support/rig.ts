/**
 * What the addon's tests share: replicas in a folder of their own, reactors on them, a loop that
 * turns several engines in this thread while sockets and child processes go on, and clients that
 * none of us wrote.
 */
import { execFile, spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  hasNative,
  loadNative,
  type Native,
  NativeError,
  type Reactor,
  type ReactorOptions,
  replicaFileBytes,
} from '../../../backends/real/native.ts';
import { EchoEngine, LAYOUT } from './echo-engine.ts';

export const BUILT = hasNative();
if (!BUILT) console.log('skipping: the native addon is not built (node native/build.mjs)');

export const SIZE = 16 << 20;
export const META_PAGES = 8;
export const VOLUME = '00112233-4455-6677-8899-aabbccddeeff';

/** Whether `program` is on this machine; says so when not. */
export function hasProgram(program: string): boolean {
  const found = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (!found) console.log(`skipping: ${program} is not installed`);
  return found;
}

/** One test's folder, reactors and engines; `end` closes and removes everything. */
export class Rig {
  readonly native: Native = loadNative();
  readonly folder = mkdtempSync(join(tmpdir(), 'understudy-native-'));
  readonly engines: EchoEngine[] = [];
  /** Engines in here are not turned: their core stands still. */
  readonly stopped = new Set<EchoEngine>();

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A file of zeros for `SIZE` and its metadata, or of `bytes`. */
  replica(name: string, bytes = replicaFileBytes(SIZE, META_PAGES)): string {
    const file = openSync(this.path(name), 'w');
    ftruncateSync(file, bytes);
    closeSync(file);
    return this.path(name);
  }

  reactor(options: Partial<ReactorOptions>): Reactor {
    const defaults = {
      layout: LAYOUT,
      sizeBytes: SIZE,
      metaPages: META_PAGES,
      lockWaitMillis: 100,
    };
    return this.native.makeReactor({ ...defaults, ...options });
  }

  engine(options: Partial<ReactorOptions>): EchoEngine {
    const engine = new EchoEngine(this.reactor(options), options.layout ?? LAYOUT);
    this.engines.push(engine);
    return engine;
  }

  /** Serves `engine` on a Unix socket of this folder; answers its NBD address. */
  serve(engine: EchoEngine, name = 'vol'): string {
    engine.reactor.listenNbd({ path: this.path(`${name}.sock`) }, name);
    engine.reactor.setExport(true);
    return `nbd+unix:///${name}?socket=${this.path(`${name}.sock`)}`;
  }

  /** Turns all engines until `work` is settled. */
  async during<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const finish = () => {
      settled = true;
    };
    work.then(finish, finish);
    await this.until(() => settled, 60_000);
    return work;
  }

  /** Turns all engines until `condition` holds; fails after `limitMillis`. */
  async until(condition: () => boolean, limitMillis = 15_000): Promise<void> {
    const limit = this.native.nowMicros() + limitMillis * 1000;
    while (!condition()) {
      if (this.native.nowMicros() > limit) throw new Error(`not within ${limitMillis} ms`);
      for (const engine of this.engines) {
        if (!this.stopped.has(engine)) engine.turn(this.native.nowMicros() + 500);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Turns all engines for a while. */
  async pass(millis: number): Promise<void> {
    const end = this.native.nowMicros() + millis * 1000;
    await this.until(() => this.native.nowMicros() >= end, millis + 15_000);
  }

  /** Runs a program to its end while the engines turn; answers its output. */
  run(program: string, ...args: readonly string[]): Promise<string> {
    // A sanitizer that is preloaded into this process is not meant for others.
    const options = { timeout: 60_000, env: { ...process.env, LD_PRELOAD: '' } };
    return this.during(
      new Promise((resolve, reject) => {
        execFile(program, args, options, (error, stdout, stderr) => {
          if (error === null) resolve(stdout + stderr);
          else reject(new Error(`${program}: ${error.message}\n${stdout}${stderr}`));
        });
      }),
    );
  }

  /** Ends every engine; `before` sees to what keeps the folder from being removed. */
  end(before: () => void = () => {}): void {
    for (const engine of this.engines.splice(0)) engine.reactor.close();
    this.stopped.clear();
    before();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What the addon throws from `call`; null for nothing. */
export function failureOf(call: () => unknown): NativeError | null {
  try {
    call();
  } catch (error) {
    if (error instanceof NativeError) return error;
    throw error;
  }
  return null;
}
