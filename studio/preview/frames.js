// Draws one experience as its channel would show it.
import { el, $ } from './dom.js';
import { part, label, safe } from './parts.js';

// page makes what drawing needs out of one answer.
export function pageOf(experience, channel, types, choose) {
  const children = new Map();
  for (const c of experience.components) if (c.parent) children.set(c.parent, [...(children.get(c.parent) || []), c]);
  const byId = new Map(experience.components.map(c => [c.id, c]));
  const problems = experience.problems.map(p => ({ ...p, component: null }));
  return { experience, channel, types, children, byId, problems, choose, locale: experience.asked };
}

export function frame(page) {
  const { experience: x, channel } = page;
  const draw = channel.speech ? voice : channel.message ? chat : { mobile: phone, email: mail }[channel.name] || browser;
  return el('section.frame.' + (channel.speech ? 'voice' : channel.message ? 'chat' : ['mobile', 'email'].includes(channel.name) ? channel.name : 'web'), { 'aria-label': channel.name },
    draw(page), faults(page), x.components.length === 0 ? el('p.empty', {}, 'Nothing is shown here for this visitor on this channel.') : null);
}

function slots(page) {
  return page.experience.slots.map(s => {
    const parts = [...s.components.map(({ id }) => page.byId.get(id)).map(c => ({ at: place(c.path), draw: () => part(c, page) })), ...missing(page, s.name)].sort((a, b) => a.at - b.at);
    return parts.length ? el('section.slot', { 'aria-label': s.name }, el('p.slotname', {}, s.name), parts.map(p => p.draw())) : null;
  });
}

const place = path => Number(path.match(/^slots\.[^[]+\[(\d+)/)?.[1] ?? 0);

// missing stands where a component would, had its content come: what lacks is told in place.
function missing(page, slot) {
  const lost = new Map();
  for (const p of page.problems) {
    const at = p.component ? null : p.path.match(/^slots\.([^[]+)\[(\d+)\]/);
    if (at?.[1] === slot) lost.set(Number(at[2]), [...(lost.get(Number(at[2])) || []), p]);
  }
  return [...lost].map(([at, problems]) => ({ at, draw: () => el('article.part.ghost', {}, el('div.body', {}, el('p.slotname', {}, 'Not shown'), problems.map(p => el('p', {}, el('code', {}, label(p.code)), ' ', p.message, p.ref ? el('small', {}, ' ' + p.ref) : null)))) }));
}

const browser = p => [el('div.bar', { 'aria-hidden': 'true' }, el('i'), el('i'), el('i'), el('span', {}, p.experience.title || '')), el('div.view', {}, slots(p))];
const phone = p => [el('div.notch', { 'aria-hidden': 'true' }), el('div.view', {}, el('h2.screen', {}, p.experience.title || ''), slots(p))];

function mail(p) {
  return [el('div.mailhead', {}, el('span.avatar', { 'aria-hidden': 'true' }, 'T'), el('div', {}, el('strong', {}, p.experience.title || '(no subject)'), el('p', {}, p.experience.meta.description || ''))), el('div.view', {}, slots(p))];
}

function chat(p) {
  const m = p.experience.message;
  const said = m ? el('div.bubbles', {},
    m.image?.url ? el('img.bubble', { src: m.image.url, alt: m.image.alt || '' }) : null,
    m.text ? el('p.bubble', {}, m.text) : el('p.empty', {}, 'Nothing to say here.'),
    el('p.replies', {}, m.buttons.map(b => el('a', { href: safe(b.href), title: b.href, onclick: e => e.preventDefault() }, b.label)))) : el('p.empty', {}, 'This channel has no message.');
  return [el('div.chathead', {}, el('i.dot'), el('strong', {}, 'Travel desk')), said, under(p)];
}

function voice(p) {
  const s = p.experience.speech;
  if (!s) return el('p.empty', {}, 'This channel has no speech.');
  const speak = () => { speechSynthesis.cancel(); const u = new SpeechSynthesisUtterance(s.text); u.lang = p.experience.asked; speechSynthesis.speak(u); };
  return [el('div.wave', { 'aria-hidden': 'true' }, Array.from({ length: 24 }, (_, i) => el('i', { vars: { '--h': 18 + Math.abs(Math.sin(i * 1.7)) * 60 + '%' } }))),
    el('blockquote', {}, s.text || '…'), s.reprompt ? el('p.reprompt', {}, 'If nobody answers: ' + s.reprompt) : null,
    'speechSynthesis' in window ? el('button', { type: 'button', onclick: speak }, 'Listen') : null,
    el('details', {}, el('summary', {}, 'SSML'), el('pre', {}, s.ssml)), under(p)];
}

// under lists the components behind a message or speech, so that each can still say why.
function under(p) {
  return el('ul.behind', { 'aria-label': 'Made of' }, p.experience.components.map(c => el('li', {}, el('button.quiet', { type: 'button', dataset: { id: c.id }, onclick: () => p.choose(c) }, c.type, c.variant ? ' · ' + c.variant : '', el('small', {}, ' ' + label(c.why?.reason || 'STATIC'))))));
}

// faults tells, in place, what the page lacks.
function faults(p) {
  const rest = p.problems;
  if (!rest.length) return null;
  return el('details.faults', { open: p.channel.speech || p.channel.message }, el('summary', {}, rest.length === 1 ? 'One problem' : rest.length + ' problems'),
    el('ul', {}, rest.map(f => el('li', {}, el('code', {}, label(f.code)), ' ', f.message, f.stale ? el('em', {}, ' A stand-in is shown.') : null, el('small', {}, f.path + (f.ref ? ' · ' + f.ref : ''))))));
}

export function waiting(channel) {
  return el('section.frame.waiting', { 'aria-busy': 'true', 'aria-label': channel.name }, el('div.bone.tall'), el('div.bone'), el('div.bone.short'), el('div.bone.tall'), el('div.bone'));
}

export function failed(channel, error, retry) {
  return el('section.frame.failed', { role: 'alert' }, el('h3', {}, channel.name), el('p', {}, error.message), error.hint ? el('p', {}, error.hint) : null, error.code ? el('code', {}, error.code) : null,
    el('p', {}, el('button', { type: 'button', onclick: retry }, 'Try again')));
}

export function highlight(id) {
  for (const e of document.querySelectorAll('.chosen')) e.classList.remove('chosen');
  if (id) for (const e of document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`)) e.classList.add('chosen');
  return $('why');
}
