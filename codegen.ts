import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed operations from the reviewed contract, not from the code. `npm run codegen` writes them, the check proves them fresh. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: ['test/operations/**/*.graphql'],
  ignoreNoDocuments: true,
  generates: {
    'test/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false, skipIndexFile: true },
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumsAsTypes: true,
        importExtension: '.ts',
        // As they travel in JSON.
        scalars: {
          Currency: 'string',
          Cursor: 'string',
          DateTime: 'string',
          EmailAddress: 'string',
          ID: { input: 'string', output: 'string' },
          IdempotencyKey: 'string',
          JSON: 'unknown',
          JSONObject: 'Record<string, unknown>',
          LocalDate: 'string',
          NonNegativeInt: 'number',
          PositiveInt: 'number',
          SafeInt: 'number',
        },
        strictScalars: true,
      },
    },
  },
};

export default config;
