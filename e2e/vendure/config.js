// A Vendure shop on loopback: SQLite, no mails, products with pictures, our event hook.
const path = require('path');
const { DefaultJobQueuePlugin, DefaultLogger, DefaultSearchPlugin, LogLevel, dummyPaymentHandler } = require('@vendure/core');
const { AssetServerPlugin } = require('@vendure/asset-server-plugin');
const { EventHook } = require('./event-hook');

const port = Number(process.env.PORT || 7081);
const data = process.env.DATA || path.join(__dirname, 'data');

exports.config = {
  apiOptions: { port, hostname: '127.0.0.1', adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
  authOptions: {
    tokenMethod: ['bearer'],
    superadminCredentials: { identifier: 'superadmin', password: 'superadmin' },
    cookieOptions: { secret: 'only-for-this-test' },
  },
  dbConnectionOptions: {
    type: 'better-sqlite3', synchronize: Boolean(process.env.SYNC), logging: false, database: path.join(data, 'shop.sqlite'),
  },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  importExportOptions: { importAssetsDir: path.join(__dirname, 'node_modules/@vendure/create/assets/images') },
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  plugins: [
    AssetServerPlugin.init({ route: 'assets', assetUploadDir: path.join(data, 'assets'), assetUrlPrefix: `http://127.0.0.1:${port}/assets/` }),
    DefaultJobQueuePlugin.init({}),
    DefaultSearchPlugin.init({ bufferUpdates: false, indexStockStatus: true }),
    EventHook,
  ],
};
