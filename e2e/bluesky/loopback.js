// Loaded first: servers that name no address listen on loopback alone.
const { Server } = require('net');

const listen = Server.prototype.listen;
Server.prototype.listen = function (...args) {
  const [where] = args;
  if (where && typeof where === 'object' && where.port !== undefined && !where.path) {
    args[0] = { ...where, host: '127.0.0.1' };
  } else if (where === undefined || /^\d+$/.test(String(where))) {
    args = [{ port: Number(where || 0), host: '127.0.0.1' }, ...args.filter(a => typeof a === 'function')];
  }
  return listen.apply(this, args);
};
