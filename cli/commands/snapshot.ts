/**
 * `understudy snapshot`: holds a quiesce point while a command of the user's copies what it wants,
 * and says whether the point stood until the command had ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Command } from 'commander';
import { sendCommand } from '../../backends/real/api-client.ts';
import type { OperatorAnswer } from '../../engine/cluster/interface.ts';
import { MICROS_PER_S } from '../../engine/core/units.ts';
import { QUIESCE_MAX } from '../../engine/data/messages.ts';
import { loadConfig } from '../config/load.ts';
import { EXIT_BROKEN, EXIT_OK, InputError, printJson } from '../failure.ts';
import {
  type Answering,
  asksNode,
  foldersOf,
  leaderOf,
  type NodeOptions,
  refusalText,
} from '../nodes.ts';
import { wholeNumber } from '../whole-number.ts';

interface SnapshotOptions extends NodeOptions {
  readonly volume: readonly string[];
  readonly run: string;
  readonly for: string;
  readonly json?: boolean;
}

const GRACE_MS = 500;
const SECONDS_MAX = QUIESCE_MAX / MICROS_PER_S;

/** A volume at the point, and its replicas that have the image. */
interface Image {
  readonly volume: string;
  readonly replicas: readonly ImageReplica[];
}

interface ImageReplica {
  readonly node: string;
  /** Of a volume with parts, that of the last one. */
  readonly path: string;
  readonly parts?: readonly string[];
}

/** Builds the command. */
export function snapshotCommand(): Command {
  const command = new Command('snapshot')
    .description('run a command while every replica in sync holds the image of one moment')
    .argument('[CONFIG]', 'configuration', 'understudy.yaml')
    .requiredOption('--run <command>', 'what copies the image, for sh -c')
    .option('--volume <name...>', 'which volumes, all at one moment (default: the only one)', [])
    .option('--for <seconds>', `most that requests may wait, 1 to ${SECONDS_MAX}`, '10');
  return asksNode(command, 'the one that leads the volume')
    .addHelpText(
      'after',
      `
Requests wait while the command runs, so it should take a snapshot and leave the copying for later:
  understudy snapshot --run 'cp --reflink=always "$UNDERSTUDY_REPLICA" /backup/image'
  understudy snapshot --run 'lvcreate --snapshot --name point --size 1G vg/replica'
It finds the path of the first volume's replica on the node that leads in UNDERSTUDY_REPLICA, and
in UNDERSTUDY_POINT all of them as JSON: [{volume, replicas: [{node, path}]}]. Of a volume with
parts the first has a line for each part, and the second a list: parts. Any of those will do;
a replica with blocks in its spare area is not among them, since its file alone is not the image.
What a file system has not written yet is not there; it is as consistent as after a loss of power.
Exit codes: 0 the command succeeded and the point stood until it had ended; 1 it did not, or the
cluster refused: what was copied is no image of one moment; 2 bad input.`,
    )
    .action(async (file: string, options: SnapshotOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string, options: SnapshotOptions): Promise<number> {
  const seconds = wholeNumber('--for', options.for, 1, SECONDS_MAX);
  const { volumes, leader } = await leaderOf(foldersOf(file, options), options.volume);
  const began = Date.now();
  const order = { kind: 'quiesce', volumes, micros: seconds * MICROS_PER_S } as const;
  const answer = await sendCommand(leader.folder, order);
  if (!answer.ok) return refused(answer, volumes, options.json);
  const point = answer.point;
  if (point === undefined) throw new InputError('the node tells of no point', 'update it');
  const images = imagesOf(file, leader, point.volumes);
  const command = new PointCommand(options.run, leader.host.node, images, options.json === true);
  // Until the point is surely over: what it copies after that is worth nothing.
  const ended = await command.ended(began + seconds * 1000 + GRACE_MS - Date.now());
  const released = await sendCommand(leader.folder, { kind: 'resume', point: point.id });
  const heldMillis = Date.now() - began;
  const good = released.ok && ended === '';
  if (options.json) {
    const reason = released.ok ? '' : released.reason;
    printJson({ images, heldMillis, stood: released.ok, reason, command: ended });
  } else if (good) console.log(`Held for ${heldMillis} ms; the image is of one moment.`);
  else if (released.ok) console.error(`The command ${ended}; the point stood until then.`);
  else {
    const why = refusalText(released.reason, released.remedy);
    console.error(`No image of one moment: ${why}${ended === '' ? '' : `; the command ${ended}`}.`);
  }
  return good ? EXIT_OK : EXIT_BROKEN;
}

function refused(
  answer: Extract<OperatorAnswer, { readonly ok: false }>,
  volumes: readonly string[],
  json: boolean | undefined,
): number {
  if (json) printJson({ volumes, ...answer });
  else console.error(`${volumes.join(', ')}: ${refusalText(answer.reason, answer.remedy)}.`);
  return EXIT_BROKEN;
}

function imagesOf(
  file: string,
  { host }: Answering,
  volumes: readonly { readonly volume: string; readonly members: readonly number[] }[],
): readonly Image[] {
  const { config } = loadConfig(file);
  const first = host.status.node;
  return volumes.map(({ volume, members }) => {
    const replicas = config.volumes.find(({ name }) => name === volume)?.replicas ?? [];
    const nodes = [...members].sort((a, b) => Number(b === first) - Number(a === first));
    return {
      volume,
      replicas: nodes.flatMap((node) => {
        const own = replicas.find((replica) => replica.node === node);
        if (own === undefined) return [];
        const { path, parts } = own;
        return [{ node: host.names[String(node)] ?? `${node}`, path, ...(parts && { parts }) }];
      }),
    };
  });
}

/** One path a line: whoever takes several for one is told that there is no such file. */
function pathsOf(replica: ImageReplica | undefined): string {
  return replica === undefined ? '' : (replica.parts ?? [replica.path]).join('\n');
}

/** The user's command, which has until the point is over. */
class PointCommand {
  readonly #child: ChildProcess;

  constructor(command: string, node: string, images: readonly Image[], quiet: boolean) {
    const env = {
      ...process.env,
      UNDERSTUDY_NODE: node,
      UNDERSTUDY_REPLICA: pathsOf(images[0]?.replicas.find((each) => each.node === node)),
      UNDERSTUDY_POINT: JSON.stringify(images),
    };
    // Standard output is one object where that was asked for.
    const stdio = ['ignore', quiet ? 2 : 'inherit', 'inherit'] as const;
    this.#child = spawn('sh', ['-c', command], { env, stdio: [...stdio], detached: true });
  }

  /** '' when it succeeded, otherwise what became of it. Ends it after `millis`. */
  ended(millis: number): Promise<string> {
    return new Promise((resolve) => {
      let late = false;
      const end = (): void => {
        late = true;
        this.#signal();
      };
      const timer = setTimeout(end, Math.max(0, millis));
      const interrupted = (): void => this.#signal();
      process.on('SIGINT', interrupted);
      process.on('SIGTERM', interrupted);
      const over = (what: string): void => {
        clearTimeout(timer);
        process.off('SIGINT', interrupted);
        process.off('SIGTERM', interrupted);
        resolve(late ? 'took too long, and was ended' : what);
      };
      this.#child.on('error', (error) => over(`could not be run (${error.message})`));
      this.#child.on('exit', (code, signal) => {
        if (code === 0) over('');
        else over(signal === null ? `failed with exit code ${code}` : `was ended by ${signal}`);
      });
    });
  }

  /** To all that it has started, too. */
  #signal(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGTERM');
    } catch {
      // It has ended meanwhile.
    }
  }
}
