/** Words for what the engine finds wrong with a configuration. */
import type { ConfigProblem } from '../../engine/cluster/config-check.ts';
import { say } from '../../viewer/src/catalogue/catalogue.ts';
import { language } from '../language.ts';

/** Reason and remedy of one problem, in the user's language. */
export function explainProblem({ code, params }: ConfigProblem): {
  readonly reason: string;
  readonly remedy: string;
} {
  return {
    reason: say(language(), `config.${code}`, params),
    remedy: say(language(), `config.${code}.remedy`, params),
  };
}
