import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type RunningServer, type ServerOptions, startServer } from '../../src/app/server/index.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { createAuthenticator, createKeyService, type KeyService } from '../../src/core/access/index.ts';
import { systemCall } from '../../src/core/call.ts';
import { type ManualClock, manualClock } from '../../src/core/clock.ts';
import { createDatabase, type Database } from '../../src/core/database/index.ts';
import { createLogger, type Logger } from '../../src/core/logger.ts';
import { createMetrics, type Metrics } from '../../src/core/metrics.ts';
import { createTestDatabase } from '../support/database.ts';
import { plantedRows, plantedSchema, plantedTables } from './planted.ts';

/** The planted business behind a real server. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly server: RunningServer;
  readonly keys: KeyService;
  readonly database: Database;
  readonly clock: ManualClock;
  readonly config: Config;
  readonly metrics: Metrics;
  readonly adminKey: string;
  /** Lines that were logged, as objects. */
  readonly logged: Record<string, unknown>[];
  /** A key with these scopes. */
  key(scopes: readonly string[], expiresAt?: Date | null): Promise<string>;
  close(): Promise<void>;
}

export const adminKey = 'a-key-of-twenty-characters-or-more';

/** Starts the planted business; `config` overrides the defaults. */
export async function startTestServer(
  config: Partial<Config> = {},
  options: Partial<Pick<ServerOptions, 'checks' | 'subscriptions' | 'examples'>> = {},
): Promise<TestServer> {
  const testDatabase = await createTestDatabase();
  const logged: Record<string, unknown>[] = [];
  const logger = recordingLogger(logged);
  const database = createDatabase({ url: testDatabase.url, logger });
  await database.query(plantedTables);
  for (const statement of plantedRows(60).split(';')) if (statement.trim() !== '') await database.query(statement);
  const clock = manualClock(new Date('2026-06-01T12:00:10Z'));
  const names = [
    'admin',
    'customers:read',
    'accounts:read',
    'accounts:write',
    'events:read',
    'imports:write',
    'keys:manage',
    'operations:read',
  ] as const;
  const scopes = names.map((name) => ({ name, description: `May ${name}.` }));
  const keys = createKeyService({ database, clock, scopes });
  await keys.ensureAdmin(systemCall('test'), adminKey);
  const authenticator = await createAuthenticator({ database, clock, logger });
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'holdfast-api-'));
  const full: Config = { ...readConfig({}), port: 0, dataFolder, ...config };
  const metrics = createMetrics({ processMetrics: false });
  const server = await startServer({
    config: full,
    schema: plantedSchema(database, database.prisma, { keys, scopes }),
    authenticator,
    checks: options.checks ?? [],
    examples: options.examples ?? [],
    subscriptions: options.subscriptions ?? (() => tickingSubscriptions),
    logger,
    metrics,
    clock,
  });
  const admin = {
    id: '00000000-0000-7000-8000-000000000000',
    name: 'admin',
    scopes: new Set(['admin']),
    expiresAt: null,
  };
  return {
    url: server.url,
    port: server.port,
    server,
    keys,
    database,
    clock,
    config: full,
    metrics,
    adminKey,
    logged,
    async key(keyScopes, expiresAt = null) {
      return (await keys.create(systemCall('test'), admin, { name: 'test', scopes: keyScopes, expiresAt })).secret;
    },
    async close() {
      await server.close(1_000);
      await authenticator.close();
      await database.close();
      await testDatabase.drop();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

/** A subscription server that gives one tick: the real one has its own tests. */
const tickingSubscriptions: ReturnType<ServerOptions['subscriptions']> = {
  handleSse(_req, res) {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end('event: next\ndata: {"data":{"ticks":1}}\n\n');
  },
  handleUpgrade(_req, socket) {
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  },
  close: () => Promise.resolve(),
};

/** A logger whose lines can be looked at. */
function recordingLogger(lines: Record<string, unknown>[]): Logger {
  const logger = createLogger('silent');
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    logger[level] = (fields: unknown, message?: string) => {
      lines.push({ level, message, ...(fields as object) });
    };
  }
  return logger;
}

/** What came back of a request. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: GraphqlReply;
}

interface GraphqlReply {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: unknown;
    readonly extensions: { readonly code: string; readonly [key: string]: unknown };
  }[];
  readonly extensions?: {
    readonly cost: { asked: number; spent: number; left: number; resetsAt: string } | null;
    readonly statements?: number;
    readonly correlationId?: string;
  };
}

/** Sends a GraphQL request as the admin unless told otherwise. */
export async function post(server: TestServer, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${adminKey}`, ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as GraphqlReply };
}
