/**
 * Entry of the short process that reads the configuration for `understudy node`, whose words it has
 * as JSON: it prints the host's options, or says what is wrong as every command does. The process
 * that goes on for months then never held a parser of YAML, nor a schema.
 */
import { reportFailure } from './failure.ts';
import { hostOptionsOf, type NodeWords } from './node-options.ts';

const [, , file = '', words = '{}'] = process.argv;
const options = JSON.parse(words) as NodeWords;
try {
  process.stdout.write(JSON.stringify(hostOptionsOf(file, options)));
} catch (error) {
  process.exitCode = reportFailure(error, options.json === true);
}
