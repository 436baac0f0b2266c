/**
 * The limit: node:http and one SQL statement written for this very page, whose JSON is handed through as text. The key
 * is hashed and looked up as Holdfast does. No GraphQL, no limits, no types, ids and times as the database writes them.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDatabase } from '../../src/core/database/index.ts';
import { createLogger } from '../../src/core/logger.ts';

const [url = ''] = process.argv.slice(2);
const database = createDatabase({ url, logger: createLogger('warn') });
const keys = await database.query<{ hash: Buffer }>('select secret_hash as hash from api_key where revoked_at is null');
const known = new Set(keys.map(({ hash }) => hash.toString('hex')));

const PAGE = `
  with page as (select * from customer c where c.id > $1::uuid and c.erased_at is null order by c.id limit 21)
  select json_build_object('data', json_build_object('customers', json_build_object(
    'totalCount', (select sum(customers)::int8 from customer_counter),
    'pageInfo', json_build_object('hasNextPage', (select count(*) > 20 from page), 'endCursor', (select id from page offset 19 limit 1)),
    'edges', (select json_agg(json_build_object('cursor', c.id, 'node', json_build_object(
      'id', c.id, 'externalId', c.external_id, 'name', c.name, 'status', c.status, 'businessSegment', c.business_segment,
      'signupAt', c.signup_at,
      'health', (select json_build_object('score', a.health_score, 'tier', a.health_tier, 'coverage', a.health_coverage,
                   'at', a.at, 'parts', a.health_parts) from customer_assessment a where a.customer_id = c.id),
      'risk', (select json_build_object('score', a.risk_score, 'category', a.risk_category, 'since', a.risk_since)
               from customer_assessment a where a.customer_id = c.id),
      'loyalty', (select json_build_object('earned', l.earned, 'tier', json_build_object('name', l.tier),
                    'balance', json_build_object('available', l.balance),
                    'entries', json_build_object('edges', (select json_agg(json_build_object('node', e)) from (
                      select points, kind, reason, effective_at as "effectiveAt" from loyalty_entry
                      where account_id = l.id order by number desc limit 5) e)))
                  from loyalty_account l where l.customer_id = c.id and l.closed_at is null),
      'tickets', json_build_object('edges', coalesce((select json_agg(json_build_object('node', t)) from (
        select external_id as "externalId", priority, opened_at as "openedAt" from ticket
        where customer_id = c.id and solved_at is null order by opened_at desc, id desc limit 5) t), '[]'))
    ))) from (select * from page limit 20) c))))::text as answer`;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { variables: { after: string } };
    const key = request.headers.authorization?.slice('Bearer '.length) ?? '';
    if (!known.has(createHash('sha256').update(key).digest('hex'))) {
      response.writeHead(401).end();
      return;
    }
    const [id] = JSON.parse(Buffer.from(body.variables.after, 'base64url').toString()) as string[];
    const [row] = await database.query<{ answer: string }>(PAGE, [id], { name: 'page' });
    const answer = row?.answer ?? '';
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1e3 });
});
process.on('disconnect', () => process.exit());
