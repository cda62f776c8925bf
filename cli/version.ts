/** The program's version, from package.json: the one place that says it. */
import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('../package.json') as { version: string };

/** "0.1.0" */
export const BUILD: string = manifest.version;
