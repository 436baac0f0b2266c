import { existsSync, statSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type ColumnMapping,
  DATE_FORMATS,
  type DateFormat,
  ENCODINGS,
  type ImportEncoding,
  RECORD_TYPES,
  type RecordType,
  type StartImportInput,
} from '../../../modules/customers/imports/contract.ts';
import { readConfig } from '../../config.ts';
import { ConfigurationError } from '../../core/errors.ts';
import { readRunFile } from '../embedded/data-folder.ts';
import { createMeter } from '../imports/meter.ts';
import { importRemotely } from '../imports/remote.ts';
import { cleaningText, qualityText, resultText } from '../imports/report.ts';
import type { ImportView } from '../imports/view.ts';

/** Exit codes beside 0 (done) and 1 (failed): the import stopped after its quality report. */
const EXIT_WAITING = 3;

interface Options {
  readonly type: string;
  readonly map: readonly ColumnMapping[];
  readonly dryRun?: true;
  readonly acceptQuality?: true;
  readonly live?: true;
  readonly source?: string;
  readonly dateFormat?: string;
  readonly timeZone?: string;
  readonly currency?: string;
  readonly encoding?: string;
  readonly json?: true;
}

const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase().replaceAll('_', '-'));
const upper = (name: string): string => name.toUpperCase().replaceAll('-', '_');

function addMapping(text: string, before: readonly ColumnMapping[]): ColumnMapping[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('it looks like field=column, e.g. customerExternalId=CustomerID');
  return [...before, { field: text.slice(0, at), column: text.slice(at + 1) }];
}

export function importCommand(): Command {
  return new Command('import')
    .description('Import a CSV or NDJSON file, gzipped or not; through the running server when there is one.')
    .argument('<file>', 'the file')
    .addOption(new Option('--type <type>', 'what its rows are').choices(lower(RECORD_TYPES)).makeOptionMandatory())
    .option(
      '--map <field=column>',
      'give a column to a field; repeat for more; well-known names are found',
      addMapping,
      [],
    )
    .option('--dry-run', 'only look: print the reports and store nothing')
    .option('--accept-quality', 'go on whatever the quality report says')
    .option('--live', 'not history: award points, send messages, raise alerts')
    .option('--source <name>', 'where the rows come from (default: import)')
    .addOption(
      new Option('--date-format <format>', 'how dates are written (default: iso)').choices(lower(DATE_FORMATS)),
    )
    .option('--time-zone <zone>', 'IANA zone of times without an offset (default: that of the business)')
    .option('--currency <code>', 'currency of amounts without one (default: the reporting currency)')
    .addOption(
      new Option('--encoding <encoding>', 'how characters are written (default: utf-8)').choices(lower(ENCODINGS)),
    )
    .option('--json', 'print the import as JSON, with both reports')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 3 stopped after the quality report.')
    .action(async (file: string, options: Options) => {
      if (!existsSync(file) || !statSync(file).isFile()) throw new ConfigurationError(`There is no file ${file}.`);
      const view = await runImport(file, inputOf(options));
      process.stdout.write(options.json === true ? `${JSON.stringify(view, null, 2)}\n` : `${textOf(view)}\n`);
      if (view.state === 'WAITING') process.exitCode = EXIT_WAITING;
      else if (view.state !== 'DONE') process.exitCode = 1;
    });
}

function inputOf(options: Options): Omit<StartImportInput, 'uploadId'> {
  const { source, timeZone, currency, dateFormat, encoding } = options;
  return {
    recordType: upper(options.type) as RecordType,
    mapping: options.map,
    dryRun: options.dryRun === true,
    acceptQuality: options.acceptQuality === true,
    live: options.live === true,
    ...(source === undefined ? {} : { source }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(currency === undefined ? {} : { currency }),
    ...(dateFormat === undefined ? {} : { dateFormat: upper(dateFormat) as DateFormat }),
    ...(encoding === undefined ? {} : { encoding: upper(encoding) as ImportEncoding }),
  };
}

/** Through the server of the data folder, or with the engines opened by this command. */
async function runImport(file: string, input: Omit<StartImportInput, 'uploadId'>): Promise<ImportView> {
  const config = readConfig();
  const meter = createMeter();
  try {
    const run = readRunFile(config.dataFolder);
    if (run !== null) return await importRemotely(run, file, input, meter.show);
    // The whole of Holdfast is read only where there is no server that has done so.
    const { importAlone } = await import('../imports/alone.ts');
    return await importAlone(config, file, input, meter.show);
  } finally {
    meter.stop();
  }
}

function textOf(view: ImportView): string {
  const parts = [
    ...(view.quality === null ? [] : [qualityText(view.quality)]),
    ...(view.cleaning === null ? [] : [cleaningText(view.cleaning)]),
  ];
  if (view.state === 'WAITING') {
    parts.push(
      'Stopped: the quality is below what the business asks for (customers.imports.minimumQuality). Nothing was stored.\n' +
        'Import again with --accept-quality to go on all the same.',
    );
  } else parts.push(resultText(view));
  return parts.join('\n\n');
}
