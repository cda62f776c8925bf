#!/usr/bin/env node
/**
 * The `understudy` command of a checkout. A host's processes run compiled and take this process
 * over; every other command runs from the sources in a child, and we become its exit code.
 */
import { setFlagsFromString } from 'node:v8';
import { compiledCommand } from './compiled.mjs';
import { ensureDependencies, requireNode, runSource } from './launcher.mjs';

requireNode();
ensureDependencies(['tsx', 'typescript'], { keepStale: true });
const [, , command] = process.argv;
const compiled =
  command === 'node' || command === 'status'
    ? compiledCommand({ asIs: command === 'status' })
    : null;
// Like a host's other processes (backends/real/spawn.ts), and with as little.
if (command === 'node') {
  setFlagsFromString('--max-semi-space-size=4');
  setFlagsFromString('--optimize-for-size');
}
if (compiled !== null) await import(compiled);
else process.exitCode = await runSource('cli/understudy.ts', process.argv.slice(2));
