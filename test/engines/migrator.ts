// Run as a process of its own, many at once, by the migration tests: migrates a database and says what it applied.
import { migrateAll } from '../../src/core/database/migrate-all.ts';

const [url = '', folder = ''] = process.argv.slice(2);
try {
  const result = await migrateAll({ connectionString: url }, { createDatabase: true, folder });
  process.stdout.write(JSON.stringify(result));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: (error as Error).message }));
}
