#!/usr/bin/env node
/** The `understudy` command of a checkout: starts cli/understudy.ts and becomes its exit code. */
import { ensureDependencies, requireNode, runSource } from './launcher.mjs';

requireNode();
ensureDependencies(['tsx'], { keepStale: true });
process.exitCode = await runSource('cli/understudy.ts', process.argv.slice(2));
