import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
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
/** A younger folder may be one that another run has made and not yet locked. */
const ABANDONED_AFTER_MS = 60_000;

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
      if (statSync(left).mtimeMs > Date.now() - ABANDONED_AFTER_MS) continue;
      folder = openDataFolder(left);
    } catch {
      continue; // In use, another user's, or gone meanwhile.
    }
    const data = path.join(left, 'postgres');
    if (existsSync(data)) await stopOrphan(data);
    discard(folder);
  }
}

function discard(folder: DataFolder): void {
  folder.release();
  // The last of a killed server's processes may still be putting files there.
  rmSync(folder.path, { recursive: true, force: true, maxRetries: 10 });
}
