/** The bundled configuration: examples/two-nodes.yaml, what `npm start` rehearses. */
import { fileURLToPath } from 'node:url';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { loadConfig } from '../config/load.ts';

/** Its path in this checkout. */
export const BUNDLED_PATH: string = fileURLToPath(
  new URL('../../examples/two-nodes.yaml', import.meta.url),
);

/** Reads it. */
export function bundledConfig(): ClusterConfig {
  return loadConfig(BUNDLED_PATH).config;
}
