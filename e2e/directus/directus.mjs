// A Directus on loopback: SQLite, files in a folder, no mails, no telemetry. Says what the command line of
// Directus says: "node directus.mjs bootstrap", "node directus.mjs start".
import path from 'node:path';

const data = process.env.DATA || path.join(import.meta.dirname, 'data');
const port = process.env.PORT || '7082';

for (const [name, value] of Object.entries({
  HOST: '127.0.0.1', PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}`,
  DB_CLIENT: 'sqlite3', DB_FILENAME: path.join(data, 'directus.sqlite'),
  STORAGE_LOCATIONS: 'local', STORAGE_LOCAL_ROOT: path.join(data, 'uploads'), EXTENSIONS_PATH: path.join(data, 'extensions'),
  SECRET: 'only-for-this-test-only-for-this-test', ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'admin-of-this-test', ADMIN_TOKEN: 'the-admins-token',
  IMPORT_IP_DENY_LIST: '', // flows may post to this machine
  TELEMETRY: 'false', LOG_LEVEL: 'warn', CACHE_ENABLED: 'false', PRESSURE_LIMITER_ENABLED: 'false', // a busy machine is no reason to refuse
})) process.env[name] = value;

await import('@directus/api/cli/run.js');
