/**
 * The root package's install script: builds the native addon where that is possible. It never makes
 * `npm ci` fail, for simulation and viewer work without the addon, unless
 * UNDERSTUDY_REQUIRE_NATIVE=1 says that this machine must have it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../native/build.mjs', import.meta.url));
const required = process.env.UNDERSTUDY_REQUIRE_NATIVE === '1';

process.exitCode = build();

/** Runs native/build.mjs and answers with the exit code this install script should have. */
function build() {
  if (!existsSync(script)) return required ? missing('native/build.mjs is not there', 1) : 0;
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
  if (status === 0) return 0;
  return missing('native/build.mjs failed', required ? (status ?? 1) : 0);
}

/** Says in one line what the reader has to do without, and passes the exit code on. */
function missing(reason, code) {
  const remedy = 'the simulation works without it; real disks do not.';
  console.error(`The native addon was not built (${reason}): ${remedy}`);
  return code;
}
