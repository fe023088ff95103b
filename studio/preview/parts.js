// Draws delivered components without knowing their types: by what their props are.
import { el, colourOf } from './dom.js';

const isResource = v => v && typeof v === 'object' && typeof v.ref === 'string' && typeof v.type === 'string';
const isList = v => v && typeof v === 'object' && Array.isArray(v.items);
const isMoney = v => v && typeof v === 'object' && 'amount' in v && 'currency' in v;

export function money(m, locale) {
  try { return new Intl.NumberFormat(locale, { style: 'currency', currency: m.currency }).format(Number(m.amount)); } catch { return `${m.amount} ${m.currency}`; }
}

function picture(asset, sizes) {
  if (!asset?.url) return null;
  const img = el('img', { src: asset.url, srcset: asset.srcset || null, sizes: asset.srcset ? sizes : null, alt: asset.alt || asset.title || '', loading: 'lazy', decoding: 'async' });
  if (asset.focal) img.style.objectPosition = `${asset.focal.x * 100}% ${asset.focal.y * 100}%`;
  img.addEventListener('error', () => img.replaceWith(el('div.nopicture', { role: 'img', 'aria-label': img.alt }, 'picture not available')), { once: true });
  return img;
}

// words shows a text; rich text comes sanitised by the server and is parsed, not trusted: the page's policy runs nothing in it.
function words(tag, value, rich) {
  if (value == null || value === '') return null;
  if (!rich) return el(tag, {}, String(value));
  const box = el('div.rich');
  box.innerHTML = String(value);
  for (const a of box.querySelectorAll('a')) { a.target = '_blank'; a.rel = 'noopener'; }
  return box;
}

function item(r, locale) {
  const art = picture(r.image?.url ? r.image : r.type === 'Asset' ? r : r.picture ? { url: r.picture, alt: r.pictureAlt } : null, '200px');
  const line = [];
  if (isMoney(r.price)) line.push(el('b.price', {}, money(r.price, locale)));
  if (r.inStock === false) line.push(el('span.sold', {}, 'sold out'));
  if (r.authorHandle) line.push(el('span', {}, '@' + r.authorHandle));
  if (r.status) line.push(el('span.badge', {}, r.status));
  if (r.category) line.push(el('span', {}, r.category));
  const text = r.text?.plain ?? r.description?.plain ?? r.excerpt ?? (typeof r.text === 'string' ? plain(r.text) : '');
  return el('li.item', { vars: { '--voice': colourOf(r.ref.split(':')[0]) }, title: r.ref },
    art, el('div', {}, el('strong', {}, r.title || (text ? text.slice(0, 60) : r.ref)), r.title && text ? el('p', {}, text.length > 110 ? text.slice(0, 109) + '…' : text) : null,
      line.length ? el('p.line', {}, line) : null));
}

// plain gives the words of sanitised HTML; blocks and breaks become spaces.
function plain(html) { return new DOMParser().parseFromString(html.replace(/<\/(p|li|h\d|div)>|<br\s*\/?>/g, ' $&'), 'text/html').body.textContent.replace(/\s+/g, ' ').trim(); }

// part draws one component and those inside it.
export function part(c, page) {
  const types = page.types[c.type] || {};
  const props = c.props || {};
  const head = props.headline ?? props.title;
  const used = new Set(['headline', 'title', 'eyebrow', 'kicker']);
  const body = [], lists = [], facts = [];
  let art = null;
  for (const [name, v] of Object.entries(props)) {
    if (used.has(name) || v == null) continue;
    if (isResource(v)) {
      if (v.type === 'Asset' && !art) art = v; else if (v.type === 'Asset') body.push(picture(v, '300px')); else lists.push(el('ul.items', {}, item(v, page.locale)));
    } else if (isList(v)) lists.push(el('ul.items', {}, v.items.map(i => item(i, page.locale))));
    else if (isMoney(v)) facts.push(el('b.price', {}, money(v, page.locale)));
    else if (types[name] === 'richText') body.push(words('div', v, true));
    else if (types[name] === 'dateTime') facts.push(el('span', {}, new Intl.DateTimeFormat(page.locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(v))));
    else if (types[name] === 'text') body.push(words('p', v));
    else if (types[name] === 'url') body.push(el('a', { href: safe(v), target: '_blank', rel: 'noopener' }, v));
    else if (typeof v !== 'object') facts.push(el('span.fact', {}, el('i', {}, name), ' ' + v));
  }
  const inner = (page.children.get(c.id) || []).map(k => part(k, page));
  return el('article.part' + (art ? '.pictured' : '') + (c.personal ? '.personal' : ''), {
    tabIndex: 0, dataset: { id: c.id, component: c.component }, 'aria-label': `${c.type}: why it is here`,
    onclick: e => { e.stopPropagation(); if (!e.target.closest('a')) page.choose(c); },
    onkeydown: e => { if ((e.key === 'Enter' || e.key === ' ') && e.target === e.currentTarget) { e.preventDefault(); page.choose(c); } },
  },
    art ? el('div.art', {}, picture(art, '(max-width: 700px) 100vw, 640px')) : null,
    el('div.body', {},
      props.eyebrow || props.kicker ? el('p.eyebrow', {}, props.eyebrow ?? props.kicker) : null,
      head ? words('h3', head) : null, body, facts.length ? el('p.facts', {}, facts) : null, lists,
      c.actions.length ? el('p.actions', {}, c.actions.map(a => action(a, page))) : null,
      inner.length ? el('div.inner', {}, inner) : null),
    tag(c, page));
}

function action(a, page) {
  const target = a.href || a.deepLink;
  const tip = [a.intent, target, a.expiresAt ? 'until ' + new Date(a.expiresAt).toLocaleString() : ''].filter(Boolean).join('\n');
  return el('span.action', { title: tip, role: 'link', 'aria-disabled': 'true' }, a.label, page.channel.name === 'mobile' && a.deepLink ? el('small', {}, ' ⇱') : null);
}

// tag is the small sign at each component: its sources' colours, its reason, and its problems.
function tag(c, page) {
  const problems = page.problems.filter(p => p.component === c);
  const sources = [...new Set(c.origins.map(o => o.source))];
  return el('div.tag', {},
    sources.map(s => el('i.dot', { vars: { '--voice': colourOf(s) }, title: s })),
    el('span.reason', {}, label(c.why?.reason || 'STATIC')),
    c.variant ? el('span.variant', {}, c.variant) : null,
    c.personal ? el('span.lock', { title: 'Depends on who this is: never shared' }, 'personal') : null,
    c.freshness.state !== 'FRESH' ? el('span.stale', {}, label(c.freshness.state)) : null,
    problems.map(p => el('span.problem', { title: p.message }, '⚠ ' + label(p.code))));
}

export const label = s => s.toLowerCase().replaceAll('_', ' ');
export const safe = u => { try { const x = new URL(u, location.origin); return ['http:', 'https:', 'mailto:'].includes(x.protocol) ? x.href : '#'; } catch { return '#'; } };
