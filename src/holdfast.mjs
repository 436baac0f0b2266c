// The way in for every npm script. Plain JavaScript, so that an old Node can read it and say what is wrong:
// the rest is TypeScript, which Node runs as it stands from version 24 on.
import './native.mjs';

const NEEDED_MAJOR = 24;

if (Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR) {
  process.stderr.write(
    `Holdfast needs Node ${NEEDED_MAJOR} or later, and this is Node ${process.versions.node} (${process.execPath}).\n` +
      'On Linux (x64, arm64) and macOS (arm64) "npm ci" brings the right one along: start through npm, for example\n' +
      '"npm start" or "npm run -s holdfast -- --help", and install without --omit=optional.\n' +
      `Elsewhere, install Node ${NEEDED_MAJOR} from https://nodejs.org and try again.\n`,
  );
  process.exit(1);
}

// Whoever reads what is printed may go away (`| head`): that stops neither a command nor a server.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

await import('./main.ts');
