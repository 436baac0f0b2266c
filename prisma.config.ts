// Where Prisma's command line finds models, migrations and the database. The program itself does not read this file:
// it applies the migrations on its own (src/core/database/migrate.ts).
import { defineConfig } from 'prisma/config';

const url = process.env.DATABASE_URL;
const shadowDatabaseUrl = process.env.SHADOW_DATABASE_URL;

export default defineConfig({
  schema: 'prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url === undefined
    ? {}
    : { datasource: { url, ...(shadowDatabaseUrl === undefined ? {} : { shadowDatabaseUrl }) } }),
});
