// Prints the API's schema as the code has it, without starting an engine: `node tools/sdl.ts`. With --check it compares
// with schema.graphql, the reviewed contract, and says what differs.
import { readFileSync } from 'node:fs';
import { diff } from '@graphql-inspector/core';
import { buildSchema, type GraphQLSchema, printSchema } from 'graphql';
import { type Composition, compose } from '../src/app/compose.ts';
import type { Analytics } from '../src/core/analytics/types.ts';
import { systemClock } from '../src/core/clock.ts';
import { createDatabase } from '../src/core/database/index.ts';
import { createLogger } from '../src/core/logger.ts';
import { createMetrics } from '../src/core/metrics.ts';
import { createSettings } from '../src/core/settings/index.ts';

/** The composed product over engines that are not there: good for what it declares, not for what it does. */
export function composeWithoutEngines(): Composition {
  const logger = createLogger('silent');
  // A pool connects when it is first asked something, and nothing asks.
  const database = createDatabase({ url: 'postgresql://nobody@127.0.0.1:1/nothing', logger });
  const analytics = new Proxy({} as Analytics, {
    get: (_, member) => {
      throw new Error(`composing the schema asked the history engine for ${String(member)}`);
    },
  });
  return compose({
    database,
    analytics,
    settings: createSettings(database, systemClock),
    clock: systemClock,
    systemClock,
    logger,
    metrics: createMetrics({ processMetrics: false }),
    dataFolder: '.holdfast',
  });
}

/** The text that schema.graphql has to be. */
export function printContract(schema: GraphQLSchema): string {
  return `${printSchema(schema)}\n`;
}

if (import.meta.main) {
  const schema = composeWithoutEngines().buildSchema();
  const printed = printContract(schema);
  if (process.argv.includes('--check')) process.exitCode = await compare(printed);
  else process.stdout.write(printed);
}

async function compare(printed: string): Promise<number> {
  const committed = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8');
  if (committed === printed) return 0;
  const changes = await diff(buildSchema(committed), buildSchema(printed));
  for (const { message } of changes) process.stdout.write(`schema.graphql → code: ${message}\n`);
  const [lines, wanted] = [committed.split('\n'), printed.split('\n')];
  const line = wanted.findIndex((text, index) => text !== lines[index]);
  process.stdout.write(
    `schema.graphql differs from line ${line + 1} on:\n  it says  ${lines[line]}\n  code has ${wanted[line]}\n` +
      'When the code is right: node tools/sdl.ts > schema.graphql, and review the change.\n',
  );
  return 1;
}
