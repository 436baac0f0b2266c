import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { post, startTestServer } from './server.ts';

const LONGER_THAN_THE_TEST_MS = 600_000;

it('does not wait for connections that were opened ahead of need, nor for those kept alive', async () => {
  const server = await startTestServer();
  const ahead = connect(server.server.port, '127.0.0.1');
  await once(ahead, 'connect');
  const gone = once(ahead, 'close');
  // Answered on a connection that stays open, and only after the server knows of the other one.
  expect((await post(server, { query: '{ __typename }' })).status).toBe(200);
  await server.server.close(LONGER_THAN_THE_TEST_MS);
  await gone;
  await server.close();
});
