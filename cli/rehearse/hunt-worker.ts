/** A worker thread that hunts planted bugs, one after another, and measures what each costs. */
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { type Hunted, type HuntTask, hunt } from '../../scenarios/hunt.ts';
import { newWorld } from '../../scenarios/run.ts';

/** What comes back: processor seconds of this thread until the bug was found, and to shrink. */
export interface HuntAnswer extends Hunted {
  readonly cpuSeconds: number;
  readonly shrinkCpuSeconds: number;
}

/** Runs between two words on how far the hunt is. */
const TELL_EVERY = 20;

const world = newWorld();

parentPort?.on('message', (task: HuntTask) => {
  const began = threadSeconds();
  let found = Number.NaN;
  const hunted = hunt(
    task,
    {
      run: (runs) => {
        if (runs % TELL_EVERY === 0) parentPort?.postMessage({ progress: runs });
      },
      found: () => {
        found = threadSeconds();
      },
    },
    world,
  );
  const ended = threadSeconds();
  const until = Number.isNaN(found) ? ended : found;
  const costs = { cpuSeconds: until - began, shrinkCpuSeconds: ended - until };
  const answer: HuntAnswer = { ...hunted, ...costs };
  parentPort?.postMessage(answer);
});

/** Processor seconds of this thread; of the whole process where the kernel does not tell. */
function threadSeconds(): number {
  try {
    const [nanoseconds] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    const seconds = Number(nanoseconds) / 1e9;
    if (Number.isFinite(seconds)) return seconds;
  } catch {
    // Not Linux, or without scheduler statistics.
  }
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
