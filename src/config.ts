import path from 'node:path';
import { z } from 'zod';
import { ConfigurationError } from './core/errors.ts';

/** One variable of the environment: what it means, how it is read. */
interface Variable<T> {
  readonly name: string;
  readonly description: string;
  /** As a person would write it; null when absent means something of its own, said in the description. */
  readonly default: string | null;
  readonly schema: z.ZodType<T, string | null>;
  readonly secret?: boolean;
}

const text = z.string().nullable();
const required = z.string().min(1);
const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const whole = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'is not a whole number').transform(Number).pipe(z.number().min(min).max(max));
const url = (...protocols: string[]) =>
  z
    .string()
    .nullable()
    .refine(
      (value) => value === null || (URL.canParse(value) && protocols.includes(new URL(value).protocol)),
      `is not a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );

const variable = <T>(definition: Variable<T>): Variable<T> => definition;

const VARIABLES = {
  port: variable({
    name: 'PORT',
    description: 'Port of the HTTP server; 0 takes a free one.',
    default: '4000',
    schema: whole(0, 65_535),
  }),
  host: variable({
    name: 'HOLDFAST_HOST',
    description: 'Address the HTTP server listens on; 0.0.0.0 for all.',
    default: '127.0.0.1',
    schema: required,
  }),
  dataFolder: variable({
    name: 'HOLDFAST_DATA',
    description: 'Folder of the embedded engines, uploads and rejects files.',
    default: '.holdfast',
    schema: required.transform((folder) => path.resolve(folder)),
  }),
  adminKey: variable({
    name: 'HOLDFAST_ADMIN_KEY',
    description: 'The first admin key, at least 20 characters; without it one is made and printed once.',
    default: null,
    schema: text.refine(
      (value) => value === null || /^[\x21-\x7e]{20,200}$/.test(value),
      'must be 20 to 200 printable characters',
    ),
    secret: true,
  }),
  databaseUrl: variable({
    name: 'DATABASE_URL',
    description: 'A PostgreSQL 15 or later; without it the embedded one is started.',
    default: null,
    schema: url('postgres:', 'postgresql:'),
    secret: true,
  }),
  databaseConnections: variable({
    name: 'HOLDFAST_DATABASE_CONNECTIONS',
    description: 'Most connections of this process to PostgreSQL.',
    default: '16',
    schema: whole(4, 500),
  }),
  clickhouseUrl: variable({
    name: 'CLICKHOUSE_URL',
    description: 'A ClickHouse server, a cluster or "holdfast analytics"; without it ClickHouse runs in this process.',
    default: null,
    schema: url('http:', 'https:'),
    secret: true,
  }),
  clickhouseDatabase: variable({
    name: 'CLICKHOUSE_DATABASE',
    description: 'Database in ClickHouse; made when missing.',
    default: 'holdfast',
    schema: z.string().regex(/^[a-z_][a-z0-9_]*$/i),
  }),
  clickhouseCluster: variable({
    name: 'CLICKHOUSE_CLUSTER',
    description: 'Name of the cluster, for ON CLUSTER and replicated engines; none for a single server.',
    default: null,
    schema: text,
  }),
  analyticsPort: variable({
    name: 'HOLDFAST_ANALYTICS_PORT',
    description: 'Port of "holdfast analytics", on loopback.',
    default: '8123',
    schema: whole(0, 65_535),
  }),
  smtpUrl: variable({
    name: 'SMTP_URL',
    description:
      'Mail server, e.g. smtps://user:password@mail.example.com; without it mail waits in the local outbox at /outbox.',
    default: null,
    schema: url('smtp:', 'smtps:'),
    secret: true,
  }),
  mailFrom: variable({
    name: 'HOLDFAST_MAIL_FROM',
    description: 'Sender of mail.',
    default: 'Holdfast <holdfast@localhost>',
    schema: required,
  }),
  mailsPerSecond: variable({
    name: 'HOLDFAST_MAILS_PER_SECOND',
    description: 'Most messages a second to the mail server.',
    default: '10',
    schema: whole(1, 10_000),
  }),
  publicUrl: variable({
    name: 'HOLDFAST_PUBLIC_URL',
    description: 'How customers reach this server, for links in mail; without it host and port.',
    default: null,
    schema: url('http:', 'https:'),
  }),
  logLevel: variable({
    name: 'HOLDFAST_LOG_LEVEL',
    description: 'fatal, error, warn, info, debug, trace or silent.',
    default: 'info',
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  }),
  worker: variable({
    name: 'HOLDFAST_WORKER',
    description: 'Whether "serve" also does the background work.',
    default: 'true',
    schema: flag,
  }),
  jobConcurrency: variable({
    name: 'HOLDFAST_JOB_CONCURRENCY',
    description: 'Jobs at once in this process.',
    default: '4',
    schema: whole(1, 64),
  }),
  tlsCertificate: variable({
    name: 'HOLDFAST_TLS_CERTIFICATE',
    description: 'PEM file of the certificate chain; with it the server speaks TLS 1.3.',
    default: null,
    schema: text,
  }),
  tlsKey: variable({
    name: 'HOLDFAST_TLS_KEY',
    description: 'PEM file of the private key.',
    default: null,
    schema: text,
  }),
  corsOrigins: variable({
    name: 'HOLDFAST_CORS_ORIGINS',
    description: 'Origins whose pages may call the API, separated by commas.',
    default: '',
    schema: list,
  }),
  introspection: variable({
    name: 'HOLDFAST_INTROSPECTION',
    description: 'Who may introspect: keys (any valid key), admin, off.',
    default: 'keys',
    schema: z.enum(['keys', 'admin', 'off']),
  }),
  maxDepth: variable({
    name: 'HOLDFAST_MAX_DEPTH',
    description: 'Deepest selection of an operation.',
    default: '12',
    schema: whole(1, 100),
  }),
  maxCost: variable({
    name: 'HOLDFAST_MAX_COST',
    description: 'Highest cost of one operation.',
    default: '20000',
    schema: whole(1, 10_000_000),
  }),
  costPerMinute: variable({
    name: 'HOLDFAST_COST_PER_MINUTE',
    description: 'Cost each key may spend a minute.',
    default: '2000000',
    schema: whole(1, 1_000_000_000),
  }),
  maxAliases: variable({
    name: 'HOLDFAST_MAX_ALIASES',
    description: 'Most aliases of an operation.',
    default: '30',
    schema: whole(0, 1_000),
  }),
  maxTokens: variable({
    name: 'HOLDFAST_MAX_TOKENS',
    description: 'Most tokens of a document.',
    default: '4000',
    schema: whole(10, 1_000_000),
  }),
  maxBatch: variable({
    name: 'HOLDFAST_MAX_BATCH',
    description: 'Most operations of one HTTP request.',
    default: '10',
    schema: whole(1, 100),
  }),
  maxRequestBytes: variable({
    name: 'HOLDFAST_MAX_REQUEST_BYTES',
    description: 'Largest body of a GraphQL request.',
    default: '4194304',
    schema: whole(1_024, 1_073_741_824),
  }),
  maxUploadBytes: variable({
    name: 'HOLDFAST_MAX_UPLOAD_BYTES',
    description: 'Largest uploaded file.',
    default: '10737418240',
    schema: whole(1_024, Number.MAX_SAFE_INTEGER),
  }),
  maxConcurrent: variable({
    name: 'HOLDFAST_MAX_CONCURRENT',
    description: 'Operations at once; more are told to try later.',
    default: '500',
    schema: whole(1, 100_000),
  }),
  maxSubscriptions: variable({
    name: 'HOLDFAST_MAX_SUBSCRIPTIONS',
    description: 'Open subscriptions of this process.',
    default: '5000',
    schema: whole(1, 1_000_000),
  }),
} as const;

type Variables = typeof VARIABLES;
type Schema<V> = V extends Variable<infer T> ? T : never;

/** How and where this process runs; what the business may change is a setting in the database instead. */
export type Config = { readonly [K in keyof Variables]: Schema<Variables[K]> };

/**
 * Reads the environment once.
 * @throws ConfigurationError that names the variable, its value and the remedy
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const config: Record<string, unknown> = {};
  for (const [key, { name, schema, default: fallback, secret }] of Object.entries(VARIABLES) as [
    string,
    Variable<unknown>,
  ][]) {
    const given = environment[name];
    const value = given === undefined || given === '' ? fallback : given;
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      const shown = secret === true ? 'its value' : `"${value}"`;
      throw new ConfigurationError(
        `${name}: ${shown} ${parsed.error.issues[0]?.message ?? 'is not valid'}. "holdfast config" describes it.`,
        { path: [name] },
      );
    }
    config[key] = parsed.data;
  }
  return config as unknown as Config;
}

/** What `holdfast config` prints, one entry per variable. */
export interface ConfigEntry {
  readonly name: string;
  readonly value: string | null;
  readonly default: string | null;
  readonly description: string;
}

/** All variables with the value in force; secrets are shown only as set. */
export function describeConfig(environment: Readonly<Record<string, string | undefined>> = process.env): ConfigEntry[] {
  return (Object.values(VARIABLES) as Variable<unknown>[]).map(({ name, description, default: fallback, secret }) => {
    const given = environment[name];
    const value = given === undefined || given === '' ? fallback : given;
    return { name, description, default: fallback, value: secret === true && value !== null ? '(set)' : value };
  });
}
