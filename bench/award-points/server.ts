import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApplication } from '../../src/app/application.ts';
import { readConfig } from '../../src/config.ts';
import { migrateAnalytics } from '../../src/core/analytics/migrate.ts';
import { openAnalytics } from '../../src/core/analytics/open.ts';
import { systemCall } from '../../src/core/call.ts';
import { createDatabase } from '../../src/core/database/index.ts';
import { DomainError } from '../../src/core/errors.ts';
import { createLogger } from '../../src/core/logger.ts';

/**
 * The process under load: Holdfast's API, and beside it a bare node:http server around the same service, which is the
 * limit. `node server.ts URL FOLDER KEY` prints the two addresses as JSON and runs until its stdin ends.
 */
const [url, folder, key] = process.argv.slice(2) as [string, string, string];
const config = readConfig({
  PORT: '0',
  HOLDFAST_DATA: folder,
  HOLDFAST_LOG_LEVEL: 'warn',
  HOLDFAST_ADMIN_KEY: key,
  // The budget is reckoned as ever, and large enough for 32 clients that never rest.
  HOLDFAST_COST_PER_MINUTE: '1000000000',
});
const logger = createLogger(config.logLevel);
const database = createDatabase({ url, logger });
const analytics = await openAnalytics({ path: `${folder}/clickhouse` }, { database: 'holdfast' });
await migrateAnalytics(analytics, (run) => run());
const app = await createApplication({ config, engines: { database, analytics }, logger });
await app.composition.keys.ensureAdmin(systemCall('bench'), key);
const api = await app.startHttp();

const { loyalty } = app.composition.services;
const call = systemCall('bench');
const bare = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const answer = (status: number, body: unknown) => {
      const text = JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
      response.end(text);
    };
    loyalty.awardPoints(call, JSON.parse(Buffer.concat(chunks).toString())).then(
      ({ entry, account, tierChange, replayed }) =>
        answer(200, {
          entry: { id: entry.id, points: entry.points, balanceAfter: entry.balanceAfter },
          account: { balance: { available: account.balance }, tier: { name: account.tier } },
          tierChange,
          replayed,
        }),
      (error: unknown) => answer(error instanceof DomainError ? 400 : 500, { error: String(error) }),
    );
  });
});
await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
process.stdout.write(
  `${JSON.stringify({ api: api.url, bare: `http://127.0.0.1:${(bare.address() as AddressInfo).port}` })}\n`,
);

process.stdin.resume();
process.stdin.on('end', async () => {
  bare.close();
  bare.closeAllConnections();
  await app.stop();
  await database.close();
  await analytics.close();
});
