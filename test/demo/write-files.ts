import { writeFiles } from '../../src/app/demo/saas/files.ts';

/** Writes a generated business into a folder, from a process of its own. */
const [folder, options] = process.argv.slice(2);
await writeFiles(folder as string, JSON.parse(options as string));
