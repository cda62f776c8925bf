/** Child processes and files of a benchmark: started, waited for, and always cleaned away. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

/** A server that runs until `stop`. */
export interface Running {
  /** Where clients reach it, as an NBD URI. */
  readonly uri: string;
  /** Process numbers that do its work, for CPU and memory figures. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Starts `command`; its output is shown when `UNDERSTUDY_BENCH_VERBOSE` is set. */
export function start(command: string, args: readonly string[]): ChildProcess {
  const verbose = process.env['UNDERSTUDY_BENCH_VERBOSE'] !== undefined;
  return spawn(command, args, {
    stdio: ['ignore', verbose ? process.stderr : 'ignore', verbose ? process.stderr : 'ignore'],
  });
}

/** Ends children and waits until they are gone. */
export async function stopAll(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map((child) => {
      if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
      return new Promise<void>((resolve) => {
        const force = setTimeout(() => child.kill('SIGKILL'), 5000);
        child.once('exit', () => {
          clearTimeout(force);
          resolve();
        });
        child.kill('SIGTERM');
      });
    }),
  );
}

/** Resolves after `milliseconds`. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until `probe` is true; throws with `what` after `seconds`. */
export async function waitFor(
  what: string,
  probe: () => Promise<boolean>,
  seconds = 20,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    if (await probe()) return;
    await pause(50);
  }
  throw new Error(`waited ${seconds} s in vain for ${what}`);
}

/** Whether something accepts connections at a Unix socket path or a loopback port. */
export function accepts(target: string | number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket =
      typeof target === 'string' ? connect(target) : connect({ port: target, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A run of `count` loopback ports, free a moment ago. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const first = 20_000 + Math.floor(Math.random() * 30_000);
    const free = await Promise.all(
      Array.from({ length: count }, (_, index) => isFree(first + index)),
    );
    if (free.every((one) => one)) return first;
  }
  throw new Error(`found no run of ${count} free ports`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
