/**
 * undici's pools of connections, and of its ways to use them the one that we need. Its index would also bring fetch,
 * WebSocket, caches and mocks, which no program of ours uses, and each would pay for with 10 MB of memory.
 */
import request from 'undici/lib/api/api-request.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

// As the index does it, with all of them.
Object.assign(Dispatcher.prototype, { request });

export { Agent, ProxyAgent };
