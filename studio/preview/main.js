// The preview page: chooses who, where, when and what, asks the API for each channel, and draws.
import { ask, hasKey, setKey, takeKeyFromAddress } from './api.js';
import { SETTING, EXPERIENCE, PLACE, SOURCES } from './queries.js';
import { $, el, radios, colourOf, since } from './dom.js';
import { frame, waiting, failed, pageOf, highlight } from './frames.js';
import { score } from './score.js';
import { map, words } from './map.js';
import { why } from './why.js';

const purposes = ['personalization', 'analytics', 'marketing'];
const all = 'all';
let setting, centre, pages = new Map(), chosen = null, flight = null;

// What is looked at. It stands in the address, so that a view can be shared; the key does not.
const view = { composition: '', params: {}, persona: '', locale: '', channel: '', state: 'PUBLISHED', at: '', place: undefined, consent: undefined, forced: {} };

function readAddress() {
  const hash = new URLSearchParams(location.hash.slice(1));
  try { if (hash.has('v')) Object.assign(view, JSON.parse(hash.get('v'))); } catch { /* an old or broken address: start from the defaults */ }
}

function writeAddress() {
  const hash = new URLSearchParams();
  hash.set('v', JSON.stringify(view));
  history.replaceState(null, '', '#' + hash);
}

const persona = () => setting.personas.find(p => p.name === view.persona);
const body = () => { const c = setting.compositions.nodes.find(n => n.id === view.composition); return (view.state === 'DRAFT' ? c?.draft?.body : c?.published?.body ?? c?.draft?.body) || {}; };

function preview() {
  const p = { perspective: { state: view.state } };
  if (view.at) p.perspective.at = new Date(view.at).toISOString();
  if (view.persona) p.persona = view.persona;
  if (view.place) p.location = view.place;
  if (view.consent) p.consent = view.consent;
  const forced = Object.entries(view.forced);
  if (forced.length) p.variants = forced.map(([component, variant]) => ({ component, variant }));
  return p;
}

async function start() {
  takeKeyFromAddress();
  readAddress();
  if (!hasKey()) return gate();
  say('Loading…');
  try {
    setting = (await ask(SETTING)).data;
    for (const s of (await ask(SOURCES)).data.sources) colourOf(s.name); // in the config's order, so that a source keeps its colour
  } catch (e) {
    const refused = {
      UNAUTHENTICATED: 'This key is not valid here, or not any more. A demo has new keys at each start.',
      FORBIDDEN: 'This is not a preview key. One that may see drafts and reasons is of class preview or management.',
    }[e.code];
    if (refused) { setKey(''); return gate(refused); }
    return gate(e.message);
  }
  const ids = setting.compositions.nodes.map(c => c.id);
  if (!ids.length) { say('No composition is stored yet. Save one with tutti apply.'); return; }
  if (!ids.includes(view.composition)) { view.composition = ids.includes('hotel-arrival') ? 'hotel-arrival' : ids[0]; view.params = {}; }
  if (!persona()) view.persona = setting.personas[0]?.name || '';
  if (!setting.locales.includes(view.locale)) view.locale = persona()?.locale || setting.locales[0];
  if (view.channel !== all && !setting.channels.some(c => c.name === view.channel)) view.channel = innerWidth > 900 ? all : setting.channels[0].name;
  controls();
  await compositionChanged(true);
}

function gate(message = '') {
  $('gate-error').textContent = message;
  say('');
  if (!$('gate').open) $('gate').showModal();
  $('key').focus();
}

$('gate-form').addEventListener('submit', e => { e.preventDefault(); setKey($('key').value); $('key').value = ''; $('gate').close(); start(); });
$('gate').addEventListener('cancel', e => e.preventDefault());
$('leave').addEventListener('click', () => { setKey(''); gate(); });

function controls() {
  $('composition').replaceChildren(...setting.compositions.nodes.map(c => el('option', { value: c.id, selected: c.id === view.composition }, c.id + (c.published ? c.draft?.changed ? ' (draft differs)' : '' : ' (not published)'))));
  $('composition').onchange = e => { view.composition = e.target.value; view.params = {}; view.forced = {}; compositionChanged(); };
  radios($('locales'), setting.locales.map(l => ({ value: l, label: name(l) })), view.locale, l => { view.locale = l; controls(); draw(); });
  radios($('state'), [{ value: 'PUBLISHED', label: 'Published' }, { value: 'DRAFT', label: 'Draft' }], view.state, s => { view.state = s; controls(); draw(); });
  radios($('personas'), setting.personas.map(p => ({ value: p.name, title: p.description, class: 'person', content: [el('b', {}, p.name), el('span', {}, p.description || (p.visitor ? 'known visitor' : 'anonymous'))].reduce((f, e) => (f.append(e), f), document.createDocumentFragment()) })), view.persona, choosePersona);
  radios($('channels'), [{ value: all, label: 'All channels' }, ...setting.channels.map(c => ({ value: c.name, label: c.name, title: c.description }))], view.channel, c => { view.channel = c; controls(); draw(); });
  for (const b of $('channels').children) { b.setAttribute('role', 'tab'); b.setAttribute('aria-selected', b.getAttribute('aria-checked')); b.removeAttribute('aria-checked'); }
  $('at').value = view.at;
  $('at').onchange = e => { view.at = e.target.value; draw(); };
  $('now').onclick = () => { view.at = ''; $('at').value = ''; draw(); };
  const given = new Set(view.consent ? purposes.filter(p => view.consent[p]) : (persona()?.consent || []).map(c => c.toLowerCase()));
  $('consent').replaceChildren(...purposes.map(p => el('label.switch', {}, el('input', { type: 'checkbox', checked: given.has(p), onchange: e => { e.target.checked ? given.add(p) : given.delete(p); view.consent = Object.fromEntries(purposes.map(q => [q, given.has(q)])); draw(); } }), el('span', {}, p))));
  params();
}

function choosePersona(p) {
  view.persona = p; view.place = undefined; view.consent = undefined;
  if (persona()?.locale && setting.locales.includes(persona().locale)) view.locale = persona().locale;
  controls(); drawMap(); draw();
}

const name = l => { try { return new Intl.DisplayNames([l], { type: 'language' }).of(l); } catch { return l; } };

// params shows one field for each param of the composition, filled with its default or the first thing that fits.
function params() {
  $('params').replaceChildren(...(body().params || []).map(p => el('label.pick', {}, p.name, el('input', { value: view.params[p.name] ?? '', placeholder: p.kinds?.join(' or ') || p.type, title: p.description,
    onchange: e => { if (e.target.value) view.params[p.name] = p.type === 'int' || p.type === 'float' ? Number(e.target.value) : p.type === 'boolean' ? e.target.value === 'true' : e.target.value; else delete view.params[p.name]; compositionChanged(); } }))));
}

async function compositionChanged(first) {
  for (const p of body().params || []) {
    if (view.params[p.name] !== undefined) continue;
    if (p.default !== undefined) view.params[p.name] = p.default;
    else if (p.type === 'ref' && p.kinds?.length) {
      const [source, kind] = p.kinds[0].split(':');
      try { const r = await ask('query($s: ID!, $k: ID!) { search(source: $s, kind: $k, first: 1) { nodes { ref } } }', { s: source, k: kind }); const ref = r.data.search.nodes[0]?.ref; if (ref) view.params[p.name] = ref; } catch { /* the field stays empty, and the page says what is missing */ }
    }
  }
  params();
  if (!first) chosen = null;
  await findCentre();
  drawMap();
  draw();
}

async function findCentre() {
  centre = null;
  const p = (body().params || []).find(p => p.type === 'ref' && view.params[p.name]);
  if (!p) return;
  try { const r = (await ask(PLACE, { ref: view.params[p.name] })).data.resource; if (r?.location) centre = { ...r.location, title: r.title }; } catch { /* no centre, no map */ }
}

function drawMap() {
  map($('map'), centre, view.place || persona()?.location || null, at => { view.place = at || undefined; if (!at) view.place = undefined; draw(); });
}

function say(text, tone = '') { $('status').textContent = text; $('status').dataset.tone = tone; }

// draw asks for the chosen channels at once and fills each frame when its answer is there.
async function draw() {
  writeAddress();
  flight?.abort();
  flight = new AbortController();
  const { signal } = flight;
  const channels = setting.channels.filter(c => view.channel === all || c.name === view.channel);
  const host = $('frames');
  host.dataset.count = channels.length;
  if (host.children.length !== channels.length) host.replaceChildren(...channels.map(waiting));
  else for (const f of host.children) f.setAttribute('aria-busy', 'true');
  say('Assembling…');
  const start = performance.now();
  pages = new Map();
  const types = Object.fromEntries(setting.componentTypes.map(t => [t.name, Object.fromEntries(t.props.map(p => [p.name, p.type]))]));
  const results = await Promise.all(channels.map(async (channel, i) => {
    const variables = { composition: view.composition, params: view.params, channel: channel.name, locale: view.locale, preview: preview() };
    try {
      const res = await ask(EXPERIENCE, variables, signal);
      const x = { ...res.data.experience, asked: view.locale };
      const page = pageOf(x, channel, types, choose);
      for (const p of page.problems) p.component = nearest(x.components, p.path);
      pages.set(channel.name, page);
      host.children[i]?.replaceWith(frame(page));
      if (i === 0) { $('query').textContent = EXPERIENCE + '\n\n# variables\n' + JSON.stringify(variables, null, 2); $('answer').textContent = JSON.stringify(res.data, null, 2); }
      return res;
    } catch (e) {
      if (e.name === 'AbortError') return null;
      host.children[i]?.replaceWith(failed(channel, e, draw));
      return e;
    }
  }));
  if (signal.aborted) return;
  const good = results.filter(r => r?.data);
  say(good.length === channels.length ? `${channels.length === 1 ? channels[0].name : channels.length + ' channels'} in ${Math.round(performance.now() - start)} ms` : 'Not everything came', good.length === channels.length ? 'good' : 'bad');
  const lead = pages.get('web') || pages.values().next().value;
  if (lead) { notes(lead.experience); await drawScore(lead, signal); } else { $('score').replaceChildren(); $('notes').replaceChildren(); }
  const again = chosen && [...pages.values()].map(p => [p, p.experience.components.find(c => c.component === chosen)]).find(([, c]) => c);
  again ? choose(again[1], again[0]) : choose(null);
}

// drawScore asks how the sources are doing now, after they were called, and warns of those whose answers changed shape.
async function drawScore(page, signal) {
  try {
    const { sources } = (await ask(SOURCES, {}, signal)).data;
    score($('score'), page, sources);
    $('notes').append(...sources.flatMap(s => s.drifts.filter(d => d.compositions.includes(view.composition)).map(d => drift(s, d))));
  } catch { $('score').replaceChildren(); }
}

// drift says what a source changed in its answers that this page reads.
const drift = (source, d) => el('span.drift', { role: 'alert', title: `Noticed ${since(d.since)}. What is shown of it may be wrong or blank until the source, or its connector, is mended.` },
  `${source.name} answers in another shape: ${d.fields.join(', ')} of ${d.kind} (${d.pointer}) was ${d.was}, is ${d.is}`);

// nearest is the component that a problem's path points into.
function nearest(components, path) {
  let best = null;
  for (const c of components) if (path.startsWith(c.path) && (!best || c.path.length > best.path.length)) best = c;
  return best;
}

function notes(x) {
  const list = [];
  if (x.validUntil) list.push(['Changes by itself ' + new Date(x.validUntil).toLocaleString(), 'time']);
  for (const c of x.holds.within?.slice(0, 4) || []) list.push([`May change ${c.inside ? 'beyond' : 'within'} ${words(c.radiusMeters)} of ${c.lat.toFixed(4)}, ${c.lon.toFixed(4)}`, 'place']);
  if (x.holds.within?.length > 4) list.push([`and at ${x.holds.within.length - 4} more lines`, 'place']);
  if (!x.holds.within) list.push([x.holds.place === 'NOT_GIVEN' ? 'A place would count' : 'Any move may change it', 'place']);
  for (const l of x.locales.slice(0, 4)) list.push([`${l.path}: ${l.got} instead of ${l.asked}`, 'locale']);
  if (x.locales.length > 4) list.push([`and ${x.locales.length - 4} more in another language`, 'locale']);
  if (Object.keys(view.forced).length) list.push(['Variants are forced', 'forced']);
  $('notes').replaceChildren(...list.map(([t, k]) => el('span.' + k, {}, t, k === 'forced' ? el('button.quiet', { type: 'button', onclick: () => { view.forced = {}; draw(); } }, 'undo') : null)));
}

function choose(c, page = [...pages.values()].find(p => c && p.byId.get(c.id) === c)) {
  chosen = c?.component || null;
  highlight(c?.id);
  why($('why'), page, c && page ? c : null, (component, variant) => { if (variant === undefined) delete view.forced[component]; else view.forced[component] = variant || null; draw(); });
  document.body.classList.toggle('explaining', Boolean(c));
}

// With the keyboard, Enter goes to the explanation and Escape back to what it explains.
let opener = null;
$('stage').addEventListener('keydown', e => { if (e.key === 'Enter' && chosen && e.target.matches('[data-id]')) { opener = e.target; $('why').focus(); } });
document.addEventListener('keydown', e => {
  if (e.key !== 'Escape' || !chosen || $('gate').open) return;
  const inside = $('why').contains(document.activeElement);
  choose(null);
  if (inside) opener?.focus();
});
$('stage').addEventListener('click', e => { if (!e.target.closest('[data-id], .raw, button, summary')) choose(null); });

if (innerWidth <= 860) $('settings').open = false; // on a phone the page comes first
start();
