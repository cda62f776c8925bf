/**
 * `understudy init`: writes a commented configuration, the cluster key, and two formatted, empty
 * replicas. Writes nothing when any of its files is there already.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { configTemplate } from '../config/template.ts';
import { parseSize } from '../config/units.ts';
import { InputError, printJson } from '../failure.ts';
import { formatReplica } from '../replica-file.ts';

interface InitOptions {
  readonly size: string;
  readonly room?: string;
  readonly cluster: string;
  readonly port: string;
  readonly checksums?: boolean;
  readonly semiSync?: boolean;
  readonly json?: boolean;
}

/** Builds the command. */
export function initCommand(): Command {
  return new Command('init')
    .description('write a commented two-node configuration, its key and two empty replicas')
    .argument('[FOLDER]', 'where to write', '.')
    .option('--size <size>', 'size of the volume', '256MiB')
    .option('--room <size>', 'size that it can be given while it is served; none: it keeps its own')
    .option('--cluster <name>', 'name of the cluster', 'understudy')
    .option('--port <number>', 'first of nine ports', '7411')
    .option('--checksums', 'with a checksum of every block (and a logical block of 4096)')
    .option('--semi-sync', 'a write need only be received by the other host, not written there')
    .option('--json', 'print one JSON object')
    .action(init);
}

function init(folder: string, options: InitOptions): void {
  const size = parseSize(options.size);
  if (size === null || size < 1024 ** 2 || size % 4096 !== 0) {
    const remedy = 'give at least 1MiB, in multiples of 4KiB, such as 256MiB or 10GiB';
    throw new InputError(`--size ${options.size} is no usable size`, remedy);
  }
  const { room = '' } = options;
  const most = room === '' ? size : parseSize(room);
  if (most === null || most < size || most % 4096 !== 0) {
    const remedy = `give at least ${options.size}, in multiples of 4KiB, such as 1TiB`;
    throw new InputError(`--room ${room} is no usable size`, remedy);
  }
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_526) {
    throw new InputError(`--port ${options.port} is no port`, 'give a number from 1 to 65526');
  }
  const configPath = join(folder, 'understudy.yaml');
  const keyPath = join(folder, 'understudy.key');
  for (const path of [
    configPath,
    keyPath,
    join(folder, 'a/data.img'),
    join(folder, 'b/data.img'),
  ]) {
    if (!existsSync(path)) continue;
    const remedy = 'choose another folder, or move that file away first; nothing was written';
    throw new InputError(`${path} exists already`, remedy);
  }
  mkdirSync(folder, { recursive: true });
  const volumeUuid = randomBytes(16).toString('hex');
  const { cluster, checksums = false } = options;
  const mode = options.semiSync === true ? 'semi-sync' : 'sync';
  const chosen = { cluster, volumeUuid, size: options.size, room, port, checksums, mode } as const;
  writeFileSync(configPath, configTemplate(chosen));
  writeFileSync(keyPath, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  const { config } = loadConfig(configPath);
  const written = [configPath, keyPath];
  // Both copies start as the same generation of the same zeroes: nothing needs copying at first.
  const generation = randomBytes(6).readUIntBE(0, 6) + 1;
  for (const volume of config.volumes) {
    for (const { node, path } of volume.replicas) {
      mkdirSync(dirname(path), { recursive: true });
      formatReplica(volume, node, path, generation);
      written.push(path);
    }
  }
  if (options.json) {
    printJson({ config: configPath, key: keyPath, written });
    return;
  }
  const shown = relative(process.cwd(), configPath) || configPath;
  console.log(`Wrote ${written.join(', ')}.`);
  console.log(`Rehearse it:  npm exec understudy -- rehearse ${shown}`);
  console.log('Run it, each in a terminal of its own:');
  for (const { name } of config.nodes) {
    console.log(`  npm exec understudy -- node ${shown} --name ${name}`);
  }
}
