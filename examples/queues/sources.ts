import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()

async function* pages() {
  try {
    for (let page = 1; page <= 3; page++) {
      console.log(`fetch ${page}`)
      yield page
    }
  } finally {
    console.log('closed')
  }
}

const crawl = supervisor.workers.queue<number>({
  name: 'crawl',
  source: pages(),
  handler: async (page) => console.log(`index ${page}`),
})
console.log(await crawl.ended)
// → fetch 1
// → fetch 2
// → index 1
// → fetch 3
// → index 2
// → closed
// → index 3
// → { kind: 'done', output: undefined }
