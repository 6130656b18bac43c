import '../support/scratch.ts'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { serveHttp } from '../../src/runtime/http/index.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
await serveHttp({ queue, host: '0.0.0.0' }).catch(({ code, message }) => console.log(code, message))
// → ERR_OPTION_INVALID serveHttp() is to listen on 0.0.0.0, where other machines reach it: expected a token, got none. Give a token of 16 characters or more, or listen on 127.0.0.1.

// Looking, cancelling and the like, but nothing may be submitted: it has no tasks.
const server = await serveHttp({ queue, token: 'b7f3c1a09d2e4f58' })
console.log((await fetch(`${server.url}/tasks`)).status) // → 401
const stranger = await fetch(`${server.url}/tasks`, { method: 'POST', body: '{}' })
console.log(stranger.headers.get('content-type')) // → application/problem+json
console.log(JSON.parse(await stranger.text()).code) // → ERR_HTTP_TOKEN_MISSING
await server.close() // streams end, what is being answered has five seconds
