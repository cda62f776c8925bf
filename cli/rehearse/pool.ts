/**
 * Spreads shards of a campaign over worker threads. A shard is a pure function of its task, so any
 * thread may run it and results are merged in the order of the tasks, whatever finishes first.
 */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { wholeNumber } from '../whole-number.ts';
import { startBundled } from './bundle.ts';

const JOBS_MAX = 1024;

/** The option `--jobs`: results do not depend on it. */
export const JOBS_OPTION = ['-j, --jobs <number>', 'threads (default: one per processor)'] as const;

/** How many threads that option asks for. */
export function jobsOf(option: string | undefined): number {
  return option === undefined
    ? Math.max(1, availableParallelism())
    : wholeNumber('--jobs', option, 1, JOBS_MAX);
}

/** What a worker may post while it is at a task; whatever else it posts is the task's result. */
export interface Progressed {
  readonly progress: number;
}

/**
 * Runs `tasks` in at most `jobs` workers made from `script`. `done` is told after each result and
 * says whether to go on; when it says no, tasks not yet begun are left out. Results are in the
 * order of the tasks, and none is missing before the last one: tasks are begun in order, and what
 * began ends. `onProgress` hears what a worker says before its result.
 */
export async function runShards<Task, Result>(
  script: URL,
  tasks: readonly Task[],
  jobs: number,
  done: (result: Result) => boolean,
  onProgress: (task: Task, progress: number) => void = () => {},
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let goOn = true;
  const threads = Math.min(tasks.length, jobs);
  let next = 0;
  const runThread = async (): Promise<void> => {
    const worker = startBundled(script);
    try {
      while (goOn && next < tasks.length) {
        const index = next;
        next += 1;
        const task = tasks[index] as Task;
        const told = (progress: number): void => onProgress(task, progress);
        const result = await answerOf<Task, Result>(worker, task, told);
        results[index] = result;
        if (!done(result)) goOn = false;
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, runThread));
  return results;
}

function answerOf<Task, Result>(
  worker: Worker,
  task: Task,
  told: (progress: number) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.off('exit', onExit);
      act();
    };
    const onMessage = (said: Result | Progressed): void => {
      if (isProgress(said)) told(said.progress);
      else settle(() => resolve(said));
    };
    const onError = (error: Error): void => settle(() => reject(error));
    const onExit = (code: number): void => {
      settle(() => reject(new Error(`a campaign worker ended with code ${code}`)));
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', onExit);
    worker.postMessage(task);
  });
}

function isProgress<Result>(said: Result | Progressed): said is Progressed {
  return typeof said === 'object' && said !== null && 'progress' in said;
}
