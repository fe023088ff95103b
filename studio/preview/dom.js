// el makes an element: el('p.note', {title: 'x', onclick}, 'text', child, …). Text is always text, never HTML.
export function el(spec, props = {}, ...children) {
  const [tag, ...classes] = spec.split('.');
  const e = document.createElement(tag || 'div');
  if (classes.length) e.className = classes.join(' ');
  for (const [k, v] of Object.entries(props || {})) {
    if (v == null || v === false) continue;
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else if (k === 'dataset') Object.assign(e.dataset, v);
    else if (k === 'vars') for (const [n, x] of Object.entries(v)) e.style.setProperty(n, x);
    else if (k in e && typeof v !== 'string') e[k] = v;
    else e.setAttribute(k, v === true ? '' : v);
  }
  add(e, children);
  return e;
}

export function add(e, children) {
  for (const c of children.flat(Infinity)) if (c != null && c !== false) e.append(c);
  return e;
}

// fill puts children into host in the place of what was there; null and false are left out.
export function fill(host, ...children) {
  host.replaceChildren();
  return add(host, children);
}

export function svg(tag, attrs = {}, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [k, v] of Object.entries(attrs)) {
    if (v == null) continue;
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v); else e.setAttribute(k, v);
  }
  return add(e, children);
}

export const $ = id => document.getElementById(id);

// radios makes a row of choices that works with the keyboard as radio buttons do.
export function radios(host, options, chosen, onchoose) {
  host.replaceChildren(...options.map((o, i) => el('button' + (o.class ? '.' + o.class : ''), {
    type: 'button', role: 'radio', 'aria-checked': String(o.value === chosen), tabIndex: o.value === chosen || (i === 0 && !options.some(x => x.value === chosen)) ? 0 : -1, title: o.title,
    onclick: () => { onchoose(o.value); host.children[i]?.focus(); }, // the row is made anew
    onkeydown: e => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
      if (!step) return;
      e.preventDefault();
      const next = (i + step + options.length) % options.length;
      onchoose(options[next].value);
      host.children[next].focus();
    },
  }, o.content ?? o.label)));
}

const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
export function since(iso) {
  if (!iso) return '';
  const s = (new Date(iso) - Date.now()) / 1000;
  const [n, unit] = Math.abs(s) < 60 ? [s, 'second'] : Math.abs(s) < 3600 ? [s / 60, 'minute'] : Math.abs(s) < 86400 ? [s / 3600, 'hour'] : [s / 86400, 'day'];
  return ago.format(Math.round(n), unit);
}

const hues = ['#e8643c', '#c98a12', '#1f9d8f', '#4b7bec', '#b35fb8', '#7d8b2f', '#c2456e', '#4f6d7a'];
const known = new Map();
export function colourOf(source) {
  if (!known.has(source)) known.set(source, hues[known.size % hues.length]);
  return known.get(source);
}
