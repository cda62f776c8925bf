/**
 * `understudy view`: the viewer on a timeline file, on the journals of a whole cluster as one
 * timeline, or the console on a live node.
 */
import { statSync } from 'node:fs';
import { Command } from 'commander';
import type { TimelineMerge } from '../../engine/timeline/event.ts';
import { mergedLines } from '../../engine/timeline/merge.ts';
import { InputError, printJson } from '../failure.ts';
import { findJournals, mergeSources } from '../journals.ts';
import { type ServeOptions, serveViewer } from '../serve.ts';

/** Builds the command. */
export function viewCommand(): Command {
  return new Command('view')
    .description('open the viewer on a timeline, on a whole cluster, or attach it to a live node')
    .argument(
      '[SOURCE...]',
      'timeline files (.jsonl), folders of nodes, a cluster’s folder or configuration: ' +
        'several become one timeline; or ws://HOST:PORT of a node’s console',
    )
    .option('--port <number>', 'port on 127.0.0.1 (default: any free one)', '0')
    .option('--json', 'print one JSON object with the address')
    .action(view);
}

async function view(named: string[], options: { port: string; json?: boolean }): Promise<void> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new InputError(`--port ${options.port} is no port`, 'give a number from 0 to 65535');
  }
  const live = named.filter((source) => /^wss?:\/\//.test(source));
  if (live.length > 0 && named.length > 1) {
    const remedy = 'name one address, or files and folders only';
    throw new InputError('a live node cannot be opened together with other sources', remedy);
  }
  const { timeline, merge } = live.length > 0 ? NOTHING : timelineOf(named);
  const { url } = await serveViewer({ timeline, live: live[0] ?? null, port });
  if (options.json) {
    printJson(merge === null ? { url } : { url, merge });
    return;
  }
  if (merge !== null) for (const line of describe(merge)) console.error(line);
  console.log(`Viewer: ${url}   (Ctrl-C ends it)`);
}

const NOTHING = { timeline: null, merge: null } as const;

function timelineOf(named: readonly string[]): {
  readonly timeline: ServeOptions['timeline'];
  readonly merge: TimelineMerge | null;
} {
  const [only] = named;
  if (only === undefined) return NOTHING;
  const sources = findJournals(named);
  const [first] = sources.journals;
  // A file by itself is shown as it stands.
  if (named.length === 1 && first?.name === only && statSync(only).isFile()) {
    return { timeline: only, merge: null };
  }
  for (const file of sources.leftOut)
    console.error(`Left out, because newer files are large: ${file}`);
  const { merge = null } = mergeSources(sources).header;
  // Journals grow: each reading of the page merges them anew.
  return { timeline: () => mergedLines(mergeSources(findJournals(named))), merge };
}

/** What a person at the terminal should know of a merge. */
function describe(merge: TimelineMerge): readonly string[] {
  const lines = merge.journals.map(({ name, events, damaged }) => {
    return `${name}: ${events} events${damaged > 0 ? `, ${damaged} lines left out` : ''}`;
  });
  for (const { name } of merge.missing) lines.push(`Missing: ${name}`);
  for (const { node, shift, sound } of merge.clocks) {
    if (shift !== 0)
      lines.push(`Estimated from causes: clock of node ${node} moved by ${shift} µs`);
    if (!sound) lines.push(`The clock of node ${node} drifted: times against others are rough`);
  }
  return lines;
}
