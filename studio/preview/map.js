// A quiet map: rings of distance around a place, and a dot to move. Distances are drawn on a
// logarithmic scale, so that 50 m and 5 km both have room.
import { el, svg } from './dom.js';

const size = 240, mid = size / 2, reach = 104, rings = [100, 500, 2000, 10000, 50000];
const far = 100000;
const toRadius = m => reach * Math.log1p(m / 30) / Math.log1p(far / 30);
const toMetres = r => 30 * (Math.expm1(r / reach * Math.log1p(far / 30)));
const R = 6371008.8, rad = Math.PI / 180;

export const words = m => m < 950 ? Math.round(m / 10) * 10 + ' m' : m < 9950 ? (m / 1000).toFixed(1) + ' km' : Math.round(m / 1000) + ' km';

function polar(from, to) {
  const dy = (to.lat - from.lat) * rad * R, dx = (to.lon - from.lon) * rad * R * Math.cos(from.lat * rad);
  return { m: Math.hypot(dx, dy), a: Math.atan2(dx, dy) };
}

function place(from, m, a) {
  return { lat: from.lat + m * Math.cos(a) / R / rad, lon: from.lon + m * Math.sin(a) / (R * Math.cos(from.lat * rad)) / rad };
}

// map draws centre {lat, lon, title} and you {lat, lon} (or null); moved(place) is called when the dot is let go.
export function map(host, centre, you, moved) {
  if (!centre) { host.replaceChildren(el('p.fine', {}, 'This composition has no place to measure from.')); return; }
  const out = el('output', {}, you ? words(polar(centre, you).m) + ' away' : 'place unknown');
  const dot = svg('circle', { r: 9, class: 'you', tabindex: 0, role: 'slider', 'aria-label': 'Where the visitor is', 'aria-valuetext': out.value });
  let at = you ? polar(centre, you) : null;
  const draw = () => {
    dot.style.display = at ? '' : 'none';
    if (!at) return;
    const r = Math.min(toRadius(at.m), reach + 8);
    dot.setAttribute('cx', mid + r * Math.sin(at.a)); dot.setAttribute('cy', mid - r * Math.cos(at.a));
    out.value = words(at.m) + ' away'; dot.setAttribute('aria-valuetext', out.value);
  };
  const tell = () => moved(at ? place(centre, at.m, at.a) : null);
  const follow = e => {
    const box = plane.getBoundingClientRect(), x = (e.clientX - box.left) / box.width * size - mid, y = mid - (e.clientY - box.top) / box.height * size;
    at = { m: Math.max(toMetres(Math.min(Math.hypot(x, y), reach)), 1), a: Math.atan2(x, y) }; draw();
  };
  const plane = svg('svg', { viewBox: `0 0 ${size} ${size}`, class: 'plane',
    onpointerdown: e => { plane.setPointerCapture(e.pointerId); follow(e); plane.onpointermove = follow; },
    onpointerup: () => { plane.onpointermove = null; tell(); } },
    rings.map(m => [svg('circle', { cx: mid, cy: mid, r: toRadius(m), class: 'ring' }), svg('text', { x: mid + 3, y: mid - toRadius(m) - 3, class: 'ringname' }, words(m))]),
    svg('path', { d: `M${mid} 8v${size - 16}M8 ${mid}h${size - 16}`, class: 'axis' }),
    svg('path', { d: `M${mid} ${mid - 9}l9 8h-3v9h-12v-9h-3z`, class: 'centre' }), dot);
  dot.addEventListener('keydown', e => {
    const turn = { ArrowLeft: -0.15, ArrowRight: 0.15 }[e.key], move = { ArrowUp: 0.85, ArrowDown: 1.18 }[e.key];
    if (!turn && !move) return;
    e.preventDefault(); at ||= { m: 800, a: 0 };
    at = { m: Math.max(at.m * (move || 1), 5), a: at.a + (turn || 0) }; draw(); tell();
  });
  draw();
  host.replaceChildren(plane, el('p.measure', {}, el('span', {}, centre.title || 'centre'), out,
    el('button.quiet', { type: 'button', onclick: () => { at = at ? null : { m: 800, a: 0.6 }; draw(); out.value = at ? words(at.m) + ' away' : 'place unknown'; tell(); } }, you ? 'Forget' : 'Place')));
}
