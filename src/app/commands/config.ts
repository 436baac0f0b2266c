import { Command } from 'commander';
import { describeConfig } from '../../config.ts';
import { say } from './output.ts';

export function configCommand(): Command {
  return new Command('config')
    .description('Print every variable of the environment: its value, its default and what it does.')
    .option('--json', 'print one JSON array')
    .action(({ json }: { readonly json?: boolean }) => {
      const entries = describeConfig();
      if (json === true) {
        say(JSON.stringify(entries, null, 2));
        return;
      }
      for (const { name, value, default: fallback, description } of entries) {
        const set = value === fallback ? '' : ` (default ${fallback ?? 'none'})`;
        say(`${name}=${value ?? ''}${set}\n    ${description}`);
      }
    });
}
