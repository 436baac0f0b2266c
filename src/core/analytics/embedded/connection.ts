import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ClickHouseClientConfigOptions } from '@clickhouse/client';
import { formatQueryParams } from '@clickhouse/client/dist/common/index.js';
import { type EmbeddedEngine, type Statement, toClickHouseError } from './engine.ts';

/** The hook through which `@clickhouse/client` takes another transport than HTTP. It is marked experimental there. */
export type ClientConnection = NonNullable<ClickHouseClientConfigOptions['connection']>;

type Request = Parameters<ClientConnection['query']>[0];

/** The client reads these figures for tracing only; the embedded engine does not tell them. */
const SUMMARY = {
  read_rows: '0',
  read_bytes: '0',
  written_rows: '0',
  written_bytes: '0',
  result_rows: '0',
  result_bytes: '0',
  total_rows_to_read: '0',
  elapsed_ns: '0',
};

/** The embedded engine as a connection of `@clickhouse/client`, all unqualified names meaning `database`. */
export function createEmbeddedConnection(engine: EmbeddedEngine, database: string): ClientConnection {
  return {
    async query(request) {
      return { ...answer(request), stream: await engine.select(statementOf(request, database)) };
    },
    async exec(request) {
      const statement = statementOf(request, database);
      if (request.values === undefined) {
        return { ...answer(request), stream: await engine.select(statement), summary: SUMMARY };
      }
      await engine.insert(statement, request.values);
      return { ...answer(request), stream: Readable.from([]), summary: SUMMARY };
    },
    async command(request) {
      await engine.execute(statementOf(request, database));
      return { ...answer(request), summary: SUMMARY };
    },
    async insert(request) {
      await engine.insert(statementOf(request, database), request.values);
      return { ...answer(request), summary: SUMMARY };
    },
    async ping() {
      try {
        await engine.execute(statementOf({ query: 'SELECT 1' }, database));
        return { success: true };
      } catch (error) {
        return { success: false, error: toClickHouseError(error) };
      }
    },
    close: () => engine.close(),
  };
}

function statementOf(request: Request, database: string): Statement {
  const settings = new Map<string, string>();
  for (const [name, value] of Object.entries(request.clickhouse_settings ?? {})) {
    if (value !== undefined) settings.set(name, value === true ? '1' : value === false ? '0' : String(value));
  }
  const params = new Map<string, string>();
  for (const [name, value] of Object.entries(request.query_params ?? {}))
    params.set(name, formatQueryParams({ value }));
  return { sql: request.query, database, settings, params, signal: request.abort_signal };
}

function answer(request: Request) {
  return { query_id: request.query_id ?? randomUUID(), response_headers: {}, http_status_code: 200 };
}
