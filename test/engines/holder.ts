// Run as a process of its own by the engine tests: opens a data folder, starts its PostgreSQL unless told not to, says
// so in one line of JSON, and lives until its input ends.
import { type DataFolder, openDataFolder } from '../../src/app/embedded/data-folder.ts';
import { startEmbeddedPostgres } from '../../src/app/embedded/postgres.ts';

const [folderPath = '', mode = 'postgres'] = process.argv.slice(2);
const notices: string[] = [];

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function inputEnded(): Promise<void> {
  for await (const _ of process.stdin);
}

let folder: DataFolder | undefined;
try {
  folder = openDataFolder(folderPath);
  if (mode === 'lock') {
    say({ held: true });
    await inputEnded();
  } else {
    const server = await startEmbeddedPostgres({
      folder: folder.path,
      durable: mode !== 'fast',
      onNotice: (line) => notices.push(line),
    });
    const { url, pid, dataDir, firstStart } = server;
    say({ held: true, url, pid, dataDir, firstStart, notices });
    await inputEnded();
    await server.stop();
  }
} catch (error) {
  say({ held: false, code: (error as { code?: string }).code, message: (error as Error).message });
} finally {
  folder?.release();
}
