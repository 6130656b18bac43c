import '../support/scratch.ts'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { sendMail } from './mail-tasks.ts'

const saying = ({ name, code, message }: Error & { code?: string }) =>
  console.log(`${name} ${code}: ${message.split('. ')[0]}`)

await openQueue({ url: 'sqlite:./no/such/folder/tasks.db' }).catch(({ code }) => console.log(code))
// → ERR_STORE_FOLDER_MISSING
await openQueue({ url: 'mysql://localhost/tasks' }).catch(saying)
// → OptionError ERR_OPTION_INVALID: Expected url to name a database, got the scheme "mysql"

await using queue = await openQueue({ url: 'sqlite:./tasks.db', maxInputBytes: 100 })
const text = 'x'.repeat(1_000)
await queue.enqueue(sendMail, { to: 'gus@example.org', text }).catch(saying)
// → OptionError ERR_VALUE_TOO_LARGE: Expected input of task "mail.send" to have at most 100 bytes as JSON, got 1034
await queue.enqueue(sendMail, { to: 'gus@example.org', text: new Map() as never }).catch(saying)
// → OptionError ERR_VALUE_NOT_STORABLE: Expected input of task "mail.send" to be JSON, got an object of class Map at $.text
await queue.cancel('nobody').catch(saying)
// → OptionError ERR_RUN_UNKNOWN: No task with the id "nobody" is in the queue
