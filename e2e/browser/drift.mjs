// Looks at the preview page of a composition whose source answers in another shape than it did.
import { key, folder, holds, settled, open, look } from './look.mjs';

await look(async () => {
  const page = await open({ width: 1200, height: 900 }, '#key=' + key);
  await settled(page);
  const warning = page.locator('#notes [role=alert]');
  await warning.first().waitFor({ timeout: 15000 });
  const words = await warning.allInnerTexts();
  holds('the page warns of what it reads', words.length === 1 && words[0] === 'shop answers in another shape: title of item (/name) was text, is absent', words.join(' | '));
  holds('and says when that was noticed', /Noticed .+ (second|minute|now)/.test(await warning.first().getAttribute('title')), await warning.first().getAttribute('title'));
  holds('nothing complains', page.complaints.length === 0, page.complaints.join('\n'));
  if (folder) await page.screenshot({ path: `${folder}/preview-drift.png` });
  const phone = await open({ width: 390, height: 844 }, '#key=' + key);
  await settled(phone);
  await phone.locator('#notes [role=alert]').waitFor({ timeout: 15000 });
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  holds('nothing is wider than a phone', wide <= 0, wide + ' px too wide');
  if (folder) await phone.screenshot({ path: `${folder}/preview-drift-phone.png`, fullPage: true });
});
