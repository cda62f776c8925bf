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
  /** Its beginning is kept; otherwise the ring has overwritten it. */
  readonly whole: boolean;
  readonly repeated: Repeated | null;
}

const EXIT_DIVERGED = 1;

/** Builds the command. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('execute a flight recording again, turn by turn, and compare every decision')
    .argument('<FILE>', 'recording (.flight), of rehearse --timeline or of a node’s folder')
    .option('--json', 'print one JSON object')
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
      const diverged = answers.some(({ repeated }) => (repeated?.divergence ?? null) !== null);
      process.exitCode = diverged ? EXIT_DIVERGED : 0;
    });
}

function answerOf(flight: Flight): Answer {
  const { volume, node, session, build } = flight.header;
  const { whole, turns } = flight;
  const repeated = whole ? repeatFlight(flight) : null;
  return { volume, node, session, build, turns: turns.length, whole, repeated };
}

function textOf(answers: readonly Answer[]): string {
  const table = new Table({
    head: ['volume', 'node', 'session', 'version', 'turns', 'events', 'decisions', 'again'],
    style: { head: [], border: [] },
  });
  for (const { volume, node, session, build, turns, repeated } of answers) {
    const { events, decisions } = repeated ?? { events: '', decisions: '' };
    table.push([volume, node, session, build, turns, events, decisions, verdict(repeated)]);
  }
  return table.toString();
}

function verdict(repeated: Repeated | null): string {
  if (repeated === null) return 'not possible: its beginning was overwritten';
  const { divergence } = repeated;
  if (divergence === null) return 'the same';
  return `differs at turn ${divergence.turn}, ${divergence.now} µs: ${divergence.what}`;
}
