/**
 * The order in which test files start: those that are known to take minutes first, so that no
 * worker is left with one of them when the others have nothing more to do. A fresh clone has no
 * times of an earlier run, and vitest then goes by the size of the files, which says little here:
 * a campaign of thousands of runs is a few lines.
 */
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What took more than a minute in a strict run (`UNDERSTUDY_CI=1`), longest first. A file that is
 * missing here costs time at the end of the run and nothing else.
 */
export const LONGEST: readonly string[] = [
  'test/scenarios/canaries.test.ts',
  'test/scenarios/planted-campaign.test.ts',
  'test/scenarios/sound-campaign.test.ts',
  'test/scenarios/history.test.ts',
  'test/scenarios/coverage.test.ts',
  'test/real/core-restart.test.ts',
  'test/model/trio-model.test.ts',
  'test/engine/mirror/canaries.test.ts',
];

/** The longest first, all others after them as vitest has them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.indexOf(relative(this.ctx.config.root, moduleId));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
