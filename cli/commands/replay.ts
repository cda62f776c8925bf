/** `understudy replay`: executes a flight recording again and compares every decision. */
import { existsSync, readFileSync } from 'node:fs';
import Table from 'cli-table3';
import { Command } from 'commander';
import { type Repeated, repeatFlight } from '../../engine/mirror/flight.ts';
import { type Flight, readFlights } from '../../engine/timeline/flight-reader.ts';
import { InputError, printJson } from '../failure.ts';
import { BUILD } from '../version.ts';

/** What became of one life of one data actor. */
interface Answer {
  readonly volume: string;
  readonly node: number;
  readonly session: number;
  /** Version that wrote it. */
  readonly build: string;
  readonly turns: number;
  /** Why it could not be executed: the ring overwrote its beginning, or turns are missing. */
  readonly lost: Flight['lost'];
  /** Part of it is not as it was written; it was executed up to there. */
  readonly damaged: boolean;
  readonly repeated: Repeated | null;
}

/** A life differs from its recording, or the recording is damaged. */
const EXIT_DIVERGED = 1;
/** Nothing was wrong, and nothing could be executed: every life has lost its beginning. */
const EXIT_NOTHING = 3;

/** Builds the command. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('execute a flight recording again, turn by turn, and compare every decision')
    .argument('<FILE>', 'recording (.flight), of rehearse --timeline or of a node’s folder')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExit: 0 all that could be executed is the same, 1 something differs or is damaged, ' +
        '2 bad input,\n3 nothing could be executed because the beginnings were overwritten',
    )
    .action((file: string, options: { json?: boolean }) => {
      if (!existsSync(file)) {
        const remedy = 'name a .flight file of rehearse --timeline or of a node’s folder';
        throw new InputError(`there is no file ${file}`, remedy);
      }
      const answers = readFlights(readFileSync(file)).map(answerOf);
      if (answers.length === 0) {
        throw new InputError(`${file} holds no recording`, 'name a .flight file');
      }
      if (options.json) printJson({ build: BUILD, flights: answers });
      else console.log(textOf(answers));
      process.exitCode = exitOf(answers);
    });
}

function answerOf(flight: Flight): Answer {
  const { volume, node, session, build } = flight.header;
  const { whole, lost, damaged, turns } = flight;
  const repeated = whole ? repeatFlight(flight) : null;
  return { volume, node, session, build, turns: turns.length, lost, damaged, repeated };
}

function exitOf(answers: readonly Answer[]): number {
  const wrong = answers.some(({ repeated, damaged, lost }) => {
    return damaged || lost === 'middle' || (repeated !== null && repeated.divergence !== null);
  });
  if (wrong) return EXIT_DIVERGED;
  return answers.some(({ repeated }) => repeated !== null) ? 0 : EXIT_NOTHING;
}

function textOf(answers: readonly Answer[]): string {
  const table = new Table({
    head: ['volume', 'node', 'session', 'version', 'turns', 'events', 'decisions', 'again'],
    style: { head: [], border: [] },
  });
  for (const answer of answers) {
    const { volume, node, session, build, turns, repeated } = answer;
    const { events, decisions } = repeated ?? { events: '', decisions: '' };
    table.push([volume, node, session, build, turns, events, decisions, verdict(answer)]);
  }
  return table.toString();
}

function verdict({ repeated, lost, damaged }: Answer): string {
  if (lost === 'beginning') return 'not possible: its beginning was overwritten';
  if (repeated === null) return 'not possible: turns are missing in its middle';
  const { divergence, turns } = repeated;
  if (divergence !== null) {
    return `differs at turn ${divergence.turn}, ${divergence.now} µs: ${divergence.what}`;
  }
  return damaged ? `the same up to turn ${turns}, where it is damaged` : 'the same';
}
