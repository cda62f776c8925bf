/** `understudy config`: checks a configuration, prints its schema, or changes a running cluster. */
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { configJsonSchema } from '../config/schema.ts';
import { printJson } from '../failure.ts';
import { applyCommand } from './config-apply.ts';

/** Builds the command. */
export function configCommand(): Command {
  const command = new Command('config').description(
    'check a configuration, print its schema, or change a running cluster',
  );
  command
    .command('check')
    .description('say whether FILE is sound; exit 2 with line, field and remedy when it is not')
    .argument('[FILE]', 'configuration', 'understudy.yaml')
    .option('--json', 'print one JSON object')
    .action((file: string, { json }: { json?: boolean }) => {
      const { config } = loadConfig(file);
      const counts = {
        nodes: config.nodes.length,
        volumes: config.volumes.length,
        groups: config.groups.length,
      };
      if (json) printJson({ ok: true, file, ...counts });
      else {
        const { nodes, volumes, groups } = counts;
        console.log(`${file} is sound: ${nodes} nodes, ${volumes} volumes, ${groups} groups.`);
      }
    });
  command
    .command('schema')
    .description('print the JSON Schema of the configuration (always JSON)')
    .option('--json', 'accepted for uniformity; the schema is JSON anyway')
    .action(() => console.log(JSON.stringify(configJsonSchema(), null, 2)));
  command.addCommand(applyCommand());
  return command;
}
