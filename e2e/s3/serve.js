// Starts s3rver on PORT, with its data in DATA and the bucket "pictures". It takes its one fixed access key.
const S3rver = require('@20minutes/s3rver')

const server = new S3rver({
  address: '127.0.0.1',
  port: Number(process.env.PORT),
  directory: process.env.DATA,
  silent: true,
  vhostBuckets: false,
  configureBuckets: [{ name: 'pictures' }],
})
server.run().catch((err) => {
  console.error(err)
  process.exit(1)
})
