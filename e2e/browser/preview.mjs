// Looks at the preview page as a person would: `node preview.mjs ADDRESS KEY FOLDER`.
// Prints one line for each thing that holds and ends with status 1 at the first that does not.
import { chromium } from 'playwright-core';

const [address, key, folder] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
let failed = false;
const holds = (what, truth, detail = '') => { console.log(`${truth ? 'ok' : 'NOT OK'}  ${what}${truth ? '' : ' ' + detail}`); if (!truth) failed = true; };
const settled = page => page.waitForFunction(() => /in \d+ ms/.test(document.querySelector('#status').textContent) && !document.querySelector('.frame[aria-busy=true]'), null, { timeout: 15000 });

const open = async (size, hash) => {
  const context = await browser.newContext({ viewport: size, deviceScaleFactor: 1 });
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', m => { if (m.type() === 'error') page.complaints.push(m.text()); });
  page.on('pageerror', e => page.complaints.push(String(e)));
  page.on('response', r => { if (r.status() >= 400) page.complaints.push(`${r.status()} ${r.url()}`); });
  await page.goto(address + hash);
  return page;
};

try {
  const page = await open({ width: 1500, height: 1000 }, '#key=' + key);
  await settled(page);
  holds('the key leaves the address', !page.url().includes(key));
  holds('all five channels are drawn', await page.locator('.frame').count() === 5, String(await page.locator('.frame').count()));
  holds('no frame failed', await page.locator('.frame.failed').count() === 0);
  const broken = await page.evaluate(async () => {
    for (const i of document.images) { i.loading = 'eager'; await i.decode().catch(() => {}); }
    return [...document.images].filter(i => !i.naturalWidth).map(i => i.src);
  });
  holds('every picture shows', broken.length === 0 && await page.locator('.nopicture').count() === 0, broken.join(' '));
  if (folder) await page.screenshot({ path: `${folder}/preview-all.png`, fullPage: true });

  await page.locator('#personas [role=radio]').first().click();
  await settled(page);
  const notes = await page.locator('#notes').innerText();
  holds('the notes say where the page may change', /May change (beyond|within) .* of -?\d/.test(notes), notes);
  await page.locator('.frame.web .part').first().focus();
  await page.keyboard.press('Enter');
  holds('a part says why, with the keyboard alone', await page.locator('#why h3').first().isVisible());
  if (folder) await page.screenshot({ path: `${folder}/preview-why.png` });
  await page.keyboard.press('Escape');
  holds('Escape closes the explanation', !(await page.locator('#why').isVisible()));

  const words = () => page.locator('.frame.web').innerText();
  const before = await words();
  const german = page.locator('#locales [role=radio]', { hasText: 'Deutsch' });
  await german.click();
  await settled(page);
  holds('another language changes the page', await words() !== before);

  const consent = page.locator('#consent input').first();
  const asIs = await page.locator('.frames').innerText();
  await consent.setChecked(!(await consent.isChecked()));
  await settled(page);
  holds('consent changes the page', await page.locator('.frames').innerText() !== asIs);
  holds('nothing complains', page.complaints.length === 0, page.complaints.join('\n'));

  const wrong = await open({ width: 1200, height: 800 }, '#key=tutti_preview_wrong');
  await wrong.waitForSelector('#gate[open]');
  holds('a wrong key is explained', (await wrong.locator('#gate-error').innerText()).length > 10);

  const phone = await open({ width: 390, height: 844 }, '#key=' + key);
  await settled(phone);
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  holds('nothing is wider than a phone', wide <= 0, wide + ' px too wide');
  if (folder) await phone.screenshot({ path: `${folder}/preview-phone.png`, fullPage: true });
} catch (e) { console.log('NOT OK  ' + e.message); failed = true; }
await browser.close();
process.exit(failed ? 1 : 0);
