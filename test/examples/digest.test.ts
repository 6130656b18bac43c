/** The main job on generated trees, as its user runs it: a program with arguments, signals and an exit code. */
import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toBytePath } from '../../examples/digest/byte-path.ts'
import type { ListedFile } from '../../examples/digest/directory.ts'
import { digestLarge, digestSmall } from '../../examples/digest/file-digest.ts'
import { problemsOf } from '../../examples/digest/package-check.ts'
import { openQueue, type Queue } from '../../src/runtime/durable/index.ts'
import { openFeed } from '../inspector/feed-client.ts'
import { once } from '../support/once.ts'
import { until } from '../support/until.ts'

const MAIN = join(import.meta.dirname, '../../examples/digest/main.ts')
// In a constant, since it is no program of a package.
const MKFIFO = 'mkfifo'
const LARGE = 256 * 1024
/** Zeros without disk space: minutes of work. */
const ENDLESS_BYTES = 2 ** 36

interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

interface FileEntry {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  readonly brotliBytes: number
  readonly ratio: number | null
}

interface Report {
  readonly root: string
  readonly complete: boolean
  readonly signal: string | null
  readonly found: Record<string, number>
  readonly done: Record<string, number>
  readonly tasks: readonly { band: string; execution: string; tasks: number; runMs: object | null }[]
  readonly findings: readonly { path: string; finding: string; detail: string }[]
  readonly failures: readonly object[]
  readonly files: readonly FileEntry[]
}

let home: string
let tree: string
let reportFile: string
let state: string

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'stateward-digest-')))
  tree = join(home, 'tree')
  reportFile = join(home, 'reports', 'digest.json')
  state = join(home, 'state')
  mkdirSync(tree)
})

afterEach(() => rmSync(home, { recursive: true, force: true }))

function start(args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: home, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
  })
  // All pipes closed means that nothing it started still holds them.
  const outcome = once<number | null>(child, 'close').then((code): Outcome => ({ code, ...said }))
  return { child, said, outcome }
}

/** @param onText - given all that was written to stderr so far, whenever more is */
function run(args: string[], onText?: (err: string, kill: (signal: NodeJS.Signals) => void) => void) {
  const { child, said, outcome } = start(args)
  child.stderr.on('data', () => onText?.(said.err, (signal) => child.kill(signal)))
  return outcome
}

const digestTree = (...more: string[]) => run([tree, '--report', reportFile, '--state', state, ...more])
const report = () => JSON.parse(readFileSync(reportFile, 'utf8')) as Report

function write(path: string | Buffer, content: string | Buffer): void {
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(path)]), content)
}

function expected(path: string, content: Buffer): FileEntry {
  const { BROTLI_PARAM_QUALITY } = constants
  const bytes = content.length
  const brotliBytes = brotliCompressSync(content, { params: { [BROTLI_PARAM_QUALITY]: 4 } }).length
  return {
    path,
    bytes,
    sha256: createHash('sha256').update(content).digest('hex'),
    brotliBytes,
    ratio: bytes === 0 ? null : Number((brotliBytes / bytes).toFixed(4)),
  }
}

function tasksOf({ tasks }: Report): Record<string, number> {
  return Object.fromEntries(tasks.map((row) => [`${row.band} ${row.execution}`, row.tasks]))
}

describe('--keep', () => {
  test('keeps the page of the inspector up when the job is done, until a signal', async () => {
    write('a.txt', 'hello')
    const { child, said, outcome } = start([tree, '--report', reportFile, '--state', state, '--keep'])
    await until(() => said.err.includes('Kept open: Ctrl-C ends it.'))
    const [, address = ''] = /See it at (http:\S+)#token=/.exec(said.err) ?? []
    const page = await openFeed({ address })
    expect(page.hello?.sources).toMatchObject({ supervisor: { id: 'digest' }, queue: { daemon: 'default' } })
    expect(said.out).toContain('Report: ')
    child.kill('SIGINT')
    expect(await outcome).toMatchObject({ code: 0 })
    expect(await page.closed).toMatchObject({ code: 1001 })
    expect(report()).toMatchObject({ complete: true, signal: null })
  })
})

describe('a whole run', () => {
  test('gives the digest, size and ratio of every file, and ends with 0', async () => {
    const contents = new Map<string, Buffer>([
      ['a.txt', Buffer.from('hello')],
      ['empty', Buffer.alloc(0)],
      ['deep/er/b.txt', Buffer.from('x'.repeat(10_000))],
      ['deep/small-at-most.bin', randomBytes(LARGE)],
      ['deep/large-at-least.bin', Buffer.alloc(LARGE + 1, 'large ')],
      ['large.bin', Buffer.concat([randomBytes(1_500_000), Buffer.alloc(1_700_001, 'tail ')])],
      ['package.json', Buffer.from('{ "name": "@scope/ok", "version": "1.2.3-rc.1" }')],
    ])
    mkdirSync(join(tree, 'deep/er'), { recursive: true })
    for (const [path, content] of contents) write(path, content)

    const { code, out, err } = await digestTree()

    expect({ code, err: err.includes('Digesting') }).toEqual({ code: 0, err: true })
    const { files, found, done, complete, signal, findings, failures, root, ...rest } = report()
    const paths = [...contents.keys()].sort()
    expect(files).toEqual(paths.map((path) => expected(path, contents.get(path)!)))
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    expect(found).toEqual({ directories: 3, files: 7, bytes, links: 0, special: 0, mounts: 0 })
    expect(done).toMatchObject({ files: 7, bytes, packages: 1 })
    expect({ complete, signal, findings, failures, root }).toEqual({
      complete: true,
      signal: null,
      findings: [],
      failures: [],
      root: tree,
    })
    expect(tasksOf({ ...rest } as Report)).toEqual({
      'high thread': 5,
      'low thread': 2,
      'normal async': 3,
      'normal process': 1,
    })
    expect(out).toMatch(/^7 files of 7/)
    expect(out).toMatch(/^critical {2}async +1 /m)
    expect(out).toContain(`Report: ${reportFile}`)
  })

  test('takes a directory of many entries in parts', async () => {
    mkdirSync(join(tree, 'many'))
    for (let at = 0; at < 2_100; at += 1) write(`many/${at}`, String(at))
    expect(await digestTree()).toMatchObject({ code: 0 })
    const { files, found } = report()
    expect(files).toHaveLength(2_100)
    expect(found).toMatchObject({ directories: 2, files: 2_100 })
  })

  test('digests an empty directory', async () => {
    expect(await digestTree()).toMatchObject({ code: 0 })
    expect(report()).toMatchObject({ complete: true, files: [], found: { directories: 1, files: 0 } })
  })

  test('leaves its own report out', async () => {
    write('a', 'a')
    reportFile = join(tree, 'digest.json')
    await digestTree()
    expect(await digestTree()).toMatchObject({ code: 0 })
    expect(report().files.map(({ path }) => path)).toEqual(['a'])
  })

  test('prints nothing when asked to be quiet', async () => {
    write('a', 'a')
    expect(await digestTree('--quiet')).toEqual({ code: 0, out: '', err: '' })
    expect(report().files).toHaveLength(1)
  })
})

describe('what is odd in a tree', () => {
  test('a broken package.json is a finding, and its digest is there', async () => {
    mkdirSync(join(tree, 'fixture'))
    write('fixture/package.json', '{ "name": "broken", ')
    write('package.json', '{ "name": "Not A Name", "version": "one" }')
    expect(await digestTree()).toMatchObject({ code: 0 })
    const { findings, files, complete, done } = report()
    expect(findings).toEqual([
      {
        path: 'fixture/package.json',
        finding: 'package',
        detail: expect.stringMatching(/^It is not JSON: /),
      },
      { path: 'package.json', finding: 'package', detail: expect.stringContaining('version "one"') },
    ])
    expect({ complete, files: files.length, packages: done.packages }).toEqual({
      complete: true,
      files: 2,
      packages: 2,
    })
  })

  test('symbolic links are counted, not followed', async () => {
    mkdirSync(join(tree, 'sub'))
    write('sub/file', 'content')
    symlinkSync('..', join(tree, 'sub', 'loop'))
    symlinkSync('file', join(tree, 'sub', 'to-file'))
    symlinkSync('nowhere', join(tree, 'dangling'))
    expect(await digestTree()).toMatchObject({ code: 0 })
    const { found, files, findings } = report()
    expect(found).toMatchObject({ directories: 2, files: 1, links: 3 })
    expect({ paths: files.map(({ path }) => path), findings }).toEqual({ paths: ['sub/file'], findings: [] })
  })

  test.skipIf(process.platform === 'win32')('sockets and fifos are counted, not opened', async () => {
    execFileSync(MKFIFO, [join(tree, 'fifo')])
    const server = createServer().listen(join(tree, 'socket'))
    await once(server, 'listening')
    const outcome = await digestTree()
    server.close()
    await once(server, 'close')
    expect(outcome).toMatchObject({ code: 0 })
    expect(report()).toMatchObject({ found: { files: 0, special: 2 }, findings: [] })
  })

  test.runIf(process.platform === 'linux')('names of any bytes are survived', async () => {
    write(Buffer.from([0x62, 0xff, 0x64, 0xc3]), '1')
    write('new\nline', '2')
    write('\u001B[31mred', '3')
    write('grün 🌳', '4')
    const { code, out } = await digestTree()
    expect({ code, escapes: out.includes('\u001B') }).toEqual({ code: 0, escapes: false })
    const digest = (text: string) => createHash('sha256').update(text).digest('hex')
    expect(Object.fromEntries(report().files.map(({ path, sha256 }) => [path, sha256]))).toEqual({
      'b\udcffd\udcc3': digest('1'),
      'new\nline': digest('2'),
      '\u001B[31mred': digest('3'),
      'grün 🌳': digest('4'),
    })
  })

  test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'what may not be read is a finding',
    async () => {
      mkdirSync(join(tree, 'locked'))
      write('locked/file', 'hidden')
      write('secret', 'hidden')
      write('open', 'shown')
      chmodSync(join(tree, 'locked'), 0)
      chmodSync(join(tree, 'secret'), 0)
      const outcome = await digestTree()
      chmodSync(join(tree, 'locked'), 0o700)
      expect(outcome).toMatchObject({ code: 0 })
      const { findings, files, complete } = report()
      expect(findings).toEqual([
        { path: 'locked', finding: 'unreadable', detail: 'EACCES' },
        { path: 'secret', finding: 'unreadable', detail: 'EACCES' },
      ])
      expect({ complete, paths: files.map(({ path }) => path) }).toEqual({ complete: true, paths: ['open'] })
    },
  )
})

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s in the middle stops it with %i and a partial report', async (signal, exitCode) => {
    write('small', 'done at once')
    write('endless', '')
    truncateSync(join(tree, 'endless'), ENDLESS_BYTES)
    let sent = 0
    const { code, err } = await run([tree, '--report', reportFile, '--state', state], (text, kill) => {
      // A progress line, and not before the small file is done.
      if (sent > 0 || !/^\d+ % {2}1\/2 files/m.test(text)) return
      sent += 1
      kill(signal)
    })
    expect({ code, sent }).toEqual({ code: exitCode, sent: 1 })
    expect(err).toContain(`Stopped by ${signal}: 1 of 2 files found so far are digested`)
    const { files, found, ...rest } = report()
    expect(files).toEqual([expected('small', Buffer.from('done at once'))])
    expect(found).toMatchObject({ files: 2 })
    expect(rest).toMatchObject({ complete: false, signal, failures: [] })
  })
})

/** The file of the job in the folder of the queue. */
const databaseIn = (folder: string): string => {
  const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.db'))
  return file
}

/** What has ended in the queue of a job, how and when: an attempt more would show. */
async function committedIn(queue: Queue): Promise<Map<string, object>> {
  const ended = new Map<string, object>()
  let after: string | undefined
  do {
    const page = await queue.list({ state: 'finished', limit: 1_000, ...(after && { after }) })
    for (const { id, holder, attempt, startedAt, endedAt } of page.tasks)
      ended.set(id, { holder, attempt, startedAt, endedAt })
    after = page.next
  } while (after !== undefined)
  return ended
}

async function committed(): Promise<Map<string, object>> {
  await using queue = await openQueue({ url: `sqlite:${join(state, databaseIn(state))}` })
  return await committedIn(queue)
}

/** What two reports of one tree have in common, however often one of the jobs was interrupted. */
function facts({ found, done, findings, failures, files, complete, signal, ...rest }: Report) {
  return { found, done, findings, failures, files, complete, signal, tasks: tasksOf({ ...rest } as Report) }
}

describe('a job that was interrupted', () => {
  function plant(): void {
    for (let at = 0; at < 40; at += 1) {
      mkdirSync(join(tree, `dir-${at}`))
      for (let file = 0; file < 15; file += 1) write(`dir-${at}/${file}`, `${at} ${file} `.repeat(200 * file))
      write(`dir-${at}/package.json`, at % 9 === 0 ? '{ "name": ' : '{ "name": "ok" }')
    }
    write('large.bin', Buffer.alloc(3_000_000, 'large '))
    symlinkSync('large.bin', join(tree, 'link'))
  }

  test('by kill -9 at random moments goes on, digests nothing twice and reports the same', {
    timeout: 120_000,
  }, async () => {
    plant()
    expect(await digestTree()).toMatchObject({ code: 0 })
    const whole = facts(report())
    const total = Object.values(whole.tasks).reduce((sum, tasks) => sum + tasks, 1)
    const file = databaseIn(state)
    rmSync(reportFile)
    state = join(home, 'killed')
    mkdirSync(state)

    await using queue = await openQueue({ url: `sqlite:${join(state, file)}` })
    let kept = new Map<string, object>()
    const expectKept = async () => {
      const now = await committedIn(queue)
      for (const [id, end] of kept) expect([id, now.get(id)]).toEqual([id, end])
      kept = now
    }
    for (let kill = 0; kill < 5; kill += 1) {
      const target = kept.size + Math.random() * (total / 6)
      const job = start(['--quiet', tree, '--report', reportFile, '--state', state])
      await until(async () => (await queue.counts()).finished >= target)
      job.child.kill('SIGKILL')
      expect(await job.outcome).toEqual({ code: null, out: '', err: '' })
      await expectKept()
    }
    expect(existsSync(reportFile)).toBe(false)
    expect(await digestTree()).toMatchObject({ code: 0 })

    expect(facts(report())).toEqual(whole)
    await expectKept()
    expect(kept.size).toBe(total)
  })

  test('by a signal goes on, and begins anew once it was finished', async () => {
    write('small', 'done at once')
    write('endless', '')
    truncateSync(join(tree, 'endless'), ENDLESS_BYTES)
    let sent = false
    const stopped = await run([tree, '--report', reportFile, '--state', state], (text, kill) => {
      if (sent || !/^\d+ % {2}1\/2 files/m.test(text)) return
      sent = true
      kill('SIGINT')
    })
    expect(stopped).toMatchObject({
      code: 130,
      err: expect.stringContaining('the next start goes on from here'),
    })
    const kept = await committed()
    truncateSync(join(tree, 'endless'), 0)

    const rest = await digestTree()
    expect(rest).toMatchObject({ code: 0, err: expect.stringContaining(`Going on with ${tree}`) })
    expect(rest.out).toMatch(/^1 file of 2, .*; 1 of them before$/m)
    expect(report()).toMatchObject({
      complete: true,
      found: { files: 2, bytes: 12 + ENDLESS_BYTES },
      findings: [{ path: 'endless', finding: 'changed' }],
    })
    expect(kept.size).toBe(2)
    expect((await committed()).get('digest small')).toEqual(kept.get('digest small'))

    const anew = await digestTree()
    expect(anew).toMatchObject({ code: 0, err: expect.stringContaining(`Digesting ${tree}`) })
    expect(report()).toMatchObject({ complete: true, found: { files: 2, bytes: 12 }, findings: [] })
  })

  test('is forgotten with --fresh, and worked on by one process at a time', async () => {
    write('endless', '')
    truncateSync(join(tree, 'endless'), ENDLESS_BYTES)
    let second: Promise<Outcome> | undefined
    const first = await run([tree, '--report', reportFile, '--state', state], (text, kill) => {
      if (second !== undefined || !/^\d+ % {2}0\/1 files/m.test(text)) return
      second = digestTree()
      void second.then(() => kill('SIGKILL'))
    })
    expect(first.code).toBe(null)
    expect(await second).toEqual({
      code: 2,
      out: '',
      err: expect.stringMatching(/^Process \d+ is at work on this directory already\.\n$/),
    })

    truncateSync(join(tree, 'endless'), 0)
    expect(await digestTree('--fresh')).toMatchObject({
      code: 0,
      err: expect.stringContaining(`Digesting ${tree}`),
    })
    expect(report()).toMatchObject({ complete: true, found: { bytes: 0 }, findings: [] })
  })

  test('is not there yet, and is begun by one of several that start at once', async () => {
    write('endless', '')
    truncateSync(join(tree, 'endless'), ENDLESS_BYTES)
    const several = Array.from({ length: 4 }, () => {
      const { child, outcome } = start([tree, '--report', reportFile, '--state', state])
      return { child, outcome }
    })
    let over = 0
    const outcomes = await Promise.all(
      several.map(async ({ outcome }) => {
        const ended = await outcome
        over += 1
        if (over === several.length - 1) for (const { child } of several) child.kill('SIGKILL')
        return ended
      }),
    )
    const [worked, ...refused] = outcomes.sort((a, b) => (a.code ?? 0) - (b.code ?? 0))
    expect(worked).toMatchObject({ code: null, err: expect.stringContaining(`Digesting ${tree}`) })
    const holder = several.find(({ child }) => child.signalCode === 'SIGKILL')?.child.pid
    for (const one of refused)
      expect(one).toEqual({
        code: 2,
        out: '',
        err: `Process ${holder} is at work on this directory already.\n`,
      })
  })

  test('and keeps its queue in the tree does not digest it', async () => {
    write('a', 'a')
    state = join(tree, 'state')
    await digestTree()
    expect(await digestTree()).toMatchObject({ code: 0 })
    expect(report()).toMatchObject({ found: { files: 1, directories: 1, special: 0 } })
  })
})

describe('bad options', () => {
  test.each([
    ['an unknown option', ['--speed'], "Unknown option '--speed'. Try --help."],
    ['two directories', ['.', '.'], 'Expected one directory, not 2.'],
    ['a directory that is not there', ['nowhere'], 'Cannot digest nowhere: it does not exist.'],
    ['a file for a directory', [MAIN], `Cannot digest ${MAIN}: it is not a directory.`],
    [
      'a directory for the report',
      ['.', '--report', '.'],
      'Cannot write the report to .: it is a directory.',
    ],
    [
      'a file for the state',
      ['.', '--state', MAIN],
      `Cannot keep the job in ${MAIN}: it is not a directory.`,
    ],
    ['no name for the report', ['--report'], "Option '--report <value>' argument missing. Try --help."],
  ])('%s: one sentence and exit code 2', async (_, args, sentence) => {
    expect(await run(args)).toEqual({ code: 2, out: '', err: `${sentence}\n` })
  })
})

describe.skipIf(process.platform === 'win32')('a file that is not what was listed', () => {
  const listedAs = (name: string, content: Buffer): ListedFile => {
    const file = join(tree, name)
    writeFileSync(file, content)
    const { size, mtimeMs, ino } = statSync(file)
    return { path: toBytePath(file), bytes: size, mtimeMs, inode: ino }
  }
  const digestOf = (file: ListedFile) =>
    file.bytes > LARGE ? digestLarge(file, new AbortController().signal, () => {}) : digestSmall(file)

  test.each([
    ['small', Buffer.from('small')],
    ['large', Buffer.alloc(LARGE + 1)],
  ])('%s', async (name, content) => {
    const listed = listedAs(name, content)
    const { path } = listed
    const changed = { path, finding: 'changed', detail: expect.any(String) }
    expect(await digestOf(listed)).toMatchObject({ bytes: content.length })
    appendFileSync(path, 'more')
    expect(await digestOf(listed)).toEqual(changed)
    truncateSync(path, content.length - 1)
    expect(await digestOf(listed)).toEqual(changed)
    writeFileSync(path, content)
    utimesSync(path, 1, 1)
    expect(await digestOf(listed)).toEqual(changed)
    rmSync(path)
    expect(await digestOf(listed)).toEqual({ path, finding: 'vanished', detail: 'ENOENT' })
    symlinkSync('/dev/zero', path)
    expect(await digestOf(listed)).toEqual(changed)
    rmSync(path)
    execFileSync(MKFIFO, [path])
    expect(await digestOf(listed)).toEqual(changed)
  })
})

describe('problemsOf a package.json', () => {
  test.each([
    ['{}'],
    ['{ "type": "module" }'],
    ['\uFEFF{ "name": "JSONStream", "version": "v1.0.0" }'],
    ['{ "name": "@types/node", "version": "24.0.0", "dependencies": { "a": "*" } }'],
  ])('%s: none', (text) => expect(problemsOf(text)).toEqual([]))

  test.each([
    ['', 'It is not JSON'],
    ['[]', 'It is not an object'],
    ['null', 'It is not an object'],
    ['{ "name": 1 }', 'name is not a string'],
    ['{ "name": ".hidden" }', 'name cannot start with a period'],
    ['{ "version": "1.2" }', 'version "1.2" is no semantic version'],
    ['{ "version": 1 }', 'version 1 is no semantic version'],
    ['{ "type": "esm" }', 'type "esm" is neither'],
    ['{ "dependencies": [] }', 'dependencies is not an object'],
    ['{ "peerDependencies": { "a": 1 } }', 'peerDependencies: the range of "a" is not a string'],
  ])('%s: %s', (text, problem) => expect(problemsOf(text).join()).toContain(problem))
})
