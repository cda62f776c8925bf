/** The house rules, held against the tree itself. Each rule has planted breaches in test/tools. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkDeterminism } from '../tools/architecture/determinism.ts';
import { checkFileMap } from '../tools/architecture/file-map.ts';
import { checkNames, checkRegistries, checkSizes } from '../tools/architecture/files.ts';
import { checkImports, checkVocabulary } from '../tools/architecture/imports.ts';
import { describeProblem, type Problem } from '../tools/architecture/problem.ts';
import { readTree } from '../tools/architecture/tree.ts';
import { type CoveredElsewhere, checkTwins, checkUnused } from '../tools/architecture/twins.ts';

/** Modules of the engine without a test of the same name, and the test that covers them. */
const coveredElsewhere: CoveredElsewhere = {};

const files = readTree(fileURLToPath(new URL('..', import.meta.url)));

/** The registry that this machine installs from, which no file may name. */
function registryHosts(): string[] {
  const address = process.env['npm_config_registry'];
  return address === undefined ? [] : [new URL(address).host];
}

function expectNone(problems: readonly Problem[]): void {
  expect(problems.map(describeProblem)).toEqual([]);
}

describe('the tree', () => {
  it('has the folders that the rules are about', () => {
    const top = new Set(files.map((file) => file.path.split('/')[0]));
    for (const folder of ['engine', 'backends', 'scenarios', 'viewer', 'cli', 'native', 'test']) {
      expect(top, folder).toContain(folder);
    }
  });

  it('imports downwards only', () => expectNone(checkImports(files)));
  it('keeps time, chance and hosts out of simulated code', () =>
    expectNone(checkDeterminism(files)));
  it('tests simulated code in words that Deno knows', () => expectNone(checkVocabulary(files)));
  it('has a test beside every module of the engine', () =>
    expectNone(checkTwins(files, coveredElsewhere)));
  it('holds no module that nothing uses', () => expectNone(checkUnused(files)));
  it('keeps files and lines short', () => expectNone(checkSizes(files)));
  it('names files after what is inside', () => expectNone(checkNames(files)));
  it('names every source file in ARCHITECTURE.md, and no other', () =>
    expectNone(checkFileMap(files)));
  it('names no package registry', () => expectNone(checkRegistries(files, registryHosts())));
});
