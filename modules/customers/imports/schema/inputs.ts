import type { InputRef } from '@pothos/core';
import type { Builder } from '../../../../src/core/builder/index.ts';
import {
  DATE_FORMATS,
  type DateFormat,
  ENCODINGS,
  FORMATS,
  type ImportEncoding,
  type ImportFormat,
  type StartImportInput,
} from '../model.ts';
import type { JobTypes } from './job.ts';

const FORMAT_DESCRIPTIONS: Readonly<Record<ImportFormat, string>> = {
  CSV: 'RFC 4180, with a header.',
  NDJSON: 'One JSON object a line.',
};
const DATE_DESCRIPTIONS: Readonly<Record<DateFormat, string>> = {
  ISO: '2026-11-22, 2026-11-22 13:47, 2026-11-22T13:47:57.123Z.',
  DAY_MONTH_YEAR: '22/11/2026 13:47, with slashes, dots or dashes.',
  MONTH_DAY_YEAR: '11/22/2026 13:47, with slashes, dots or dashes.',
  UNIX_SECONDS: 'Seconds since 1970.',
  UNIX_MILLISECONDS: 'Milliseconds since 1970.',
};
const ENCODING_DESCRIPTIONS: Readonly<Record<ImportEncoding, string>> = {
  UTF_8: 'UTF-8, with or without a byte order mark.',
  WINDOWS_1252: 'Windows-1252, of which Latin-1 is a part.',
};
const DELIMITERS = { COMMA: ',', SEMICOLON: ';', TAB: '\t', PIPE: '|' } as const;

const described = <Name extends string>(names: readonly Name[], descriptions: Readonly<Record<Name, string>>) =>
  Object.fromEntries(names.map((name) => [name, { description: descriptions[name] }])) as Record<
    Name,
    { description: string }
  >;

/** Inputs of the mutations of imports. */
export function inputTypes(builder: Builder, types: JobTypes) {
  const Format = builder.enumType('ImportFormat', {
    description: 'How a file is written.',
    values: described(FORMATS, FORMAT_DESCRIPTIONS),
  });
  const Dates = builder.enumType('ImportDateFormat', {
    description: 'How dates and times are written.',
    values: described(DATE_FORMATS, DATE_DESCRIPTIONS),
  });
  const Encoding = builder.enumType('ImportEncoding', {
    description: 'How characters are written.',
    values: described(ENCODINGS, ENCODING_DESCRIPTIONS),
  });
  const DelimiterEnum = builder.enumType('ImportDelimiter', {
    description: 'What stands between columns.',
    values: {
      COMMA: { value: DELIMITERS.COMMA, description: 'A comma.' },
      SEMICOLON: { value: DELIMITERS.SEMICOLON, description: 'A semicolon.' },
      TAB: { value: DELIMITERS.TAB, description: 'A tab.' },
      PIPE: { value: DELIMITERS.PIPE, description: 'A vertical bar.' },
    },
  });
  const Mapping = builder.inputType('ColumnMappingInput', {
    description: 'Gives a column of the file to a field.',
    fields: (t) => ({
      field: t.string({ required: true, description: 'A field of the record type, e.g. "customerExternalId".' }),
      column: t.string({ required: true, description: 'Name of the column as the header has it, or an NDJSON key.' }),
    }),
  });
  const StartImport = builder.inputType('StartImportInput', {
    description: 'What to import, and how to read it. What is left out is worked out from the file.',
    fields: (t) => ({
      uploadId: t.id({ required: true, description: 'What POST /uploads answered.' }),
      fileName: t.string({ description: 'Name of the file, to show.' }),
      recordType: t.field({ type: types.RecordTypeEnum, required: true, description: 'What the rows are.' }),
      format: t.field({ type: Format, description: 'CSV or NDJSON, gzipped or not; found out when left out.' }),
      mapping: t.field({
        type: [Mapping],
        description: 'Columns of fields; well-known names are found without it.',
      }),
      dryRun: t.boolean({ description: 'Only look: make the reports and store nothing. Default false.' }),
      acceptQuality: t.boolean({ description: 'Go on whatever the quality report says. Default false: stop and ask.' }),
      live: t.boolean({ description: 'Not history: award points, send messages, raise alerts. Default false.' }),
      source: t.string({ description: 'Where the rows come from: an event is (source, id). Default "import".' }),
      dateFormat: t.field({ type: Dates, description: 'How dates are written. Default ISO.' }),
      timeZone: t.string({ description: 'IANA zone of times without an offset. Default: that of the business.' }),
      currency: t.field({
        type: 'Currency',
        description: 'Currency of amounts without one. Default: the reporting currency.',
      }),
      encoding: t.field({ type: Encoding, description: 'Default UTF_8.' }),
      delimiter: t.field({ type: DelimiterEnum, description: 'Found out when left out.' }),
      idempotencyKey: t.field({
        type: 'IdempotencyKey',
        description: 'Sent again with the same input, the first import is answered.',
      }),
    }),
  }) as InputRef<StartImportInput>;
  const ImportId = (name: string) =>
    builder.inputType(name, {
      description: 'Which import.',
      fields: (t) => ({ id: t.id({ required: true, description: 'Id of the import.' }) }),
    }) as InputRef<{ id: string }>;
  return { StartImport, ImportId };
}
