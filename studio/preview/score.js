// The score: one line for each source, one note for each component that it plays in.
import { el, svg, colourOf } from './dom.js';

export function score(host, page, sources) {
  const cs = page.experience.components;
  const lines = sources.map(s => s.name);
  const step = 44, left = 108, top = 16, gap = 20;
  const w = left + Math.max(cs.length, 4) * step + 16, h = top * 2 + gap * (lines.length - 1);
  const staff = svg('svg', { viewBox: `0 0 ${w} ${h}`, width: w, height: h, role: 'img', 'aria-label': `${cs.length} components from ${new Set(cs.flatMap(c => c.origins.map(o => o.source))).size} sources` });
  lines.forEach((s, i) => {
    const y = top + i * gap;
    staff.append(svg('line', { x1: left - 8, x2: w - 8, y1: y, y2: y, class: 'line' }), svg('text', { x: 0, y: y + 4, class: 'name' }, s));
    const state = sources[i].health.state;
    staff.append(svg('circle', { cx: left - 20, cy: y, r: 4, class: 'health ' + state.toLowerCase() }, svg('title', {}, `${s} (${sources[i].connector}): ${state.toLowerCase()}${sources[i].health.lastError ? ', last error ' + sources[i].health.lastError : ''}`)));
  });
  cs.forEach((c, x) => {
    const cx = left + 14 + x * step;
    const voices = [...new Set(c.origins.map(o => o.source))].map(s => lines.indexOf(s)).filter(i => i >= 0).sort((a, b) => a - b);
    const group = svg('g', { class: 'note', 'data-id': c.id, tabindex: 0, role: 'button', 'aria-label': `${c.type}: ${voices.map(i => lines[i]).join(', ') || 'no source'}`,
      onclick: () => page.choose(c), onkeydown: e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); page.choose(c); } } },
      svg('title', {}, c.type), svg('rect', { x: cx - 16, y: 2, width: 32, height: h - 4, rx: 8, class: 'hit' }));
    if (voices.length > 1) group.append(svg('line', { x1: cx, x2: cx, y1: top + voices[0] * gap, y2: top + voices.at(-1) * gap, class: 'stem' }));
    for (const i of voices) {
      const old = c.origins.some(o => o.source === lines[i] && o.freshness.state !== 'FRESH');
      group.append(svg('ellipse', { cx, cy: top + i * gap, rx: 7.5, ry: 6, transform: `rotate(-18 ${cx} ${top + i * gap})`, fill: old ? 'var(--paper)' : colourOf(lines[i]), stroke: colourOf(lines[i]), 'stroke-width': 2.4 }));
    }
    if (!voices.length) group.append(svg('path', { d: `M${cx - 4} ${h / 2 - 8}l6 7-5 5 6 8`, class: 'rest' }));
    staff.append(group);
  });
  host.replaceChildren(el('div.scroll', { tabIndex: 0 }, staff));
}
