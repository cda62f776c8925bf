/**
 * Reads a configuration file: YAML, then shape, then what engine/ says is safe. Every problem
 * names line, field, reason and remedy; nothing is changed on disk.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { $ZodIssue } from 'zod/v4/core';
import { checkConfig } from '../../engine/cluster/config-check.ts';
import type { ClusterConfig, LagLimits, VerifySchedule } from '../../engine/core/config.ts';
import { EXTENT_BYTES } from '../../engine/core/units.ts';
import { ConfigError, type ConfigProblem } from './error.ts';
import { pathsOf, type SayField, sizeOf } from './parts.ts';
import { explainProblem } from './problems.ts';
import { type ConfigFile, configSchema } from './schema.ts';
import { parseDuration, parseSize } from './units.ts';

/** Aliases of YAML that a configuration may have: they can make a short text very long. */
const ALIASES_MAX = 100;

/** A configuration that was found sound, and where its files are. */
export interface LoadedConfig {
  readonly config: ClusterConfig;
  /** The file's own folder; relative paths of the file start here. */
  readonly folder: string;
  /** The cluster key's file. */
  readonly keyPath: string;
  /** Each node's folder for its own state, by node name. */
  readonly dataFolders: ReadonlyMap<string, string>;
  /** The text as read, for hashes and timelines. */
  readonly text: string;
}

type Path = readonly (string | number)[];

/** Loads and judges `file`. Throws {@link ConfigError}. */
export function loadConfig(file: string): LoadedConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`;
    const remedy = 'name an existing file, or make one with: understudy init';
    throw new ConfigError(file, [{ line: 0, field: '', reason, remedy }]);
  }
  return readConfig(text, file);
}

/** What a document says. An alias of what there is not, or of very much, is only met here. */
function valuesOf(document: Document.Parsed, lines: LineCounter, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    let line = 0;
    visit(document, {
      Alias: (_, alias) => {
        line = alias.range ? lines.linePos(alias.range[0]).line : 0;
        return alias.resolve(document) === undefined ? visit.BREAK : undefined;
      },
    });
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    const remedy = 'write the values themselves, and a text that begins with * or & in quotes';
    throw new ConfigError(file, [{ line, field: '', reason, remedy }]);
  }
}

/** As {@link loadConfig}, of a text; `file` only names it and anchors relative paths. */
export function readConfig(text: string, file: string): LoadedConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      line: error.linePos?.[0].line ?? 0,
      field: '',
      reason: (error.message.split('\n')[0] ?? 'not YAML').replace(/ at line.*$/, ''),
      remedy: 'correct the YAML at this line',
    }));
    throw new ConfigError(file, problems);
  }
  /** The line of the deepest part of `path` that the file has. */
  const lineOf = (path: Path): number => {
    for (let depth = path.length; depth > 0; depth--) {
      // A mapping as a value begins a line below its name: the name is what a person looks for.
      const holder = document.getIn(path.slice(0, depth - 1), true);
      const name = path[depth - 1];
      const pair = isMap(holder)
        ? holder.items.find(({ key }) => isScalar(key) && key.value === name)
        : undefined;
      const part = pair?.key ?? document.getIn(path.slice(0, depth), true);
      if (isNode(part) && part.range) return lines.linePos(part.range[0]).line;
    }
    return 1;
  };
  const parsed = configSchema.safeParse(valuesOf(document, lines, file));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => shapeProblem(issue, lineOf));
    throw new ConfigError(file, problems);
  }
  const folder = dirname(resolve(file));
  const { config, problems } = toClusterConfig(parsed.data, folder);
  if (config === null) {
    throw new ConfigError(
      file,
      problems.map(({ path, reason, remedy }) => {
        return { line: lineOf(path), field: path.join('.'), reason, remedy };
      }),
    );
  }
  const unsafe = checkConfig(config).map((problem) => {
    const path = filePath(config, problem.path);
    return { line: lineOf(path), field: path.join('.'), ...explainProblem(problem) };
  });
  if (unsafe.length > 0) throw new ConfigError(file, unsafe);
  const dataFolders = new Map(
    Object.entries(parsed.data.nodes).map(([name, node]) => {
      return [name, resolve(folder, node.data ?? name)] as const;
    }),
  );
  return { config, folder, keyPath: resolve(folder, parsed.data.key), dataFolders, text };
}

function shapeProblem(issue: $ZodIssue, lineOf: (path: Path) => number): ConfigProblem {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    return {
      line: lineOf([...path, key]),
      field: [...path, key].join('.'),
      reason: 'this field is unknown',
      remedy: 'remove it or correct its spelling (understudy config schema lists all fields)',
    };
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  return {
    line: lineOf(path),
    field: path.join('.'),
    reason: missing ? 'this field is missing or empty' : 'the value does not fit',
    remedy: `give ${boundOf(issue) ?? expectation(issue.message)}`,
  };
}

/** What a text, list or number is too short, small, long or large for; null for another matter. */
function boundOf(issue: $ZodIssue): string | null {
  if (issue.code !== 'too_small' && issue.code !== 'too_big') return null;
  const small = issue.code === 'too_small';
  const limit = Number(small ? issue.minimum : issue.maximum);
  const one = limit === 1;
  const nouns: { readonly [origin: string]: string } = {
    string: one ? ' character' : ' characters',
    array: one ? ' entry' : ' entries',
  };
  const [least, most] =
    issue.inclusive === false ? ['more than', 'less than'] : ['at least', 'at most'];
  return `${small ? least : most} ${limit}${nouns[issue.origin] ?? ''}`;
}

/** The schema's sentence in words of the file's format. */
function expectation(message: string): string {
  return message
    .replace(/^Invalid input: expected (record|object)/, 'a mapping')
    .replace(/^Invalid input: expected /, 'a value of type ')
    .replace(/, received \w+$/, '');
}

/** What the schema cannot say: names that refer to other names. */
interface NameProblem {
  readonly path: Path;
  readonly reason: string;
  readonly remedy: string;
}

function toClusterConfig(
  file: ConfigFile,
  folder: string,
): { config: ClusterConfig | null; problems: readonly NameProblem[] } {
  const problems: NameProblem[] = [];
  const nodeId = (name: string, path: Path): number => {
    const node = file.nodes[name];
    if (node !== undefined) return node.id;
    problems.push({
      path,
      reason: `there is no node "${name}"`,
      remedy: `use one of: ${Object.keys(file.nodes).join(', ')}`,
    });
    return 0;
  };
  const time = (text: string): number => parseDuration(text) as number;
  const say: SayField = (path, reason, remedy) => problems.push({ path, reason, remedy });
  const config: ClusterConfig = {
    name: file.cluster,
    nodes: Object.entries(file.nodes).map(([name, node]) => ({
      id: node.id,
      name,
      witness: node.witness,
      control: node.control,
      replication: node.replication ?? '',
      watchdog: node.watchdog,
    })),
    volumes: Object.entries(file.volumes).map(([name, volume]) => ({
      name,
      uuid: volume.uuid,
      ...sizeOf(name, volume, say),
      logicalBlock: volume.logicalBlock,
      activityLogExtents: Math.floor((parseSize(volume.activityLog) as number) / EXTENT_BYTES),
      diskTimeout: time(volume.diskTimeout),
      // Absent where it is the default: a file that says nothing of it means what it always did.
      ...(volume.mode === 'sync' ? {} : { mode: volume.mode }),
      ...(volume.onDiskFailure === 'switch' ? {} : { onDiskFailure: volume.onDiskFailure }),
      reads: volume.reads,
      checksums: volume.checksums,
      splitBrain: volume.splitBrain,
      ...(volume.verify === undefined ? {} : { verify: schedule(volume.verify) }),
      undo: volume.undo,
      ...(volume.resync.skipEqual === 'off' ? {} : { skipEqual: volume.resync.skipEqual }),
      ...(volume.lag === undefined ? {} : { lag: limits(volume.lag) }),
      replicas: Object.entries(volume.replicas).map(([node, replica]) => {
        const { meta, side, sideSize, mode, spill } = replica;
        const at = ['volumes', name, 'replicas', node];
        return {
          node: nodeId(node, at),
          ...pathsOf(at, volume, replica, folder, say),
          meta: meta === undefined ? '' : resolve(folder, meta),
          ...(sideSize === undefined ? {} : { sideBytes: parseSize(sideSize) as number }),
          ...(side === undefined ? {} : { side: resolve(folder, side) }),
          ...(mode === 'sync' ? {} : { mode }),
          ...(spill === undefined ? {} : { spill: resolve(folder, spill.folder) }),
        };
      }),
      nbd: Object.entries(volume.nbd).map(([node, listen]) => ({
        node: nodeId(node, ['volumes', name, 'nbd', node]),
        listen: listen.map((address) => {
          return address.startsWith('unix:')
            ? `unix:${resolve(folder, address.slice('unix:'.length))}`
            : address;
        }),
      })),
    })),
    groups: Object.entries(file.groups).map(([name, group]) => ({
      name,
      volume: group.volume,
      nodes: group.nodes.map((node, index) => nodeId(node, ['groups', name, 'nodes', index])),
      application:
        group.application === undefined
          ? null
          : {
              start: group.application.start,
              stop: group.application.stop,
              check: group.application.check,
              checkEvery: time(group.application.checkEvery),
              startTimeout: time(group.application.startTimeout),
              stopTimeout: time(group.application.stopTimeout),
            },
    })),
    timing: {
      heartbeat: time(file.timing.heartbeat),
      suspect: time(file.timing.suspect),
      pet: time(file.timing.pet),
      watchdog: time(file.timing.watchdog),
      watchdogDelay: time(file.timing.watchdogDelay),
      ioDelay: time(file.timing.ioDelay),
      grant: time(file.timing.grant),
      clockRatePpm: file.timing.clockRatePpm,
      election: time(file.timing.election),
    },
  };
  return { config: problems.length > 0 ? null : config, problems };
}

function schedule({ every, level, rate }: NonNullable<VolumeFile['verify']>): VerifySchedule {
  const [wait, bytesPerSecond] = [parseDuration(every) as number, parseSize(rate) as number];
  return { every: wait, level, bytesPerSecond };
}

function limits({ bytes, atLimit, pointEvery }: NonNullable<VolumeFile['lag']>): LagLimits {
  const [most, every] = [parseSize(bytes) as number, parseDuration(pointEvery) as number];
  return { bytes: most, atLimit, pointEvery: every };
}

type VolumeFile = ConfigFile['volumes'][string];

/** Field names that the file writes otherwise than the engine. */
const FILE_FIELDS: Readonly<Record<string, string>> = {
  sizeBytes: 'size',
  servedBytes: 'size',
  activityLogExtents: 'activityLog',
};

/** The engine's path (lists by index) as the file's path (tables by name). */
function filePath(config: ClusterConfig, path: Path): Path {
  const [list, index, ...rest] = path;
  if (typeof index !== 'number') return path;
  const tables: Readonly<Record<string, readonly { readonly name: string }[]>> = {
    nodes: config.nodes,
    volumes: config.volumes,
    groups: config.groups,
  };
  const entry = tables[String(list)]?.[index];
  if (entry === undefined) return path;
  const fields = rest.map((part) => FILE_FIELDS[String(part)] ?? part);
  const [table, position] = fields;
  const room = list === 'volumes' && config.volumes[index]?.servedBytes !== undefined;
  if (room && rest[0] === 'sizeBytes') fields[0] = 'room';
  if (list === 'volumes' && (table === 'replicas' || table === 'nbd')) {
    const volume = config.volumes[index];
    const node = typeof position === 'number' ? volume?.[table][position]?.node : undefined;
    const nodeName = config.nodes.find(({ id }) => id === node)?.name;
    if (nodeName !== undefined) fields[1] = nodeName;
    // The paths of parts are a table too.
    const part = volume?.parts?.[Number(fields[3])]?.name;
    if (fields[2] === 'parts') fields.splice(2, 2, 'paths', ...(part === undefined ? [] : [part]));
  }
  return [String(list), entry.name, ...fields];
}
