import { readConfig } from '../../config.ts';
import { DomainError } from '../../core/errors.ts';
import { type RunFile, readRunFile } from '../embedded/data-folder.ts';

/** No server runs on the data folder. */
export class NoRunningServer extends DomainError {
  constructor(dataFolder: string) {
    super(
      'APP_NO_RUNNING_SERVER',
      `No server runs on ${dataFolder}. Start one with "npm start", or name its folder in HOLDFAST_DATA.`,
    );
  }
}

/** The running server refused a request. */
export class RequestFailed extends DomainError {
  constructor(message: string, details: Readonly<Record<string, unknown>>) {
    super('APP_REQUEST_FAILED', message, { details });
  }
}

/** Where a running server is reached by a command of the same machine. */
export const serverUrl = (run: RunFile): string => {
  const host = run.host === '0.0.0.0' || run.host === '::' ? '127.0.0.1' : run.host;
  return `http${run.tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${run.port}`;
};

/**
 * Runs one operation on the server of this machine's data folder.
 * @throws NoRunningServer, RequestFailed
 */
export async function callRunningServer<Data extends object>(
  query: string,
  variables: Readonly<Record<string, unknown>>,
  run: RunFile | null = readRunFile(readConfig().dataFolder),
): Promise<Data> {
  if (run === null) throw new NoRunningServer(readConfig().dataFolder);
  const response = await fetch(`${serverUrl(run)}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${run.adminKey}` },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as { data?: Data; errors?: readonly { message: string }[] };
  if (answer.errors !== undefined || answer.data === undefined) {
    throw new RequestFailed(answer.errors?.[0]?.message ?? `The server answered ${response.status}.`, {
      status: response.status,
    });
  }
  return answer.data;
}
