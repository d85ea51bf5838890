import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * The options and words of a command line. `--help` prints the usage; an option that is unknown, or whose value is
 * missing, is said with the usage after it.
 */
export function commandLine<const Config extends ParseArgsConfig>(usage: string, config: Config) {
  const own = process.argv.slice(2);
  const end = own.indexOf('--');
  if (own.slice(0, end < 0 ? undefined : end).some((word) => word === '--help' || word === '-h')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    return misused(usage, error instanceof Error ? error.message : String(error));
  }
}

/** Ends a command that was called wrongly: says what is wrong, then how it is called. */
export function misused(usage: string, mistake: string): never {
  console.error(`${mistake}\n\n${usage}`);
  process.exit(2);
}
