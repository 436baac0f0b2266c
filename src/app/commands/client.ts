import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
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

/** What the server answered. */
export interface ServerAnswer<Body> {
  readonly status: number;
  readonly body: Body & { readonly errors?: readonly { readonly message: string }[] };
}

/**
 * Sends something to a server of this machine, as a command line with the key of its run file. By Node's own client:
 * `fetch` gives up on an answer after five minutes, and on a certificate that is made out to another name.
 * @throws Error when there is no line to it
 */
export async function post<Body extends object>(
  run: RunFile,
  path: string,
  content: string | Blob,
): Promise<ServerAnswer<Body>> {
  const body = new Blob([content]);
  const request = run.tls ? requestHttps : requestHttp;
  const { promise, resolve, reject } = Promise.withResolvers<ServerAnswer<Body>>();
  const call = request(
    `${serverUrl(run)}${path}`,
    {
      method: 'POST',
      // The certificate is for the name that others use; this is the same machine.
      rejectUnauthorized: false,
      headers: {
        authorization: `Bearer ${run.adminKey}`,
        'content-type': 'application/json',
        'content-length': body.size,
      },
    },
    (response) => {
      text(response)
        .then((answered) => resolve({ status: response.statusCode ?? 0, body: JSON.parse(answered) }))
        .catch(reject);
    },
  );
  call.on('error', reject);
  pipeline(body.stream(), call).catch(reject);
  return promise;
}

/** Where a running server is reached by a command of the same machine. */
const serverUrl = (run: RunFile): string => {
  const host = run.host === '0.0.0.0' || run.host === '::' ? '127.0.0.1' : run.host;
  return `http${run.tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${run.port}`;
};

/** The refusal of an answer, as a command tells it. */
export const refusalOf = ({ status, body }: ServerAnswer<object>): RequestFailed =>
  new RequestFailed(body.errors?.[0]?.message ?? `The server answered ${status}.`, { status });

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
  const answer = await post<{ data?: Data }>(run, '/graphql', JSON.stringify({ query, variables }));
  const { data, errors } = answer.body;
  if (errors !== undefined || data === undefined) throw refusalOf(answer);
  return data;
}
