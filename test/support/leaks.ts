/**
 * Finds what a piece of code has left behind: timers (unref'd ones too), handles, threads, child
 * processes, pending timers of manual clocks, unhandled rejections and uncaught exceptions.
 *
 * Everything is written down with a serial number when it comes into being and crossed out when it is
 * gone, so a snapshot is just a number, and each leak can say where it was made. The sources are Node's
 * own: async hooks, diagnostics channels, /proc. (`process.getActiveResourcesInfo()` alone is not enough:
 * it shows neither unref'd handles nor an idle thread. It is asked for what the hooks do not cover.)
 */
import { createHook } from 'node:async_hooks'
// Whoever imports it first opens the standard streams: that is nobody's leak.
import 'node:process'
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { readdirSync, readFileSync } from 'node:fs'
import type { MessagePort, Worker } from 'node:worker_threads'
import type { ManualClock } from '../../src/runtime/testing/manual-clock.ts'
import { turns } from './turns.ts'

/** Where a leak was made. V8 formats the stack only when it is read. */
interface Origin {
  readonly stack: string
}

interface Tracked {
  readonly serial: number
  readonly origin: Origin
  readonly kind: 'thread' | 'process' | 'clock' | 'error' | 'handle'
  /** What to print, or `undefined` when it is no leak (any more). */
  describe(): string | undefined
}

/** The state to compare with; from {@link takeSnapshot}. */
export interface LeakSnapshot {
  readonly serial: number
  readonly requests: ReadonlyMap<string, number>
  readonly pids: ReadonlySet<number>
}

/** Async resource types that stay until somebody closes them. */
const HANDLES = new Set([
  'Timeout',
  'MESSAGEPORT',
  'PIPEWRAP',
  'PIPESERVERWRAP',
  'TCPWRAP',
  'TCPSERVERWRAP',
  'UDPWRAP',
  'FSEVENTWRAP',
  'STATWATCHER',
  'SIGNALWRAP',
])

/** Active resources that are no leaks, or that are tracked one by one. */
const COVERED =
  /^(Immediate|Timeout|MessagePort|ProcessWrap|TTYWrap|(Pipe|TCPSocket|TCPServer|UDP|Signal)Wrap)$/

const tracked = new Map<unknown, Tracked>()
const now = performance.now.bind(performance)
let serial = 0
let tracking = false

/** Hears of unhandled rejections; exported so that a test can put it in the place of all others. */
export function onUnhandledRejection(error: unknown): void {
  trackError('unhandled rejection', error)
}

/** Starts to write down what comes into being. Until then there are no leaks. */
export function startTracking(): void {
  if (tracking) return
  tracking = true
  const hook = createHook({ init: trackHandle, destroy: (id) => tracked.delete(id), trackPromises: false })
  hook.enable()
  subscribe('worker_threads', (message) => trackThread((message as { worker: Worker }).worker))
  subscribe('child_process', (message) => trackProcess((message as { process: ChildProcess }).process))
  process.on('unhandledRejection', onUnhandledRejection)
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    if (origin === 'uncaughtException') trackError('uncaught exception', error)
  })
  Object.assign(globalThis, { [Symbol.for('stateward.testing.manual-clocks')]: { add: trackClock } })
}

export function takeSnapshot(): LeakSnapshot {
  for (const [key, item] of tracked) {
    if (item.kind === 'clock' && item.describe() === undefined) tracked.delete(key)
  }
  return { serial, requests: activeRequests(), pids: new Set(childPids()) }
}

/**
 * What has come into being since `snapshot` and is still there, one text each. What needs turns of the
 * event loop to disappear gets them, for at most `timeoutMs`; there is no fixed wait. Errors and clocks are
 * told once.
 */
export async function findLeaks(snapshot: LeakSnapshot, timeoutMs = 2_000): Promise<string[]> {
  const end = now() + timeoutMs
  for (;;) {
    // Unhandled rejections are announced, and destroyed resources crossed out, a turn later.
    await turns(2)
    const leaks = collect(snapshot)
    const errors = [...tracked.values()].filter(
      (item) => item.kind === 'error' && item.serial > snapshot.serial,
    )
    // Only errors are sure to stay; but while anything else may go, they wait with it.
    if (leaks.length > errors.length && now() < end) continue
    // What does not cross itself out is told once, here; the check of the file need not repeat it.
    for (const [key, item] of tracked) {
      const stays = item.kind === 'error' || item.kind === 'clock'
      if (stays && item.serial > snapshot.serial && leaks.length > 0) tracked.delete(key)
    }
    return leaks
  }
}

function collect(snapshot: LeakSnapshot): string[] {
  const leaks: string[] = []
  const kinds = new Set<Tracked['kind']>()
  const known = new Set<number>()
  const fresh = [...tracked.values()].filter((item) => item.serial > snapshot.serial)
  for (const item of fresh) {
    if (item.kind === 'handle') continue
    const text = item.describe()
    if (text === undefined) continue
    kinds.add(item.kind)
    leaks.push(text + where(item.origin))
  }
  for (const item of fresh) {
    const text = item.kind === 'handle' ? item.describe() : undefined
    if (text === undefined) continue
    // The ports and pipes of a thread or process that is reported anyway.
    if (kinds.has('thread') && item.origin.stack.includes('node:internal/worker')) continue
    if (kinds.has('process') && item.origin.stack.includes('node:internal/child_process')) continue
    // Made when it is imported, and unref'd: it listens for registries of other threads as long as its thread lives.
    if (item.origin.stack.includes('@prometheus-io/client/lib/worker.js')) continue
    leaks.push(text + where(item.origin))
  }
  for (const [type, count] of activeRequests()) {
    const more = count - (snapshot.requests.get(type) ?? 0)
    if (more > 0) leaks.push(`${more} × active ${type}`)
  }
  for (const key of tracked.keys()) {
    if (typeof key === 'object' && key !== null && 'pid' in key) known.add(key.pid as number)
  }
  for (const pid of childPids()) {
    if (snapshot.pids.has(pid) || known.has(pid)) continue
    // A process that has ended, but was not waited for (its thread is gone), has no command line.
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
    if (command !== '') leaks.push(`child process ${pid} (${command})`)
  }
  return leaks
}

function track(
  key: unknown,
  kind: Tracked['kind'],
  describe: () => string | undefined,
  above: unknown,
): void {
  const origin = {} as Origin
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 25
  Error.captureStackTrace(origin, above as () => void)
  Error.stackTraceLimit = limit
  const item: Tracked = {
    serial: ++serial,
    origin,
    kind,
    describe: () => (foreign(item) ? undefined : describe()),
  }
  tracked.set(key, item)
}

function trackHandle(id: number, type: string, _trigger: number, resource: object): void {
  if (!HANDLES.has(type)) return
  // Held weakly: a handle that nobody can reach is closed by the garbage collector.
  const ref = new WeakRef(resource)
  const describe = (): string | undefined => {
    const handle = ref.deref()
    if (handle === undefined) return undefined
    if (type === 'Timeout') return describeTimeout(handle as NodeJS.Timeout)
    if (type === 'MESSAGEPORT' && !isOpen(handle as MessagePort)) return undefined
    return `open handle ${type}`
  }
  track(id, 'handle', describe, trackHandle)
}

function describeTimeout(timeout: NodeJS.Timeout): string {
  const { _idleTimeout: ms, _repeat: repeat } = timeout as unknown as {
    _idleTimeout: number
    _repeat: unknown
  }
  return `${repeat === null ? 'timer' : 'interval'} of ${ms} ms${timeout.hasRef() ? '' : " (unref'd)"}`
}

/** A port that was never listened to holds nothing. */
function isOpen(port: MessagePort): boolean {
  return port.hasRef() || port.listenerCount('message') > 0
}

function trackThread(worker: Worker): void {
  worker.once('exit', () => tracked.delete(worker))
  const describe = (): string => `thread ${worker.threadId} (${worker.threadName || 'without a name'})`
  track(worker, 'thread', describe, trackThread)
}

function trackProcess(child: ChildProcess): void {
  const describe = (): string | undefined => {
    const running = child.pid !== undefined && child.exitCode === null && child.signalCode === null
    if (running) return `child process ${child.pid} (${child.spawnargs.join(' ')})`
    tracked.delete(child)
    return undefined
  }
  track(child, 'process', describe, trackProcess)
}

function trackClock(clock: ManualClock): void {
  const describe = (): string | undefined => {
    const { pending } = clock
    if (pending === 0) return undefined
    return `${pending} pending timer${pending === 1 ? '' : 's'} of a ManualClock`
  }
  track(clock, 'clock', describe, trackClock)
}

function trackError(what: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  track({}, 'error', () => `${what}: ${text}`, trackError)
}

/** Frames of this file, of the hooks and the timer functions, and of Vitest's wrapper of `process.emit`. */
const PLUMBING =
  /support\/leaks\.ts|node:(internal\/)?(timers|async_hooks|diagnostics_channel)|suppress-warnings\.cjs/
const TEST_RUNNER = /\/node_modules\/(vitest|@vitest|vite|vite-node|tinypool|birpc)\//

function framesOf(origin: Origin): string[] {
  return origin.stack.split('\n').filter((line) => /^\s+at /.test(line) && !PLUMBING.test(line))
}

/** Made by the test runner, or a timer that Node made for itself. */
function foreign({ kind, origin }: Tracked): boolean {
  if (kind === 'error') return false
  const frames = framesOf(origin)
  if (kind === 'handle' && frames[0]?.includes('node:') && origin.stack.includes('new Timeout')) return true
  const maker = frames.find((line) => line.includes('/') && !line.includes('node:'))
  return maker !== undefined && TEST_RUNNER.test(maker)
}

/** The project's frames, as lines to append. */
function where(origin: Origin): string {
  return framesOf(origin)
    .filter((line) => line.includes('/') && !line.includes('node:') && !TEST_RUNNER.test(line))
    .slice(0, 4)
    .map((line) => `\n    ${line.trim()}`)
    .join('')
}

function activeRequests(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const type of process.getActiveResourcesInfo()) {
    if (!COVERED.test(type)) counts.set(type, (counts.get(type) ?? 0) + 1)
  }
  return counts
}

/** Children of this process whichever thread made them; only Linux tells. */
function childPids(): number[] {
  try {
    return readdirSync('/proc/self/task').flatMap((thread) =>
      read(`/proc/self/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
