import { Command } from 'commander';
import { InvalidInput } from '../../core/errors.ts';
import { callRunningServer } from './client.ts';
import { say } from './output.ts';

const CREATE = /* GraphQL */ `
  mutation CreateKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      ... on CreateApiKeySuccess { secret key { id name scopes expiresAt } }
      ... on DomainError { code message }
    }
  }
`;
const LIST = /* GraphQL */ `
  query ListKeys { apiKeys(first: 100) { edges { node { id name prefix scopes expiresAt revokedAt lastUsedAt } } } }
`;
const REVOKE = /* GraphQL */ `
  mutation RevokeKey($input: RevokeApiKeyInput!) {
    revokeApiKey(input: $input) {
      ... on RevokeApiKeySuccess { key { id name revokedAt } }
      ... on DomainError { code message }
    }
  }
`;

const DAY_MS = 86_400_000;

function expiryOf(days: string | undefined): Date | null {
  if (days === undefined) return null;
  const number = Number(days);
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidInput(`--days is "${days}"; give a whole number of days from 1.`, { path: ['days'] });
  }
  return new Date(Date.now() + number * DAY_MS);
}

/** `holdfast keys ...`, beside a running server. */
export function keysCommand(): Command {
  const keys = new Command('keys').description('API keys of the running server.');
  keys
    .command('create <name>')
    .description('Make a key; its text is shown this once.')
    .requiredOption('--scopes <scopes>', 'separated by commas, e.g. loyalty:read,loyalty:award')
    .option('--days <days>', 'days until it expires; never without')
    .action(async (name: string, { scopes, days }: { readonly scopes: string; readonly days?: string }) => {
      const input = { name, scopes: scopes.split(',').map((scope) => scope.trim()), expiresAt: expiryOf(days) };
      const { createApiKey } = await callRunningServer<{ createApiKey: { secret?: string; message?: string } }>(
        CREATE,
        { input },
      );
      if (createApiKey.secret === undefined) throw new InvalidInput(createApiKey.message ?? 'No key was made.');
      say(createApiKey.secret);
    });
  keys
    .command('list')
    .description('List the keys as JSON, newest first.')
    .action(async () => say(JSON.stringify(await callRunningServer(LIST, {}), null, 2)));
  keys
    .command('revoke <id>')
    .description('Take a key back, at once.')
    .action(async (id: string) => say(JSON.stringify(await callRunningServer(REVOKE, { input: { id } }), null, 2)));
  return keys;
}
