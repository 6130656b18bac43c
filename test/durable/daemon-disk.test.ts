/** A disk that fails: clear errors, a daemon that lives on, and nothing that was answered is lost. */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { errorOf, heldTask, taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { enqueue, next, openPlace, records, startedDaemon } from './daemon-kit.ts'

const echo = taskOf<unknown, unknown>((value) => value)

/** Only root may make file systems, and not in every container. */
const canMount = ((): boolean => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  try {
    // In a name space of its own, which ends with the command.
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** A file system of 2 MiB in memory, gone with the test. */
async function smallDisk(): Promise<{ folder: string; remount(option: 'ro' | 'rw'): void }> {
  const folder = join(await temporaryFolder(), 'disk')
  await mkdir(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder])
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]))
  return {
    folder,
    remount: (option) => void execFileSync('mount', ['-o', `remount,${option},size=2m`, folder]),
  }
}

/** Fills what is left of a small disk. */
async function fill(file: string): Promise<void> {
  for (let size = 1 << 20; size >= 512; size /= 2) {
    for (;;) {
      const error = await writeFile(file, Buffer.alloc(size), { flag: 'a' }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      if (error !== undefined) break
    }
  }
}

describe.skipIf(!canMount)('on a file system of its own (needs root, and leave to mount)', () => {
  test('a full disk refuses what has no room; what has ended is kept, and told when there is room again', async () => {
    const { folder } = await smallDisk()
    const { task, calls } = heldTask<number>()
    const place = await openPlace(join(folder, 'tasks.db'))
    const { queue, store, daemon } = await startedDaemon([task, echo], { place })
    const { id } = await queue.enqueue(task, 1)
    await records(store, [id], ({ state }) => state === 'running')
    await fill(join(folder, 'filler'))
    const error = await errorOf(queue.enqueue(echo, 'x'.repeat(500_000)))
    expect(error).toMatchObject({ name: 'QueueError', code: 'ERR_STORE_FULL' })
    expect(error.message).toContain('is full; nothing was stored')
    calls[0]?.resolve('x'.repeat(500_000))
    await until(() => daemon.info().held === 0)
    // Answered after the end was tried: they share the connection, in order.
    expect(await errorOf(queue.enqueue(echo, 'x'.repeat(500_000)))).toMatchObject({ code: 'ERR_STORE_FULL' })
    expect((await queue.get(id))?.state).toBe('running')
    await rm(join(folder, 'filler'))
    expect(await queue.wait(id)).toHaveLength(500_000)
    expect(await queue.wait(await queue.enqueue(echo, 'more'))).toBe('more')
    expect((await queue.list()).tasks).toHaveLength(2)
  })

  test('a disk that is read-only for a while is told of, and the queue opens again after it', async () => {
    const { folder, remount } = await smallDisk()
    const file = join(folder, 'tasks.db')
    const first = await openPlace(file)
    await first.queue.enqueue(echo, 0)
    await first.queue.close()
    remount('ro')
    const refused = await errorOf(openQueue({ url: `sqlite:${file}` }))
    expect(refused).toMatchObject({ code: 'ERR_STORE_NOT_WRITABLE' })
    expect(refused.message).toContain(`Expected the folder ${folder} to be writable`)
    remount('rw')
    expect(await (await openPlace(file)).queue.counts()).toMatchObject({ queued: 1 })
  })
})

/** Files that nobody can write to, also who is root. */
const canFreeze = ((): boolean => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const file = join(tmpdir(), `stateward-frozen-${process.pid}`)
  try {
    writeFileSync(file, '')
    execFileSync('chattr', ['+i', file], { stdio: 'ignore' })
    execFileSync('chattr', ['-i', file], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmSync(file, { force: true })
  }
})()

describe.skipIf(!canFreeze)('files that turn read-only while they are open (needs root, and chattr)', () => {
  test('refuse what is to be stored with a clear error; daemon and client go on when they are writable again', async () => {
    const { task, calls } = heldTask<number>()
    const place = await openPlace()
    const { queue, store, supervisor } = await startedDaemon([task, echo], {
      place,
      daemon: { leaseMs: 60_000 },
    })
    const { file } = place
    const [held] = await enqueue(queue, task.call(1))
    await records(store, [held as string], ({ state }) => state === 'running')
    const due = await queue.enqueue(echo, 'due', { delayMs: 300 })
    // What SQLite maps beside them it could not write to without being ended by the system.
    const all = [file, `${file}-wal`]
    const thaw = (): void => void execFileSync('chattr', ['-i', ...all])
    const lost = next(supervisor, 'daemon.storeLost')
    execFileSync('chattr', ['+i', ...all])
    onTestFinished(() => thaw())
    const error = await errorOf(queue.enqueue(echo, 'x'))
    expect(error).toMatchObject({ name: 'QueueError', code: 'ERR_STORE_NOT_WRITABLE' })
    expect(error.message).toContain('to be writable')
    expect(await lost).toMatchObject({ error: { code: 'ERR_STORE_NOT_WRITABLE' } })
    // What is there can still be read, and what ends meanwhile is kept.
    expect((await queue.get(held as string))?.state).toBe('running')
    calls[0]?.resolve('done')
    const found = next(supervisor, 'daemon.storeFound')
    thaw()
    await found
    expect(await queue.wait(held as string)).toBe('done')
    expect(await queue.wait(due)).toBe('due')
    expect(await queue.wait(await queue.enqueue(echo, 'more'))).toBe('more')
    expect(await queue.doctor()).toMatchObject({ ok: true })
  })
})

describe('a file that is gone while it is open', () => {
  test('refuses what is asked, since it were lost, and is taken up again when it is back', async () => {
    const { queue, supervisor, file } = await startedDaemon([echo])
    const kept = await queue.enqueue(echo, 'kept')
    await queue.wait(kept)
    const lost = next(supervisor, 'daemon.storeLost')
    await rename(file, `${file}.away`)
    const error = await errorOf(queue.enqueue(echo, 'nowhere'))
    expect(error).toMatchObject({ name: 'QueueError', code: 'ERR_STORE_MISSING' })
    expect(error.message).toContain('was removed while it was open')
    expect(await errorOf(queue.counts())).toMatchObject({ code: 'ERR_STORE_MISSING' })
    expect(await lost).toMatchObject({ error: { code: 'ERR_STORE_MISSING' } })
    const found = next(supervisor, 'daemon.storeFound')
    await rename(`${file}.away`, file)
    await found
    expect(await queue.wait(await queue.enqueue(echo, 'again'))).toBe('again')
    expect((await queue.list()).tasks).toHaveLength(2)
  })

  test('by another one in its place is told, which is left alone', async () => {
    const { queue, file, daemon } = await startedDaemon([echo])
    await queue.wait(await queue.enqueue(echo, 'old'))
    const copy = `${file}.copy`
    await copyFile(file, copy)
    await rename(copy, file)
    const error = await errorOf(queue.enqueue(echo, 'nowhere'))
    expect(error).toMatchObject({ code: 'ERR_STORE_MISSING' })
    expect(error.message).toContain('was replaced while it was open. Restart its users')
    await daemon.stop({ wait: 100 })
  })
})
