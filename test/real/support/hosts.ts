/** What tests of real hosts share: ports, folders, waiting. */
import { createHash, randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { it } from 'vitest';

/** A cluster key for tests. */
export const clusterKey: Uint8Array = createHash('sha256').update('a test cluster').digest();

/** `count` ports that were free a moment ago, below the range that the kernel hands out. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(10_000, 32_000);
    if (!ports.includes(port) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

/** The first of `count` free ports in a row, on 127.0.0.1 and 127.0.0.2. */
export async function freePortRun(count: number): Promise<number> {
  for (;;) {
    const first = randomInt(10_000, 32_000 - count);
    const ports = Array.from({ length: count }, (_, i) => first + i);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Asks every 20 ms until `holds` says true; throws after `limitMs`, naming what was awaited. */
export async function waitFor(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await sleep(20);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** `it` where this machine has what the tests need; else tests that say why they are skipped. */
export function itUnless(missing: string | null): (name: string, run: () => Promise<void>) => void {
  if (missing === null) return (name, run) => it(name, run);
  return (name) => it(name, (context) => context.skip(missing));
}
