import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DataFolder, openDataFolder } from '../../src/app/embedded/data-folder.ts';
import { startEmbeddedPostgres } from '../../src/app/embedded/postgres.ts';
import { stopOrphan } from '../../src/app/embedded/postgres-process.ts';

/** A PostgreSQL that lives for one test run or one command and leaves nothing behind. */
export interface ThrowawayPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

const PREFIX = 'holdfast-throwaway-';

/** Starts an empty PostgreSQL in a temporary folder, without fsync: it need not survive anything. */
export async function startThrowawayPostgres(): Promise<ThrowawayPostgres> {
  await sweepAbandoned();
  const folder = openDataFolder(mkdtempSync(path.join(tmpdir(), PREFIX)));
  try {
    const server = await startEmbeddedPostgres({ folder: folder.path, durable: false });
    return {
      url: server.url,
      async stop() {
        await server.stop();
        discard(folder);
      },
    };
  } catch (error) {
    discard(folder);
    throw error;
  }
}

/** A run that was killed left its server running: nobody else would ever stop it. */
async function sweepAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(PREFIX))) {
    const left = path.join(tmpdir(), name);
    let folder: DataFolder;
    try {
      folder = openDataFolder(left);
    } catch {
      continue; // In use, or another user's.
    }
    await stopOrphan(path.join(left, 'postgres'));
    discard(folder);
  }
}

function discard(folder: DataFolder): void {
  folder.release();
  rmSync(folder.path, { recursive: true, force: true });
}
