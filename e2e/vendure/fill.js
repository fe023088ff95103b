// Makes the tables and fills the shop with Vendure's own sample products, once.
process.env.SYNC = 'yes'; // makes the tables

const fs = require('fs');
const path = require('path');
const { bootstrap, JobQueueService } = require('@vendure/core');
const { populate } = require('@vendure/core/cli');
const { config } = require('./config');

fs.mkdirSync(path.join(process.env.DATA, 'assets'), { recursive: true });

const samples = path.join(__dirname, 'node_modules/@vendure/create/assets');
const start = async () => {
  const app = await bootstrap(config);
  await app.get(JobQueueService).start();
  return app;
};

populate(start, require(`${samples}/initial-data.json`), `${samples}/products.csv`)
  .then(async app => {
    await new Promise(done => setTimeout(done, 10000)); // the search index is written by jobs, which tell nobody when they end
    await app.close();
    process.exit(0);
  })
  .catch(e => { console.error(e); process.exit(1); });
