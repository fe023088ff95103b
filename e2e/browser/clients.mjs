// Opens the pages of ../clients and compares what they show with what the API says:
// `node clients.mjs PAGES API KEY`. Prints a line for each thing that holds; status 1 when one does not.
import { chromium } from 'playwright-core';

const [pages, url, key] = process.argv.slice(2);
let failed = false;
const holds = (what, truth, detail = '') => { console.log(`${truth ? 'ok' : 'NOT OK'}  ${what}${truth ? '' : ' ' + detail}`); if (!truth) failed = true; };

const ask = async (query, variables) => {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer ' + key }, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
};
const home = async party => {
  const data = await ask('query($context: ContextInput) { experience(composition: "home", channel: "web", locale: "en", context: $context) { components { component variant ... on Hero { headline image { ... on Asset { url(width: 480) } } } } } }',
    { context: { consent: { personalization: true }, attributes: { party } } });
  const c = data.experience.components.find(c => c.component === 'welcome');
  return `${c.variant ?? 'baseline'}: ${c.headline} (${c.image.url})`;
};
const hotel = async locale => {
  const { resource: r } = await ask('query($locale: Locale!) { resource(ref: "stay:hotel/azul", locale: $locale) { title locale ... on Place { description { html } } } }', { locale });
  return `${r.locale}: ${r.title}, ${r.description.html}`;
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

// look opens a page and gives what it shows and what its cache holds.
const look = async (client, mistaken) => {
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', m => { if (m.type() === 'error' || m.type() === 'warning') complaints.push(m.text()); });
  page.on('pageerror', e => complaints.push(String(e)));
  await page.goto(`${pages}/${client}.html#${encodeURIComponent(JSON.stringify({ url, key, mistaken }))}`);
  await page.waitForSelector('body[data-done]', { state: 'attached', timeout: 15000 }).catch(e => { throw new Error(e.message + complaints.join('\n')); });
  const text = id => page.locator('#' + id).innerText();
  const shown = {};
  for (const id of ['nobody', 'family', 'english', 'german']) shown[id] = await text(id);
  const found = { shown, kept: JSON.parse(await text('kept')), entities: JSON.parse(await text('entities')), complaints };
  await page.close();
  return found;
};

try {
  const truth = { nobody: await home('solo'), family: await home('family'), english: await hotel('en'), german: await hotel('de') };
  holds('the variants differ, and the languages do', truth.nobody !== truth.family && truth.english !== truth.german, JSON.stringify(truth));
  const same = (a, b) => Object.keys(truth).filter(k => a[k] !== b[k]);
  for (const client of ['apollo', 'urql']) {
    const { shown, kept, entities, complaints } = await look(client, false);
    holds(`${client}: every panel shows what the API says`, same(shown, truth).length === 0, JSON.stringify(shown));
    holds(`${client}: so does the cache alone`, same(kept, truth).length === 0, JSON.stringify(kept));
    for (const [type, what] of [['Hero', 'variants of one component'], ['Place', 'languages of one resource']])
      holds(`${client}: two ${what} are two entities`, entities.filter(e => e.startsWith(type + ':')).length === 2, entities.join(' '));
    holds(`${client}: nothing complains`, complaints.length === 0, complaints.join('\n'));
    // Whoever tells them apart by their stable names must be caught by the very same look.
    const wrong = await look(client, true);
    holds(`${client}: stable names as keys would mix them up`, same(wrong.kept, truth).includes('nobody') && same(wrong.kept, truth).includes('english'), JSON.stringify(wrong.kept));
  }
} catch (e) { console.log('NOT OK  ' + e.message); failed = true; }
await browser.close();
process.exit(failed ? 1 : 0);
