// Four people and their posts. Gives who they are, and some of the posts by name.
const fs = require('fs');
const path = require('path');
const { RichText } = require('@atproto/api');

const password = 'a-password-of-this-test';
const labeler = 'did:example:labeler';
const photo = fs.readFileSync(path.join(__dirname, 'node_modules/@atproto/dev-env/assets/key-landscape-small.jpg'));

async function person(pds, name, more) {
  const agent = pds.getClient();
  await agent.createAccount({ email: `${name}@example.test`, handle: `${name}.test`, password });
  await agent.app.bsky.actor.profile.create({ repo: agent.did }, { displayName: name[0].toUpperCase() + name.slice(1), description: `${name} is made up.`, ...more });
  return agent;
}

exports.fill = async (pds, db) => {
  const ana = await person(pds, 'ana'), ben = await person(pds, 'ben'), cleo = await person(pds, 'cleo');
  const shy = await person(pds, 'shy', { labels: { $type: 'com.atproto.label.defs#selfLabels', values: [{ val: '!no-unauthenticated' }] } });

  let minutes = 0;
  const at = () => new Date(Date.UTC(2026, 9, 1, 8, minutes++)).toISOString();
  let posts = 0;
  const sign = n => '234567abcdefghijklmnopqrstuvwxyz'[n % 32]; // of record keys, which usually are made of the time
  const key = () => `3n2aaaaaaaa${sign(++posts / 32 | 0)}${sign(posts)}`;
  const post = (by, text, more) => by.app.bsky.feed.post.create({ repo: by.did, rkey: key() }, { text, createdAt: at(), langs: ['en'], ...more });

  const plain = await post(ana, 'Tulips by the canal');
  const rich = new RichText({ text: 'Grüße 🌷 from @ben.test, see https://example.com/tulips #tulips' });
  await rich.detectFacets(ana);
  const facets = await post(ana, rich.text, { facets: rich.facets, langs: ['de'], tags: ['spring'] });
  const upload = async by => (await by.com.atproto.repo.uploadBlob(photo, { encoding: 'image/jpeg' })).data.blob;
  const picture = await post(ana, 'What is this key for?', {
    embed: { $type: 'app.bsky.embed.images', images: [{ image: await upload(ana), alt: 'A key on a table', aspectRatio: { width: 4, height: 3 } }] },
  });
  const quote = await post(ben, 'Mine!', {
    embed: {
      $type: 'app.bsky.embed.recordWithMedia', record: { $type: 'app.bsky.embed.record', record: { uri: plain.uri, cid: plain.cid } },
      media: { $type: 'app.bsky.embed.images', images: [{ image: await upload(ben), alt: 'The same key' }] },
    },
  });
  const reply = await post(ben, 'Lovely', { reply: { root: plain, parent: plain } });
  const hidden = await post(ben, 'This should not be seen');
  const nudity = await post(ben, 'This is sensitive');
  const secret = await post(shy, 'Only for those who are logged in');
  for (const [{ uri, cid }, val] of [[hidden, '!hide'], [nudity, 'nudity']]) {
    await db.db.insertInto('label').values({ uri, cid, val, cts: at(), neg: false, src: labeler }).execute();
  }
  for (const who of [ben, cleo]) await who.app.bsky.feed.like.create({ repo: who.did }, { subject: plain, createdAt: at() });
  await ana.app.bsky.feed.repost.create({ repo: ana.did }, { subject: reply, createdAt: at() });
  for (let n = 1; n <= 60; n++) await post(cleo, `A boat trip, number ${n}`);
  const last = await post(ana, 'The last of the tulips');

  const uris = { plain, facets, picture, quote, reply, hidden, nudity, secret, last };
  return {
    password, people: Object.fromEntries(Object.entries({ ana, ben, cleo, shy }).map(([name, a]) => [name, a.did])),
    posts: Object.fromEntries(Object.entries(uris).map(([name, p]) => [name, p.uri])),
  };
};
