// The front of the network: the AppView that apps ask, at 127.0.0.1:$APPVIEW_PORT. $NETWORK is what network.js says.
require('./loopback');
const { Secp256k1Keypair } = require('@atproto/crypto');
const { BskyAppView, ServerConfig } = require('@atproto/bsky');

const port = Number(process.env.APPVIEW_PORT);
const { appview } = JSON.parse(process.env.NETWORK);

async function main() {
  const config = new ServerConfig({
    version: 'e2e', port, publicUrl: `http://127.0.0.1:${port}`, serverDid: appview.did, alternateAudienceDids: [], didPlcUrl: appview.plc,
    dataplaneUrls: [appview.dataplane], dataplaneHttpVersion: '1.1', bsyncUrl: appview.bsync, bsyncHttpVersion: '1.1',
    modServiceDid: 'did:example:labeler', labelsFromIssuerDids: ['did:example:labeler'], bigThreadUris: new Set(), maxThreadParents: 50,
    disableSsrfProtection: true, searchTagsHide: new Set(), threadTagsBumpDown: new Set(), threadTagsHide: new Set(), visibilityTagHide: '',
    visibilityTagRankPrefix: '', debugFieldAllowedDids: new Set(), draftsLimit: 500, adminPasswords: ['admin-pass'], etcdHosts: [],
    blobCacheLocation: process.env.TMPDIR, cdnUrl: process.env.CDN, // without one it makes the pictures' sizes itself
  });
  await BskyAppView.create({ config, signingKey: await Secp256k1Keypair.import(appview.key) }).start();
}

main().catch(e => { console.error(e); process.exit(1); });
