// Says why one component is there: who decided, by what, from where, how fresh.
import { el, fill, since, colourOf } from './dom.js';
import { label } from './parts.js';

const reasons = {
  STATIC: 'There is nothing to decide: everybody gets this.', DEFAULT: 'No rule was true, so this is the baseline.', TARGETING_MATCH: 'A rule was true.', OVERRIDE: 'You forced this variant.',
  CONSENT_WITHHELD: 'A rule needed a fact that consent does not cover.', CHANNEL_EXCLUDED: 'Not for this channel.', ERROR: 'A rule could not be evaluated.', SPLIT: 'An experiment allots it.', HOLDOUT: 'Held out of an experiment.',
};

export function why(host, page, c, force) {
  if (!c) { fill(host, el('div.hint', {}, el('h2', {}, 'Why?'), el('p', {}, 'Choose a part of the page, or a note in the score, to see who decided it, from which source it came, and how fresh it is.'))); return; }
  const d = c.why || { reason: 'STATIC', rules: [] };
  fill(host,
    el('header', {}, el('h2', {}, c.type), el('p.fine', {}, c.component)),
    el('section', {}, el('h3', {}, 'Decided'), el('p', {}, el('b', {}, label(d.reason)), c.variant ? [' → ', el('span.variant', {}, c.variant)] : null), el('p.fine', {}, reasons[d.reason] || ''),
      d.rules.map(r => rule(r, c, force)),
      force ? el('p', {}, el('button.quiet', { type: 'button', onclick: () => force(c.component.split('#')[0], undefined) }, 'Decide again by rules')) : null),
    el('section', {}, el('h3', {}, 'Assembled'), el('p', {}, (c.assembled || []).map(a => el('span.badge', {}, label(a)))), c.personal ? el('p.fine', {}, 'Depends on who this is: kept for nobody else.') : el('p.fine', {}, 'Shared by everybody with the same decisions.')),
    el('section', {}, el('h3', {}, 'Sources'), c.origins.length ? el('ul.origins', {}, c.origins.map(o => el('li', { vars: { '--voice': colourOf(o.source) } }, el('i.dot'), el('div', {}, el('code', {}, o.ref), el('small', {}, [o.prop, o.cached ? 'from memory' : 'just read', label(o.freshness.state), since(o.freshness.asOf)].filter(Boolean).join(' · ')))))) : el('p.fine', {}, 'Its words are stored in the composition.')),
    problems(page, c));
}

function rule(r, c, force) {
  const known = r.attributes.map(a => el('li', {}, el('code', {}, a.name), ' ', el('small', {}, a.withheld ? 'withheld: no consent for ' + label(a.withheld) : !a.known ? 'unknown' : a.result ? label(a.result) : 'known')));
  return el('div.rule.' + r.result.toLowerCase(), {}, el('p', {}, el('span.truth', {}, label(r.result)), ' ', el('b', {}, r.variant), r.inWindow ? null : el('small', {}, ' outside its time'),
    force ? el('button.quiet', { type: 'button', title: 'Show this variant whatever its rule says', onclick: () => force(c.component.split('#')[0], r.variant) }, 'force') : null),
    el('pre', {}, r.rule || 'always'), r.error ? el('p.error', {}, r.error) : null, known.length ? el('ul', {}, known) : null);
}

function problems(page, c) {
  const mine = page.problems.filter(p => p.component === c);
  return mine.length ? el('section', {}, el('h3', {}, 'Problems'), mine.map(p => el('p.error', {}, el('code', {}, label(p.code)), ' ', p.message))) : null;
}
