import '../support/scratch.ts'
import { DatabaseSync } from 'node:sqlite'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { sendMail } from './mail-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./shop.db' })
const shop = new DatabaseSync('./shop.db') // the queue's tables begin with stateward_
shop.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer TEXT) STRICT')

const order = async (buyer: string) => {
  shop.exec('BEGIN IMMEDIATE')
  try {
    shop.prepare('INSERT INTO orders (buyer) VALUES (?)').run(buyer)
    await queue.enqueue(sendMail, { to: buyer, text: 'Thank you' }, { tx: shop })
    if (!buyer.includes('@')) throw new Error(`no address: ${buyer}`)
    shop.exec('COMMIT')
  } catch (error) {
    shop.exec('ROLLBACK') // neither order nor mail
    throw error
  }
}

await order('eve@example.org')
await order('nobody').catch(({ message }) => console.log(message)) // → no address: nobody
for (const { description } of (await queue.list()).tasks) console.log(description) // → mail to eve@example.org
shop.close()
