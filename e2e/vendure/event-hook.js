// Vendure sends no webhooks of its own. This plugin posts its events, signed with the generic
// X-Hook-* scheme of docs/manifests.md, to HOOK_URL.
const crypto = require('crypto');
const { AssetEvent, CollectionEvent, EventBus, PluginCommonModule, ProductEvent, ProductVariantEvent, VendurePlugin } = require('@vendure/core');

const { HOOK_URL, HOOK_SECRET } = process.env;

class EventHook {
  constructor(bus) { this.bus = bus; }

  onApplicationBootstrap() {
    if (!HOOK_URL) return;
    for (const Type of [ProductEvent, ProductVariantEvent, AssetEvent, CollectionEvent]) this.bus.ofType(Type).subscribe(e => this.send(Type.name, e));
  }

  async send(name, event) {
    const changed = Array.isArray(event.entity) ? event.entity : [event.entity ?? event.asset];
    const body = JSON.stringify({ event: `${name}.${event.type}`, ids: changed.filter(Boolean).map(x => String(x.id)), at: new Date().toISOString() });
    const at = String(Math.floor(Date.now() / 1000));
    const signature = crypto.createHmac('sha256', HOOK_SECRET).update(`${at}.${body}`).digest('hex');
    try {
      const res = await fetch(HOOK_URL, { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-hook-timestamp': at, 'x-hook-signature': `sha256=${signature}` } });
      if (!res.ok) console.error(`hook answered ${res.status}`);
    } catch (e) { console.error(`hook not reached: ${e.message}`); }
  }
}
Reflect.defineMetadata('design:paramtypes', [EventBus], EventHook);
VendurePlugin({ imports: [PluginCommonModule], compatibility: '^3.0.0' })(EventHook);

exports.EventHook = EventHook;
