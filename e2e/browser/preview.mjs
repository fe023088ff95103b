// Looks at the preview page of the demo: all channels, a wrong key, a phone's width, the keyboard alone.
import { address, key, folder, holds, settled, open, look } from './look.mjs';

await look(async () => {
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
});
