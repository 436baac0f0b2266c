// Imported first by every tool: they share the runtime of the program, and an old Node would fail in obscure ways.
const NEEDED_MAJOR = 24;

if (Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR) {
  process.stderr.write(
    `This tool needs Node ${NEEDED_MAJOR} or later, and this is Node ${process.versions.node}. "npm ci" brings the right one along: use the npm scripts.\n`,
  );
  process.exit(1);
}
