import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Where the server process answers. */
export interface Addresses {
  readonly api: string;
  /** The bare server beside it. */
  readonly bare: string;
}

/** Starts the server in a process of its own, and stops it when `use` has come to its end. */
export async function withServer<T>(
  options: { readonly url: string; readonly folder: string; readonly key: string },
  use: (addresses: Addresses) => Promise<T>,
): Promise<T> {
  const program = fileURLToPath(new URL('server.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [program, options.url, options.folder, options.key], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const lines = createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> });
    const [line] = (await Promise.race([
      once(lines, 'line'),
      exited.then(() => Promise.reject(new Error('the server did not start'))),
    ])) as [string];
    return await use(JSON.parse(line) as Addresses);
  } finally {
    child.stdin?.end();
    await exited;
  }
}
