/**
 * Finds the journals that make up a cluster's timeline: from its configuration, from the folder
 * that `init` made, from a node's own folder, or from files collected by hand from several hosts.
 * Names what is missing; reads, and changes nothing.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type Journal, JournalReader } from '../engine/timeline/journal.ts';
import { type ExpectedJournal, type Merged, mergeJournals } from '../engine/timeline/merge.ts';
import { loadConfig } from './config/load.ts';
import { InputError } from './failure.ts';

/** The journals of one node's folder, as core and monitor name them. */
const FILES = ['timeline.jsonl', 'monitor.jsonl'];
/** Rotated files of one journal are read up to this much, the newest first. */
const JOURNAL_BYTES_MAX = 128 * 1024 * 1024;

/** Where journals are, and which ought to be there. */
export interface Sources {
  /** Each a journal: its files, oldest first. */
  readonly journals: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly expected: readonly ExpectedJournal[];
  /** Older files that are left out because the newer ones are large enough. */
  readonly leftOut: readonly string[];
}

/** Looks for the journals behind what a person named. Throws InputError. */
export function findJournals(named: readonly string[]): Sources {
  const found = named.map(findOne);
  return {
    journals: found.flatMap(({ journals }) => journals),
    expected: found.flatMap(({ expected }) => expected),
    leftOut: found.flatMap(({ leftOut }) => leftOut),
  };
}

/** Reads and merges what {@link findJournals} found. Throws InputError. */
export function mergeSources({ journals, expected }: Sources): Merged {
  return mergeJournals(journals.map(readJournal), expected);
}

function findOne(path: string): Sources {
  if (!existsSync(path)) {
    const remedy = 'name a file written by rehearse --timeline FILE or by a node, or its folder';
    throw new InputError(`there is no file ${path}`, remedy);
  }
  if (statSync(path).isDirectory()) return ofFolder(path);
  if (/\.ya?ml$/.test(path)) return ofConfig(path);
  return { journals: [{ name: path, files: [path] }], expected: [], leftOut: [] };
}

function ofFolder(folder: string): Sources {
  const config = join(folder, 'understudy.yaml');
  if (existsSync(config)) return ofConfig(config);
  const own = ofNode(folder, basename(folder));
  if (own.journals.length > 0) return own;
  const nodes = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ofNode(join(folder, name), name));
  const journals = nodes.flatMap((node) => node.journals);
  if (journals.length === 0) {
    const remedy = 'name the folder of a node, or of a cluster with its nodes’ folders';
    throw new InputError(`there is no timeline in ${folder}`, remedy);
  }
  return { journals, expected: [], leftOut: nodes.flatMap(({ leftOut }) => leftOut) };
}

function ofConfig(file: string): Sources {
  const { config, dataFolders } = loadConfig(file);
  const nodes = config.nodes.map(({ id, name }) => {
    const folder = dataFolders.get(name) ?? name;
    const label = relative(dirname(file), folder) || name;
    return {
      ...ofNode(folder, label),
      expected: { node: id, name: join(folder, 'timeline.jsonl') },
    };
  });
  const journals = nodes.flatMap((node) => node.journals);
  if (journals.length === 0) {
    const remedy = 'start the nodes first, or copy their folders beside the configuration';
    throw new InputError(`no node of ${file} has a timeline here`, remedy);
  }
  return {
    journals,
    expected: nodes.map(({ expected }) => expected),
    leftOut: nodes.flatMap(({ leftOut }) => leftOut),
  };
}

function ofNode(folder: string, label: string): Omit<Sources, 'expected'> & { expected: [] } {
  const journals: { name: string; files: string[] }[] = [];
  const leftOut: string[] = [];
  for (const file of FILES) {
    const files: string[] = [];
    let bytes = 0;
    for (const path of rotated(join(folder, file))) {
      if (bytes > JOURNAL_BYTES_MAX) {
        leftOut.push(path);
        continue;
      }
      bytes += statSync(path).size;
      files.unshift(path);
    }
    if (files.length > 0) journals.push({ name: join(label, file), files });
  }
  return { journals, expected: [], leftOut };
}

/** A journal's files, the newest first. */
function rotated(path: string): readonly string[] {
  const files: string[] = [];
  if (existsSync(path)) files.push(path);
  for (let n = 1; existsSync(`${path}.${n}`); n++) files.push(`${path}.${n}`);
  return files;
}

function readJournal({ name, files }: Sources['journals'][number]): Journal {
  const reader = new JournalReader(name);
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      const reason = `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`;
      throw new InputError(reason, 'run as the user that runs the node, or copy the file');
    }
    reader.push(text);
    reader.endFile();
  }
  if (reader.refused) {
    const remedy = 'open it with the version that wrote it, or a newer one';
    throw new InputError(`${name} has a timeline schema that this version cannot read`, remedy);
  }
  return reader.journal;
}
