// What the scripts share that look at the preview page as a person would. Each is called with ADDRESS KEY [FOLDER], prints
// one line for each thing that holds, and ends with status 1 when one does not.
import { chromium } from 'playwright-core';

export const [address, key, folder] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
let failed = false;
export const holds = (what, truth, detail = '') => { console.log(`${truth ? 'ok' : 'NOT OK'}  ${what}${truth ? '' : ' ' + detail}`); if (!truth) failed = true; };
export const settled = page => page.waitForFunction(() => /in \d+ ms/.test(document.querySelector('#status').textContent) && !document.querySelector('.frame[aria-busy=true]'), null, { timeout: 15000 });

export const open = async (size, hash) => {
  const context = await browser.newContext({ viewport: size, deviceScaleFactor: 1 });
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', m => { if (m.type() === 'error') page.complaints.push(m.text()); });
  page.on('pageerror', e => page.complaints.push(String(e)));
  page.on('response', r => { if (r.status() >= 400) page.complaints.push(`${r.status()} ${r.url()}`); });
  await page.goto(address + hash);
  return page;
};

export async function look(at) {
  try { await at(); } catch (e) { console.log('NOT OK  ' + e.message); failed = true; }
  await browser.close();
  process.exit(failed ? 1 : 0);
}
