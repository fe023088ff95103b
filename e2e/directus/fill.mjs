// Makes the tables and fills them, once: twelve pictures in a public folder and one outside of it, 120
// articles with translations, and a user whose token only reads, as docs/manifests.md says.
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';

const data = process.env.DATA;
for (const folder of ['uploads', 'extensions']) mkdirSync(path.join(data, folder), { recursive: true });
const port = await new Promise(found => { const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => found(port)); }); });
const env = { ...process.env, PORT: String(port) };
const at = `http://127.0.0.1:${port}`;

const made = spawnSync('node', ['directus.mjs', 'bootstrap'], { env, stdio: 'inherit' });
if (made.status !== 0) process.exit(1);
const directus = spawn('node', ['directus.mjs', 'start'], { env, stdio: 'inherit' });
directus.on('exit', code => { if (code) process.exit(1); });
for (const end = Date.now() + 120_000; !(await fetch(`${at}/server/ping`).catch(() => null))?.ok;) {
  if (Date.now() > end) throw new Error('Directus did not start');
  await new Promise(done => setTimeout(done, 200));
}

async function post(to, body) {
  const form = body instanceof FormData;
  const res = await fetch(at + to, {
    method: 'POST', body: form ? body : JSON.stringify(body),
    headers: { authorization: 'Bearer the-admins-token', ...(form ? {} : { 'content-type': 'application/json' }) },
  });
  const text = await res.text();
  if (!res.ok) throw new Error(`${to} answers ${res.status}: ${text}`);
  return text ? JSON.parse(text).data : undefined;
}

const text = (field, more = {}) => ({ field, type: 'string', ...more });
await post('/collections', {
  collection: 'articles', schema: {}, meta: {},
  fields: [
    { field: 'id', type: 'uuid', schema: { is_primary_key: true }, meta: { special: ['uuid'] } },
    text('status', { schema: { default_value: 'draft' } }), text('title'), text('summary'), { field: 'body', type: 'text' }, text('section'), text('slug'),
    { field: 'tags', type: 'json', meta: { special: ['cast-json'], interface: 'tags' } },
    { field: 'hero', type: 'uuid', meta: { special: ['file'], interface: 'file-image' } },
    { field: 'translations', type: 'alias', meta: { special: ['translations'], interface: 'translations' } },
    { field: 'date_updated', type: 'timestamp', meta: { special: ['date-created', 'date-updated'] } },
  ],
});
await post('/collections', {
  collection: 'articles_translations', schema: {}, meta: { hidden: true },
  fields: [
    { field: 'id', type: 'integer', schema: { is_primary_key: true, has_auto_increment: true } },
    { field: 'articles_id', type: 'uuid' }, text('languages_code'), text('title'), text('summary'), { field: 'body', type: 'text' },
  ],
});
await post('/relations', { collection: 'articles', field: 'hero', related_collection: 'directus_files' });
await post('/relations', {
  collection: 'articles_translations', field: 'articles_id', related_collection: 'articles',
  meta: { one_field: 'translations', junction_field: 'languages_code' }, schema: { on_delete: 'CASCADE' },
});

// Who may read: the connector's user files and articles, and everybody the files of one folder.
const shown = await post('/folders', { id: '22222222-0000-4000-8000-000000000001', name: 'public' });
const reads = await post('/policies', { name: 'Reads content', app_access: false, admin_access: false });
for (const collection of ['directus_files', 'articles', 'articles_translations']) await post('/permissions', { policy: reads.id, collection, action: 'read', fields: ['*'], permissions: {} });
const role = await post('/roles', { name: 'Delivery', policies: { create: [{ policy: { id: reads.id } }], update: [], delete: [] } });
await post('/users', { email: 'delivery@example.com', role: role.id, status: 'active', token: 'a-token-that-only-reads' });
const everybody = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17'; // the id that every Directus gives its public policy
await post('/permissions', { policy: everybody, collection: 'directus_files', action: 'read', fields: ['id', 'type', 'filename_download', 'modified_on'], permissions: { folder: { _eq: shown.id } } });

const pictures = [];
for (let i = 1; i <= 13; i++) {
  const size = { width: 1200, height: 800 };
  const picture = await sharp({ create: { ...size, channels: 3, background: { r: i * 18, g: 90, b: 255 - i * 18 } } }).jpeg().toBuffer();
  const form = new FormData();
  form.set('id', `00000000-0000-4000-8000-0000000000${String(i).padStart(2, '0')}`);
  form.set('title', i === 13 ? 'Not for everybody' : `Picture ${i}`);
  form.set('description', `What picture ${i} shows`);
  form.set('tags', JSON.stringify(['sample', i % 2 ? 'odd' : 'even']));
  if (i === 1) { form.set('focal_point_x', '300'); form.set('focal_point_y', '200'); }
  if (i !== 13) form.set('folder', shown.id);
  form.set('file', new Blob([picture], { type: 'image/jpeg' }), `picture-${i}.jpg`);
  pictures.push((await post('/files', form)).id);
}
await post('/items/articles', Array.from({ length: 120 }, (_, n) => ({
  id: `11111111-0000-4000-8000-000000000${String(n + 1).padStart(3, '0')}`,
  status: n === 119 ? 'draft' : 'published',
  title: `Article ${n + 1}`, summary: `What article ${n + 1} is about`, body: `<p>The <strong>text</strong> of article ${n + 1}.</p>`,
  section: n % 2 ? 'news' : 'guides', slug: `article-${n + 1}`, tags: ['sample'], hero: pictures[n % 12],
  translations: { create: [{ languages_code: 'de-DE', title: `Artikel ${n + 1}`, summary: `Worum es in Artikel ${n + 1} geht`, body: `<p>Der Text von Artikel ${n + 1}.</p>` }], update: [], delete: [] },
})));

directus.kill('SIGTERM');
await new Promise(done => directus.on('exit', done));
