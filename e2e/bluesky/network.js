// A Bluesky network on loopback without its front: the directory of identities (PLC), a server of people's
// data (PDS), and what reads the PDS's stream into the database that AppViews answer from (data plane).
// It fills itself with posts. When they can be read, http://127.0.0.1:$PORT/ says what there is, as JSON.
require('./loopback');
const http = require('http');
const { createHash } = require('crypto');
const { Secp256k1Keypair } = require('@atproto/crypto');
// The same keys each time, and so the same DIDs: they are made of keys, names and the address of the PDS.
let keys = 0;
Secp256k1Keypair.create = options => Secp256k1Keypair.import(createHash('sha256').update(`key ${keys++}`).digest('hex'), options);
const { DataPlaneServer, Database, MockBsync, RepoSubscription } = require('@atproto/bsky');
const { TestPds, TestPlc, mockResolvers } = require('@atproto/dev-env');
const { fill } = require('./fill');

const { PORT, PDS_PORT, APPVIEW_PORT, DATABASE } = process.env;

async function main() {
  const appview = `http://localhost:${APPVIEW_PORT}`;
  const plc = await TestPlc.create({});
  const key = await Secp256k1Keypair.create({ exportable: true });
  const did = await plc.getClient().createDid({ signingKey: key.did(), rotationKeys: [key.did()], handle: 'appview.test', pds: appview, signer: key });
  await plc.getClient().updateData(did, key, doc => {
    doc.services.bsky_appview = { type: 'BskyAppView', endpoint: appview };
    return doc;
  });
  const pds = await TestPds.create({ didPlcUrl: plc.url, port: Number(PDS_PORT), hostname: 'pds.test', bskyAppViewUrl: appview, bskyAppViewDid: did });
  mockResolvers(pds.ctx.idResolver, pds);

  const db = new Database({ url: DATABASE, schema: 'appview', poolSize: 10 });
  await db.migrateToLatestOrThrow();
  const dataplanePort = await free(), bsyncPort = await free();
  const dataplane = await DataPlaneServer.create(db, dataplanePort, plc.url);
  mockResolvers(dataplane.idResolver, pds); // names that end with .test are known to no DNS
  await MockBsync.create(db, bsyncPort);
  const stream = new RepoSubscription({ service: `ws://localhost:${PDS_PORT}`, db, idResolver: dataplane.idResolver });
  stream.start();

  const filled = await fill(pds, db);
  while ((await stream.runner.getCursor() ?? 0) < (await pds.ctx.sequencer.curr())) await new Promise(r => setTimeout(r, 20));
  await stream.processAll();
  const state = JSON.stringify({
    ...filled,
    appview: { did, key: Buffer.from(await key.export()).toString('hex'), plc: plc.url, dataplane: `http://localhost:${dataplanePort}`, bsync: `http://localhost:${bsyncPort}` },
  });
  http.createServer((_, res) => res.setHeader('content-type', 'application/json').end(state)).listen(Number(PORT));
}

const free = () => new Promise(done => {
  const s = http.createServer().listen(0, () => { const { port } = s.address(); s.close(() => done(port)); });
});

main().catch(e => { console.error(e); process.exit(1); });
