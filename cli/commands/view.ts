/** `understudy view`: the viewer on a timeline file, or the console on a live node. */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { InputError, printJson } from '../failure.ts';
import { serveViewer } from '../serve.ts';

/** Builds the command. */
export function viewCommand(): Command {
  return new Command('view')
    .description('open the timeline viewer on a file, or attach it to a live node')
    .argument('[FILE|URL]', 'timeline file (.jsonl), or ws://HOST:PORT of a node’s console')
    .option('--port <number>', 'port on 127.0.0.1 (default: any free one)', '0')
    .option('--json', 'print one JSON object with the address')
    .action(async (source: string | undefined, options: { port: string; json?: boolean }) => {
      const port = Number(options.port);
      if (!Number.isInteger(port) || port < 0 || port > 65535) {
        throw new InputError(`--port ${options.port} is no port`, 'give a number from 0 to 65535');
      }
      const live = source !== undefined && /^wss?:\/\//.test(source) ? source : null;
      const timeline = live === null && source !== undefined ? source : null;
      if (timeline !== null && !existsSync(timeline)) {
        const remedy = 'name a file written by rehearse --timeline FILE or by a node';
        throw new InputError(`there is no file ${timeline}`, remedy);
      }
      const { url } = await serveViewer({ timeline, live, port });
      if (options.json) printJson({ url });
      else console.log(`Viewer: ${url}   (Ctrl-C ends it)`);
    });
}
